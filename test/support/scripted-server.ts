/**
 * A server that does exactly what a test tells it, over plain TCP on loopback: to answer wrongly, to be silent, to break
 * off. It logs everybody in by ANONYMOUS, so that a test is about what follows.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { JID } from '../../src/lib/jid/jid.js';
import { connect } from '../../src/lib/session/connect.js';
import type { ConnectOptions } from '../../src/lib/session/options.js';
import type { Session } from '../../src/lib/session/session.js';
import type { SessionTuning } from '../../src/lib/session/tuning.js';

export const domain = 'example.test';
export const NS_SM = 'urn:xmpp:sm:3';

/** What `logIn` offers after authentication. */
export const bindFeature = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
export const smFeature = `<sm xmlns='${NS_SM}'/>`;

/** One connection, seen from the server. */
export class Peer {
  #received = '';
  #isClosed = false;

  constructor(readonly socket: Socket) {
    socket.setEncoding('utf8').setNoDelay(true).setMaxListeners(0);
    socket.on('data', (text: string) => (this.#received += text));
    socket.on('error', () => undefined);
    socket.on('close', () => (this.#isClosed = true));
  }

  /** Waits until what was received matches, and takes it away up to the end of the match. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#received);
      if (match) {
        this.#received = this.#received.slice(match.index + match[0].length);
        return match;
      }
      if (this.#isClosed) throw new Error(`closed while waiting for ${String(pattern)} in ${this.#received}`);
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
  }

  /** Everything received and not taken away yet. */
  get unread(): string {
    return this.#received;
  }

  async closed(): Promise<void> {
    if (!this.#isClosed) await once(this.socket, 'close');
  }

  send(text: string): void {
    this.socket.write(text);
  }

  /** Takes the client's stream header and opens our side. */
  async open(features: string): Promise<void> {
    await this.until(/<stream:stream [^>]*>/);
    this.send(
      `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='${domain}' version='1.0'><stream:features>${features}</stream:features>`,
    );
  }

  /** Up to the features after authentication. */
  async authenticate(features = bindFeature): Promise<void> {
    await this.open(
      "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>",
    );
    await this.until(/<auth [^>]*(\/>|>[^<]*<\/auth>)/);
    this.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    await this.open(features);
  }

  async bind(jid = `anon@${domain}/r1`): Promise<void> {
    const [, id] = await this.until(/<iq [^>]*id="([^"]+)"[^>]*><bind .*?<\/iq>/);
    this.send(
      `<iq type='result' id='${id ?? ''}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${jid}</jid></bind></iq>`,
    );
  }

  async logIn(features = bindFeature, jid?: string): Promise<void> {
    await this.authenticate(features);
    await this.bind(jid);
  }

  /** Takes `<enable/>` and answers it. */
  async enableManagement(attributes = ''): Promise<void> {
    await this.until(/<enable [^>]*\/>/);
    this.send(`<enabled xmlns='${NS_SM}' ${attributes}/>`);
  }

  /** Takes `<r/>` and acknowledges. */
  async acknowledge(h: number): Promise<void> {
    await this.until(/<r [^>]*\/>/);
    this.send(`<a xmlns='${NS_SM}' h='${h}'/>`);
  }

  /** Takes the closing tag and ends our side, too. */
  async finish(): Promise<void> {
    await this.until(/<\/stream:stream>/);
    this.socket.end('</stream:stream>');
  }
}

export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** Connections so far. */
  readonly count: number;
  /** Ends everything. @throws what a script failed with */
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param script is run for each connection; `number` begins with 1 */
export async function startScriptedServer(
  script: (peer: Peer, number: number) => Promise<void>,
): Promise<ScriptedServer> {
  const peers: Peer[] = [];
  const failures: unknown[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new Peer(socket);
    socket.on('end', () => socket.end());
    peers.push(peer);
    // At the end of its script the server is polite.
    const conversation = script(peer, peers.length).then(() => peer.finish());
    conversation.catch((error: unknown) => failures.push(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get count() {
      return peers.length;
    },
    [Symbol.asyncDispose]: async () => {
      for (const { socket } of peers) socket.destroy();
      server.close();
      await once(server, 'close');
      // A script that waits for more than came fails only because the test is over.
      const real = failures.filter((error) => !String(error).includes('closed while waiting'));
      if (real.length > 0) throw real[0];
    },
  };
}

export function optionsFor(
  { port }: Pick<ScriptedServer, 'port'>,
  overrides: Partial<ConnectOptions> = {},
): ConnectOptions {
  return {
    jid: JID.parse(domain),
    credentials: { isAnonymous: true },
    service: `xmpp://127.0.0.1:${port}`,
    allowPlain: true,
    timeoutMs: 5000,
    ...overrides,
  };
}

export function connectTo(
  server: Pick<ScriptedServer, 'port'>,
  overrides?: Partial<ConnectOptions>,
  tuning?: Partial<SessionTuning>,
): Promise<Session> {
  return connect(optionsFor(server, overrides), tuning);
}
