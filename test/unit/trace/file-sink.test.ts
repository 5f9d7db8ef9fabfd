import { execFileSync } from 'node:child_process';
import { mkdtemp, open, readFile, rm, stat, symlink, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import { FileSink, type FileSinkOptions } from '../../../src/lib/trace/file-sink.js';
import { openTraceFile } from '../../../src/lib/trace/open-trace-file.js';
import type { GapRecord, TraceRecord } from '../../../src/lib/trace/record.js';
import { createTracer } from '../../../src/lib/trace/tracer.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-trace-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function parse(text: string): TraceRecord[] {
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as TraceRecord);
}

/** A regular file in memory whose disk can be full. */
class FakeDisk {
  content = Buffer.alloc(0);
  capacity = Number.POSITIVE_INFINITY;

  readonly file: FileSinkOptions['file'] = {
    write: ((buffer: Uint8Array, offset: number, length: number, position: number) => {
      const room = Math.min(length, this.capacity - position);
      if (room <= 0) return Promise.reject(Object.assign(new Error('write'), { code: 'ENOSPC' }));
      this.content = Buffer.concat([
        this.content.subarray(0, position),
        buffer.subarray(offset, offset + room),
      ]);
      return Promise.resolve({ bytesWritten: room, buffer });
    }) as unknown as FileSinkOptions['file']['write'],
    truncate: (length = 0) => {
      this.content = this.content.subarray(0, length);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

describe('FileSink', () => {
  it('writes every record as a line, in order', async () => {
    const target = path.join(folder, 'a.trace');
    const sink = new FileSink({ ...(await openTraceFile(target)), warn: expect.unreachable });
    const tracer = createTracer({ sinks: [sink], redact: true });
    const connection = tracer.connection('any');
    for (let index = 0; index < 5000; index += 1) {
      connection.data(index % 2 === 0 ? 'in' : 'out', Buffer.from(`<m n='${index}'>${'x'.repeat(200)}</m>`));
      if (index % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await tracer.close();
    const [header, ...records] = parse(await readFile(target, 'utf8'));
    expect(header?.kind).toBe('header');
    expect(records.map((record) => 'n' in record && record.n)).toEqual(records.map((_, index) => index + 1));
    expect(records).toHaveLength(5001);
  });

  it('marks what a full disk cost, warns once, and goes on when there is room again', async () => {
    const disk = new FakeDisk();
    const warnings: string[] = [];
    const sink = new FileSink({ file: disk.file, isRegular: true, warn: (text) => warnings.push(text) });
    const settle = async (): Promise<void> => {
      // The sink gathers for a moment; what matters is only that it has tried.
      await expect.poll(() => sink.isIdle).toBe(true);
    };
    sink.write({ kind: 'gap', from: 0, to: 0, reason: 'stands for a header' });
    const event = (n: number): TraceRecord => ({ n, t: n, conn: 1, kind: 'event', name: 'sm', detail: {} });
    sink.write(event(1));
    await settle();
    disk.capacity = disk.content.length + 10;
    sink.write(event(2));
    sink.write(event(3));
    await settle();
    sink.write(event(4));
    await settle();
    disk.capacity = Number.POSITIVE_INFINITY;
    sink.write(event(5));
    await sink.close();
    const records = parse(disk.content.toString());
    expect(records.slice(1)).toEqual([
      event(1),
      { kind: 'gap', from: 2, to: 4, reason: 'no space left on the disk' },
      event(5),
    ]);
    expect(warnings).toEqual([
      'the trace is incomplete: it could not be written (no space left on the disk)',
    ]);
  });

  it('still has its header when the disk was full from the start', async () => {
    const disk = new FakeDisk();
    disk.capacity = 5;
    const sink = new FileSink({ file: disk.file, isRegular: true, warn: () => undefined });
    const tracer = createTracer({ sinks: [sink], redact: true });
    const connection = tracer.connection('any');
    await expect.poll(() => sink.isIdle).toBe(true);
    disk.capacity = Number.POSITIVE_INFINITY;
    connection.event('sm', { what: 'enabled' });
    await tracer.close();
    const [header, gap, event] = parse(disk.content.toString());
    expect(header?.kind).toBe('header');
    expect(gap).toMatchObject({ kind: 'gap', from: 1, to: 1 });
    expect(event).toMatchObject({ n: 2, kind: 'event' });
  });

  it('drops records rather than memory when the disk cannot keep up, and says which', async () => {
    const disk = new FakeDisk();
    const sink = new FileSink({ file: disk.file, isRegular: true, warn: () => undefined, maxPending: 500 });
    const tracer = createTracer({ sinks: [sink], redact: true });
    const connection = tracer.connection('any');
    for (let index = 0; index < 100; index += 1) connection.data('in', Buffer.from('<presence/>'));
    await tracer.close();
    const records = parse(disk.content.toString());
    const gap = records.at(-1) as GapRecord;
    expect(gap).toMatchObject({ kind: 'gap', to: 101, reason: 'the disk is slower than the stream' });
    expect(records.at(-2)).toMatchObject({ n: gap.from - 1 });
  });

  it('gives up a pipe whose reader has gone, with one warning', async () => {
    const pipe = path.join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [{ file, isRegular }, reader] = await Promise.all([openTraceFile(pipe), open(pipe, 'r')]);
    expect(isRegular).toBe(false);
    const warnings: string[] = [];
    const sink = new FileSink({ file, isRegular, warn: (text) => warnings.push(text) });
    await reader.close();
    const tracer = createTracer({ sinks: [sink], redact: true });
    const connection = tracer.connection('any');
    connection.data('in', Buffer.from('<presence/>'));
    await expect.poll(() => sink.isIdle).toBe(true);
    connection.data('in', Buffer.from('<presence/>'));
    await tracer.close();
    expect(warnings).toEqual(['the trace is incomplete: it could not be written (the reader has gone)']);
  });

  it('survives a device that is always full', async () => {
    const warnings: string[] = [];
    const opened = await openTraceFile('/dev/full');
    const tracer = createTracer({
      sinks: [new FileSink({ ...opened, warn: (text) => warnings.push(text) })],
      redact: true,
    });
    tracer.connection('any').data('in', Buffer.from('<presence/>'));
    await tracer.close();
    expect(warnings).toEqual([
      'the trace is incomplete: it could not be written (no space left on the disk)',
    ]);
  });
});

describe('openTraceFile', () => {
  const header = '{"kind":"header","format":"xmppctl-trace","version":1}\n';

  it('makes a file that only its owner can read', async () => {
    const target = path.join(folder, 'new');
    await (await openTraceFile(target)).file.close();
    expect((await stat(target)).mode & 0o777).toBe(0o600);
  });

  it('overwrites an older trace, and closes it to others', async () => {
    const target = path.join(folder, 'old');
    await writeFile(target, `${header}${'x'.repeat(1000)}`);
    await chmod(target, 0o644);
    await (await openTraceFile(target)).file.close();
    const facts = await stat(target);
    expect(facts.size).toBe(0);
    expect(facts.mode & 0o777).toBe(0o600);
  });

  it('refuses to overwrite anything else, also through a link', async () => {
    const target = path.join(folder, 'thesis.txt');
    await writeFile(target, 'years of work');
    await symlink(target, path.join(folder, 'link'));
    for (const name of [target, path.join(folder, 'link')]) {
      const error = await openTraceFile(name).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toBe(`will not overwrite ${name}: it is not a trace`);
    }
    expect(await readFile(target, 'utf8')).toBe('years of work');
  });

  it.each([
    ['a folder', '.', 'it is a folder'],
    ['a folder that is not there', 'no/such', 'no such file or folder'],
  ])('says what is wrong with %s', async (_what, name, reason) => {
    const target = path.join(folder, name);
    await expect(openTraceFile(target)).rejects.toThrow(`cannot record the trace in ${target}: ${reason}`);
  });
});
