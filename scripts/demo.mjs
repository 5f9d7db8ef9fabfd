/**
 * npm run demo: sets the clone up, then two accounts on a throw-away local server exchange a message and a large file,
 * with the trace of the stream beside it. Every line behind a `$` is a command as it can be typed.
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
  tell('A real XMPP server for a minute: on loopback, with its own certificates and three accounts.');
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
  if (await run("xmppctl --account alice send bob@sandbox.localhost 'Hello, Bob!' --trace=alice.trace"))
    return 1;
  if (await listening) return 1;

  tell('Byte for byte, and how the server acknowledged it (→ sent, ← received).');
  if (await run("xmppctl trace show alice.trace --select 'message, r, a'")) return 1;

  tell('A file of 64 MiB. Bob takes one of Alice; whatever it is called, it stays in his folder.');
  if (await run('head -c 64M /dev/urandom > holiday.mov')) return 1;
  const receive =
    'xmppctl --account bob receive-file --from alice@sandbox.localhost --dir inbox --once --trace=b.trace';
  echo(`${receive} > got 2> log &`);
  const receiving = shell(`${receive} > got 2> log`);
  if (!(await waitForText('b.trace', '<presence'))) return 1;
  if (await run('xmppctl --account alice send-file holiday.mov bob@sandbox.localhost --trace=file.trace'))
    return 1;
  if (await receiving) return 1;

  tell('Verified: Bob has compared the hash before he gave the file its name, and told Alice so.');
  if (await run('cut -f 1,3-5 got; sha256sum holiday.mov inbox/holiday.mov')) return 1;

  tell('The negotiation beside it: the address that was taken, the hash after the data, and what Bob says.');
  return run("xmppctl trace show file.trace --select 'candidate-used, checksum, received'");
}

async function run(line) {
  echo(line);
  return shell(line);
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
