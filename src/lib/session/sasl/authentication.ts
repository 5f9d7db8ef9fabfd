/**
 * What authentication is given and what it comes to. `authenticate.ts` does it.
 */
import type { Element } from '../../xml/element.js';
import type { ConnectOptions, MechanismPinStore } from '../options.js';
import type { ChannelBindingType } from '../transport/socket.js';

/** What can be named to a server. The transport's `tls-finished` is only another source of data: see channel-binding.ts. */
export type BindingName = Exclude<ChannelBindingType, 'tls-finished'>;

/**
 * Something negotiated inside SASL2 (`<authenticate/>` and `<success/>`), or inside Bind 2 (`<bind/>` and `<bound/>`):
 * stream management and carbons are.
 */
export interface InlineFeature {
  /** The namespace of the offer, of the request and of the answer. */
  readonly namespace: string;
  /** What to ask for, or undefined. Called once for each attempt. */
  request(): Element | undefined;
  /** Each child of the answer with this namespace; before `authenticate` resolves. */
  receive(answer: Element): void;
}

export interface AuthenticationResult {
  mechanism: string;
  /** The type of channel binding that was in use. */
  channelBinding: string | undefined;
  /** RFC 6120's profile: the caller restarts the stream. XEP-0388's: features follow without a restart. */
  profile: 'sasl' | 'sasl2';
  /** True where the server proved that it knows the password (SCRAM) or the token (HT). */
  isServerProven: boolean;
  /** True where the server confirmed under the password what it had offered (XEP-0474). */
  isDowngradeProtected: boolean;
  /** True where a FAST token took the password's place. */
  isToken: boolean;
  /** SASL2 only: the address the server gave us; a full one once bound or resumed. */
  authorizationIdentifier: string | undefined;
  /** Bind 2 has bound a resource: `authorizationIdentifier` is the full JID. */
  isBound: boolean;
}

export interface AuthenticationOptions {
  options: ConnectOptions;
  /** TLS is on. Without it nothing is sent unless `options.allowPlain`. */
  isSecure: boolean;
  channelBinding: (type: ChannelBindingType) => Buffer | undefined;
  /** Bind 2 is used only where it is given, and not with a FAST token: the resource's tag, and the features asked for inside `<bind/>`. */
  bind2?: { tag: string; features: readonly InlineFeature[] } | undefined;
  /** Inline features of SASL2 itself: resumption (XEP-0198). */
  inline?: readonly InlineFeature[];
  pins?: MechanismPinStore | undefined;
  /** Facts for the tracer's `sasl` event. Never secret. */
  trace?: ((detail: Readonly<Record<string, unknown>>) => void) | undefined;
}

/** What authentication needs of a stream; `XmppStream` is one. */
export interface SaslStream {
  send(element: Element): void;
  /** The next element that arrives; bounded in time. */
  next(doing: string): Promise<Element>;
}
