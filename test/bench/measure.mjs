/** Measuring whole processes: wall time, CPU time and peak memory, interleaved so that all see the same machine. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const xmppctl = [process.execPath, path.join(root, 'bin/xmppctl.js')];
/** Debian's python3, which has slixmpp; another one earlier in PATH may not. */
export const python = '/usr/bin/python3';

/**
 * Runs one command to its end.
 * @returns wall and CPU milliseconds, peak resident MiB
 */
export async function measure(command, { env = process.env, input } = {}) {
  const started = performance.now();
  // bash's `time` keyword reports the child's own CPU time, which Node cannot ask for.
  const child = spawn(
    'bash',
    ['-c', 'TIMEFORMAT="%U %S"; { time "$@" 2>&4; } 4>&2 2>&3', 'bash', ...command],
    {
      env,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    },
  );
  let out = '';
  let err = '';
  let times = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  child.stdio[3].on('data', (chunk) => (times += chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  let peakMiB = 0;
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakOfChildren(child.pid));
  }, 100);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(watch);
  if (code !== 0)
    throw new Error(`${command.slice(0, 3).join(' ')} ended with exit code ${code}: ${err.slice(0, 500)}`);
  const [user = 0, system = 0] = times.trim().split(/\s+/).map(Number);
  return { wallMs: performance.now() - started, cpuMs: (user + system) * 1000, peakMiB, out };
}

/** Peak resident memory of a process so far, in MiB. */
export function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The highest peak among the processes below a shell, in MiB. */
function peakOfChildren(pid) {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean);
    return Math.max(0, ...children.map(peakOf));
  } catch {
    return 0;
  }
}

/** Runs each of `commands` (name → [command, options]) `rounds` times, round-robin, and returns the medians. */
export async function compare(commands, rounds) {
  const samples = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (const [command, options] of Object.values(commands)) await measure(command, options); // warm the page cache
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, [command, options]] of Object.entries(commands))
      samples[name].push(await measure(command, options));
  }
  return Object.fromEntries(
    Object.entries(samples).map(([name, list]) => [
      name,
      {
        wallMs: median(list.map((sample) => sample.wallMs)),
        cpuMs: median(list.map((sample) => sample.cpuMs)),
        peakMiB: median(list.map((sample) => sample.peakMiB)),
      },
    ]),
  );
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Prints one bar: what was measured, what it must be, and whether it is. */
export function bar(name, value, limit, { atLeast = false, unit = '' } = {}) {
  const isMet = atLeast ? value >= limit : value <= limit;
  console.log(
    `${name}: ${value.toFixed(2)}${unit} (bar ${atLeast ? '≥' : '≤'} ${limit}${unit}) ${isMet ? 'ok' : 'MISSED'}`,
  );
}

export function show(name, value, unit) {
  console.log(`  ${name.padEnd(44)} ${value.toFixed(1).padStart(9)} ${unit}`);
}
