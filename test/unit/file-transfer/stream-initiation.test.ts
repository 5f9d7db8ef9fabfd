import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openInBandBytestream } from '../../../src/lib/bytestreams/in-band/in-band-bytestream.js';
import { StanzaError } from '../../../src/lib/errors.js';
import { Refusal, type IncomingFile } from '../../../src/lib/file-transfer/receiving/incoming-file.js';
import {
  inBandMethod,
  streamInitiationOffers,
} from '../../../src/lib/file-transfer/receiving/stream-initiation.js';
import {
  StreamInitiation,
  readMethods,
} from '../../../src/lib/file-transfer/receiving/stream-initiation-stanzas.js';
import type { Session } from '../../../src/lib/session/session.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { MemoryNetwork } from '../../support/memory-network.js';
import { readAll } from '../../support/read-all.js';

/** The complete offer of XEP-0096, Example 3, with a range. */
const example = readFileSync(new URL('../../fixtures/stream-initiation/offer.xml', import.meta.url), 'utf8');

function setUp(options: Partial<Parameters<typeof streamInitiationOffers>[1]> = {}) {
  const network = new MemoryNetwork();
  const romeo = network.connect('romeo@montague.example/orchard');
  const juliet = network.connect('juliet@capulet.example/balcony');
  const source = streamInitiationOffers(juliet as unknown as Session, {
    methods: [inBandMethod],
    timeoutMs: 1000,
    ...options,
  });
  const ask = (text: string) => romeo.request({ type: 'set', to: juliet.jid, payload: parseXml(text) });
  const next = async (): Promise<IncomingFile> => {
    const { value } = (await source.offers.next()) as IteratorYieldResult<readonly IncomingFile[]>;
    const [file] = value;
    if (!file) throw new Error('nothing was offered');
    return file;
  };
  return { romeo, juliet, source, ask, next };
}

async function refusalOf(promise: Promise<unknown>): Promise<StanzaError> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  if (!(error instanceof StanzaError)) throw new Error(`expected a stanza error, got ${String(error)}`);
  return error;
}

describe('a file offered by stream initiation', () => {
  it('is described, accepted from the middle on, and received', async () => {
    const { romeo, juliet, ask, next } = setUp();
    const answered = ask(example);
    const file = await next();
    expect(file).toMatchObject({
      peer: romeo.jid,
      isResumable: true,
      isMoreExpected: false,
      file: {
        name: 'test.txt',
        sizeBytes: 1022,
        mediaType: 'text/plain',
        date: new Date('1969-07-21T02:56:15Z'),
        description: 'This is a test. If this were a real file...',
        hashes: [],
        promisedHashes: [],
      },
    });
    const accepted = file.accept(128);
    const answer = StreamInitiation.find(await answered);
    expect(answer?.file?.range).toEqual({ offset: 128 });
    expect(answer && readMethods(answer)).toEqual(['http://jabber.org/protocol/ibb']);
    const { stream } = await openInBandBytestream(romeo, juliet.jid, { sid: 'a0' });
    stream.end('the rest');
    const path = await accepted;
    expect(path).toMatchObject({ startBytes: 128, bytestream: { method: 'in-band' } });
    expect(String(await readAll(path.bytestream.stream))).toBe('the rest');
    expect(await file.nextWord()).toBe('done');
    await file.ping();
    await file.confirm();
  });

  it('begins at 0 where the sender knows no ranges, and its facts may be missing', async () => {
    const { romeo, juliet, ask, next } = setUp();
    const bare = example
      .replace('<range/>', '')
      .replace(/ (size|date|hash)='[^']*'/g, '')
      .replace(/<desc>.*<\/desc>/, '');
    const answered = ask(bare);
    const file = await next();
    expect(file.isResumable).toBe(false);
    expect(file.file).toMatchObject({ name: 'test.txt', sizeBytes: undefined, date: undefined });
    const accepted = file.accept(500);
    expect(StreamInitiation.find(await answered)?.file).toBeUndefined();
    await openInBandBytestream(romeo, juliet.jid, { sid: 'a0' });
    expect((await accepted).startBytes).toBe(0);
  });

  it.each([
    [new Refusal(), 'Offer Declined'],
    [new Refusal('file-too-large'), 'The file is too large'],
    [new Refusal('decline', 'not today'), 'not today'],
  ])('is declined', async (refusal, text) => {
    const { ask, next } = setUp();
    const answered = ask(example);
    await (await next()).refuse(refusal);
    expect(await refusalOf(answered)).toMatchObject({ condition: 'forbidden', type: 'cancel', text });
  });

  it('is declined when it cannot be stored', async () => {
    const { ask, next } = setUp();
    const answered = ask(example);
    await (await next()).fail(new Error('disk full'));
    expect((await refusalOf(answered)).condition).toBe('forbidden');
  });

  it('breaks off when it fails in the middle, or is ended', async () => {
    const { romeo, juliet, ask, next } = setUp();
    const answered = ask(example);
    const file = await next();
    const accepted = file.accept(0);
    await answered;
    const { stream } = await openInBandBytestream(romeo, juliet.jid, { sid: 'a0' });
    const { bytestream } = await accepted;
    await file.fail(new Error('disk full'));
    expect(bytestream.stream.destroyed).toBe(true);
    stream.resume();
    await once(stream, 'end');
    await expect(file.reconnect(0, new Error('broken'), true)).rejects.toThrow('broken');
    const again = ask(example);
    const second = await next();
    const waiting = second.accept(0);
    await again;
    second.abort(new Error('Ctrl-C'));
    await expect(waiting).rejects.toThrow('interrupted');
  });

  it('is offered once at a time', async () => {
    const { ask, next } = setUp();
    const answered = ask(example);
    expect((await refusalOf(ask(example))).condition).toBe('conflict');
    await (await next()).refuse(new Refusal());
    await refusalOf(answered);
    const again = ask(example);
    await (await next()).refuse(new Refusal());
    expect((await refusalOf(again)).condition).toBe('forbidden');
  });

  it.each([
    ['an unknown profile', /profile\/file-transfer'>\s*<file/, "x'><file", 'bad-request bad-profile'],
    ['no file', /<file.*<\/file>/s, '', 'bad-request bad-profile'],
    ['no method that we have', /protocol\/ibb/, 'protocol/oob', 'bad-request no-valid-streams'],
    ['no methods at all', /<feature.*<\/feature>/s, '', 'bad-request no-valid-streams'],
    ['no id', /id='a0'/, '', 'bad-request'],
    ['a size that is none', /size='1022'/, "size='-1'", 'bad-request'],
  ])('is refused with %s', async (_, pattern, replacement, expected) => {
    const { ask } = setUp();
    const { condition, application } = await refusalOf(ask(example.replace(pattern, replacement)));
    expect([condition, application?.name].filter(Boolean).join(' ')).toBe(expected);
  });

  it('is not seen from people who are not admitted, and by nobody once receiving has ended', async () => {
    const strict = setUp({ admits: () => false });
    expect((await refusalOf(strict.ask(example))).condition).toBe('service-unavailable');
    const { source, ask } = setUp();
    source[Symbol.dispose]();
    expect((await refusalOf(ask(example))).condition).toBe('service-unavailable');
    expect((await source.offers.next()).done).toBe(true);
  });
});
