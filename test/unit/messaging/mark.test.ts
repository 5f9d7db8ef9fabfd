import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import { MarkFile } from '../../../src/lib/messaging/mark.js';
import { RecentIds } from '../../../src/lib/messaging/recent-ids.js';

describe('RecentIds', () => {
  it('knows what came before, and forgets the oldest', () => {
    const ids = new RecentIds(2);
    expect([ids.add('a'), ids.add('a'), ids.add('b'), ids.add('c')]).toEqual([true, false, true, true]);
    expect([ids.add('c'), ids.add('b'), ids.add('a')]).toEqual([false, false, true]);
  });
});

describe('MarkFile', () => {
  async function folder(): Promise<string> {
    const made = await mkdtemp(path.join(tmpdir(), 'xmppctl-mark-'));
    onTestFinished(() => rm(made, { recursive: true, force: true }));
    return made;
  }

  it('writes once a second while it moves, and the last one when saved', async () => {
    const file = path.join(await folder(), 'mark');
    let now = 10_000;
    const mark = new MarkFile(file, () => now);
    expect(await mark.load()).toBeUndefined();
    await mark.move('a');
    await mark.move('b');
    expect(await readFile(file, 'utf8')).toBe('a\n');
    now += 1000;
    await mark.move('c');
    expect(await readFile(file, 'utf8')).toBe('c\n');
    await mark.save('d');
    expect(await new MarkFile(file, () => now).load()).toBe('d');
    expect(await readdir(path.dirname(file))).toEqual(['mark']);
  });

  it('says which file cannot be used', async () => {
    const mark = new MarkFile(await folder(), () => 0);
    await expect(mark.load()).rejects.toThrow(FileError);
    await expect(new MarkFile('/nonexistent/mark', () => 0).save('a')).rejects.toThrow(
      /cannot write the mark \/nonexistent/,
    );
  });
});
