import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptInBandBytestream,
  openInBandBytestream,
  type InBandBytestream,
  type OpenOptions,
} from '../../../../src/lib/bytestreams/in-band/in-band-bytestream.js';
import { Data, NS_IN_BAND, Open } from '../../../../src/lib/bytestreams/in-band/stanzas.js';
import { ConnectionLostError, StanzaError, TimeoutError } from '../../../../src/lib/errors.js';
import { xml, type Element } from '../../../../src/lib/xml/element.js';
import { parseXml } from '../../../../src/lib/xml/parse.js';
import { MemoryNetwork, type MemorySession } from '../../../support/memory-network.js';
import { readAll } from '../../../support/read-all.js';

const sid = 'i781hf64';

interface Pair {
  network: MemoryNetwork;
  romeo: MemorySession;
  juliet: MemorySession;
  sender: InBandBytestream;
  receiver: InBandBytestream;
}

async function openPair(options: OpenOptions = {}, timeoutMs = 5000): Promise<Pair> {
  const network = new MemoryNetwork();
  const romeo = network.connect('romeo@montague.example/orchard');
  const juliet = network.connect('juliet@capulet.example/balcony');
  romeo.timeoutMs = timeoutMs;
  juliet.timeoutMs = timeoutMs;
  const acceptor = acceptInBandBytestream(juliet, { peer: romeo.jid, sid });
  const sender = await openInBandBytestream(romeo, juliet.jid, { sid, ...options });
  return { network, romeo, juliet, sender, receiver: await acceptor.opened };
}

/** Somebody who opens a stream to Juliet and then speaks for himself. */
async function openRaw(blockSize = 16, stanza: 'iq' | 'message' = 'iq') {
  const network = new MemoryNetwork();
  const romeo = network.connect('romeo@montague.example/orchard');
  const juliet = network.connect('juliet@capulet.example/balcony');
  const acceptor = acceptInBandBytestream(juliet, { peer: romeo.jid, sid });
  const ask = (payload: Element): Promise<Element> => romeo.request({ type: 'set', to: juliet.jid, payload });
  await ask(Open.encode({ blockSize, sid, stanza }));
  const { stream } = await acceptor.opened;
  const data = (seq: number, bytes: string): Element => Data.encode({ sid, seq, bytes: Buffer.from(bytes) });
  const failure = once(stream, 'error').then(([error]) => error as Error);
  failure.catch(() => undefined);
  return { network, romeo, juliet, stream, ask, data, failure };
}

async function conditionOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => new Error('it succeeded'),
    (caught: unknown) => caught,
  );
  if (!(error instanceof StanzaError)) throw error;
  return `${error.condition} ${error.type ?? ''}`;
}

const requestsTo = (session: MemorySession, name: string): Element[] =>
  session.received
    .map((stanza) => stanza.getChild(name, NS_IN_BAND))
    .filter((found): found is Element => found !== undefined);

async function arrival(session: MemorySession, name: string): Promise<void> {
  while (requestsTo(session, name).length === 0) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(['iq', 'message'] as const)('an in-band bytestream by %s', (stanza) => {
  it('carries bytes in both directions at once, and says what was confirmed', async () => {
    const { sender, receiver } = await openPair({ stanza });
    const there = randomBytes(300_000);
    const back = randomBytes(800_000);
    receiver.stream.write(back);
    sender.stream.end(there);
    const [arrived, returned] = await Promise.all([readAll(receiver.stream), readAll(sender.stream)]);
    expect(arrived.equals(there)).toBe(true);
    expect(returned.equals(back)).toBe(true);
    expect(sender.confirmedBytes()).toBe(300_000);
    expect(receiver.confirmedBytes()).toBe(800_000);
    expect(sender).toMatchObject({ method: 'in-band', path: 'montague.example, capulet.example', sid });
  });

  it('gives what was written in pieces as it was written, in blocks of the size agreed on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 9 }),
        async (pieces, blockSize, window) => {
          const { juliet, sender, receiver } = await openPair({ stanza, fixed: { blockSize, window } });
          const reading = readAll(receiver.stream);
          for (const piece of pieces) sender.stream.write(piece);
          sender.stream.end();
          expect((await reading).equals(Buffer.concat(pieces))).toBe(true);
          const blocks = requestsTo(juliet, 'data').map((data) => Data.decode(data));
          expect(blocks.map(({ seq }) => seq)).toEqual(blocks.map((_, index) => index));
          expect(Math.max(0, ...blocks.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(blockSize);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('counts from 65535 to 0', async () => {
    const { juliet, sender, receiver } = await openPair({ stanza, fixed: { blockSize: 1, window: 64 } });
    const content = randomBytes(65_540);
    sender.stream.end(content);
    expect((await readAll(receiver.stream)).equals(content)).toBe(true);
    expect(Data.decode(requestsTo(juliet, 'data').at(-1) ?? xml('none')).seq).toBe(3);
  });

  it('is closed when everything has been acknowledged', async () => {
    const { juliet, sender, receiver } = await openPair({ stanza });
    let hasFinished = false;
    sender.stream.on('finish', () => (hasFinished = true));
    sender.stream.end('some words');
    await once(receiver.stream, 'readable');
    expect(hasFinished).toBe(false);
    expect(await text(receiver.stream)).toBe('some words');
    if (!sender.stream.writableFinished) await once(sender.stream, 'finish');
    const names = juliet.received.map((stanza) => stanza.children.map((child) => (child as Element).name)[0]);
    expect(names.filter((name) => name === 'data' || name === 'close')).toEqual(['data', 'close']);
    expect(sender.confirmedBytes()).toBe(10);
  });

  it('does not send small blocks while others are under way', async () => {
    const { juliet, sender, receiver } = await openPair({ stanza, fixed: { blockSize: 100, window: 4 } });
    for (let index = 0; index < 50; index += 1) sender.stream.write(Buffer.alloc(30));
    sender.stream.end();
    await readAll(receiver.stream);
    expect(requestsTo(juliet, 'data').length).toBeLessThan(25);
  });

  it('sends the little there is when nothing is under way, without an end', async () => {
    const { sender, receiver } = await openPair({ stanza });
    sender.stream.write('ping');
    expect(String((await once(receiver.stream, 'data'))[0])).toBe('ping');
    receiver.stream.write('pong');
    expect(String((await once(sender.stream, 'data'))[0])).toBe('pong');
    sender.stream.destroy();
  });

  it('is told of what cannot be delivered', async () => {
    const { juliet, sender } = await openPair({ stanza });
    juliet.vanish();
    sender.stream.write('hello');
    const [error] = (await once(sender.stream, 'error')) as [Error];
    expect(error.message).toContain('did not take what was sent in-band (service-unavailable)');
  });
});

describe('back-pressure', () => {
  it('holds back the sender while nobody reads, and keeps no more than the window', async () => {
    const { juliet, sender, receiver } = await openPair({ fixed: { blockSize: 4096, window: 8 } });
    const content = randomBytes(2_000_000);
    sender.stream.end(content);
    const isQuiet = async (): Promise<boolean> => {
      const before = juliet.received.length;
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return juliet.received.length === before;
    };
    while (!(await isQuiet())) continue;
    const taken = sender.confirmedBytes();
    expect(taken).toBeLessThanOrEqual(256 * 1024 + 4096);
    expect(requestsTo(juliet, 'data').length * 4096).toBe(taken + 8 * 4096);
    expect((await readAll(receiver.stream)).equals(content)).toBe(true);
  });

  it('makes the whole connection read slower when blocks come in messages', async () => {
    const { romeo, juliet, stream, data } = await openRaw(65_535, 'message');
    for (let seq = 0; seq < 300; seq += 1) {
      await romeo.send(xml('message', { to: juliet.jid.toString() }, data(seq, 'x'.repeat(8000))));
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(juliet.isCrowded).toBe(false);
    for (let seq = 300; seq < 700; seq += 1) {
      await romeo.send(xml('message', { to: juliet.jid.toString() }, data(seq, 'x'.repeat(8000))));
    }
    await romeo
      .request({ type: 'get', to: juliet.jid, payload: xml('query', { xmlns: 'x' }) })
      .catch(() => 0);
    expect(juliet.isCrowded).toBe(true);
    stream.resume();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(juliet.isCrowded).toBe(false);
    stream.destroy();
  });

  it('stops somebody who sends on and on without waiting', async () => {
    const { romeo, juliet, ask, data, failure } = await openRaw(65_535);
    const answers = Array.from({ length: 300 }, (_, seq) => ask(data(seq, 'x'.repeat(65_000))));
    for (const answer of answers) answer.catch(() => undefined);
    expect((await failure).message).toContain('too much is waiting to be read');
    await arrival(romeo, 'close');
    expect(juliet.isCrowded).toBe(false);
  });
});

describe('blocks that are not as they should be', () => {
  it('takes base64 that is wrapped, as in the examples of the specification', async () => {
    const { ask, stream } = await openRaw();
    await ask(parseXml(`<data xmlns='${NS_IN_BAND}' seq='0' sid='${sid}'>\n    aGVs\n    bG8=\n  </data>`));
    expect(String(stream.read())).toBe('hello');
    stream.destroy();
  });

  it.each([
    ['a number that was there before', 0, 'aGVsbG8=', 'unexpected-request cancel'],
    ['a number from further on', 2, 'aGVsbG8=', 'unexpected-request cancel'],
    ['a character that is not base64', 1, 'aGVs*G8=', 'bad-request cancel'],
    ['padding in the middle', 1, 'aG==bG8=', 'bad-request cancel'],
    ['padding in front', 1, '=AAA', 'bad-request cancel'],
    ['base64 that is cut off', 1, 'aGVsbG8', 'bad-request cancel'],
    ['no number', '', 'aGVsbG8=', 'bad-request cancel'],
    ['a number that is too large', 65_536, 'aGVsbG8=', 'bad-request cancel'],
    ['more than was agreed on', 1, Buffer.alloc(17).toString('base64'), 'not-acceptable cancel'],
  ])('closes the stream after %s', async (_, seq, content, condition) => {
    const { romeo, ask, data, failure, stream } = await openRaw();
    await ask(data(0, 'first'));
    expect(String(stream.read())).toBe('first');
    const bad = parseXml(`<data xmlns='${NS_IN_BAND}' seq='${seq}' sid='${sid}'>${content}</data>`);
    expect(await conditionOf(ask(bad))).toBe(condition);
    expect((await failure).message).toContain('romeo@montague.example/orchard broke the in-band bytestream');
    await arrival(romeo, 'close');
    // XEP-0047 §2.2: nor any that follow it.
    expect(await conditionOf(ask(data(1, 'second')))).toBe('item-not-found cancel');
  });

  it('closes the stream after a message that is lost', async () => {
    const { network, romeo, sender, receiver } = await openPair({
      stanza: 'message',
      fixed: { blockSize: 10, window: 4 },
    });
    network.tamper = (stanza) => (stanza.getChild('data')?.attrs['seq'] === '2' ? [] : [stanza]);
    sender.stream.end(Buffer.alloc(100));
    sender.stream.on('error', () => undefined);
    const [error] = (await once(receiver.stream, 'error')) as [Error];
    expect(error.message).toContain('block 3 came where 2 was expected');
    await arrival(romeo, 'close');
  });

  it('refuses blocks for a stream that it does not know', async () => {
    const { ask, stream } = await openRaw();
    const foreign = Data.encode({ sid: 'other', seq: 0, bytes: Buffer.from('x') });
    expect(await conditionOf(ask(foreign))).toBe('item-not-found cancel');
    expect(await conditionOf(ask(xml('close', { xmlns: NS_IN_BAND, sid: 'other' })))).toBe(
      'item-not-found cancel',
    );
    expect(stream.destroyed).toBe(false);
    stream.destroy();
  });

  it.each(['mercutio@montague.example/orchard', 'romeo@montague.example/chamber'])(
    'gives %s, who knows the sid, no part in it',
    async (address) => {
      const { network, juliet, ask, data, stream } = await openRaw();
      const stranger = network.connect(address);
      const askAsStranger = (payload: Element): Promise<Element> =>
        stranger.request({ type: 'set', to: juliet.jid, payload });
      expect(await conditionOf(askAsStranger(data(0, 'forged')))).toBe('item-not-found cancel');
      await stranger.send(xml('message', { to: juliet.jid.toString() }, data(0, 'forged')));
      const close = xml('close', { xmlns: NS_IN_BAND, sid });
      expect(await conditionOf(askAsStranger(close))).toBe('item-not-found cancel');
      expect(await conditionOf(askAsStranger(Open.encode({ sid, blockSize: 16 })))).toBe(
        'not-acceptable cancel',
      );
      await ask(data(0, 'genuine'));
      const closed = ask(close);
      expect(await text(stream)).toBe('genuine');
      await closed;
    },
  );
});

describe('opening', () => {
  it('is refused where nobody waits for it', async () => {
    const { ask, stream } = await openRaw();
    const open = (name: string): Element => Open.encode({ sid: name, blockSize: 16 });
    expect(await conditionOf(ask(open('unasked')))).toBe('not-acceptable cancel');
    // Nor is one opened twice.
    expect(await conditionOf(ask(open(sid)))).toBe('not-acceptable cancel');
    expect(await conditionOf(ask(parseXml(`<open xmlns='${NS_IN_BAND}' sid='a' block-size='0'/>`)))).toBe(
      'bad-request cancel',
    );
    expect(stream.destroyed).toBe(false);
    stream.destroy();
  });

  it('asks for smaller blocks until they are small enough', async () => {
    const network = new MemoryNetwork();
    const romeo = network.connect('romeo@montague.example/orchard');
    const juliet = network.connect('juliet@capulet.example/balcony');
    const acceptor = acceptInBandBytestream(juliet, { peer: romeo.jid, sid, maxBlockSize: 8192 });
    const sender = await openInBandBytestream(romeo, juliet.jid, { sid });
    const { stream } = await acceptor.opened;
    const content = randomBytes(200_000);
    sender.stream.end(content);
    expect((await readAll(stream)).equals(content)).toBe(true);
    expect(requestsTo(juliet, 'open').map((open) => Open.decode(open).blockSize)).toEqual([
      48_000, 24_000, 12_000, 6000,
    ]);
  });

  it('gives up where not even small blocks are taken', async () => {
    const network = new MemoryNetwork();
    const romeo = network.connect('romeo@montague.example/orchard');
    const juliet = network.connect('juliet@capulet.example/balcony');
    using acceptor = acceptInBandBytestream(juliet, { peer: romeo.jid, sid, maxBlockSize: 5 });
    expect(await conditionOf(openInBandBytestream(romeo, juliet.jid, { sid }))).toBe(
      'resource-constraint modify',
    );
    acceptor.opened.catch(() => undefined);
  });

  it('is waited for no longer than wished', async () => {
    const network = new MemoryNetwork();
    const romeo = network.connect('romeo@montague.example/orchard');
    const juliet = network.connect('juliet@capulet.example/balcony');
    const { opened } = acceptInBandBytestream(juliet, { peer: romeo.jid, sid }, { timeoutMs: 10 });
    await expect(opened).rejects.toThrow(TimeoutError);
    await expect(openInBandBytestream(romeo, juliet.jid, { sid })).rejects.toThrow('not-acceptable');
  });

  it('tells what is under way before the answer has come', async () => {
    // The other party's first block may be right behind its answer.
    const network = new MemoryNetwork();
    const romeo = network.connect('romeo@montague.example/orchard');
    const juliet = network.connect('juliet@capulet.example/balcony');
    juliet.respond({ type: 'set', name: 'open', namespace: NS_IN_BAND }, () => undefined);
    juliet.handle({ name: 'iq', child: { name: 'open', namespace: NS_IN_BAND } }, () => {
      setImmediate(() => {
        const payload = Data.encode({ sid, seq: 0, bytes: Buffer.from('at once') });
        void juliet.request({ type: 'set', to: romeo.jid, payload });
      });
    });
    const { stream } = await openInBandBytestream(romeo, juliet.jid, { sid });
    expect(String((await once(stream, 'data'))[0])).toBe('at once');
    stream.destroy();
  });
});

describe('the end', () => {
  it('comes to both when both close at once', async () => {
    const { sender, receiver } = await openPair();
    sender.stream.end('a');
    receiver.stream.end('b');
    expect(await Promise.all([text(sender.stream), text(receiver.stream)])).toEqual(['b', 'a']);
  });

  it('lets an echo finish what it has to say', async () => {
    const { sender, receiver } = await openPair({ fixed: { blockSize: 1000, window: 4 } });
    const content = randomBytes(100_000);
    const echo = pipeline(receiver.stream, receiver.stream);
    sender.stream.end(content);
    expect((await readAll(sender.stream)).equals(content)).toBe(true);
    await echo;
  });

  it('is no clean one for a reader who gets only a part, because the writer has given up', async () => {
    const { juliet, sender, receiver } = await openPair({ fixed: { blockSize: 1000, window: 1 } });
    receiver.stream.write(randomBytes(800_000));
    sender.stream.end('and you?');
    expect(String((await once(receiver.stream, 'data'))[0])).toBe('and you?');
    await arrival(juliet, 'close');
    receiver.stream.destroy();
    await expect(readAll(sender.stream)).rejects.toThrow('not everything was sent');
  });

  it('breaks the stream of a sender whose receiver has had enough', async () => {
    const { sender, receiver } = await openPair({ fixed: { blockSize: 1000, window: 4 } });
    sender.stream.write(randomBytes(200_000));
    await once(receiver.stream, 'data');
    receiver.stream.destroy();
    const [error] = (await once(sender.stream, 'error')) as [Error];
    expect(error.message).toContain('juliet@capulet.example/balcony has closed the in-band bytestream');
    expect(sender.confirmedBytes()).toBeLessThan(200_000);
  });

  it('comes with an error when the connection is lost', async () => {
    const { romeo, juliet, sender, receiver } = await openPair();
    const errors = [sender, receiver].map(
      async ({ stream }) => ((await once(stream, 'error')) as [Error])[0],
    );
    romeo.emit('closed', { error: new ConnectionLostError('the server is gone') });
    juliet.emit('reconnected', { jid: juliet.jid });
    const [ours, theirs] = await Promise.all(errors);
    expect(ours?.message).toBe('the server is gone');
    expect(theirs?.message).toBe('the connection was lost during an in-band transfer');
  });

  it('leaves nothing behind that a closing connection could break', async () => {
    const { romeo, juliet, sender, receiver } = await openPair();
    sender.stream.end('words');
    expect(await text(receiver.stream)).toBe('words');
    if (!sender.stream.writableFinished) await once(sender.stream, 'finish');
    for (const session of [romeo, juliet]) session.emit('closed', { error: undefined });
    expect(sender.stream.errored).toBeNull();
    expect(receiver.stream.errored).toBeNull();
  });
});

describe('silence', () => {
  it('ends the stream of a reader whose sender has vanished', async () => {
    const { romeo, receiver } = await openPair({}, 20);
    receiver.stream.resume();
    romeo.vanish();
    const [error] = (await once(receiver.stream, 'error')) as [Error];
    expect(error.message).toBe(
      'romeo@montague.example/orchard is gone: the server answered service-unavailable',
    );
  });

  it('ends the stream of a sender that gets no acknowledgement and no sign of life', async () => {
    const { network, sender } = await openPair({}, 20);
    network.tamper = () => [];
    sender.stream.write('hello');
    const [error] = (await once(sender.stream, 'error')) as [Error];
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error.message).toContain('waiting for a sign of life from juliet@capulet.example/balcony');
  });

  it('is no reason to end while the other party is there and just slow', async () => {
    const { romeo, sender, receiver } = await openPair({ fixed: { blockSize: 4096, window: 8 } }, 150);
    sender.stream.end(Buffer.alloc(1_000_000));
    const asked = (): number =>
      romeo.received.filter(({ attrs, children }) => attrs['type'] === 'result' && children.length > 0)
        .length;
    while (asked() < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(sender.stream.destroyed).toBe(false);
    expect(await readAll(receiver.stream)).toHaveLength(1_000_000);
  });
});
