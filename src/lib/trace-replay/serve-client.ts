/**
 * The server's side of a login, for a client that is going to be played a recording: TLS with a certificate of the
 * proxy's authority, authentication that takes whoever comes, and a resource (RFC 6120 §5–§7, XEP-0114, RFC 7395).
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { AuthError, ProtocolError } from '../errors.js';
import { StreamCarrier } from '../session/transport/carrier.js';
import { ClientLeg, peekAt } from '../trace-proxy/client-leg.js';
import type { Piece } from '../trace-proxy/stanza-cutter.js';
import { speaks } from '../trace-proxy/stream-head.js';
import { escapeAttribute, PROCEED, streamError, streamHeader } from '../trace-proxy/stream-texts.js';
import { NS_BIND, NS_COMPONENT, NS_FRAMING, NS_SASL } from '../trace-analysis/namespaces.js';
import type { ConnectionTrace } from '../trace/events.js';
import { elementsOf, textOf, type TraceElement } from '../trace/trace-element.js';
import { ClientReader } from './client-reader.js';
import { boundFeatures, saslFeatures, startTlsFeatures } from './served-features.js';

export interface ServeOptions {
  /** Served to clients that name no domain. */
  domain: string;
  secureContext: (domain: string) => SecureContext;
  /** Whether clients do without TLS. */
  isPlain: boolean;
  /** Components may do without it: XEP-0114 knows none. */
  allowsPlainComponents: boolean;
  /** What the server of the recording offered last. */
  features: TraceElement | undefined;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface ServedClient {
  /** The address it was given. */
  jid: string;
  domain: string;
  namespace: string;
  /** How it logged in. */
  mechanism: string;
  reader: ClientReader;
  send(text: string): Promise<void>;
  /** Ends the stream and the connection. */
  close(): void;
}

const maxFailures = 5;

export class Serving {
  readonly #leg: ClientLeg;
  readonly #reader: ClientReader;
  readonly #socket: Socket;
  readonly #trace: ConnectionTrace;
  readonly #options: ServeOptions;
  #isFramed = false;
  #hasStream = false;

  constructor(socket: Socket, trace: ConnectionTrace, options: ServeOptions) {
    this.#socket = socket;
    this.#trace = trace;
    this.#options = options;
    this.#leg = new ClientLeg(socket, trace);
    this.#reader = new ClientReader(this.#leg);
  }

  /**
   * Serves the client until it can exchange stanzas. When that fails, it is told so and hung up on.
   * @throws ProtocolError @throws TlsError @throws AuthError @throws ConnectionLostError @throws TimeoutError
   * @throws InterruptedError
   */
  async logIn(): Promise<ServedClient> {
    try {
      return await this.#logIn();
    } catch (error) {
      if (this.#hasStream && !this.#isFramed)
        this.#write(streamError('policy-violation', error instanceof Error ? error.message : String(error)));
      this.#leg.end();
      throw error;
    }
  }

  async #logIn(): Promise<ServedClient> {
    const { timeoutMs, secureContext, isPlain, domain } = this.#options;
    let socket = this.#socket;
    let first = speaks(await peekAt(socket, timeoutMs));
    if (first === 'tls') {
      socket = await this.#leg.secure(secureContext(domain), timeoutMs);
      first = speaks(await peekAt(socket, timeoutMs));
    }
    if (first === 'http') {
      if (!isPlain && socket === this.#socket)
        throw new ProtocolError('the client asked for a WebSocket without TLS');
      this.#isFramed = true;
      const { acceptWebSocket } = await import('../trace-proxy/web-socket.js');
      this.#leg.adopt(await acceptWebSocket(socket, timeoutMs));
    } else if (first === 'xmpp') this.#leg.adopt(new StreamCarrier(socket));
    else throw new ProtocolError('what the client sent does not begin like a stream of XMPP');
    this.#reader.restart();
    let header = await this.#open();
    if (header.namespace === NS_COMPONENT) return this.#serveComponent(header);
    if (!isPlain && !this.#leg.isSecure && !this.#isFramed) {
      this.#write(startTlsFeatures());
      const answer = await this.#element('waiting for the client to start TLS');
      if (answer.name !== 'starttls') throw new ProtocolError('the client did not start TLS');
      this.#write(PROCEED);
      this.#reader.stop();
      const secure = await this.#leg.secure(secureContext(header.domain), timeoutMs);
      this.#leg.adopt(new StreamCarrier(secure));
      this.#reader.restart();
      header = await this.#open();
    }
    this.#write(saslFeatures());
    const { name, mechanism } = await this.#authenticate(header.domain);
    header = await this.#open();
    this.#write(boundFeatures(this.#options.features));
    const jid = await this.#bind(`${name}@${header.domain}`);
    return this.#served(jid, header.domain, 'jabber:client', mechanism);
  }

  /** Answers the header of a stream with one. */
  async #open(): Promise<{ domain: string; namespace: string }> {
    const piece = await this.#next('waiting for the client to open its stream');
    const start = piece.stanza.start;
    const isOpening = piece.kind === 'header' || (start?.name === 'open' && start.namespace === NS_FRAMING);
    if (start === undefined || !isOpening) throw new ProtocolError('the client did not open a stream');
    const domain = start.attributes['to'] ?? this.#options.domain;
    const id = randomBytes(8).toString('hex');
    const namespace = start.attributes['xmlns'] ?? 'jabber:client';
    if (this.#isFramed)
      this.#write(`<open xmlns="${NS_FRAMING}" from="${escapeAttribute(domain)}" id="${id}" version="1.0"/>`);
    else this.#write(streamHeader(namespace === NS_COMPONENT ? 'component' : 'c2s', { id, from: domain }));
    this.#hasStream = true;
    if (namespace === 'jabber:server')
      throw new ProtocolError('a server connected, and the recording is of a client');
    return { domain, namespace };
  }

  async #serveComponent({ domain }: { domain: string }): Promise<ServedClient> {
    if (!this.#options.allowsPlainComponents && !this.#leg.isSecure)
      throw new ProtocolError('a component without TLS is served on a loopback address only');
    const handshake = await this.#element('waiting for the handshake of the component');
    if (handshake.name !== 'handshake') throw new ProtocolError('the component did not say who it is');
    this.#write('<handshake/>');
    return this.#served(domain, domain, NS_COMPONENT, 'handshake');
  }

  /** @returns the local part of whoever logs in: PLAIN takes any password (RFC 4616), ANONYMOUS asks for none (RFC 4505) */
  async #authenticate(domain: string): Promise<{ name: string; mechanism: string }> {
    for (let failures = 0; failures < maxFailures; failures += 1) {
      const auth = await this.#element('waiting for the client to log in');
      if (auth.name !== 'auth' || auth.namespace !== NS_SASL)
        throw new ProtocolError(`the client sent <${auth.name}/> instead of logging in`);
      const mechanism = auth.attributes['mechanism'] ?? '';
      let answer = textOf(auth).trim();
      if (mechanism === 'PLAIN' && answer === '') {
        this.#write(`<challenge xmlns="${NS_SASL}"/>`);
        answer = textOf(await this.#element('waiting for the client to log in')).trim();
      }
      const name = mechanism === 'PLAIN' ? nameInPlain(answer, domain) : undefined;
      if (mechanism === 'ANONYMOUS' || name !== undefined) {
        this.#write(`<success xmlns="${NS_SASL}"/>`);
        if (!this.#isFramed) this.#reader.restart();
        return { name: name ?? randomUUID(), mechanism };
      }
      const condition = mechanism === 'PLAIN' ? 'malformed-request' : 'invalid-mechanism';
      this.#write(`<failure xmlns="${NS_SASL}"><${condition}/></failure>`);
    }
    throw new AuthError('the client logs in neither with PLAIN nor with ANONYMOUS', {
      hint: 'nothing else can be done without knowing its password; let it use PLAIN, which is inside TLS here',
    });
  }

  async #bind(bare: string): Promise<string> {
    const iq = await this.#element('waiting for the client to bind a resource');
    const [payload] = elementsOf(iq);
    const { id = '', type } = iq.attributes;
    if (iq.name !== 'iq' || type !== 'set' || payload?.namespace !== NS_BIND)
      throw new ProtocolError(`the client sent <${iq.name}/> before it had bound a resource`);
    const resource = elementsOf(payload).find(({ name }) => name === 'resource');
    const wanted = resource === undefined ? '' : textOf(resource).trim();
    const jid = `${bare}/${wanted === '' ? randomUUID() : wanted}`;
    const xmlns = this.#isFramed ? ' xmlns="jabber:client"' : '';
    this.#write(
      `<iq${xmlns} type="result" id="${escapeAttribute(id)}"><bind xmlns="${NS_BIND}"><jid>${escapeAttribute(jid)}</jid></bind></iq>`,
    );
    this.#trace.event('bind', { jid });
    return jid;
  }

  #served(jid: string, domain: string, namespace: string, mechanism: string): ServedClient {
    return {
      jid,
      domain,
      namespace,
      mechanism,
      reader: this.#reader,
      send: (text) => this.#send(text),
      close: () => {
        this.#write(this.#isFramed ? `<close xmlns="${NS_FRAMING}"/>` : '</stream:stream>');
        this.#leg.end();
      },
    };
  }

  async #element(doing: string): Promise<TraceElement> {
    const { stanza } = await this.#next(doing);
    if (stanza.tree === undefined) throw new ProtocolError('the client sent something that is no XML');
    return stanza.tree;
  }

  async #next(doing: string): Promise<Piece> {
    const { timeoutMs, signal } = this.#options;
    const piece = await this.#reader.next(doing, timeoutMs, signal);
    const isEnd =
      piece.kind === 'footer' ||
      (piece.stanza.start?.namespace === NS_FRAMING && piece.stanza.start.name === 'close');
    if (isEnd) throw new ProtocolError('the client ended its stream before it had logged in');
    return piece;
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    this.#trace.data('in', bytes);
    this.#leg.write(this.#isFramed ? text : bytes);
  }

  async #send(text: string): Promise<void> {
    const framed =
      this.#isFramed && !/^<[^\s<>/]+[^<>]*?\sxmlns=/.test(text)
        ? text.replace(/^(<[^\s<>/]+)/, '$1 xmlns="jabber:client"')
        : text;
    const bytes = Buffer.from(framed);
    this.#trace.data('in', bytes);
    await new Promise<void>((resolve, reject) => {
      this.#leg.write(this.#isFramed ? framed : bytes, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
}

/** `authzid NUL authcid NUL password`: the name, without the domain that some put behind it. */
function nameInPlain(base64: string, domain: string): string | undefined {
  const [, name, password] = Buffer.from(base64, 'base64').toString('utf8').split('\0');
  if (name === undefined || password === undefined || name === '') return undefined;
  const suffix = `@${domain}`;
  return name.toLowerCase().endsWith(suffix.toLowerCase()) ? name.slice(0, -suffix.length) : name;
}
