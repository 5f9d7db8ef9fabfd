/**
 * A scriptable XMPP server on loopback, for faults that no real server commits.
 *
 * It is honest unless told otherwise: STARTTLS, SASL or SASL2 with Bind 2, binding, stream management with resumption.
 * `at` takes over at a step (`fake-server/misbehaviour.ts` has the usual sins), `scram` lies in the login, `script` replaces
 * the whole conversation. It shares no code with the client.
 *
 *     await using server = await startFakeServer({ at: { bind: streamError('conflict') } });
 *     const { service, ca, domain } = server;
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Element } from '@xmpp/xml';
import { createAuthority } from '../../src/lib/sandbox/certificates.js';
import { Conversation, type Shared } from './fake-server/conversation.js';
import type { FastRecord } from './fake-server/login.js';
import type { FakeServerOptions } from './fake-server/options.js';
import { FakePeer, PeerLeft, type PeerTls } from './fake-server/peer.js';

export interface FakeServer extends AsyncDisposable {
  readonly domain: string;
  readonly port: number;
  /** `xmpp://127.0.0.1:port` or `xmpps://…` */
  readonly service: string;
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string;
  /** Every stanza that arrived, in order. */
  readonly stanzas: readonly Element[];
  /** Every login that was tried: `<auth/>` and `<authenticate/>`. */
  readonly logins: readonly Element[];
  /** Tokens given out (XEP-0484), by user name. */
  readonly tokens: Map<string, FastRecord>;
  /** Connections so far, the last one last. */
  readonly connections: readonly Conversation[];
  close(): Promise<void>;
}

/**
 * @param script the conversation, in place of the usual one
 */
export async function startFakeServer(
  options: FakeServerOptions = {},
  script?: (peer: FakePeer) => Promise<void>,
): Promise<FakeServer> {
  const domain = options.domain ?? 'fake.test';
  const authority = createAuthority('Authority of the fake server');
  const tls: PeerTls = {
    ...authority.issue({ commonName: domain, names: [domain], srvDomains: [domain] }),
    ca: authority.cert,
    ...options.tlsOptions,
  };
  const shared: Shared = { domain, options, stanzas: [], logins: [], tokens: new Map(), streams: new Map() };
  const connections: Conversation[] = [];
  const failures: unknown[] = [];
  const listener = createServer((socket) => {
    const peer = new FakePeer(socket, tls);
    peer.splitBytes = options.splitBytes;
    const conversation = new Conversation(peer, shared);
    connections.push(conversation);
    const talk = script ? script(peer) : conversation.run();
    talk.catch((error: unknown) => {
      if (error instanceof PeerLeft) return;
      failures.push(error);
      peer.destroy();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const { peer } of connections) peer.destroy();
    if (listener.listening) {
      listener.close();
      await once(listener, 'close');
    }
    if (failures.length > 0) throw new AggregateError(failures.splice(0), 'the fake server failed');
  };
  return {
    domain,
    port,
    service: `${options.tls === 'direct' ? 'xmpps' : 'xmpp'}://127.0.0.1:${port}`,
    ca: authority.cert,
    stanzas: shared.stanzas,
    logins: shared.logins,
    tokens: shared.tokens,
    connections,
    close,
    [Symbol.asyncDispose]: close,
  };
}
