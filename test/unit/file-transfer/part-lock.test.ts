/** One writer for each part, whoever else wants to write it at the same moment. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { lockPart } from '../../../src/lib/file-transfer/storing/part-lock.js';

async function place(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-lock-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** The lock of a process that has ended. */
const leftBehind = (): string => `${spawnSync('true').pid} 1 nobody\n`;

it('is had by one at most of many who find the lock of somebody that was killed', async () => {
  const folder = await place();
  const lock = path.join(folder, 'a.part.lock');
  for (let round = 0; round < 40; round += 1) {
    await writeFile(lock, leftBehind());
    const got = (await Promise.all(Array.from({ length: 12 }, () => lockPart(lock)))).filter(
      (one) => one !== undefined,
    );
    expect(got.length).toBeLessThanOrEqual(1);
    for (const one of got) await one[Symbol.asyncDispose]();
    const free = await lockPart(lock);
    expect(free).toBeDefined();
    await free?.[Symbol.asyncDispose]();
    expect(await readdir(folder)).toEqual([]);
  }
});

it('is not taken from somebody who is just writing it', async () => {
  const folder = await place();
  const lock = path.join(folder, 'a.part.lock');
  await writeFile(lock, '');
  expect(await lockPart(lock)).toBeUndefined();
  expect(await readdir(folder)).toEqual(['a.part.lock']);
  await utimes(lock, 0, 0);
  const taken = await lockPart(lock);
  expect(taken).toBeDefined();
  await taken?.[Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual([]);
});
