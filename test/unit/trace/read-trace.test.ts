import { describe, expect, it } from 'vitest';
import { FileError, UsageError } from '../../../src/lib/errors.js';
import { readTrace } from '../../../src/lib/trace/read-trace.js';
import type { TraceRecord } from '../../../src/lib/trace/record.js';

const header = '{"kind":"header","format":"xmppctl-trace","version":1,"started":"2026-01-31T10:00:00Z"}';
const data = '{"n":1,"t":0.5,"conn":1,"kind":"data","dir":"in","text":"é"}';

async function read(
  text: string,
  pieceSize = Number.POSITIVE_INFINITY,
): Promise<{ records: TraceRecord[]; warnings: string[]; error: unknown }> {
  const bytes = Buffer.from(text);
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceSize) {
      await Promise.resolve();
      yield bytes.subarray(at, at + pieceSize);
    }
  }
  const records: TraceRecord[] = [];
  const warnings: string[] = [];
  try {
    for await (const batch of readTrace(source(), { name: 'a.trace', warn: (text) => warnings.push(text) }))
      records.push(...batch);
  } catch (error) {
    return { records, warnings, error };
  }
  return { records, warnings, error: undefined };
}

describe('readTrace', () => {
  it.each([1, 7, 64, 1000])('reads records from pieces of %d bytes', async (pieceSize) => {
    const { records, warnings, error } = await read(`${header}\n${data}\n\n${data}`, pieceSize);
    expect(error).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(records.map(({ kind }) => kind)).toEqual(['header', 'data', 'data']);
    expect(records[1]).toEqual({ n: 1, t: 0.5, conn: 1, kind: 'data', dir: 'in', text: 'é' });
  });

  it('leaves out kinds of records that a newer program wrote', async () => {
    const { records } = await read(`${header}\n{"kind":"weather","n":1}\n${data}\n`);
    expect(records.map(({ kind }) => kind)).toEqual(['header', 'data']);
  });

  it('warns of a last line that is cut off and reads what is before it', async () => {
    const { records, warnings, error } = await read(`${header}\n${data}\n${data.slice(0, 20)}`);
    expect(error).toBeUndefined();
    expect(records).toHaveLength(2);
    expect(warnings).toEqual(['a.trace:3: the last line is cut off; the trace ends before it']);
  });

  it.each([
    ['{"n":1,', 'a.trace:3: not JSON'],
    ['[]', 'a.trace:3: not a record'],
    ['{"n":1}', 'a.trace:3: a record needs a kind'],
    ['{"kind":"data","n":1}', 'a.trace:3: a data record needs n, t, conn, dir, and either text or base64'],
    [data.replace('"text"', '"base64":"","text"'), 'a.trace:3: a data record needs'],
    [data.replace('"text":"é"', '"base64":"%%%%"'), 'a.trace:3: a data record needs'],
    [data.replace('"n":1', '"n":-1'), 'a.trace:3: a data record needs'],
    [data.replace('"n":1', '"n":1.5'), 'a.trace:3: a data record needs'],
    [data.replace('0.5', '1e300'), 'a.trace:3: a data record needs'],
    [data.replace('0.5', '-1'), 'a.trace:3: a data record needs'],
    ['{"kind":"event","n":1,"t":1,"conn":1,"name":"tcp"}', 'a.trace:3: an event record needs'],
    ['{"kind":"connection","n":1,"t":1,"conn":1}', 'a.trace:3: a connection record needs'],
    ['{"kind":"gap","from":1}', 'a.trace:3: a gap record needs from, to and reason'],
    [header, 'a.trace:3: a second trace begins here'],
  ])('names the damaged line %s, after the records before it', async (line, message) => {
    const { records, error } = await read(`${header}\n${data}\n${line}\n${data}\n`);
    expect(records).toHaveLength(2);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain(message);
  });

  it.each([
    ['', 'a.trace is empty, not a trace'],
    ['\n\n', 'a.trace is empty, not a trace'],
    ['root:x:0:0\n', 'a.trace is not a trace'],
    ['root:x:0:0', 'a.trace is not a trace'],
    ['{"kind":"header","format":"pcap"}\n', 'a.trace is not a trace'],
    [`${data}\n`, 'a.trace is not a trace'],
    [
      header.replace('"version":1', '"version":2'),
      'a.trace:1: a trace of format version 2; this xmppctl reads version 1',
    ],
  ])('refuses what is no trace of ours: %j', async (text, message) => {
    const { error } = await read(text);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
  });

  it('refuses a header without a start', async () => {
    const { error } = await read(`${header.replace('2026-01-31T10:00:00Z', 'then')}\n`);
    expect((error as Error).message).toBe('a.trace:1: the header does not say when the recording started');
  });
});

describe('readTrace, of what is odd', () => {
  const record = (n: number): string => data.replace('"n":1', `"n":${n}`);

  it('warns once of records in disorder', async () => {
    const { records, warnings } = await read(
      [header, record(1), record(5), record(2), record(1), ''].join('\n'),
    );
    expect(records).toHaveLength(5);
    expect(warnings).toEqual([
      'a.trace:4: record 2 comes after record 5: these are parts of several traces, or in disorder',
    ]);
  });

  it('refuses a line without end before it fills memory', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${header}\n`);
      for (;;) {
        await Promise.resolve();
        yield Buffer.from('x'.repeat(100));
      }
    }
    const reading = async (): Promise<void> => {
      for await (const _batch of readTrace(source(), {
        name: 'a.trace',
        warn: () => undefined,
        maxLineBytes: 1000,
      }));
    };
    await expect(reading()).rejects.toThrow('a.trace:2: the line is longer than 1000 bytes');
    await expect(reading()).rejects.toBeInstanceOf(FileError);
  });

  it('leaves damaged lines out for who asks for it', async () => {
    const damage: [number, string][] = [];
    const source = [Buffer.from([header, '{', record(1), '[]', record(2), '{"kind":"gap"}'].join('\n'))];
    const records: TraceRecord[] = [];
    const batches = readTrace(
      (async function* (): AsyncGenerator<Uint8Array> {
        await Promise.resolve();
        yield* source;
      })(),
      { name: 'a.trace', warn: () => undefined, skipDamage: (line, what) => damage.push([line, what]) },
    );
    for await (const batch of batches) records.push(...batch);
    expect(records.map(({ kind }) => kind)).toEqual(['header', 'data', 'data']);
    expect(damage).toEqual([
      [2, 'not JSON'],
      [4, 'not a record'],
      [6, 'a gap record needs from, to and reason'],
    ]);
  });
});
