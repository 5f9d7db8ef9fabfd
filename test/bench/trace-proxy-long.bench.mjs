/**
 * Whether `trace proxy` keeps its memory while it records: messages go through it without a pause, on new connections
 * now and then, and its resident memory is looked at. `--seconds=60`
 */
import { readFileSync, statSync } from 'node:fs';
import { flood, login, startBareProxy } from './bare-proxy.mjs';
import { bar, show } from './measure.mjs';

const seconds = Number(process.argv.find((word) => word.startsWith('--seconds='))?.split('=')[1] ?? 60);
const looks = 12;
/** Sent on one connection before the next. */
const megabytesEach = 32;

const residentMiB = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

const proxy = await startBareProxy();
try {
  const seen = [];
  const started = performance.now();
  let megabytes = 0;
  while (seen.length < looks) {
    const stream = await login(proxy.proxied);
    await flood(stream, megabytesEach);
    stream.destroy();
    megabytes += megabytesEach;
    const elapsed = (performance.now() - started) / 1000;
    if (elapsed < ((seen.length + 1) * seconds) / looks) continue;
    seen.push(residentMiB(proxy.pid));
    console.log(
      `  after ${elapsed.toFixed(0).padStart(4)} s, ${(megabytes / 1000).toFixed(2).padStart(6)} GB: ${seen.at(-1).toFixed(1)} MiB`,
    );
  }
  show('passed', megabytes / 1000, 'GB');
  show('recorded', statSync(proxy.recording).size / 1e9, 'GB');
  const [first, second] = [seen.slice(0, looks / 2), seen.slice(looks / 2)];
  bar('most memory in the second half / in the first', Math.max(...second) / Math.max(...first), 1.15);
} finally {
  await proxy.close();
}
