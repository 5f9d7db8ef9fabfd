import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { findProxies } from '../../src/lib/bytestreams/socks5/proxies.js';
import {
  socks5Transport,
  type Socks5TransportOptions,
} from '../../src/lib/bytestreams/socks5/socks5-transport.js';
import type { Role } from '../../src/lib/jingle/stanzas.js';
import type { Bytestream, TransportNegotiation } from '../../src/lib/jingle/transport.js';
import type { Session } from '../../src/lib/session/session.js';
import type { Element } from '../../src/lib/xml/element.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

describeOnEachServer('SOCKS5 bytestreams', (server) => {
  /** Both ends of a bytestream between two accounts; only the proxy goes through the server. */
  async function connectBoth(
    [alice, bob]: readonly [Session, Session],
    options: Socks5TransportOptions,
    bobsOptions: Socks5TransportOptions = options,
  ): Promise<[Bytestream, Bytestream]> {
    const begin = (
      self: Session,
      peer: Session,
      role: Role,
      chosen: Socks5TransportOptions,
      other: () => TransportNegotiation,
    ): TransportNegotiation =>
      socks5Transport(chosen).begin({
        session: self,
        peer: peer.jid,
        role,
        timeoutMs: 20_000,
        sendInfo: (info: Element) => {
          setImmediate(() => other().receiveInfo(info));
          return Promise.resolve();
        },
      });
    const initiator: TransportNegotiation = begin(alice, bob, 'initiator', options, () => responder);
    const responder: TransportNegotiation = begin(bob, alice, 'responder', bobsOptions, () => initiator);
    initiator.setAnswer(await responder.answer(await initiator.offer()));
    const streams = await Promise.all([initiator.connect(), responder.connect()]);
    initiator.abandon();
    responder.abandon();
    return streams;
  }

  test('find the proxy of the server', async () => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    const proxies = await findProxies(alice, 20_000);
    expect(proxies).toHaveLength(1);
    expect(proxies[0]?.host).toBe('127.0.0.1');
    // ejabberd says which node of its cluster it is, in a resource.
    expect(proxies[0]?.jid.split('/')[0]).toBe(server.sandbox.addresses.proxy);
  });

  test.each(['direct', 'proxy'] as const)('carry both ways, %s', async (method) => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const [left, right] = await connectBoth([alice, bob], { direct: method === 'direct' });
    expect([left.method, right.method]).toEqual([method, method]);
    const long = 'ä€𝄞'.repeat(100_000);
    left.stream.end(long);
    expect(await text(right.stream)).toBe(long);
  });
});
