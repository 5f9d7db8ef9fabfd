/** A client that knows just enough XMPP to look at a server from outside: for tests of the sandbox itself. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';

export class RawClient implements Disposable {
  #received = '';
  #changed: () => void = () => undefined;

  constructor(
    readonly socket: Socket,
    private readonly domain: string,
  ) {
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#changed();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#changed();
    });
  }

  /** Opens a stream and returns its features. */
  open(): Promise<string> {
    return this.exchange(
      `<stream:stream to='${this.domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
      /<stream:features>.*<\/stream:features>/s,
    );
  }

  /** Authenticates and binds. Resolves with the full JID, or with the server's refusal. */
  async logIn(mechanism: string, initialResponse: string): Promise<string> {
    await this.open();
    const answer = await this.exchange(
      `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='${mechanism}'>${initialResponse}</auth>`,
      /<success|<\/failure>/,
    );
    if (!answer.includes('<success')) return answer;
    await this.open();
    const bound = await this.exchange(
      "<iq id='bind' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
      /<\/iq>/,
    );
    return /<jid>(.*)<\/jid>/.exec(bound)?.[1] ?? bound;
  }

  /** Sends, and resolves with all that has come back once it matches. */
  async exchange(text: string, until: RegExp): Promise<string> {
    this.#received = '';
    this.socket.write(text);
    while (!until.test(this.#received)) {
      if (this.socket.closed) throw new Error(`the server closed after: ${this.#received}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this.#received;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export async function connectPlain(sandbox: Sandbox, domain = sandbox.domain): Promise<RawClient> {
  const socket = connectTcp({ host: sandbox.host, port: sandbox.ports.c2s });
  await once(socket, 'connect');
  return new RawClient(socket, domain);
}

/** Over direct TLS, verified against the sandbox's own authority. */
export async function connectSecure(
  sandbox: Sandbox,
  domain = sandbox.domain,
  clientCertificate?: { cert: string; key: string },
): Promise<RawClient> {
  const socket = connectTls({
    host: sandbox.host,
    port: sandbox.ports.c2sTls,
    servername: domain,
    ca: sandbox.ca,
    ...clientCertificate,
  });
  await once(socket, 'secureConnect');
  return new RawClient(socket, domain);
}
