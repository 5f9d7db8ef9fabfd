/**
 * One writer for each `NAME.part`, in this process and beside it: `NAME.part.lock` names the process that has it.
 *
 * A process that was killed leaves its lock behind; whoever comes next sees that it is gone, and takes its place.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { kill, pid as ownPid } from 'node:process';
import { noLinks } from './place-file.js';
import { codeOf } from './storage-error.js';

/** Locks of this process, by their nonce: our own number in a file may be that of an earlier process. */
const held = new Set<string>();

const WRITTEN_WITHIN_MS = 10_000;

/** @returns undefined when somebody else has it. @throws Error of the system */
export async function lockPart(path: string): Promise<AsyncDisposable | undefined> {
  const nonce = randomBytes(6).toString('hex');
  const content = `${ownPid} ${(await startOf(ownPid)) ?? '-'} ${nonce}\n`;
  // One lock that is not valid any more may be in the way, and another that came and went meanwhile.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    // Before it can be seen.
    held.add(nonce);
    let isOurs = false;
    try {
      isOurs = await create(path, content, nonce);
    } finally {
      if (!isOurs) held.delete(nonce);
    }
    if (isOurs) {
      return {
        [Symbol.asyncDispose]: async () => {
          if (held.delete(nonce)) await rm(path, { force: true });
        },
      };
    }
    const found = await read(path);
    if (found === undefined) continue;
    if (found === '' ? await isYoung(path) : await isAlive(found)) return undefined;
    if (!(await takeAway(path, found))) return undefined;
  }
  return undefined;
}

/** In one step, so that nobody sees a lock that does not say yet whose it is. */
async function create(path: string, content: string, nonce: string): Promise<boolean> {
  const written = `${path}.${nonce}`;
  await write(written, content);
  try {
    await link(written, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!noLinks.has(codeOf(error))) throw error;
  } finally {
    await rm(written, { force: true });
  }
  try {
    await write(path, content);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function write(path: string, content: string): Promise<void> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}

/** @returns undefined when there is none any more */
function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** Where a lock takes two steps it is empty for a moment; one that stays so was left by somebody who was killed. */
async function isYoung(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs < WRITTEN_WITHIN_MS;
}

async function isAlive(content: string): Promise<boolean> {
  const [pidText = '', start, nonce = ''] = content.trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  if (pid === ownPid) return held.has(nonce);
  try {
    kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if (codeOf(error) !== 'EPERM') return false;
  }
  const startNow = await startOf(pid);
  return startNow === undefined || start === '-' || startNow === start;
}

/** When a process began, in ticks since the system did: its number may be given again. Where there is no /proc, unknown. */
async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the name of the program, in parentheses, and may hold anything.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/**
 * Removes a lock that is not valid any more, but not one that somebody made in its place in the meantime: who removes it
 * has the lock on doing so, which is named after it.
 */
async function takeAway(path: string, expected: string): Promise<boolean> {
  const [nonce = 'unknown'] = /[0-9a-f-]+(?=\n$)/.exec(expected) ?? [];
  const turn = await lockPart(`${path}.${nonce}.lock`);
  if (!turn) return false;
  try {
    if ((await read(path)) === expected) await rm(path, { force: true });
  } finally {
    await turn[Symbol.asyncDispose]();
  }
  return true;
}
