import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/lib/errors.js';
import { readTrace } from '../../../src/lib/trace/read-trace.js';
import type { TraceRecord } from '../../../src/lib/trace/record.js';

const started = '2026-01-31T10:00:00.000Z';
const header = `{"kind":"header","format":"xmppctl-trace","version":1,"started":"${started}","tool":"test","redacted":true}`;
const connection = (n: number, conn = 1): string =>
  `{"n":${n},"t":${n},"kind":"connection","conn":${conn},"label":"c2s"}`;
const data = (n: number, text: string, { conn = 1, t = n } = {}): string =>
  JSON.stringify({ n, t, conn, kind: 'data', dir: 'in', text });

async function mend(
  bytes: string | Buffer,
  options: { maxLineBytes?: number; pieceSize?: number } = {},
): Promise<{ records: TraceRecord[]; warnings: string[] }> {
  const { pieceSize = 1000, ...others } = options;
  const buffer = Buffer.from(bytes);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < buffer.length; at += pieceSize) {
      await Promise.resolve();
      yield buffer.subarray(at, at + pieceSize);
    }
  }
  const records: TraceRecord[] = [];
  const warnings: string[] = [];
  const batches = readTrace(source(), {
    name: 'a.trace',
    warn: (message) => warnings.push(message),
    isRepairing: true,
    ...others,
  });
  for await (const batch of batches) records.push(...batch);
  return { records, warnings };
}

/** Number, connection and what is in it. */
function brief(records: readonly TraceRecord[]): string[] {
  return records.map((record) => {
    if (record.kind === 'header') return `header ${record.started}`;
    if (record.kind === 'gap') return `gap ${record.from}-${record.to}`;
    return `${record.n} ${record.conn} ${record.kind === 'data' ? record.text : record.kind}`;
  });
}

describe('a trace that is mended', () => {
  it('is as it was when nothing is wrong with it', async () => {
    const { records, warnings } = await mend([header, connection(1), data(2, '<a/>'), ''].join('\n'));
    expect(brief(records)).toEqual([`header ${started}`, '1 1 connection', '2 1 <a/>']);
    expect(warnings).toEqual([]);
  });

  it('has a gap for lines that are none, and says which', async () => {
    const lines = [header, connection(1), 'junk', '{"n":3,"t":', data(4, '<a/>'), data(5, '<b/>')];
    const { records, warnings } = await mend(lines.join('\n'));
    expect(brief(records)).toEqual([
      `header ${started}`,
      '1 1 connection',
      'gap 2-3',
      '4 1 <a/>',
      '5 1 <b/>',
    ]);
    expect(warnings).toEqual([
      'a.trace:3: lines 3 to 4 hold no record: not JSON; records 2 to 3 are missing',
    ]);
  });

  it('says when a line was none and nothing is missing', async () => {
    const { records, warnings } = await mend([header, connection(1), 'junk', data(2, '<a/>')].join('\n'));
    expect(brief(records)).toEqual([`header ${started}`, '1 1 connection', '2 1 <a/>']);
    expect(warnings).toEqual(['a.trace:3: not JSON; nothing that follows is missing']);
  });

  it('says which lines somebody took out', async () => {
    const { records, warnings } = await mend([header, data(1, '<a/>'), data(4, '<b/>')].join('\n'));
    expect(brief(records)).toEqual([`header ${started}`, '1 1 <a/>', 'gap 2-3', '4 1 <b/>']);
    expect(warnings).toEqual(['a.trace:3: records 2 to 3 are missing before this line']);
  });

  it('finds records behind NULs that a crash left, and in lines that were torn', async () => {
    const { records, warnings } = await mend(
      [
        header,
        `${'\0'.repeat(5000)}${data(1, '<a/>')}`,
        `${data(2, '<b/>').slice(0, 30)}${data(3, '<c/>')}`,
        `${data(4, '<d/>')}${data(5, '<e/>')}`,
        `${data(6, '<f/>')}and more`,
        '\0\0\0',
      ].join('\n'),
    );
    expect(brief(records)).toEqual([
      `header ${started}`,
      '1 1 <a/>',
      'gap 2-2',
      '3 1 <c/>',
      '4 1 <d/>',
      '5 1 <e/>',
      '6 1 <f/>',
    ]);
    expect(warnings.join('\n')).toContain('a.trace:2: NULs');
    expect(warnings.join('\n')).toContain('record 2 is missing');
    expect(warnings.at(-1)).toBe('a.trace:6: NULs; what follows it, if there was more, is missing');
  });

  it('numbers the connections of a second recording behind those of the first', async () => {
    const second = header.replace('10:00:00', '11:00:00');
    const { records, warnings } = await mend(
      [header, connection(1), data(2, '<a/>'), second, connection(1), data(2, '<b/>')].join('\n'),
    );
    expect(brief(records)).toEqual([
      `header ${started}`,
      '1 1 connection',
      '2 1 <a/>',
      '3 2 connection',
      '4 2 <b/>',
    ]);
    expect(records.at(-1)).toMatchObject({ t: 3_600_002 });
    expect(warnings).toEqual([
      'a.trace:4: a second trace begins here: its connections are counted from 2 on, its records from 3',
    ]);
  });

  it('tells apart two recordings whose lines are mixed', async () => {
    const { records } = await mend(
      [
        ...[header, connection(1), data(2, '<a1/>'), data(3, '<a2/>'), header, connection(1)],
        ...[data(4, '<a3/>'), data(2, '<b1/>'), data(5, '<a4/>'), data(3, '<b2/>'), data(6, '<a5/>')],
      ].join('\n'),
    );
    const of = (conn: number): string[] =>
      records.flatMap((record) =>
        record.kind === 'data' && record.conn === conn ? [record.text ?? ''] : [],
      );
    expect(of(1)).toEqual(['<a1/>', '<a2/>', '<a3/>', '<a4/>', '<a5/>']);
    expect(of(2)).toEqual(['<b1/>', '<b2/>']);
    expect(records.flatMap((record) => ('n' in record ? [record.n] : []))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
  });

  it('is read without its first line', async () => {
    const { records, warnings } = await mend([data(7, '<a/>'), data(8, '<b/>')].join('\n'));
    expect(brief(records)).toEqual(['header 1970-01-01T00:00:00.000Z', 'gap 1-6', '7 1 <a/>', '8 1 <b/>']);
    expect(warnings).toEqual([
      'a.trace:1: the header is missing: nobody knows when this was recorded',
      'a.trace:1: records 1 to 6 are missing before this line',
    ]);
  });

  it('is read, as far as it is known, in another version', async () => {
    const lines = [header.replace('"version":1', '"version":7'), '{"kind":"weather"}', data(1, '<a/>')];
    const { records, warnings } = await mend(lines.join('\n'));
    expect(records[0]).toMatchObject({ kind: 'header', version: 1, started });
    expect(brief(records.slice(1))).toEqual(['1 1 <a/>']);
    expect(warnings).toEqual([
      'a.trace:1: a trace of format version 7: what version 1 does not know of it is left out',
    ]);
  });

  it('keeps the gaps it has', async () => {
    const gap = '{"kind":"gap","from":2,"to":9,"reason":"the disk is full"}';
    const { records, warnings } = await mend([header, data(1, '<a/>'), gap, data(10, '<b/>')].join('\n'));
    expect(records[2]).toEqual({ kind: 'gap', from: 2, to: 9, reason: 'the disk is full' });
    expect(brief(records)).toEqual([`header ${started}`, '1 1 <a/>', 'gap 2-9', '10 1 <b/>']);
    expect(warnings).toEqual([]);
  });

  it.each([1, 7, 100_000])('leaves out a line that is too long, in pieces of %d bytes', async (pieceSize) => {
    const lines = [header, data(1, '<a/>'), 'x'.repeat(3000), data(3, '<b/>'), ''];
    const { records, warnings } = await mend(lines.join('\n'), { maxLineBytes: 2000, pieceSize });
    expect(brief(records)).toEqual([`header ${started}`, '1 1 <a/>', 'gap 2-2', '3 1 <b/>']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('record 2 is missing');
  });

  it.each([0, -1, 1.5, 1e300])('does not believe in record %d', async (n) => {
    const { records } = await mend([header, data(n, '<a/>'), data(1, '<b/>')].join('\n'));
    expect(brief(records)).toEqual([`header ${started}`, '1 1 <b/>']);
  });

  it('is refused when there is nothing in it', async () => {
    for (const text of ['', 'root:x:0:0\n', '\0'.repeat(100), '{"kind":"header","format":"pcap"}']) {
      await expect(mend(text)).rejects.toBeInstanceOf(UsageError);
      await expect(mend(text)).rejects.toThrow('a.trace is not a trace: there is no record in it');
    }
  });

  it('is not looked for without end', async () => {
    await expect(mend('junk\n'.repeat(20_000) + data(1, '<a/>'))).rejects.toBeInstanceOf(UsageError);
    const { records } = await mend('junk\n'.repeat(5000) + data(1, '<a/>'));
    expect(brief(records)).toEqual(['header 1970-01-01T00:00:00.000Z', '1 1 <a/>']);
  });

  it('is read wherever its end was cut off, and loses no more than the line', async () => {
    const lines = [header, connection(1), data(2, '<é/>'), data(3, 'a "quoted" text')];
    const whole = Buffer.from(`${lines.join('\n')}\n`);
    let position = 0;
    const ends = lines.map((line) => (position += Buffer.byteLength(line) + 1) - 1);
    for (let length = Buffer.byteLength(header); length <= whole.length; length += 1) {
      const { records, warnings } = await mend(whole.subarray(0, length));
      const complete = ends.filter((end) => end <= length).length;
      expect(records).toHaveLength(complete);
      const isCut = length > (ends[complete - 1] ?? 0) + 1;
      expect(warnings).toHaveLength(isCut ? 1 : 0);
    }
  });

  it('is read wherever its beginning was cut off', async () => {
    const whole = Buffer.from([header, connection(1), data(2, '<é/>'), data(3, '<b/>'), ''].join('\n'));
    for (let from = 1; from < whole.length - Buffer.byteLength(data(3, '<b/>')); from += 1) {
      const { records, warnings } = await mend(whole.subarray(from));
      expect(brief(records).at(-1)).toBe('3 1 <b/>');
      expect(records[0]?.kind).toBe('header');
      expect(warnings[0]).toContain('the header is missing');
    }
  });
});

describe('a trace that is not mended', () => {
  it('says what would read it', async () => {
    const lines = [header, data(1, '<a/>'), 'junk'].join('\n');
    async function* source(): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      yield Buffer.from(`${lines}\n`);
    }
    const reading = async (): Promise<void> => {
      for await (const _batch of readTrace(source(), { name: 'a.trace', warn: () => undefined }));
    };
    await expect(reading()).rejects.toMatchObject({
      message: 'a.trace:3: not JSON',
      hint: 'with --repair what can be read of it is read',
    });
  });
});
