/**
 * The sandboxes that were started with `xmppctl sandbox start`, so that other invocations find them: a private file
 * for each, in the user's runtime directory (XDG Base Directory Specification 0.8) or else among its state.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { kill } from 'node:process';
import { promisify } from 'node:util';
import { NegativeError, UsageError } from '../errors.js';
import type { SandboxFacts } from './sandbox.js';
import { signalGroup } from './server-process.js';

export interface SandboxRecord {
  name: string;
  /** ISO 8601 */
  startedAt: string;
  /** The process that keeps it in the foreground; undefined for a detached one. */
  keeper?: number | undefined;
  facts: SandboxFacts;
}

type Environment = Readonly<Record<string, string | undefined>>;

const RETRY_MS = 50;
const END_MS = 15_000;

/** @throws UsageError a sandbox of this name is running */
export async function recordSandbox(env: Environment, record: SandboxRecord): Promise<void> {
  await readRecords(env); // removes what is out of date
  await mkdir(directory(env), { recursive: true, mode: 0o700 });
  try {
    await writeFile(fileOf(env, record.name), JSON.stringify(record), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw alreadyRunning(record.name);
  }
}

/** @throws UsageError a sandbox of this name is running, or it cannot be a name */
export async function checkNameIsFree(env: Environment, name: string): Promise<void> {
  if (!/^[\w-]{1,40}$/.test(name)) {
    throw new UsageError(`a sandbox cannot be named ${JSON.stringify(name)}`, {
      hint: 'use letters, digits, dashes and underscores',
    });
  }
  if ((await readRecords(env)).some((record) => record.name === name)) throw alreadyRunning(name);
}

function alreadyRunning(name: string): UsageError {
  return new UsageError(`a sandbox named ${name} is running already`, {
    hint: `end it with xmppctl sandbox stop --name ${name}, or start another one with --name`,
  });
}

export async function forgetSandbox(env: Environment, name: string): Promise<void> {
  await rm(fileOf(env, name), { force: true });
}

/** What is running, by name; records of sandboxes that have ended are removed, and what these left behind. */
export async function readRecords(env: Environment): Promise<SandboxRecord[]> {
  const names = await readdir(directory(env)).catch(() => []);
  const records: SandboxRecord[] = [];
  for (const file of names.sort()) {
    if (!file.endsWith('.json')) continue;
    const record = await readRecord(path.join(directory(env), file));
    if (!record) continue;
    if (await isRunning(record.facts)) {
      records.push(record);
    } else {
      await rm(record.facts.dir, { recursive: true, force: true });
      await forgetSandbox(env, record.name);
    }
  }
  return records;
}

/**
 * The sandbox of this name, or the only one.
 * @throws NegativeError there is none
 * @throws UsageError there are several and none was named
 */
export async function findRecord(env: Environment, name: string | undefined): Promise<SandboxRecord> {
  const records = await readRecords(env);
  const found = name === undefined ? records : records.filter((record) => record.name === name);
  const [first, second] = found;
  if (!first) {
    throw new NegativeError(
      name === undefined ? 'no sandbox is running' : `no sandbox named ${name} is running`,
      {
        hint: 'start one with xmppctl sandbox start --detach',
      },
    );
  }
  if (second) {
    throw new UsageError(
      `${found.length} sandboxes are running: ${found.map((record) => record.name).join(', ')}`,
      {
        hint: 'choose one with --name',
      },
    );
  }
  return first;
}

/** Ends a sandbox that another process has started, and removes what belongs to it. */
export async function endSandbox(env: Environment, { name, keeper, facts }: SandboxRecord): Promise<void> {
  if (keeper !== undefined) {
    // Its own process cleans up; if that has gone, so has the sandbox.
    kill(keeper, 'SIGTERM');
    for (let waited = 0; waited < END_MS && (await isRunning(facts)); waited += RETRY_MS) await pause();
  }
  signalGroup(facts.pid, 'SIGKILL');
  for (let waited = 0; waited < END_MS && signalGroup(facts.pid, 0); waited += RETRY_MS) await pause();
  await rm(facts.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: RETRY_MS });
  await forgetSandbox(env, name);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

/** Numbers of processes are used again, so the process has to be the one that works in this directory. */
async function isRunning({ pid, dir }: SandboxFacts): Promise<boolean> {
  if (pid === 0 || !signalGroup(pid, 0)) return false;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(async () => {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => ({
      stdout: '',
    }));
    return stdout;
  });
  return commandLine.includes(dir);
}

async function readRecord(file: string): Promise<SandboxRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as SandboxRecord;
  } catch {
    return undefined;
  }
}

function fileOf(env: Environment, name: string): string {
  return path.join(directory(env), `${name}.json`);
}

function directory(env: Environment): string {
  const home = env['HOME'] ?? homedir();
  const base =
    absolute(env['XDG_RUNTIME_DIR']) ?? absolute(env['XDG_STATE_HOME']) ?? path.join(home, '.local/state');
  return path.join(base, 'xmppctl', 'sandboxes');
}

function absolute(value: string | undefined): string | undefined {
  return value !== undefined && path.isAbsolute(value) ? value : undefined;
}
