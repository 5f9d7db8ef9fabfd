/** A folder of 10,000 small files from one process to another, from start to exit. @sandbox prosody ejabberd */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bar, peakOf, show, xmppctl } from './measure.mjs';

const count = 10_000;
const domain = process.env.XMPPCTL_SANDBOX_DOMAIN;
const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-bench-'));
try {
  const source = path.join(folder, 'many');
  for (let index = 0; index < count; index += 1) {
    const below = path.join(source, String(index % 100));
    mkdirSync(below, { recursive: true });
    writeFileSync(path.join(below, `${index}.txt`), `${index} `.repeat(100));
  }
  const target = path.join(folder, 'received');
  const receiver = start([
    '--account',
    'bob',
    'receive-file',
    '--verbose',
    '--from',
    `alice@${domain}`,
    '--dir',
    target,
    '--count',
    String(count),
  ]);
  await receiver.said(/waiting|receiving|online/);
  const begunAt = performance.now();
  const sender = start(['--account', 'alice', 'send-file', '--recursive', source, `bob@${domain}`]);
  await Promise.all([sender.ended, receiver.ended]);
  const seconds = (performance.now() - begunAt) / 1000;
  const arrived = readdirSync(target, { recursive: true }).filter((name) => name.endsWith('.txt')).length;
  if (arrived !== count) throw new Error(`${arrived} of ${count} files arrived`);
  show(`${count} files of about 500 bytes`, seconds, 's');
  bar('files a second', count / seconds, 200, { atLeast: true });
  show('peak memory of either side', Math.max(sender.peakMiB(), receiver.peakMiB()), 'MiB');
} finally {
  rmSync(folder, { recursive: true });
}

function start(args) {
  const child = spawn(xmppctl[0], [...xmppctl.slice(1), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, peakOf(child.pid))), 100);
  child.stderr.on('data', (chunk) => (text += chunk));
  const ended = new Promise((resolve, reject) =>
    child.on('close', (code) => {
      clearInterval(watch);
      if (code === 0) resolve();
      else reject(new Error(`${args.join(' ')} ended with exit code ${code}: ${text}`));
    }),
  );
  return {
    ended,
    peakMiB: () => peak,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => pattern.test(text) && resolve();
        child.stderr.on('data', look);
        ended.catch(reject);
        look();
      }),
  };
}
