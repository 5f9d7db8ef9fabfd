import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { findProxies } from '../../src/lib/bytestreams/socks5/proxies.js';
import {
  socks5Transport,
  type Socks5TransportOptions,
} from '../../src/lib/bytestreams/socks5/socks5-transport.js';
import type { Role } from '../../src/lib/jingle/stanzas.js';
import {
  TransportFailedError,
  type Bytestream,
  type TransportNegotiation,
} from '../../src/lib/jingle/transport.js';
import type { Session } from '../../src/lib/session/session.js';
import type { Element } from '../../src/lib/xml/element.js';
import { startFakeProxy } from '../support/fake-proxy.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

describeOnEachServer('SOCKS5 bytestreams', (server) => {
  /** The negotiations of two accounts with each other, offer and answer exchanged; only proxies go through the server. */
  async function exchange(
    [alice, bob]: readonly [Session, Session],
    options: Socks5TransportOptions,
    timeoutMs = 20_000,
  ): Promise<readonly [TransportNegotiation, TransportNegotiation]> {
    const begin = (
      self: Session,
      peer: Session,
      role: Role,
      other: () => TransportNegotiation,
    ): TransportNegotiation =>
      socks5Transport(options).begin({
        session: self,
        peer: peer.jid,
        role,
        timeoutMs,
        sendInfo: (info: Element) => {
          setImmediate(() => other().receiveInfo(info));
          return Promise.resolve();
        },
      });
    const initiator: TransportNegotiation = begin(alice, bob, 'initiator', () => responder);
    const responder: TransportNegotiation = begin(bob, alice, 'responder', () => initiator);
    initiator.setAnswer(await responder.answer(await initiator.offer()));
    return [initiator, responder];
  }

  async function connectBoth(
    sessions: readonly [Session, Session],
    options: Socks5TransportOptions,
  ): Promise<[Bytestream, Bytestream]> {
    const [initiator, responder] = await exchange(sessions, options);
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

  test.each([
    ['direct', 'initiator'],
    ['direct', 'responder'],
    ['proxy', 'initiator'],
    ['proxy', 'responder'],
  ] as const)('%s: everything that the %s sends arrives, and its end', async (method, sender) => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const [left, right] = await connectBoth([alice, bob], { direct: method === 'direct' });
    expect([left.method, right.method]).toEqual([method, method]);
    const [from, to] = sender === 'initiator' ? [left, right] : [right, left];
    // Prosody's proxy holds back the last 4096 bytes until the sender has ended its half.
    const content = randomBytes(8 * 1024 * 1024 + 1);
    const arrived = buffer(to.stream);
    from.stream.end(content);
    expect((await arrived).equals(content)).toBe(true);
    expect(from.confirmedBytes()).toBe(content.length);
    for (const { stream } of [left, right]) stream.destroy();
  });

  test.each([
    ['refuses the connection', 'connection refused'],
    ['refuses the stream', 'it refused the stream'],
    ['accepts connections and says nothing', 'no answer within'],
    ['cannot be activated', 'not-allowed'],
    ['never answers the activation', 'timed out'],
  ] as const)('fail on both sides for a proxy that %s: %s', async (fault, reason) => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    await using proxy = await startFakeProxy(server.sandbox, fault);
    const sessions = [proxy.knownTo(alice), proxy.knownTo(bob)] as const;
    const both = await exchange(sessions, { direct: false }, 2000);
    const outcomes = await Promise.allSettled(both.map((each) => each.connect()));
    const errors = outcomes.map((each) => (each.status === 'rejected' ? (each.reason as Error) : undefined));
    for (const error of errors) expect(error).toBeInstanceOf(TransportFailedError);
    expect(errors.map(String).join()).toContain(`${proxy.place}: `);
    expect(errors.map(String).join()).toContain(reason);
  });
});
