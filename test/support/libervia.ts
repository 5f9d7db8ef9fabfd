/**
 * Libervia, a client that is not ours and has Jingle file transfer: its backend and its command line, with a bus and a
 * home of their own.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { hasProgram } from './has-program.js';

const run = promisify(execFile);

/** Debian's, which is what it is tested with, and whose Python has what it needs. */
const SYSTEM_PATH = '/usr/bin:/bin';

export const hasLibervia = ['libervia-backend', 'libervia-cli', 'dbus-daemon'].every(hasProgram);

/** It asks the router of the network for a port, and does not go on when even asking is impossible. */
const NO_ROUTER = `class UPnP:
    discoverdelay = 0
    lanaddr = ""

    def discover(self):
        return 0
`;

export interface Libervia extends AsyncDisposable {
  /** `libervia-cli` with these words as the account that is logged in. @returns what it wrote to stdout */
  cli: (words: readonly string[], options?: { cwd?: string }) => Promise<string>;
  /** What its backend has logged so far. */
  log: () => string;
}

/** Starts it and logs it in as one of the accounts of the sandbox. */
export async function startLibervia(sandbox: Sandbox, name: string): Promise<Libervia> {
  const account = sandbox.accounts[name];
  if (!account) throw new Error(`the sandbox has no account ${name}`);
  const home = await mkdtemp(path.join(tmpdir(), 'xmppctl-libervia-'));
  const started: ChildProcess[] = [];
  let said = '';
  const stop = async (): Promise<void> => {
    for (const child of started.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(home, { recursive: true, force: true });
  };
  const start = (program: string, words: readonly string[], env: NodeJS.ProcessEnv): ChildProcess => {
    const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    started.push(child);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    return child;
  };
  try {
    await prepareHome(home, sandbox);
    const bus = start('dbus-daemon', ['--session', '--nofork', '--print-address=1'], { PATH: SYSTEM_PATH });
    const env = {
      PATH: SYSTEM_PATH,
      LANG: 'C.UTF-8',
      HOME: home,
      XDG_RUNTIME_DIR: path.join(home, 'run'),
      XDG_CONFIG_HOME: path.join(home, 'config'),
      PYTHONPATH: path.join(home, 'python'),
      SSL_CERT_FILE: sandbox.caFile,
      DBUS_SESSION_BUS_ADDRESS: await lineOf(bus, /^unix:/),
    };
    const backend = start('libervia-backend', ['fg'], env);
    backend.stdout?.on('data', (text: Buffer) => (said += text.toString('utf8')));
    await lineOf(backend, /Backend is ready/);
    const cli: Libervia['cli'] = async (words, { cwd } = {}) => {
      const running = run('libervia-cli', words, { env, cwd: cwd ?? home });
      running.child.stdin?.end();
      return (await running).stdout;
    };
    await cli(['profile', 'create', '-j', account.jid, '-x', account.password, name]);
    for (const [category, parameter, value] of [
      ['Connection', 'force_server', sandbox.host],
      ['Connection', 'force_port', String(sandbox.ports.c2s)],
      ['General', 'allow_get_ip', 'false'],
    ] as const)
      await cli(['param', 'set', '-p', name, category, parameter, value]);
    await cli(['profile', 'connect', '-p', name, '-c']);
    const withProfile = ([group = '', verb = '', ...rest]: readonly string[]): string[] => [
      group,
      verb,
      '-p',
      name,
      ...rest,
    ];
    return {
      cli: (words, options) => cli(withProfile(words), options),
      log: () => said,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw new Error(`Libervia does not start: ${said}`, { cause: error });
  }
}

async function prepareHome(home: string, { domain, host, ports }: Sandbox): Promise<void> {
  for (const folder of ['run', 'config/libervia', 'python', 'data'])
    await mkdir(path.join(home, folder), { recursive: true, mode: 0o700 });
  await writeFile(path.join(home, 'python/miniupnpc.py'), NO_ROUTER);
  // Otherwise it asks DNS, and looks for no proxy where nothing answers.
  const hosts = { [domain]: { host, port: ports.c2s } };
  await writeFile(
    path.join(home, 'config/libervia/libervia.conf'),
    `[DEFAULT]\nlocal_dir = ${home}/data/\nlog_level = info\nhosts_dict = ${JSON.stringify(hosts)}\n`,
  );
}

/** The first such line of its standard output. */
async function lineOf({ stdout }: ChildProcess, pattern: RegExp): Promise<string> {
  if (!stdout) throw new Error('it has no output');
  for await (const line of createInterface({ input: stdout })) if (pattern.test(line)) return line;
  throw new Error(`it ended before ${String(pattern)}`);
}
