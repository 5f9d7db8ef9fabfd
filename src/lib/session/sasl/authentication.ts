/**
 * What authentication is given and what it comes to. `install-authentication.ts` hangs it into a connection.
 */
import type { Element } from '../../xml/element.js';
import type { ConnectOptions } from '../options.js';
import type { ChannelBindingType } from '../transport/socket.js';

/** `tls-finished` is the client's Finished message of any TLS version: see `COMPAT(ejabberd 23.01)` in channel-binding.ts. */
export type ChannelBindingSource = ChannelBindingType | 'tls-finished';

/**
 * Something negotiated inside SASL2 (`<authenticate/>` and `<success/>`), or inside Bind 2 (`<bind/>` and `<bound/>`):
 * stream management and carbons are.
 */
export interface InlineFeature {
  /** The namespace of the offer, of the request and of the answer. */
  readonly namespace: string;
  /** What to ask for, or undefined. Called once for each attempt. */
  request(): Element | undefined;
  /** Each child of the answer with this namespace; before `onAuthenticated`. */
  receive(answer: Element): void;
}

/** What is known of the server from earlier logins; a profile remembers it (`pin.ts`). */
export interface MechanismPin {
  /** The strongest mechanism that has authenticated this account. */
  mechanism: string;
  /** `tls-exporter` and so on, if channel binding was in use. */
  channelBinding?: string | undefined;
}

export interface MechanismPinStore {
  load(): Promise<MechanismPin | undefined>;
  save(pin: MechanismPin): Promise<void>;
}

export interface AuthenticationResult {
  mechanism: string;
  /** The type of channel binding that was in use. */
  channelBinding: string | undefined;
  /** RFC 6120's profile, or XEP-0388's. After the first the stream has been restarted. */
  profile: 'sasl' | 'sasl2';
  /** True where the server proved that it knows the password (SCRAM) or the token (HT). */
  isServerProven: boolean;
  /** True where a FAST token took the password's place. */
  isToken: boolean;
  /** SASL2 only: the address the server gave us; a full one once bound or resumed. */
  authorizationIdentifier: string | undefined;
  /** Bind 2 has bound a resource: `authorizationIdentifier` is the full JID. */
  isBound: boolean;
}

export interface AuthenticationOptions {
  options: ConnectOptions;
  /** TLS is on and was verified as asked. Without it nothing is sent unless `options.allowPlain`. */
  isSecure: () => boolean;
  channelBinding: (type: ChannelBindingSource) => Buffer | undefined;
  /** For SASL2: the resource's tag; inline features beside and inside `<bind/>`. Bind 2 is used only where it is given. */
  bind2?: { tag: string; features: readonly InlineFeature[] };
  /** Inline features of SASL2 itself: resumption (XEP-0198). */
  inline?: readonly InlineFeature[];
  /** Stable identifier of this installation, a UUID v4 (XEP-0388 §2.3): FAST needs one. Random unless given. */
  userAgentId?: string;
  pins?: MechanismPinStore;
  /**
   * The server accepted us and proved itself. Called before the stream is restarted (SASL) or before the
   * features of the authenticated stream are looked at (SASL2).
   */
  onAuthenticated?: (result: AuthenticationResult) => void;
  /** Facts for the tracer's `sasl` event. Never secret. */
  trace?: (detail: Readonly<Record<string, unknown>>) => void;
}

/** What authentication needs of a connection of @xmpp/client. */
export interface SaslStream {
  send(element: Element): Promise<void>;
  /** Opens a new stream on the same connection. */
  restart(): Promise<unknown>;
  on(event: 'nonza', listener: (element: Element) => void): unknown;
  on(event: 'disconnect', listener: (detail?: { reason?: unknown }) => void): unknown;
  removeListener(event: string, listener: (argument: never) => void): unknown;
}

/** `@xmpp/stream-features`, or `client.streamFeatures`. */
export interface StreamFeatureRegistry {
  use(
    name: string,
    namespace: string,
    handler: (
      context: { stanza: Element },
      next: () => Promise<unknown>,
      feature: Element,
    ) => Promise<unknown>,
  ): unknown;
}
