/** What is sent, read from this machine: files, pipes and folders, and what changes under the reader's hands. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import { gatherSources } from '../../../src/lib/file-transfer/sources/gather-sources.js';
import { pathSource, pipeSource } from '../../../src/lib/file-transfer/sources/path-source.js';
import { tarSource } from '../../../src/lib/file-transfer/sources/tar-source.js';
import type { FileSource } from '../../../src/lib/file-transfer/transfer.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-sources-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (...names: string[]): string => path.join(folder, ...names);
const contentOf = async (source: FileSource, offset = 0): Promise<Buffer> =>
  buffer(await source.open(offset));

describe('a file', () => {
  it('says its name, size, date and media type, unless told others', async () => {
    await writeFile(at('photo.JPEG'), 'abc');
    const date = new Date('2026-01-02T03:04:05Z');
    await utimes(at('photo.JPEG'), date, date);
    const { facts, isSeekable } = await pathSource(at('photo.JPEG'));
    expect({ ...facts, isSeekable }).toEqual({
      name: 'photo.JPEG',
      sizeBytes: 3,
      mediaType: 'image/jpeg',
      date,
      description: undefined,
      hashes: [],
      promisedHashes: [],
      isSeekable: true,
    });
    const told = { name: 'x', mediaType: 'a/b', description: 'd', date: 'none', folder: 'f/g' } as const;
    expect((await pathSource(at('photo.JPEG'), told)).facts).toMatchObject({
      ...told,
      date: undefined,
    });
  });

  it('can be begun anywhere, and has nothing at its end', async () => {
    const content = Buffer.alloc(700_001, 'abcdefg');
    await writeFile(at('big'), content);
    const source = await pathSource(at('big'));
    for (const offset of [0, 1, 262_144, 700_000, 700_001])
      expect((await contentOf(source, offset)).equals(content.subarray(offset))).toBe(true);
  });

  it('may be empty', async () => {
    await writeFile(at('empty'), '');
    const source = await pathSource(at('empty'));
    expect(source.facts.sizeBytes).toBe(0);
    expect(await contentOf(source)).toHaveLength(0);
  });

  it.runIf(existsSync('/proc/self/cmdline'))(
    'that has no size, and content all the same, is read',
    async () => {
      const source = await pathSource('/proc/self/cmdline');
      expect(source).toMatchObject({ isSeekable: false, facts: { sizeBytes: undefined } });
      expect((await contentOf(source)).equals(await readFile('/proc/self/cmdline'))).toBe(true);
    },
  );

  it.each([
    ['grew', () => appendFile(at('log'), 'more')],
    ['shrank', () => truncate(at('log'), 5)],
    ['changed', () => writeFile(at('log'), 'b', { flag: 'r+' })],
  ])(
    'that %s while it was read fails, and does not pass for the one that was announced',
    async (what, change) => {
      await writeFile(at('log'), Buffer.alloc(1_000_000, 'a'));
      await utimes(at('log'), 1, 1);
      const source = await pathSource(at('log'));
      const stream = await source.open(0);
      const iterator = stream[Symbol.asyncIterator]();
      await iterator.next();
      await change();
      const rest = async (): Promise<void> => {
        while (!(await iterator.next()).done);
      };
      await expect(rest()).rejects.toThrow(`${at('log')} ${what} while it was being sent`);
      await expect(source.open(10)).rejects.toThrow(what);
    },
  );

  it('that was replaced by another one between two paths is not mixed with it', async () => {
    await writeFile(at('log'), 'one');
    await writeFile(at('other'), 'two');
    const source = await pathSource(at('log'));
    await rename(at('other'), at('log'));
    await expect(source.open(1)).rejects.toThrow(`${at('log')} was replaced while it was being sent`);
  });

  it('that is not there, or has vanished, is told of in plain words', async () => {
    await expect(pathSource(at('missing'))).rejects.toThrow(
      `cannot read ${at('missing')}: it does not exist`,
    );
    await writeFile(at('gone'), 'x');
    const source = await pathSource(at('gone'));
    await rm(at('gone'));
    await expect(source.open(0)).rejects.toBeInstanceOf(FileError);
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read is told of', async () => {
    await writeFile(at('secret'), 'x');
    await chmod(at('secret'), 0);
    const source = await pathSource(at('secret'));
    await expect(source.open(0)).rejects.toThrow('permission denied');
  });

  it('is not a folder', async () => {
    await expect(pathSource(folder)).rejects.toThrow('it is a folder');
  });
});

describe('a pipe', () => {
  it('has a name by which it is known, and no size', async () => {
    const source = await pipeSource(Readable.from([Buffer.from('ab'), Buffer.from('c')]), {});
    expect(source).toMatchObject({ isSeekable: false, facts: { name: 'stdin', sizeBytes: undefined } });
    expect((await contentOf(source)).toString()).toBe('abc');
  });

  it('that has a name in the file system is read as a stream', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    const source = await pathSource(at('fifo'));
    expect(source).toMatchObject({ isSeekable: false, facts: { sizeBytes: undefined } });
    const writer = spawn('sh', ['-c', `printf hello > ${at('fifo')}`]);
    expect((await contentOf(source)).toString()).toBe('hello');
    writer.kill();
  });
});

describe('a folder', () => {
  beforeEach(async () => {
    await mkdir(at('dir', 'sub'), { recursive: true });
    await writeFile(at('dir', 'b.txt'), 'b');
    await writeFile(at('dir', 'a.txt'), 'a');
    await writeFile(at('dir', 'empty'), '');
    await writeFile(at('dir', 'sub', 'deep'), Buffer.alloc(300_000, 'x'));
    await symlink('/etc', at('dir', 'outside'));
  });

  it('is a tar stream that tar unpacks to the same, with links as links', async () => {
    const warnings: string[] = [];
    const source = await tarSource(at('dir'), { warn: (message) => warnings.push(message) });
    expect(source).toMatchObject({
      isSeekable: false,
      facts: { name: 'dir.tar', mediaType: 'application/x-tar' },
    });
    const archive = await contentOf(source);
    await writeFile(at('dir.tar'), archive);
    await mkdir(at('out'));
    execFileSync('tar', ['xf', at('dir.tar'), '-C', at('out')]);
    execFileSync('diff', ['-r', '--no-dereference', at('dir'), at('out', 'dir')]);
    expect(
      execFileSync('tar', ['tf', at('dir.tar')], { encoding: 'utf8' })
        .trim()
        .split('\n'),
    ).toEqual(['dir/', 'dir/a.txt', 'dir/b.txt', 'dir/empty', 'dir/outside', 'dir/sub/', 'dir/sub/deep']);
    expect(warnings).toEqual([]);
    expect((await contentOf(source)).equals(archive)).toBe(true);
  });

  it('leaves out, with a warning, what tar cannot carry', async () => {
    execFileSync('mkfifo', [at('dir', 'fifo')]);
    const warnings: string[] = [];
    const source = await tarSource(at('dir'), { warn: (message) => warnings.push(message) });
    await contentOf(source);
    expect(warnings).toEqual([
      `${at('dir', 'fifo')} is left out: it is neither a file nor a folder nor a link`,
    ]);
  });

  it('is sent file by file with the folders each belongs in, and links are left out', async () => {
    const warnings: string[] = [];
    const sources = gatherSources([{ kind: 'folder', path: at('dir') }], {
      told: {},
      stdin: Readable.from([]),
      isRecursive: true,
      warn: (message) => warnings.push(message),
      fail: (error) => Promise.reject(error),
    });
    const found: string[] = [];
    for await (const { facts } of sources) found.push(`${facts.folder ?? ''} ${facts.name ?? ''}`);
    expect(found).toEqual(['dir a.txt', 'dir b.txt', 'dir empty', 'dir/sub deep']);
    expect(warnings).toEqual([`${at('dir', 'outside')} is left out: it is a symbolic link`]);
  });

  it('of which one file cannot be sent still gives the others', async () => {
    const failed: string[] = [];
    const files = [at('dir', 'a.txt'), at('missing'), at('dir', 'b.txt')].map((file) => ({
      kind: 'path' as const,
      path: file,
    }));
    const sources = gatherSources(files, {
      told: {},
      stdin: Readable.from([]),
      isRecursive: false,
      warn: () => undefined,
      fail: (_error, file) => Promise.resolve(void failed.push(file)),
    });
    const contents: string[] = [];
    for await (const source of sources) contents.push((await contentOf(source)).toString());
    expect(contents).toEqual(['a', 'b']);
    expect(failed).toEqual([at('missing')]);
    expect(await readFile(at('dir', 'a.txt'), 'utf8')).toBe('a');
  });
});
