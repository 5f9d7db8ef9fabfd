/**
 * npm run demo: sets the clone up, then two accounts on a throw-away local server exchange a message, with the trace
 * of the stream beside it. Every line behind a `$` is a command as it can be typed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { root, setUp } from './setup.mjs';

const script = fileURLToPath(import.meta.url);
const hasColour = process.stdout.isTTY === true && !process.env.NO_COLOR;
const paint = (code, text) => (hasColour ? `\u001b[${code}m${text}\u001b[0m` : text);
const tell = (text) => process.stdout.write(`\n${paint(2, `# ${text}`)}\n`);
const echo = (line) => process.stdout.write(`${paint(1, `$ ${line}`)}\n`);

if (process.argv[2] === '--inside') {
  process.exitCode = await showInside();
} else {
  await setUp({ packages: 'demo', allowInstall: !process.argv.includes('--no-install') });
  process.exitCode = await runInSandbox();
  if (process.exitCode === 0)
    tell('The server is gone, and so is everything it had stored. Next: xmppctl --help');
}

/** Starts a server and runs the rest of this script beside it. */
function runInSandbox() {
  tell(
    'A real XMPP server for a minute: on loopback, with its own certificates, three accounts, nothing to configure.',
  );
  echo('xmppctl sandbox run -- sh');
  const directory = mkdtempSync(path.join(tmpdir(), 'xmppctl-demo-'));
  const xmppctl = [path.join(root, 'bin/xmppctl.js'), 'sandbox', 'run', '--'];
  const child = spawn(process.execPath, [...xmppctl, process.execPath, script, '--inside'], {
    cwd: directory,
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
  }).finally(() => rmSync(directory, { recursive: true }));
}

async function showInside() {
  tell(`It is ${process.env.XMPPCTL_SANDBOX_SERVER}. The accounts are profiles, so everything just works.`);
  echo('xmppctl account list');
  if (await shell('xmppctl account list')) return 1;

  tell('Bob listens in the background; Alice says hello and keeps a trace of her stream.');
  echo('xmppctl --account bob listen --count 1 --json --trace=bob.trace > received.json &');
  const listening = shell('xmppctl --account bob listen --count 1 --json --trace=bob.trace > received.json');
  // Bob's trace shows when he has become available.
  if (!(await waitForText('bob.trace', '<presence'))) return 1;
  const send = "xmppctl --account alice send bob@sandbox.localhost 'Hello, Bob!' --trace=alice.trace";
  echo(send);
  if (await shell(send)) return 1;
  echo('wait; cat received.json');
  if ((await listening) || (await shell('cat received.json'))) return 1;

  tell(
    "What happened on Alice's connection: encrypted, verified, and the password proved without being sent.",
  );
  echo('xmppctl trace show alice.trace --kind event');
  if (await shell('xmppctl trace show alice.trace --kind event')) return 1;

  tell('The message itself, byte for byte, and how the server acknowledged it (→ sent, ← received).');
  echo("xmppctl trace show alice.trace --select 'message, r, a'");
  if (await shell("xmppctl trace show alice.trace --select 'message, r, a'")) return 1;

  tell('... and as it reached Bob.');
  echo('xmppctl trace show bob.trace --kind message');
  if (await shell('xmppctl trace show bob.trace --kind message')) return 1;
  return 0;
}

/** @returns whether the text has appeared in the file within half a minute */
async function waitForText(file, text) {
  for (const end = Date.now() + 30_000; Date.now() < end; await delay(50)) {
    try {
      if (readFileSync(file, 'utf8').includes(text)) return true;
    } catch {
      // It is not there yet.
    }
  }
  return false;
}

/** Resolves with the exit code; the output goes where ours goes. */
function shell(line) {
  const child = spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
