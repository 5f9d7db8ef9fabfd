import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  acceptInBandBytestream,
  openInBandBytestream,
  type InBandBytestream,
  type OpenOptions,
} from '../../src/lib/bytestreams/in-band/in-band-bytestream.js';
import { inBandTransport } from '../../src/lib/bytestreams/in-band/in-band-transport.js';
import { Close, Data, NS_IN_BAND, Open } from '../../src/lib/bytestreams/in-band/stanzas.js';
import { ConnectError, StanzaError } from '../../src/lib/errors.js';
import { JID } from '../../src/lib/jid/jid.js';
import type { Role } from '../../src/lib/jingle/stanzas.js';
import type { Session } from '../../src/lib/session/session.js';
import { xml, type Element } from '../../src/lib/xml/element.js';
import { readAll } from '../support/read-all.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer, type ServerUnderTest } from '../support/servers.js';
import { startSlixmpp } from '../support/slixmpp-peer.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const MiB = 1024 * 1024;

async function connectAs(server: ServerUnderTest, name: string, service?: string): Promise<Session> {
  const session = await connectAccount(server.sandbox, name, { ...(service && { service }) });
  onTestFinished(() => session.close());
  return session;
}

interface Pair {
  alice: Session;
  bob: Session;
  sender: InBandBytestream;
  receiver: InBandBytestream;
}

async function openPair(server: ServerUnderTest, options: OpenOptions = {}, proxy?: TcpProxy): Promise<Pair> {
  const [alice, bob] = await Promise.all([
    connectAs(server, 'alice', proxy && `xmpp://127.0.0.1:${proxy.port}`),
    connectAs(server, 'bob'),
  ]);
  const sid = randomUUID();
  const acceptor = acceptInBandBytestream(bob, { peer: alice.jid, sid });
  const sender = await openInBandBytestream(alice, bob.jid, { sid, ...options });
  return { alice, bob, sender, receiver: await acceptor.opened };
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Writes for ever; the stream will break. */
function writeOn({ stream }: InBandBytestream): void {
  const write = (): void => {
    while (!stream.destroyed && stream.write(randomBytes(16_384)));
  };
  stream.on('drain', write);
  write();
}

async function errorOf({ stream }: InBandBytestream): Promise<Error> {
  if (stream.errored) return stream.errored;
  return ((await once(stream, 'error')) as [Error])[0];
}

describeOnEachServer('in-band bytestreams', (server) => {
  it.each([
    ['iq', {}],
    ['message', { stanza: 'message' }],
    ['blocks of 65,535 bytes', { fixed: { blockSize: 65_535, window: 4 } }],
  ] as const)('carry 1 MiB in both directions at once by %s', async (_, options) => {
    const { sender, receiver } = await openPair(server, options);
    const there = randomBytes(MiB);
    const back = randomBytes(MiB);
    receiver.stream.write(back);
    sender.stream.end(there);
    const [arrived, returned] = await Promise.all([readAll(receiver.stream), readAll(sender.stream)]);
    expect(hashOf(arrived)).toBe(hashOf(there));
    expect(hashOf(returned)).toBe(hashOf(back));
    expect(sender.confirmedBytes()).toBe(MiB);
  });

  it('are negotiated by Jingle, whoever offers them, and opened by the initiator', async () => {
    const [alice, bob] = await Promise.all([connectAs(server, 'alice'), connectAs(server, 'bob')]);
    const begin = (session: Session, peer: Session, role: Role) =>
      inBandTransport().begin({
        session,
        peer: peer.jid,
        role,
        timeoutMs: 20_000,
        sendInfo: () => Promise.resolve(),
      });
    for (const isReplaced of [false, true]) {
      const ours = begin(alice, bob, 'initiator');
      const theirs = begin(bob, alice, 'responder');
      const [first, second] = isReplaced ? [theirs, ours] : [ours, theirs];
      first.setAnswer(await second.answer(await first.offer()));
      const [there, here] = await Promise.all([ours.connect(), theirs.connect()]);
      there.stream.end('by Jingle');
      expect(await text(here.stream)).toBe('by Jingle');
    }
  });

  it('wait for a reader that is slow, and lose nothing', async () => {
    const { sender, receiver } = await openPair(server);
    const content = randomBytes(MiB);
    sender.stream.end(content);
    await once(receiver.stream, 'readable');
    // What else is sent on the same connections is not held up.
    const { alice, bob } = await openPair(server);
    expect(alice.state).toBe('online');
    expect(bob.state).toBe('online');
    expect(sender.confirmedBytes()).toBeLessThan(MiB);
    expect(hashOf(await readAll(receiver.stream))).toBe(hashOf(content));
  });

  it('are closed by a receiver that has had enough', async () => {
    const { sender, receiver } = await openPair(server);
    writeOn(sender);
    await once(receiver.stream, 'data');
    receiver.stream.destroy();
    expect((await errorOf(sender)).message).toContain('has closed the in-band bytestream');
  });

  it('break at the sender when its connection is cut, and at the receiver, which asks after it', async () => {
    await using proxy = await startTcpProxy({ host: '127.0.0.1', port: server.sandbox.ports.c2s });
    const [alice, bob] = await Promise.all([
      connectAs(server, 'alice', `xmpp://127.0.0.1:${proxy.port}`),
      connectAs(server, 'bob'),
    ]);
    const sid = randomUUID();
    const acceptor = acceptInBandBytestream(bob, { peer: alice.jid, sid }, { timeoutMs: 1000 });
    const sender = await openInBandBytestream(alice, bob.jid, { sid });
    const receiver = await acceptor.opened;
    writeOn(sender);
    receiver.stream.resume();
    await once(receiver.stream, 'data');
    proxy.cut();
    expect(await errorOf(sender)).toBeInstanceOf(ConnectError);
    expect((await errorOf(receiver)).message).toMatch(/is gone|waiting for a sign of life/);
  });

  it('refuse what comes twice or out of order, and what a stranger sends', async () => {
    const [alice, bob, carol] = await Promise.all([
      connectAs(server, 'alice'),
      connectAs(server, 'bob'),
      connectAs(server, 'carol'),
    ]);
    const ask = (session: Session, payload: Element): Promise<string> =>
      session.request({ type: 'set', to: bob.jid, payload }).then(
        () => 'taken',
        (error: unknown) => (error instanceof StanzaError ? error.condition : String(error)),
      );
    for (const wrong of [0, 2, 65_535]) {
      const sid = randomUUID();
      const acceptor = acceptInBandBytestream(bob, { peer: alice.jid, sid });
      expect(await ask(carol, Open.encode({ sid, blockSize: 4096 }))).toBe('not-acceptable');
      expect(await ask(alice, Open.encode({ sid, blockSize: 4096 }))).toBe('taken');
      const { stream } = await acceptor.opened;
      const block = (seq: number) => Data.encode({ sid, seq, bytes: Buffer.from('words') });
      expect(await ask(carol, block(0))).toBe('item-not-found');
      await carol.send(xml('message', { to: bob.jid.toString() }, block(0)));
      expect(await ask(carol, Close.encode({ sid }))).toBe('item-not-found');
      const closed = new Promise<void>((resolve) => {
        alice.respond({ type: 'set', name: 'close', namespace: NS_IN_BAND }, () => {
          resolve();
          return undefined;
        });
      });
      expect(await ask(alice, block(0))).toBe('taken');
      expect(await ask(alice, block(wrong))).toBe('unexpected-request');
      await closed;
      expect(stream.errored?.message).toContain('broke the in-band bytestream');
      expect(await ask(alice, block(1))).toBe('item-not-found');
    }
  });

  describe('with slixmpp', () => {
    it.each(['iq', 'message'])('take what it sends by %s', async (stanza) => {
      const bob = await connectAs(server, 'bob');
      const content = randomBytes(stanza === 'iq' ? MiB / 4 : MiB / 8);
      const sid = randomUUID();
      const alice = server.sandbox.accounts['alice']?.jid ?? '';
      const acceptor = acceptInBandBytestream(bob, { peer: JID.parse(`${alice}/slixmpp`), sid });
      const peer = await startSlixmpp(
        server.sandbox,
        'alice',
        ['ibb-send', bob.jid.toString(), sid, '4096', stanza],
        content,
      );
      const { stream } = await acceptor.opened;
      expect(hashOf(await readAll(stream))).toBe(hashOf(content));
      expect(await peer.ended).toMatchObject({ code: 0 });
    });

    it.each(['iq', 'message'] as const)(
      'send to it by %s, in smaller blocks when it wants them',
      async (stanza) => {
        const alice = await connectAs(server, 'alice');
        const peer = await startSlixmpp(server.sandbox, 'bob', ['ibb-receive', '8192']);
        const content = randomBytes(MiB);
        const sender = await openInBandBytestream(alice, peer.jid, { stanza });
        sender.stream.end(content);
        const { code, output } = await peer.ended;
        expect(code).toBe(0);
        expect(hashOf(output)).toBe(hashOf(content));
      },
    );

    it('are not opened where slixmpp does not want them', async () => {
      const alice = await connectAs(server, 'alice');
      const peer = await startSlixmpp(server.sandbox, 'bob', ['ibb-receive', '100']);
      await expect(openInBandBytestream(alice, peer.jid)).rejects.toThrow('resource-constraint');
    });
  });
});

describeOnEachServer('an in-band bytestream through a server that is started again', (server) => {
  it('breaks on both sides, and another one works', async () => {
    const { sender, receiver } = await openPair(server);
    writeOn(sender);
    receiver.stream.resume();
    await once(receiver.stream, 'data');
    const errors = Promise.all([errorOf(sender), errorOf(receiver)]);
    await server.sandbox.restart();
    for (const error of await errors) expect(error).toHaveProperty('exitCode');
    const again = await openPair(server);
    again.sender.stream.end('again');
    expect(await text(again.receiver.stream)).toBe('again');
  });
});
