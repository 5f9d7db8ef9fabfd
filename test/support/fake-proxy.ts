/** A SOCKS5 proxy that belongs to a real server, as a component, and does not do what it should. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { grantStream, readStreamRequest, refuseStream } from '../../src/lib/bytestreams/socks5/handshake.js';
import { NS_BYTESTREAMS } from '../../src/lib/bytestreams/socks5/stanzas.js';
import { NS_DISCO_INFO, NS_DISCO_ITEMS } from '../../src/lib/disco/stanzas.js';
import { JID } from '../../src/lib/jid/jid.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { connect } from '../../src/lib/session/connect.js';
import type { IqRequest, Session } from '../../src/lib/session/session.js';
import { StanzaReply } from '../../src/lib/session/stanza-reply.js';
import { xml } from '../../src/lib/xml/element.js';

export type ProxyFault =
  | 'refuses the connection'
  | 'refuses the stream'
  | 'accepts connections and says nothing'
  | 'cannot be activated'
  | 'never answers the activation'
  | 'passes nothing on'
  | 'stops in the middle';

export interface FakeProxy extends AsyncDisposable {
  readonly place: string;
  /** The session, to which the server seems to have this proxy and no other. */
  knownTo(session: Session): Session;
}

/** From each to the other, so many bytes; what comes after is taken, and goes nowhere. */
const PASSED_BYTES = 30_000;

function passOnSome(sockets: readonly Socket[]): void {
  const [first, second] = sockets;
  if (!first || !second) throw new Error('two have to connect before the activation');
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    let passed = 0;
    from.on('data', (bytes) => {
      to.write(bytes.subarray(0, Math.max(0, PASSED_BYTES - passed)));
      passed += bytes.length;
    });
  }
}

export async function startFakeProxy(sandbox: Sandbox, fault: ProxyFault): Promise<FakeProxy> {
  const sockets = new Set<Socket>();
  const connected: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (fault === 'accepts connections and says nothing') return;
    readStreamRequest(socket).then(
      (hash) => {
        if (fault === 'refuses the stream') {
          refuseStream(socket);
          return;
        }
        grantStream(socket, hash);
        connected.push(socket);
      },
      () => socket.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (fault === 'refuses the connection') server.close();
  const domain = sandbox.addresses.component;
  const component = await connect({
    kind: 'component',
    jid: JID.parse(domain),
    credentials: { password: () => Promise.resolve(sandbox.componentSecret) },
    service: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
    timeoutMs: 20_000,
  });
  component.respond({ type: 'get', name: 'query', namespace: NS_DISCO_INFO }, () =>
    xml('query', { xmlns: NS_DISCO_INFO }, xml('identity', { category: 'proxy', type: 'bytestreams' })),
  );
  component.respond({ type: 'get', name: 'query', namespace: NS_BYTESTREAMS }, () =>
    xml('query', { xmlns: NS_BYTESTREAMS }, xml('streamhost', { jid: domain, host: '127.0.0.1', port })),
  );
  component.respond({ type: 'set', name: 'query', namespace: NS_BYTESTREAMS }, () => {
    if (fault === 'never answers the activation') return new Promise<undefined>(() => undefined);
    if (fault === 'passes nothing on') for (const socket of connected) socket.resume();
    if (fault === 'stops in the middle') passOnSome(connected.splice(0));
    if (fault === 'passes nothing on' || fault === 'stops in the middle') return undefined;
    throw new StanzaReply({ condition: 'not-allowed' });
  });
  const items = xml('query', { xmlns: NS_DISCO_ITEMS }, xml('item', { jid: domain }));
  return {
    place: `127.0.0.1:${port}`,
    knownTo: (session) =>
      new Proxy(session, {
        get: (target, key) => {
          if (key === 'request')
            return (request: IqRequest, wait?: object) =>
              request.payload.getNS() === NS_DISCO_ITEMS
                ? Promise.resolve(xml('iq', { type: 'result' }, items))
                : target.request(request, wait);
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await component.close();
    },
  };
}
