/** Finds the servers a sandbox can run. Nothing is started to find out. */
import { access, constants, readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { SandboxError } from '../errors.js';
import type { ServerName } from './options.js';
import systemPackages from './system-packages.json' with { type: 'json' };

export interface InstalledServer {
  name: ServerName;
  /** The program to run in the foreground: `prosody`, or Erlang's `erl` for ejabberd. */
  program: string;
  /** ejabberd only: where Erlang finds it and its libraries. */
  erlLibs?: string;
}

/** Servers are often outside of an ordinary user's PATH. */
const USUAL_DIRECTORIES = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/opt/homebrew/sbin',
  '/opt/homebrew/bin',
];

/**
 * @param wanted undefined: Prosody if it is there, else ejabberd
 * @param searchPath directories as in PATH; `usualPath` adds those where servers usually are
 * @throws SandboxError none is installed
 */
export async function findServer(
  wanted: ServerName | undefined,
  searchPath: string,
): Promise<InstalledServer> {
  for (const name of wanted === undefined ? (['prosody', 'ejabberd'] as const) : [wanted]) {
    const found = name === 'prosody' ? await findProsody(searchPath) : await findEjabberd(searchPath);
    if (found) return found;
  }
  throw new SandboxError(
    wanted === undefined ? 'neither Prosody nor ejabberd is installed' : `${wanted} is not installed`,
    {
      hint: Object.entries(systemPackages.servers)
        .map(([system, line]) => `${system}: ${line}`)
        .join('; '),
    },
  );
}

async function findProsody(searchPath: string): Promise<InstalledServer | undefined> {
  const program = await findProgram('prosody', searchPath);
  return program === undefined ? undefined : { name: 'prosody', program };
}

/** ejabberd is a set of Erlang libraries; `ejabberdctl`, a shell script, knows where they are. */
async function findEjabberd(searchPath: string): Promise<InstalledServer | undefined> {
  const control = await findProgram('ejabberdctl', searchPath);
  if (control === undefined) return undefined;
  const script = await readFile(control, 'utf8').catch(() => '');
  const program = setting(script, 'ERL') ?? (await findProgram('erl', searchPath));
  if (program === undefined || !(await isExecutable(program))) return undefined;
  for (const directory of [
    setting(script, 'ERL_LIBS'),
    '/usr/lib/x86_64-linux-gnu',
    '/usr/lib/aarch64-linux-gnu',
    '/usr/lib64/erlang/lib',
    '/usr/lib/erlang/lib',
    '/usr/lib/ejabberd',
    path.join(path.dirname(control), '../lib'),
  ]) {
    if (directory !== undefined && (await hasEjabberd(directory)))
      return { name: 'ejabberd', program, erlLibs: directory };
  }
  return undefined;
}

/** The value of a plain assignment in a shell script; one that has to be computed is no use. */
function setting(script: string, name: string): string | undefined {
  return new RegExp(`^\\s*(?:export )?${name}=["']?(/[^"'$\\s]*)["']?\\s*$`, 'm').exec(script)?.[1];
}

async function hasEjabberd(directory: string): Promise<boolean> {
  const entries = await readdir(directory).catch(() => []);
  return entries.some((entry) => /^ejabberd(-|$)/.test(entry));
}

async function findProgram(name: string, searchPath: string): Promise<string | undefined> {
  for (const directory of searchPath.split(path.delimiter)) {
    if (!path.isAbsolute(directory)) continue;
    const candidate = path.join(directory, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The PATH in which servers are looked for and with which they are started: Erlang's start script calls sed and dirname. */
export function usualPath(searchPath: string | undefined): string {
  return [...(searchPath ?? '').split(path.delimiter).filter(Boolean), ...USUAL_DIRECTORIES].join(
    path.delimiter,
  );
}
