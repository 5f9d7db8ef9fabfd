/** Storing in a process that is killed, or that has no room. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleProgram, type Program } from '../../support/bundle.js';
import { contentAt, sha256Of } from '../../support/numbered-content.js';

let program: Program;
let folder: string;
beforeAll(async () => {
  program = await bundleProgram('store-file');
  folder = await mkdtemp(path.join(tmpdir(), 'storing-'));
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** What one run says, until it ends or `isEnough` does. */
async function run(
  command: readonly string[],
  isEnough: (count: number) => boolean = () => false,
): Promise<[string, string][]> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const said: [string, string][] = [];
  for await (const line of createInterface(child.stdout)) {
    const space = line.indexOf(' ');
    said.push([line.slice(0, space), line.slice(space + 1)]);
    if (isEnough(said.length)) child.kill('SIGKILL');
  }
  await closed;
  return said;
}

const last = (said: [string, string][], word: string): string | undefined =>
  said.findLast(([first]) => first === word)?.[1];

it('a process that is killed again and again stores the file in the end, and loses no more than a block each time', async () => {
  const size = 40_000_003;
  const final = path.join(folder, 'big.bin');
  let runs = 0;
  for (;;) {
    const before = await stat(`${final}.part`).catch(() => undefined);
    const enough = runs === 0 ? 2 : 2 + Math.floor(Math.random() * 200);
    const said = await run(
      [process.execPath, program.file, folder, String(size)],
      (count) => count >= enough,
    );
    runs += 1;
    // It goes on exactly where the disk says.
    if (before) expect(Number(last(said, 'offset'))).toBe(before.size);
    if (last(said, 'stored') !== undefined || (await stat(final).catch(() => undefined))) break;
    // Killed before its first block it has nothing on disk yet.
    const { size: kept } = await stat(`${final}.part`).catch(() => ({ size: 0 }));
    // One block on its way to the disk and one that fills, each longer by a piece at most.
    const underWay = 2 * ((1 << 20) + 60_000);
    expect(kept).toBeGreaterThanOrEqual(Number(last(said, 'accepted') ?? 0) - underWay);
    expect(runs).toBeLessThan(500);
  }
  expect((await readFile(final)).equals(contentAt(0, size))).toBe(true);
  // Killed between giving the name and cleaning up, it leaves its notes; the next run does not mind them.
  const rest = (await readdir(folder)).filter((name) => name !== 'big.bin');
  expect(rest.filter((name) => !name.startsWith('big.bin.part'))).toEqual([]);
});

it('processes that all begin with the same file, and find the lock of one that was killed, write a file each', async () => {
  const size = 3_000_001;
  const place = await mkdtemp(path.join(tmpdir(), 'together-'));
  const command = [process.execPath, program.file, place, String(size)];
  await run(command, (count) => count >= 3);
  const all = await Promise.all(Array.from({ length: 6 }, () => run(command)));
  const stored = all.map((said) => last(said, 'stored') ?? '');
  expect(new Set(stored).size).toBe(6);
  for (const file of stored) expect((await readFile(file)).equals(contentAt(0, size))).toBe(true);
  expect((await readdir(place)).filter((name) => name.endsWith('.part'))).toEqual([]);
  await rm(place, { recursive: true });
});

it('no two processes have the lock of a part, however many dead ones are found', async () => {
  await using locking = await bundleProgram('lock-part');
  const place = await mkdtemp(path.join(tmpdir(), 'locking-'));
  const command = [process.execPath, locking.file, place, '100'];
  const all = await Promise.all(Array.from({ length: 6 }, () => run(command)));
  expect(all.map((said) => last(said, 'shared'))).toEqual(Array(6).fill('0'));
  expect(Math.max(...all.map((said) => Number(last(said, 'taken'))))).toBeGreaterThan(0);
  expect(await readdir(place)).toEqual([]);
  await rm(place, { recursive: true });
});

it('a full disk is a failure of the file, keeps what is there, and the next run goes on', async () => {
  const size = 5_000_000;
  const place = await mkdtemp(path.join(tmpdir(), 'small-disk-'));
  const script = `mount -t tmpfs -o size=6m none "$1" && head -c 4000000 /dev/zero > "$1/filler" && exec "$2" "$3" "$1" ${size} "$1/filler"`;
  const said = await run([
    'unshare',
    '--user',
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    script,
    'sh',
    place,
    process.execPath,
    program.file,
  ]);
  await rm(place, { recursive: true });
  const [exitCode, ...reason] = (last(said, 'failed') ?? '').split(' ');
  expect(exitCode).toBe('7');
  expect(reason.join(' ')).toBe(`cannot write ${place}/big.bin.part: the disk is full`);
  const kept = Number(last(said, 'kept'));
  expect(kept).toBeGreaterThan(1_000_000);
  expect(Number(last(said, 'offset'))).toBe(kept);
  expect(last(said, 'digest')).toBe(sha256Of(size).toString('hex'));
  expect(last(said, 'stored')).toBe(`${place}/big.bin`);
});
