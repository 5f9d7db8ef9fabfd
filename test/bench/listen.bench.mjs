/** 50,000 messages received and printed as JSON lines, beside slixmpp; a component is the source. @sandbox prosody */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { bar, peakOf, python, root, show, xmppctl } from './measure.mjs';
import { flood } from './peers/flood.mjs';

const count = 50_000;
const domain = process.env.XMPPCTL_SANDBOX_DOMAIN;

/** Starts a listener, sends it everything, and measures from the first stanza sent to its exit. */
async function race(command, to) {
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  let lines = 0;
  child.stdout.on('data', (chunk) => {
    for (const byte of chunk) if (byte === 10) lines += 1;
  });
  let messages = '';
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      messages += chunk;
      if (/ready|listening/.test(messages)) resolve();
    });
    child.on('exit', (code) => reject(new Error(`${command[0]} ended early (${code}): ${messages}`)));
  });
  let peakMiB = 0;
  const watch = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(child.pid))), 100);
  const started = performance.now();
  const done = new Promise((resolve) => child.on('close', resolve));
  await flood(to, count);
  await done;
  clearInterval(watch);
  if (lines !== count) throw new Error(`${command[0]} printed ${lines} lines, not ${count}`);
  return { wallMs: performance.now() - started, peakMiB };
}

const results = { ours: [], theirs: [] };
for (let round = 0; round < 2; round += 1) {
  results.ours.push(
    await race(
      [
        ...xmppctl,
        '--jid',
        `bob@${domain}/xmppctl`,
        '--account',
        'bob',
        '--json',
        '--verbose',
        'listen',
        '--count',
        String(count),
      ],
      `bob@${domain}/xmppctl`,
    ),
  );
  results.theirs.push(
    await race(
      [python, path.join(root, 'test/bench/peers/slixmpp_listen.py'), String(count)],
      `bob@${domain}/slixmpp`,
    ),
  );
}
const best = (list) => Math.min(...list.map((sample) => sample.wallMs));
show('xmppctl listen --json, 50,000 messages', best(results.ours), 'ms');
show('slixmpp, 50,000 messages', best(results.theirs), 'ms');
bar('slixmpp / xmppctl listen', best(results.theirs) / best(results.ours), 2, { atLeast: true });
bar('peak memory', Math.max(...results.ours.map((sample) => sample.peakMiB)), 120, { unit: ' MiB' });
