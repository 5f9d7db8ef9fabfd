/**
 * From a connected socket to a bound client stream: STARTTLS, SASL, resumption or binding, stream management
 * (RFC 6120 §4.3, XEP-0170, XEP-0198, XEP-0386). Read from top to bottom, it is the order on the wire.
 */
import { randomUUID } from 'node:crypto';
import { ProtocolError, TlsError } from '../errors.js';
import { JID } from '../jid/jid.js';
import type { ConnectionTrace } from '../trace/events.js';
import { xml, type Element } from '../xml/element.js';
import { stanzaErrorFrom } from '../xml/stanza-error.js';
import { NS_BIND, NS_SESSION, NS_SM, NS_STARTTLS } from './namespaces.js';
import type { ConnectOptions } from './options.js';
import { authenticate } from './sasl/authenticate.js';
import type { AuthenticationResult, InlineFeature } from './sasl/authentication.js';
import { StreamManagement } from './stream-management.js';
import { stringAttribute, type XmppStream } from './stream.js';

/** What became of stream management. */
export type Managed =
  /** The server does not have it. */
  | { kind: 'missing' }
  /** It can be enabled at any time. */
  | { kind: 'offered' }
  | { kind: 'enabled'; management: StreamManagement }
  | { kind: 'resumed'; management: StreamManagement; resumed: Element };

export interface Negotiated {
  jid: JID;
  features: Element;
  authentication: AuthenticationResult | undefined;
  managed: Managed;
  /** The answer to a resumption that failed; it may say how much arrived. */
  failed: Element | undefined;
}

/**
 * Opens the stream and makes it secure. Nothing that is secret crosses a plain stream unless `allowPlain`.
 *
 * @returns the features of the secure stream
 * @throws TlsError the server does not offer TLS, refuses it, or somebody on the way has removed the offer
 */
export async function openSecureStream(stream: XmppStream, options: ConnectOptions): Promise<Element> {
  const features = await stream.openWithFeatures();
  if (stream.socket.secure) return features;
  const domain = options.jid.domain;
  if (!features.getChild('starttls', NS_STARTTLS)) {
    if (options.allowPlain) return features;
    throw stream.abort(
      new TlsError(`${domain} does not offer TLS on this connection`, {
        hint: 'the server has none, or somebody on the way removes the offer',
      }),
    );
  }
  stream.send(xml('starttls', { xmlns: NS_STARTTLS }));
  const answer = await stream.next('waiting for the server to start TLS');
  if (answer.is('failure', NS_STARTTLS)) {
    throw stream.abort(new TlsError(`${domain} offers TLS but failed to start it`));
  }
  if (!answer.is('proceed', NS_STARTTLS)) {
    throw stream.abort(new ProtocolError(`the server answered STARTTLS with <${answer.getName()}/>`));
  }
  await stream.startTls();
  return stream.openWithFeatures();
}

/**
 * Everything up to the point where stanzas can be exchanged.
 *
 * @param resumable the managed stream to go on with, if there was one
 */
export async function negotiateClient(
  stream: XmppStream,
  options: ConnectOptions,
  trace: ConnectionTrace | undefined,
  resumable: StreamManagement | undefined,
): Promise<Negotiated> {
  const secureFeatures = await openSecureStream(stream, options);
  const inline = new InlineManagement(resumable, options.resume === true);
  const authentication = await authenticate(stream, secureFeatures, {
    options,
    isSecure: stream.socket.secure,
    channelBinding: (type) => stream.socket.channelBinding(type),
    // A tag is only a wish: who asks for a resource by name binds it the classical way.
    ...(options.jid.resource === undefined && { bind2: { tag: 'xmppctl', features: inline.bindFeatures } }),
    inline: inline.saslFeatures,
    pins: options.credentials.pins,
    trace: trace && ((detail) => trace.event('sasl', detail)),
  });
  const features =
    authentication.profile === 'sasl' ? await stream.openWithFeatures() : await stream.readFeatures();
  const isOffered = features.getChild('sm', NS_SM) !== undefined;
  const answer = inline.resumption ?? (isOffered && resumable ? await resume(stream, resumable) : undefined);
  const outcome = { features, authentication };
  if (resumable && answer?.is('resumed', NS_SM)) {
    trace?.event('sm', { what: 'resumed', h: stringAttribute(answer, 'h') });
    const managed: Managed = { kind: 'resumed', management: resumable, resumed: answer };
    return { ...outcome, jid: options.jid, managed, failed: undefined };
  }
  if (answer) trace?.event('sm', { what: 'failed', h: stringAttribute(answer, 'h') });
  const jid =
    authentication.isBound && authentication.authorizationIdentifier !== undefined
      ? boundJid(stream, authentication.authorizationIdentifier)
      : await bind(stream, features, options.jid.resource);
  trace?.event('bind', { jid: jid.toString() });
  let managed = inline.enabled ?? (isOffered || inline.isOffered ? offered : missing);
  if (managed.kind === 'offered' && options.resume) managed = await enable(stream);
  if (managed.kind === 'enabled') trace?.event('sm', { what: 'enabled', id: managed.management.id });
  return { ...outcome, jid, managed, failed: answer };
}

const offered: Managed = { kind: 'offered' };
const missing: Managed = { kind: 'missing' };

const enableElement = (): Element => xml('enable', { xmlns: NS_SM, resume: 'true' });

/** Enables stream management with resumption (XEP-0198 §3). A refusal is no failure: pings acknowledge, then. */
async function enable(stream: XmppStream): Promise<Managed> {
  stream.send(enableElement());
  // Stanzas for us may come before the answer: we are bound.
  const { element, passed } = await stream.nextThat(
    (answer) => answer.is('enabled', NS_SM) || answer.is('failed', NS_SM),
    'waiting for the server to enable stream management',
  );
  if (element.name === 'failed') return missing;
  const management = new StreamManagement();
  management.onEnabled(element);
  // Counting begins after <enabled/>; what came before will be counted when it is delivered.
  management.inbound = -passed >>> 0;
  return { kind: 'enabled', management };
}

/** Stream management as an inline feature of SASL2 (resumption) and of Bind 2 (enabling). */
class InlineManagement {
  /** `<resumed/>` or `<failed/>` in answer to a resumption. */
  resumption: Element | undefined;
  enabled: Managed | undefined;
  isOffered = false;
  readonly saslFeatures: readonly InlineFeature[];
  readonly bindFeatures: readonly InlineFeature[];

  constructor(resumable: StreamManagement | undefined, wantsResumption: boolean) {
    this.saslFeatures = [
      {
        namespace: NS_SM,
        request: () => resumable?.resumeElement(),
        receive: (answer) => (this.resumption = answer),
      },
    ];
    this.bindFeatures = [
      {
        namespace: NS_SM,
        request: () => {
          this.isOffered = true;
          return wantsResumption ? enableElement() : undefined;
        },
        receive: (answer) => {
          if (!answer.is('enabled', NS_SM)) return;
          const management = new StreamManagement();
          management.onEnabled(answer);
          this.enabled = { kind: 'enabled', management };
        },
      },
    ];
  }
}

async function resume(stream: XmppStream, resumable: StreamManagement): Promise<Element> {
  stream.send(resumable.resumeElement());
  const answer = await stream.next('waiting for the server to resume the stream');
  if (answer.is('resumed', NS_SM) || answer.is('failed', NS_SM)) return answer;
  throw stream.abort(new ProtocolError(`the server answered a resumption with <${answer.getName()}/>`));
}

/**
 * Binds a resource (RFC 6120 §7).
 *
 * @throws StanzaError the server refuses it
 */
async function bind(stream: XmppStream, features: Element, resource: string | undefined): Promise<JID> {
  if (!features.getChild('bind', NS_BIND)) {
    throw stream.abort(new ProtocolError('the server does not offer to bind a resource'));
  }
  const wanted = resource === undefined ? undefined : xml('resource', {}, resource);
  const result = await exchangeIq(stream, xml('bind', { xmlns: NS_BIND }, wanted), 'binding a resource');
  const text = result.getChild('bind', NS_BIND)?.getChildText('jid');
  const jid = boundJid(stream, text ?? '');
  // COMPAT(RFC 3921): a server of before 2011 wants a session; the others mark it as optional.
  const session = features.getChild('session', NS_SESSION);
  if (session && !session.getChild('optional')) {
    await exchangeIq(stream, xml('session', { xmlns: NS_SESSION }), 'starting a session');
  }
  return jid;
}

function boundJid(stream: XmppStream, text: string): JID {
  const jid = JID.fromServer(text);
  if (jid.domain !== '' && jid.resource !== undefined) return jid;
  throw stream.abort(new ProtocolError('the server bound an address that is not one'));
}

/** An IQ during negotiation: its reply is the next thing that comes. */
async function exchangeIq(stream: XmppStream, payload: Element, doing: string): Promise<Element> {
  const id = randomUUID();
  stream.send(xml('iq', { type: 'set', id }, payload));
  const reply = await stream.next(`waiting for the server while ${doing}`);
  if (reply.name !== 'iq' || reply.attrs['id'] !== id) {
    throw stream.abort(new ProtocolError(`the server sent <${reply.getName()}/> while ${doing}`));
  }
  if (reply.attrs['type'] !== 'result') throw stream.abort(stanzaErrorFrom(reply));
  return reply;
}
