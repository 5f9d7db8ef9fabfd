/** What senders in the field do; facts seen with Dino 0.4.2, Gajim 1.7.3 and Libervia 0.9. And what an attacker would. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import {
  Refusal,
  type DecideOffer,
  type FileOffer,
} from '../../../src/lib/file-transfer/receiving/incoming-file.js';
import {
  receiveFiles,
  type ReceiveFilesOptions,
} from '../../../src/lib/file-transfer/receiving/receive-files.js';
import type { TransferEvent } from '../../../src/lib/file-transfer/transfer.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { asSession, linkStreams, type LinkedStream } from '../../support/linked-streams.js';
import { MemorySink } from '../../support/memory-files.js';
import { MemoryTransport } from '../../support/memory-transport.js';
import { ScriptedPeer } from '../../support/scripted-peer.js';

const content = Buffer.from('what is in the file');
const sha256 = createHash('sha256').update(content).digest();
const hash = (value: string): string => `<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>${value}</hash>`;
const right = hash(sha256.toString('base64'));
const wrong = hash(createHash('sha256').update('x').digest('base64'));
const promised = `<hash-used xmlns='urn:xmpp:hashes:2' algo='sha-256'/>`;

interface Receiving {
  peer: ScriptedPeer;
  streams: [LinkedStream, LinkedStream];
  memory: MemoryTransport;
  sink: MemorySink;
  events: TransferEvent[];
  offers: FileOffer[];
  /** Resolves when a file has come to its end. */
  ended: () => Promise<string>;
  stop: () => Promise<unknown>;
}

function receive(options: Partial<ReceiveFilesOptions> = {}, kept = Buffer.alloc(0)): Receiving {
  const streams = linkStreams();
  const [romeo, juliet] = streams;
  const peer = new ScriptedPeer(romeo, juliet.jid);
  const memory = new MemoryTransport();
  const sink = new MemorySink(kept);
  const offers: FileOffer[] = [];
  const events: TransferEvent[] = [];
  let wake = (): void => undefined;
  const accept: DecideOffer = (offer) => {
    offers.push(offer);
    return Promise.resolve(sink);
  };
  const receiving = receiveFiles(asSession(juliet), {
    transports: [memory],
    accept,
    timeoutMs: 150,
    ...options,
  });
  void (async () => {
    for await (const event of receiving) {
      events.push(event);
      wake();
    }
  })().catch(() => undefined);
  const ended = async (): Promise<string> => {
    for (;;) {
      for (const event of events) {
        if (event.kind === 'done') return event.result.certainty;
        if (event.kind === 'failed') return `${event.error.name}: ${event.error.message}`;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return {
    peer,
    streams,
    memory,
    sink,
    events,
    offers,
    ended,
    stop: () => receiving.return?.() ?? Promise.resolve(),
  };
}

const described = (file: string): string =>
  `<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file>${file}</file></description>`;
const contentOf = (transport: string, file: string, attributes = "senders='initiator'"): string =>
  `<content creator='initiator' name='f' ${attributes}>${described(file)}${transport}</content>`;
const checksum = (inner: string, attributes = "creator='initiator' name='f'"): string =>
  `<checksum xmlns='urn:xmpp:jingle:apps:file-transfer:5' ${attributes}><file>${inner}</file></checksum>`;
const size = `<size>${content.length}</size>`;

/** Offers a file, sends these bytes, and leaves the stream open or ends it. */
async function offer(
  { peer, memory }: Pick<Receiving, 'peer' | 'memory'>,
  file: string,
  bytes: Buffer,
  { ends = true } = {},
): Promise<void> {
  const { element, connect } = await peer.offer(memory);
  await peer.send('session-initiate', contentOf(element, file), `initiator='romeo@montague.example/a'`);
  await peer.next('session-accept');
  const stream = await connect();
  stream.on('error', () => undefined);
  stream.write(bytes);
  if (ends) stream.end();
}

describe('a hash', () => {
  it.each([
    ['in the offer', right],
    [
      'as Libervia writes it: the base64 of its hexadecimal digits',
      hash(Buffer.from(sha256.toString('hex')).toString('base64')),
    ],
  ])('is compared: %s', async (_name, inOffer) => {
    const receiving = receive();
    await offer(receiving, `<name>a</name>${size}${inOffer}`, content);
    expect(await receiving.ended()).toBe('verified');
    expect(receiving.sink.state).toBe('committed');
    expect((await receiving.peer.next('session-info')).toString()).toContain('<received');
    expect((await receiving.peer.next('session-terminate')).toString()).toContain('<success/>');
  });

  it.each([
    ['after the data', true],
    ['before the data', false],
  ])('may be told %s', async (_name, isLate) => {
    const receiving = receive();
    const { peer, memory } = receiving;
    const { element, connect } = await peer.offer(memory);
    await peer.send('session-initiate', contentOf(element, `${size}${promised}`));
    await peer.next('session-accept');
    const stream = await connect();
    if (isLate) stream.end(content);
    await peer.send('session-info', checksum(right, ''));
    if (!isLate) stream.end(content);
    expect(await receiving.ended()).toBe('verified');
  });

  it('that was promised and is not told leaves the file unverified', async () => {
    const receiving = receive();
    await offer(receiving, `${size}${promised}`, content);
    expect(await receiving.ended()).toBe('unverified');
    expect(receiving.sink.state).toBe('committed');
  });

  it.each([
    ['<hash xmlns="urn:xmpp:hashes:2" algo="md5">AAAA</hash>'],
    ['<hash xmlns="urn:xmpp:hashes:2" algo="sha-256">?</hash>'],
  ])('that cannot be compared (%s) is none', async (strange) => {
    const receiving = receive();
    await offer(receiving, `${size}${strange}`, content);
    expect(await receiving.ended()).toBe('unverified');
  });

  it.each([
    ['in the offer', `${size}${wrong}`, undefined],
    ['in the checksum', `${size}${promised}`, checksum(wrong)],
  ])('that is wrong %s is a failure on both sides, and nothing is left', async (_name, file, later) => {
    const receiving = receive();
    const { peer } = receiving;
    await offer(receiving, file, content);
    if (later) await peer.send('session-info', later);
    expect(await receiving.ended()).toMatch(/^WrongContentError/);
    expect(receiving.sink.state).toBe('discarded');
    expect((await peer.next('session-terminate')).toString()).toContain('<media-error/>');
  });
});

describe('an offer', () => {
  it('may lack hash, date, range and media type (Dino), and have a date with two zones (Gajim)', async () => {
    const receiving = receive();
    await offer(receiving, `<name>a</name>${size}<date>2026-01-01T22:01:59.223216+00:00Z</date>`, content);
    expect(receiving.offers[0]?.file).toEqual({
      name: 'a',
      sizeBytes: content.length,
      mediaType: undefined,
      date: new Date('2026-01-01T22:01:59.223Z'),
      description: undefined,
      hashes: [],
      promisedHashes: [],
    });
    expect(receiving.offers[0]?.isResumable).toBe(false);
    expect(await receiving.ended()).toBe('unverified');
  });

  it('without ranges, of which a part is here, begins at the beginning', async () => {
    const receiving = receive({}, content.subarray(0, 7));
    await offer(receiving, `${size}${right}`, content);
    expect(await receiving.ended()).toBe('verified');
    expect(receiving.sink.content).toEqual(content);
  });

  it('with ranges, of which a part is here, begins there', async () => {
    const receiving = receive({}, content.subarray(0, 7));
    const { peer, memory } = receiving;
    const { element, connect } = await peer.offer(memory);
    await peer.send('session-initiate', contentOf(element, `${size}${right}<range/>`));
    expect((await peer.next('session-accept')).toString()).toContain('<range offset="7"/>');
    (await connect()).end(content.subarray(7));
    expect(await receiving.ended()).toBe('verified');
  });

  it.each([
    ['decline', new Refusal('decline', 'no, thanks'), '<decline/><text>no, thanks</text>'],
    ['busy', new Refusal('busy'), '<busy/>'],
    ['file-too-large', new Refusal('file-too-large'), '<media-error/><file-too-large'],
  ])('is refused with a reason: %s', async (_name, refusal, reason) => {
    const { peer, memory } = receive({ accept: () => Promise.resolve(refusal) });
    const { element } = await peer.offer(memory);
    await peer.send('session-initiate', contentOf(element, size));
    expect((await peer.next('session-terminate')).toString()).toContain(reason);
  });

  it.each([
    [
      'for a file of ours',
      contentOf(`<transport xmlns='urn:example:memory' sid='s'/>`, size, "senders='responder'"),
      'file-not-available',
    ],
    [
      'by an unknown transport',
      contentOf(`<transport xmlns='urn:example:ice' sid='s'/>`, size),
      'unsupported-transports',
    ],
    ['without a transport', contentOf('', size), 'unsupported-transports'],
    [
      'encrypted (Libervia, by XEP-0391)',
      contentOf(
        `<transport xmlns='urn:example:memory' sid='s'/><security xmlns='urn:xmpp:jingle:jet:0' name='file-1' cipher='urn:xmpp:ciphers:aes-256-gcm-nopadding:0' type='urn:xmpp:omemo:2'/>`,
        size,
      ),
      'security-error',
    ],
    [
      'of something else',
      `<content creator='initiator' name='c'><description xmlns='urn:example:call'/></content>`,
      'unsupported-applications',
    ],
  ])('%s is refused without asking', async (_name, inner, reason) => {
    const { peer, offers } = receive();
    await peer.send('session-initiate', inner);
    expect((await peer.next('session-terminate')).toString()).toContain(reason);
    expect(offers).toEqual([]);
  });

  it('of a stranger learns nothing', async () => {
    const { peer, offers } = receive({ admits: () => false });
    await expect(peer.send('session-initiate', contentOf('', size))).rejects.toThrow('service-unavailable');
    expect(offers).toEqual([]);
  });

  it('that is withdrawn while somebody is asked is over', async () => {
    const receiving = receive({ accept: () => new Promise(() => undefined) });
    const { peer, memory } = receiving;
    const { element } = await peer.offer(memory);
    await peer.send('session-initiate', contentOf(element, size));
    await peer.send('session-terminate', '<reason><cancel/></reason>');
    expect(await receiving.ended()).toMatch(/^NegativeError: .* cancelled/);
  });

  it('more than can be looked at are refused as busy', async () => {
    const { peer, memory, stop } = receive({ accept: () => new Promise(() => undefined), maxConcurrent: 1 });
    const { element } = await peer.offer(memory);
    for (let count = 0; count < 102; count += 1) {
      peer.sid = `s${count}`;
      await peer.send('session-initiate', contentOf(element, size));
    }
    expect((await peer.next('session-terminate')).toString()).toContain('<busy/>');
    void stop();
  });
});

describe('several contents in one offer', () => {
  const named = (name: string, transport: string, file: string, senders = 'initiator'): string =>
    `<content creator='initiator' name='${name}' senders='${senders}'>${described(file)}${transport}</content>`;
  const namesIn = (jingle: Element): unknown[] =>
    jingle.getChildren('content').map((child) => String(child.attrs['name']));

  it('are answered together: what is not wanted is left out', async () => {
    const sinks = [new MemorySink(), new MemorySink()];
    const receiving = receive({
      accept: ({ file }) =>
        Promise.resolve(
          file.name === 'b' ? new Refusal() : (sinks[file.name === 'a' ? 0 : 1] ?? new Refusal()),
        ),
    });
    const { peer, memory, events } = receiving;
    const [a, b, c, d] = [
      await peer.offer(memory),
      await peer.offer(memory),
      await peer.offer(memory),
      await peer.offer(memory),
    ];
    await peer.send(
      'session-initiate',
      named('a', a.element, `<name>a</name>${size}${right}`) +
        named('b', b.element, `<name>b</name>${size}`) +
        named('c', c.element, `<name>c</name>${size}${wrong}`) +
        named('d', d.element, size, 'responder'),
    );
    expect(namesIn(await peer.next('session-accept'))).toEqual(['a', 'c']);
    (await c.connect()).end(content);
    // One that fails is removed; the other goes on.
    const removed = await peer.next('content-remove');
    expect(namesIn(removed)).toEqual(['c']);
    expect(removed.toString()).toContain('<media-error/>');
    (await a.connect()).end(content);
    expect((await peer.next('session-info')).toString()).toContain('name="a"');
    expect((await peer.next('session-terminate')).toString()).toContain('<success/>');
    expect(sinks.map(({ state }) => state)).toEqual(['committed', 'discarded']);
    expect(events.filter(({ kind }) => kind === 'failed')).toHaveLength(1);
  });

  it('may follow an earlier one, and are answered one by one', async () => {
    const sinks = new Map<string | undefined, MemorySink>();
    const receiving = receive({
      accept: ({ file: { name } }) => {
        if (name === 'b') return Promise.resolve(new Refusal('decline', 'no b'));
        const sink = new MemorySink();
        sinks.set(name, sink);
        return Promise.resolve(sink);
      },
    });
    const { peer, memory } = receiving;
    const [a, b, c] = [await peer.offer(memory), await peer.offer(memory), await peer.offer(memory)];
    await peer.send('session-initiate', named('a', a.element, `<name>a</name>${size}${right}`));
    await peer.next('session-accept');
    await peer.send(
      'content-add',
      named('b', b.element, `<name>b</name>`) + named('c', c.element, `<name>c</name>${size}${right}`),
    );
    const rejected = await peer.next('content-reject');
    expect([namesIn(rejected), rejected.getChild('reason')?.getChildText('text')]).toEqual([['b'], 'no b']);
    expect(namesIn(await peer.next('content-accept'))).toEqual(['c']);
    (await c.connect()).end(content);
    (await a.connect()).end(content);
    expect((await peer.next('session-terminate')).toString()).toContain('<success/>');
    expect([...sinks].map(([name, { state }]) => [name, state])).toEqual([
      ['a', 'committed'],
      ['c', 'committed'],
    ]);
  });

  it('can be withdrawn one by one', async () => {
    const receiving = receive();
    const { peer, memory } = receiving;
    const { element } = await peer.offer(memory);
    await peer.send('session-initiate', named('a', element, `${size}<range/>`));
    await peer.next('session-accept');
    await peer.send('content-remove', `<content creator='initiator' name='a'/><reason><cancel/></reason>`);
    expect(await receiving.ended()).toMatch(/^NegativeError: .*cancelled/);
    expect(receiving.sink.state).toBe('suspended');
  });
});

describe('a size that lies', () => {
  it('with more bytes is a failure, and nothing is left', async () => {
    const receiving = receive();
    await offer(receiving, '<size>5</size>', content);
    expect(await receiving.ended()).toMatch(/^WrongContentError: more came than the 5 bytes/);
    expect(receiving.sink.state).toBe('discarded');
    expect((await receiving.peer.next('session-terminate')).toString()).toContain('<media-error/>');
  });

  it('with more bytes that come late is found, too', async () => {
    const receiving = receive();
    const { peer, memory } = receiving;
    const { element, connect } = await peer.offer(memory);
    await peer.send('session-initiate', contentOf(element, `<size>5</size>${promised}`));
    await peer.next('session-accept');
    const stream = await connect();
    stream.write(content.subarray(0, 5));
    await new Promise((resolve) => setImmediate(resolve));
    stream.write(content.subarray(5));
    expect(await receiving.ended()).toMatch(/^WrongContentError/);
  });

  it('with fewer bytes leaves what came for another try', async () => {
    const receiving = receive();
    await offer(receiving, `<size>500</size><range/>`, content);
    expect(await receiving.ended()).toMatch(/ended after 19 of 500 bytes/);
    expect(receiving.sink.state).toBe('suspended');
  });
});

describe('a file whose size nobody knows', () => {
  it('is not complete because the connection of a killed sender has ended', async () => {
    const receiving = receive();
    await offer(receiving, `<range/>${promised}`, content);
    expect(await receiving.ended()).toMatch(/did not say that this was all/);
    expect(receiving.sink.state).toBe('suspended');
  });

  it('is complete when the hash fits', async () => {
    const receiving = receive();
    await offer(receiving, promised, content);
    await receiving.peer.send('session-info', checksum(right));
    expect(await receiving.ended()).toBe('verified');
  });

  it('is complete, though not verified, when the sender says that it is done', async () => {
    const receiving = receive();
    await offer(receiving, '', content);
    await receiving.peer.send('session-terminate', '<reason><success/></reason>');
    expect(await receiving.ended()).toBe('unverified');
    expect(receiving.sink.state).toBe('committed');
  });
});

describe('a sender that falls silent', () => {
  it('after the acceptance: nothing is left open', async () => {
    const receiving = receive();
    const { peer, memory } = receiving;
    const { element } = await peer.offer(memory);
    await peer.send('session-initiate', contentOf(element, `${size}<range/>`));
    await peer.next('session-accept');
    expect(await receiving.ended()).toMatch(/^TimeoutError/);
    expect(receiving.sink.state).toBe('suspended');
    expect((await peer.next('session-terminate')).toString()).toContain('<timeout/>');
  });

  it('in the middle, and is gone: what came is kept', async () => {
    const receiving = receive();
    receiving.streams[0].ignore((request) => request.includes('session-info'));
    await offer(receiving, `<size>500</size>`, content, { ends: false });
    expect(await receiving.ended()).toBe('BrokenPathError: the sender is gone');
    expect(receiving.sink.state).toBe('suspended');
  });

  it('in the middle, with a broken connection, and is gone: nobody waits for another path', async () => {
    const receiving = receive({ timeoutMs: 60_000 });
    receiving.streams[0].leave();
    await offer(receiving, `<size>500</size><range/>`, content);
    expect(await receiving.ended()).toBe('RemoteError: the sender is gone');
    expect(receiving.sink.state).toBe('suspended');
  });

  it('in the middle, and is there, is waited for', async () => {
    const receiving = receive({ timeoutMs: 40 });
    const { peer, memory } = receiving;
    const { element, connect } = await peer.offer(memory);
    await peer.send('session-initiate', contentOf(element, `${size}${right}`));
    await peer.next('session-accept');
    const stream = await connect();
    stream.write(content.subarray(0, 5));
    await peer.next('session-info');
    await peer.next('session-info');
    stream.end(content.subarray(5));
    expect(await receiving.ended()).toBe('verified');
  });
});

describe('receiving', () => {
  it('fails on a full disk, keeps what is there, and tells the sender no path', async () => {
    const receiving = receive();
    receiving.sink.write = () => Promise.reject(new FileError('/home/me/a: no space left'));
    await offer(receiving, size, content);
    expect(await receiving.ended()).toBe('FileError: /home/me/a: no space left');
    expect(receiving.sink.state).toBe('suspended');
    const told = (await receiving.peer.next('session-terminate')).toString();
    expect(told).toContain('<failed-application/>');
    expect(told).not.toContain('/home/me');
  });

  it('can be interrupted: what came is kept, and the sender is told', async () => {
    const interrupted = new AbortController();
    const receiving = receive({ signal: interrupted.signal });
    await offer(receiving, `<size>500</size>`, content, { ends: false });
    await new Promise((resolve) => setTimeout(resolve, 10));
    interrupted.abort();
    expect(await receiving.ended()).toMatch(/^InterruptedError/);
    expect(receiving.sink.state).toBe('suspended');
    expect(receiving.sink.content).toEqual(content);
    expect((await receiving.peer.next('session-terminate')).toString()).toContain('<cancel/>');
  });

  it('takes a terminate with success while data is still on its way for what it is', async () => {
    const receiving = receive();
    await offer(receiving, `${size}${right}`, content.subarray(0, 3), { ends: false });
    await receiving.peer.send('session-terminate', '<reason><success/></reason>');
    const written = receiving.events.some(({ kind }) => kind === 'failed');
    expect(written).toBe(false);
    await receiving.stop();
  });
});
