/**
 * `trace show` of a recording of a gigabyte: how soon it begins to print, how fast it reads, and in how much memory;
 * beside `wc -l`, `jq`, and a bare loop over `JSON.parse` in Node. `--megabytes=1000`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generateTrace } from './generate-trace.mjs';
import { bar, median, peakOf, show, xmppctl } from './measure.mjs';

const megabytes = Number(process.argv.find((word) => word.startsWith('--megabytes='))?.split('=')[1] ?? 1000);
const rounds = 3;

const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-bench-'));
try {
  const large = path.join(folder, 'large.trace');
  generateTrace(megabytes, large);
  // What takes longer is measured on less of the same; its rate is the same.
  const small = path.join(folder, 'small.trace');
  generateTrace(Math.min(100, megabytes), small);
  const bare = path.join(folder, 'bare.mjs');
  writeFileSync(
    bare,
    `import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
let kinds = 0;
for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) kinds += JSON.parse(line).kind.length;
console.log(kinds);`,
  );
  const ways = {
    'looking for an id': [[...xmppctl, 'trace', 'show', large, '--id', 'nobody-has-it'], large],
    'only requests and replies': [[...xmppctl, 'trace', 'show', large, '--kind', 'iq'], large],
    'the bytes of a direction (--raw)': [[...xmppctl, 'trace', 'show', large, '--raw', '--dir', 'in'], large],
    'all of it, printed': [[...xmppctl, 'trace', 'show', large], large],
    'all of it, as JSON': [[...xmppctl, 'trace', 'show', small, '--json'], small],
    'trace stats': [[...xmppctl, 'trace', 'stats', small], small],
    'trace lint': [[...xmppctl, 'trace', 'lint', small], small],
    'Node: readline and JSON.parse': [[process.execPath, bare, small], small],
    'jq -c .kind': [['jq', '-c', '.kind', small], small],
    'wc -l': [['wc', '-l', large], large],
  };
  const samples = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, [command]] of Object.entries(ways)) samples[name].push(await run(command));
  const rate = (name, key = 'wallMs') =>
    statSync(ways[name][1]).size / 1e3 / median(samples[name].map((sample) => sample[key]));
  const peak = (name) => Math.max(...samples[name].map(({ peakMiB }) => peakMiB));
  // The second figure says what the first would be on a machine that nobody else uses.
  for (const name of Object.keys(ways))
    show(name, rate(name), `MB/s  ${rate(name, 'cpuMs').toFixed(1).padStart(9)} MB for a second of CPU`);
  const begins = [];
  for (let round = 0; round < 5; round += 1)
    begins.push(await firstLine([...xmppctl, 'trace', 'show', large]));
  show('peak memory while it prints all of it', peak('all of it, printed'), 'MiB');
  bar('first line printed after', median(begins) / 1000, 0.3, { unit: ' s' });
  bar('megabytes a second read, looking for an id', rate('looking for an id'), 150, { atLeast: true });
  bar('megabytes a second read, all of it printed', rate('all of it, printed'), 150, { atLeast: true });
  const ratio = rate('all of it, printed', 'cpuMs') / rate('Node: readline and JSON.parse', 'cpuMs');
  show('all of it printed / readline and JSON.parse alone (CPU)', ratio, 'times as fast');
} finally {
  rmSync(folder, { recursive: true });
}

/** How long a program takes to print something, in milliseconds. */
async function firstLine([program, ...args]) {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const firstMs = performance.now() - started;
  child.kill('SIGKILL');
  await once(child, 'close');
  return firstMs;
}

/** Runs a program; what it prints goes nowhere. */
async function run(command) {
  const started = performance.now();
  // bash's `time` keyword reports the program's own CPU time, which Node cannot ask for.
  const child = spawn(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; { time "$@" 2>&4; } 4>&2 2>&3', 'bash', ...command],
    { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] },
  );
  let times = '';
  let peakMiB = 0;
  const watch = setInterval(() => (peakMiB = Math.max(peakMiB, peakOfChild(child.pid))), 50);
  child.stdio[3].on('data', (chunk) => (times += chunk));
  await once(child, 'close');
  clearInterval(watch);
  const [user = 0, system = 0] = times.trim().split(/\s+/).map(Number);
  return { wallMs: performance.now() - started, cpuMs: (user + system) * 1000, peakMiB };
}

function peakOfChild(pid) {
  try {
    return peakOf(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()));
  } catch {
    return 0;
  }
}
