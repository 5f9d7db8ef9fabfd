/**
 * Eight participants of one call, each in a process of its own, each sending a tone to all others and recording all:
 * loss, processor time, and how long it takes until everybody is heard. Nothing of XMPP is in it: the parent process
 * carries what would be signalled.
 *
 * `--participants=16` and `--seconds=60` measure something else.
 */
import { build } from 'esbuild';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bar, peakOf, root, show } from './measure.mjs';

const count = numberOf('participants', 8);
const seconds = numberOf('seconds', 30);
const maxCpuPercent = 12;
const maxLossPercent = 1;
// Beside node_modules, so that what is not bundled is found, and on a disk.
const folder = mkdtempSync(path.join(root, 'node_modules/.xmppctl-bench-'));
const children = [];
const program = path.join(folder, 'call-participant.mjs');
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/peers/call-participant.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outfile: program,
    packages: 'external',
    logLevel: 'error',
  });
  const participants = Array.from({ length: count }, (_, index) => start(index));
  await Promise.all(participants.map(({ ready }) => ready));
  for (const { child } of participants) child.send({ type: 'open' });
  await Promise.all(participants.map(({ opened }) => opened));
  const startedMs = performance.now();
  for (const { child } of participants) child.send({ type: 'go' });
  await Promise.all(participants.map(({ heardAll }) => heardAll));
  const setUpMs = performance.now() - startedMs;
  for (const { child } of participants) child.send({ type: 'begin' });
  await sleep(seconds * 1000);
  const peakMiB = Math.max(...participants.map(({ child }) => peakOf(child.pid)));
  for (const { child } of participants) child.send({ type: 'report' });
  const reports = await Promise.all(participants.map(({ report }) => report));
  await Promise.all(participants.map(({ child }) => child.exitCode ?? once(child, 'exit')));

  const cpu = reports.map(({ cpuMs, wallMs }) => (cpuMs / wallMs) * 100);
  const received = reports.reduce((sum, report) => sum + report.received, 0);
  const lost = reports.reduce((sum, report) => sum + report.lost, 0);
  const lossPercent = (lost / (received + lost)) * 100;
  // What should have come by the clock, so that nothing that was never sent is overlooked.
  const wanted = reports.reduce((sum, { wallMs }) => sum + (wallMs / 20) * (count - 1), 0);
  show('everybody is heard by everybody after', setUpMs, 'ms');
  show('packets, of those that the clock says', (received / wanted) * 100, '%');
  show('memory of the largest', peakMiB, 'MiB');
  show('processor of the busiest', Math.max(...cpu), '% of a core');
  const missing = participants.filter(({ files }) => readdirSync(files).length !== count).length;
  bar('participants without all recordings', missing, 0);
  bar(
    `processor of one of ${count}, on average`,
    cpu.reduce((sum, each) => sum + each, 0) / count,
    maxCpuPercent,
    {
      unit: ' % of a core',
    },
  );
  bar(`loss over ${count * (count - 1)} streams`, lossPercent, maxLossPercent, { unit: ' %' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function start(index) {
  const files = path.join(folder, `recorded-${index}`);
  const child = fork(program, [index, count, files].map(String));
  const when = {};
  const wait = (type) => new Promise((resolve) => (when[type] = resolve));
  const participant = {
    child,
    files,
    ready: wait('ready'),
    opened: wait('opened'),
    heardAll: wait('heard-all'),
    report: wait('report'),
  };
  child.on('message', (message) => {
    if (message.to !== undefined) children[message.to].send(message);
    else if (message.type === 'warning') console.error(`participant ${index}: ${message.text}`);
    else when[message.type]?.(message);
  });
  children[index] = child;
  return participant;
}

function numberOf(name, usual) {
  const told = process.argv.find((word) => word.startsWith(`--${name}=`));
  return told === undefined ? usual : Number(told.split('=')[1]);
}
