import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { InterruptedError, UsageError } from '../../../src/lib/errors.js';
import { parseDuration, parseMoment, parseTime } from '../../../src/lib/input/moment.js';
import { readLines, readText, withoutFinalNewline } from '../../../src/lib/input/stdin.js';
import { parseAddress } from '../../../src/lib/jid/xmpp-uri.js';

const { signal } = new AbortController();

async function lines(chunks: (Buffer | string)[], limit = 100): Promise<string[]> {
  const found: string[] = [];
  for await (const line of readLines(Readable.from(chunks), { signal, limit })) found.push(line);
  return found;
}

describe('readText', () => {
  it('joins characters that are cut in the middle', async () => {
    const bytes = Buffer.from('é😀');
    const chunks = [...bytes].map((byte) => Buffer.from([byte]));
    expect(await readText(Readable.from(chunks), { signal, limit: 100 })).toBe('é😀');
  });

  it.each([
    ['what is not UTF-8', [Buffer.from([0xc3, 0x28])], 100],
    ['what ends in the middle of a character', [Buffer.from([0xc3])], 100],
    ['what is too long', ['12345'], 4],
  ])('refuses %s', async (_, chunks, limit) => {
    await expect(readText(Readable.from(chunks), { signal, limit })).rejects.toThrow(UsageError);
  });

  it('gives up when interrupted', async () => {
    const controller = new AbortController();
    const reading = readText(new Readable({ read: () => undefined }), {
      signal: controller.signal,
      limit: 1,
    });
    controller.abort(new InterruptedError('interrupted'));
    await expect(reading).rejects.toThrow(InterruptedError);
  });
});

describe('readLines', () => {
  it('splits at LF and CRLF, over chunks, with or without a last one', async () => {
    expect(await lines(['a\nb', 'c\r', '\n\nd'])).toEqual(['a', 'bc', '', 'd']);
    expect(await lines(['a\n'])).toEqual(['a']);
    expect(await lines([])).toEqual([]);
  });

  it('gives the lines before a bad one, and names that', async () => {
    const given: string[] = [];
    const input = Readable.from([Buffer.from('a\nb\r'), Buffer.from('\n\nc\xff\nd\n', 'latin1')]);
    const reading = (async () => {
      for await (const line of readLines(input, { signal, limit: 100 })) given.push(line);
    })();
    await expect(reading).rejects.toThrow('line 4 of the input is not UTF-8');
    expect(given).toEqual(['a', 'b', '']);
    await expect(lines(['a\n', Buffer.from([0xc3])])).rejects.toThrow('line 2 of the input is not UTF-8');
  });

  it('joins characters that are cut in the middle, and drops a byte order mark', async () => {
    const bytes = [...Buffer.from('\ufeffé😀\n\ufeffß')].map((byte) => Buffer.from([byte]));
    expect(await lines(bytes)).toEqual(['é😀', '\ufeffß']);
  });

  it('refuses a line without an end', async () => {
    await expect(lines(['x'.repeat(101)])).rejects.toThrow(/longer than 100/);
  });
});

describe('withoutFinalNewline', () => {
  it.each([
    ['a\n', 'a'],
    ['a\r\n', 'a'],
    ['a\n\n', 'a\n'],
    ['a', 'a'],
    ['\n', ''],
  ])('%j is %j', (text, expected) => {
    expect(withoutFinalNewline(text)).toBe(expected);
  });
});

describe('moments', () => {
  const now = Date.parse('2026-01-02T03:04:05Z');

  it.each([
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['0s', 0],
    ['5', undefined],
    ['-5m', undefined],
    ['2026-01-02', undefined],
  ])('duration %j', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it('reads times with and without a zone', () => {
    expect(parseTime('2026-01-31T10:00:00Z', now)).toEqual(new Date('2026-01-31T10:00:00Z'));
    expect(parseTime('2026-01-31T10:00:00+02:00', now)).toEqual(new Date('2026-01-31T08:00:00Z'));
    expect(parseTime('2026-01-31', now)).toEqual(new Date(2026, 0, 31));
    expect(parseTime('now', now)).toEqual(new Date(now));
    expect(parseTime('2026-13-31', now)).toBeUndefined();
    expect(parseTime('1795392978268543', now)).toBeUndefined();
  });

  it('counts durations from now, back or ahead', () => {
    expect(parseMoment('--since', '1h', now, 'ago')).toEqual(new Date('2026-01-02T02:04:05Z'));
    expect(parseMoment('--until', '1h', now, 'ahead')).toEqual(new Date('2026-01-02T04:04:05Z'));
    expect(() => parseMoment('--until', 'soon', now, 'ahead')).toThrow(
      /--until takes a time or a duration, not soon/,
    );
  });
});

describe('parseAddress', () => {
  it.each([
    ['bob@example.org', 'bob@example.org'],
    ['xmpp:bob@example.org', 'bob@example.org'],
    ['xmpp:room@chat.example.org?join;password=x', 'room@chat.example.org'],
    [
      'XMPP:nasty!%23$%25()*+,-.;=%3F%5B%5C%5D%5E_%60%7B%7C%7D~node@example.com',
      'nasty!#$%()*+,-.;=?[\\]^_`{|}~node@example.com',
    ],
    ['xmpp://me@example.org/bob@example.net/home', 'bob@example.net/home'],
  ])('%s', (text, expected) => {
    expect(parseAddress(text).toString()).toBe(expected);
  });

  it.each(['xmpp:', 'xmpp:%zz@a.test', 'a b@c.test'])('refuses %s', (text) => {
    expect(() => parseAddress(text)).toThrow(UsageError);
  });
});
