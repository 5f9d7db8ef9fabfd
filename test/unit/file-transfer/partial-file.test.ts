import { createHash } from 'node:crypto';
import {
  link,
  lstat,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import { BlockWriter } from '../../../src/lib/file-transfer/storing/block-writer.js';
import { openPartialFile } from '../../../src/lib/file-transfer/storing/partial-file.js';
import type { FileFacts, FileSink } from '../../../src/lib/file-transfer/transfer.js';
import { contentAt, factsOf, sha256Of } from '../../support/numbered-content.js';

const ALICE = 'alice@example.org';
const SIZE = 1_000_003;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'partial-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const at = (name: string): string => path.join(folder, name);
const names = async (): Promise<string[]> => (await readdir(folder)).sort();

function begin(facts: FileFacts = factsOf('a.bin', SIZE), from = ALICE): Promise<FileSink> {
  return openPartialFile({ folder, from, facts });
}

async function fill(sink: FileSink, end: number, chunkBytes = 100_000): Promise<void> {
  for (let offset = sink.offset; offset < end; offset = sink.offset)
    await sink.write(contentAt(offset, Math.min(chunkBytes, end - offset)));
}

/** Leaves `a.bin.part` with the first bytes of an earlier run. */
async function interrupted(bytes = 400_000, facts?: FileFacts, from?: string): Promise<void> {
  const sink = await begin(facts, from);
  await fill(sink, bytes);
  await sink.suspend();
}

describe.each([
  ['a large file', SIZE],
  ['a small one', 5_000],
  ['an empty one', 0],
])('%s', (_, size) => {
  it('has its name only when it is complete, and then its content, its date and the usual permissions', async () => {
    const date = new Date('2020-02-03T04:05:06Z');
    const sink = await begin(factsOf('a.bin', size, { date }));
    await fill(sink, size);
    expect(await sink.digest('sha-256')).toEqual(sha256Of(size));
    expect(await names()).not.toContain('a.bin');
    expect(await sink.commit()).toBe(at('a.bin'));
    expect(await names()).toEqual(['a.bin']);
    expect((await readFile(at('a.bin'))).equals(contentAt(0, size))).toBe(true);
    const { mtime, mode } = await stat(at('a.bin'));
    expect(mtime).toEqual(date);
    await writeFile(at('usual'), '');
    expect(mode).toBe((await stat(at('usual'))).mode);
  });

  it('leaves nothing behind when it is discarded', async () => {
    const sink = await begin(factsOf('a.bin', size));
    await fill(sink, size);
    await sink.discard();
    expect(await names()).toEqual([]);
  });

  it('takes the place of nothing that is there', async () => {
    await writeFile(at('a.bin'), 'mine');
    await symlink('/etc/passwd', at('a (1).bin'));
    const sink = await begin(factsOf('a.bin', size));
    await writeFile(at('a (2).bin'), 'came in between');
    await fill(sink, size);
    expect(await sink.commit()).toBe(at('a (3).bin'));
    expect(await readFile(at('a.bin'), 'utf8')).toBe('mine');
    expect(await readFile(at('a (2).bin'), 'utf8')).toBe('came in between');
    expect((await lstat(at('a (1).bin'))).isSymbolicLink()).toBe(true);
    expect((await readFile(at('a (3).bin'))).equals(contentAt(0, size))).toBe(true);
  });

  it('is on the disk before it has its name, where that is asked for', async () => {
    const sink = await openPartialFile({
      folder,
      from: ALICE,
      facts: factsOf('a.bin', size),
      isDurable: true,
    });
    await fill(sink, size);
    expect(await sink.commit()).toBe(at('a.bin'));
  });
});

it('a name of the network stays in the folder', async () => {
  for (const name of ['../../escape.txt', '/etc/cron.d/x', '..\\..\\y', 'nul', '\u001b[2J', undefined]) {
    const sink = await begin(factsOf(name, 3));
    await sink.write(Buffer.from('abc'));
    expect(path.dirname((await sink.commit()) ?? '')).toBe(folder);
  }
  expect(await names()).toEqual(['_[2J', '_nul', 'escape.txt', 'file', 'x', 'y']);
});

describe('what an earlier run began', () => {
  it('is gone on with, and its hash is that of the whole', async () => {
    await interrupted();
    expect(await names()).toEqual(['a.bin.part', 'a.bin.part.json']);
    const sink = await begin();
    expect(sink.offset).toBe(400_000);
    await fill(sink, SIZE, 7_777);
    expect(await sink.digest('sha-256')).toEqual(sha256Of(SIZE));
    expect(await sink.digest('sha3-256')).toEqual(createHash('sha3-256').update(contentAt(0, SIZE)).digest());
    await sink.commit();
    expect(await names()).toEqual(['a.bin']);
    expect((await readFile(at('a.bin'))).equals(contentAt(0, SIZE))).toBe(true);
  });

  it('is gone on with under the number it has', async () => {
    await writeFile(at('a.bin'), 'mine');
    await interrupted();
    const sink = await begin();
    expect(sink.offset).toBe(400_000);
    await fill(sink, SIZE);
    expect(await sink.commit()).toBe(at('a (1).bin'));
  });

  it('is complete when only its name was missing', async () => {
    await interrupted(SIZE);
    const sink = await begin();
    expect(sink.offset).toBe(SIZE);
    expect(await sink.digest('sha-256')).toEqual(sha256Of(SIZE));
    expect(await sink.commit()).toBe(at('a.bin'));
  });

  it('is the same file when the run was killed between giving the name and removing the old one', async () => {
    await interrupted(SIZE);
    await link(at('a.bin.part'), at('a.bin'));
    const sink = await begin();
    expect(sink.offset).toBe(SIZE);
    expect(await sink.commit()).toBe(at('a.bin'));
    expect(await names()).toEqual(['a.bin']);
  });

  const sameSender = [
    ['another size', factsOf('a.bin', SIZE + 1)],
    ['another date', factsOf('a.bin', SIZE, { date: new Date('2021-01-01T00:00:00Z') })],
    ['another hash', factsOf('a.bin', SIZE, { hashes: [{ algorithm: 'sha-256', value: Buffer.alloc(32) }] })],
    ['no size', factsOf('a.bin', undefined)],
    ['nothing by which a mixture would show', factsOf('a.bin', SIZE, { promisedHashes: [] })],
  ] as const;
  it.each(sameSender)('is begun anew when the sender now offers a file with %s', async (_, facts) => {
    const earlier = factsOf('a.bin', SIZE, {
      date: facts.date && new Date('2020-01-01T00:00:00Z'),
      hashes: [{ algorithm: 'sha-256', value: sha256Of(SIZE) }],
    });
    await interrupted(400_000, earlier);
    const sink = await begin(facts);
    expect(sink.offset).toBe(0);
    await fill(sink, 300_000);
    await sink.suspend();
    expect((await stat(at('a.bin.part'))).size).toBe(300_000);
    expect(await names()).toEqual(['a.bin.part', 'a.bin.part.json']);
  });

  it('is not touched when another sender offers a file of that name', async () => {
    await interrupted();
    const sink = await begin(undefined, 'mallory@example.org');
    expect(sink.offset).toBe(0);
    await fill(sink, SIZE);
    expect(await sink.commit()).toBe(at('a.bin'));
    // The first sender goes on, and gets another name in the end.
    await rm(at('a.bin'));
    const again = await begin();
    expect(again.offset).toBe(400_000);
    await again.suspend();
  });

  it('is not used when it is longer than the file', async () => {
    await interrupted();
    await truncate(at('a.bin.part'), SIZE + 1);
    const sink = await begin();
    expect(sink.offset).toBe(0);
    await sink.suspend();
  });

  it.each([
    ['not there', undefined],
    ['broken', '{"version":1,"fr'],
    ['of another version', '{"version":99,"from":"alice@example.org"}'],
    ['no object', '[]'],
  ])('is nobody’s when its notes are %s', async (_, notes) => {
    await interrupted();
    await rm(at('a.bin.part.json'));
    if (notes !== undefined) await writeFile(at('a.bin.part.json'), notes);
    const sink = await begin();
    expect(sink.offset).toBe(0);
    await fill(sink, SIZE);
    expect((await stat(at('a.bin.part'))).size).toBe(400_000);
    expect((await readFile((await sink.commit()) ?? '')).equals(contentAt(0, SIZE))).toBe(true);
  });

  it('is not written through when it is a link to something else', async () => {
    await writeFile(at('victim'), 'v'.repeat(100));
    for (const make of [link, symlink]) {
      await interrupted();
      await rm(at('a.bin.part'));
      await make(at('victim'), at('a.bin.part'));
      const sink = await begin();
      expect(sink.offset).toBe(0);
      await fill(sink, SIZE);
      await sink.commit();
      expect(await readFile(at('victim'), 'utf8')).toBe('v'.repeat(100));
      await rm(at('a.bin'));
    }
  });
});

describe('two that store under one name', () => {
  it('do not write into one file', async () => {
    const [first, second] = [await begin(), await begin()];
    await Promise.all([fill(first, SIZE), fill(second, SIZE)]);
    const stored = [await second.commit(), await first.commit()];
    expect(stored).toEqual([at('a.bin'), at('a (1).bin')]);
    for (const file of stored) expect((await readFile(file ?? '')).equals(contentAt(0, SIZE))).toBe(true);
    expect(await names()).toEqual(['a (1).bin', 'a.bin']);
  });

  it.each([
    ['a process that is gone', '4194305 1 x'],
    ['an earlier process with our number', `${process.pid} 1 x`],
    ['an earlier process with a number that is in use again', '1 99999999999 x'],
    ['nobody that can be read', 'x'],
  ])('the lock of %s is in nobody’s way', async (_, content) => {
    await interrupted();
    await writeFile(at('a.bin.part.lock'), content);
    await utimes(at('a.bin.part.lock'), 0, 0);
    const sink = await begin();
    expect(sink.offset).toBe(400_000);
    await sink.suspend();
    expect(await names()).toEqual(['a.bin.part', 'a.bin.part.json']);
  });

  it('the lock of a process that lives is respected', async () => {
    await interrupted();
    const stat1 = await readFile('/proc/1/stat', 'utf8');
    const start = stat1.slice(stat1.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    await writeFile(at('a.bin.part.lock'), `1 ${start} x`);
    const sink = await begin();
    expect(sink.offset).toBe(0);
    await fill(sink, SIZE);
    await sink.suspend();
    expect((await stat(at('a.bin.part'))).size).toBe(400_000);
    expect(await names()).toContain('a (1).bin.part');
  });
});

describe('what cannot be stored', () => {
  it('is an error of the file, with the reason', async () => {
    await writeFile(at('file'), '');
    await expect(
      openPartialFile({ folder: at('file'), from: ALICE, facts: factsOf('a.bin', SIZE) }),
    ).rejects.toThrow(FileError);
  });

  it('is an error of every write from then on, and nothing of what was written is lost', async () => {
    const full = await open('/dev/full', 'w');
    const writer = new BlockWriter(full, '/dev/full', 0, () => undefined);
    const failure = 'cannot write /dev/full: the disk is full';
    await expect(
      (async () => {
        for (;;) await writer.write(Buffer.alloc(100_000));
      })(),
    ).rejects.toThrow(failure);
    await expect(writer.write(Buffer.alloc(1))).rejects.toThrow(failure);
    await expect(writer.flush()).rejects.toThrow(failure);
    expect(writer.writtenBytes).toBe(0);
    await full.close();
  });
});

it('pieces of every size, given faster than they are written, end up where they belong', async () => {
  const sink = await begin(factsOf('a.bin', undefined));
  const end = 12_000_001;
  const chunkSizes = [1, 3, 2_000_000, 65_536, 10, 1_048_577];
  const writes: Promise<void>[] = [];
  for (let index = 0; sink.offset < end; index += 1) {
    const bytes = Math.min(chunkSizes[index % chunkSizes.length] ?? 1, end - sink.offset);
    writes.push(sink.write(contentAt(sink.offset, bytes)));
  }
  await Promise.all(writes);
  expect(await sink.digest('sha-256')).toEqual(sha256Of(end));
  await sink.commit();
  expect((await readFile(at('a.bin'))).equals(contentAt(0, end))).toBe(true);
});

it('a name that the user of this machine gave is taken to the letter', async () => {
  const facts = factsOf('other', SIZE);
  const sink = await openPartialFile({ folder, from: ALICE, facts, name: '.hidden:file.part' });
  await fill(sink, SIZE);
  expect(await sink.commit()).toBe(at('.hidden:file.part'));
  expect(await names()).toEqual(['.hidden:file.part']);
});

it('a folder that is not there yet is made', async () => {
  const sink = await openPartialFile({ folder: at('new/deep'), from: ALICE, facts: factsOf('a', 1) });
  await sink.write(Buffer.from('x'));
  expect(await sink.commit()).toBe(at('new/deep/a'));
});
