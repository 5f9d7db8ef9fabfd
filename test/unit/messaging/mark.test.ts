import { mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
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

  it('writes to what a symbolic link leads to, and leaves a device what it is', async () => {
    const made = await folder();
    const link = path.join(made, 'link');
    await symlink(path.join(made, 'mark'), link);
    await writeFile(path.join(made, 'mark'), 'a\n');
    await new MarkFile(link, () => 0).save('b');
    expect(await readFile(path.join(made, 'mark'), 'utf8')).toBe('b\n');
    expect((await readdir(made)).sort()).toEqual(['link', 'mark']);
    await symlink('/dev/null', path.join(made, 'null'));
    await new MarkFile(path.join(made, 'null'), () => 0).save('c');
    expect((await stat(path.join(made, 'null'))).isCharacterDevice()).toBe(true);
  });

  it('says which file cannot be used', async () => {
    const mark = new MarkFile(await folder(), () => 0);
    await expect(mark.load()).rejects.toThrow(FileError);
    await expect(new MarkFile('/nonexistent/mark', () => 0).save('a')).rejects.toThrow(
      /cannot write the mark \/nonexistent\/mark: its folder does not exist/,
    );
  });
});
