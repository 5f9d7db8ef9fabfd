/** slixmpp, a client that is not ours, as a process that is gone at the end of the test. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { JID } from '../../src/lib/jid/jid.js';

/** Debian's, which has slixmpp (`scripts/set-up/system-packages.mjs`); another one earlier in PATH may not. */
const PYTHON = '/usr/bin/python3';
const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'slixmpp_peer.py');

export interface SlixmppPeer {
  /** Its full address, once it is online. */
  readonly jid: JID;
  /** When it has ended: its exit code, what it wrote to stdout, and what it said. */
  readonly ended: Promise<{ code: number | null; output: Buffer; said: string }>;
}

export async function startSlixmpp(
  sandbox: Sandbox,
  name: string,
  args: readonly string[],
  input: Buffer = Buffer.alloc(0),
): Promise<SlixmppPeer> {
  const account = sandbox.accounts[name];
  if (!account) throw new Error(`the sandbox has no account ${name}`);
  const [mode = '', ...rest] = args;
  const child = spawn(
    PYTHON,
    [script, `${sandbox.host}:${sandbox.ports.c2s}`, `${account.jid}/slixmpp`, sandbox.caFile, mode, ...rest],
    { env: { PATH: process.env['PATH'], PEER_PASSWORD: account.password }, stdio: 'pipe' },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const output = buffer(child.stdout);
  let said = '';
  const online = new Promise<JID>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, address] = /^(\S+@\S+\/\S+)$/m.exec(said) ?? [];
      if (address !== undefined) resolve(JID.parse(address));
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`slixmpp ended before it was online: ${said}`)));
  });
  const ended = new Promise<{ code: number | null; output: Buffer; said: string }>((resolve, reject) => {
    child.once('close', (code) => {
      output.then((bytes) => resolve({ code, output: bytes, said }), reject);
    });
  });
  return { jid: await online, ended };
}
