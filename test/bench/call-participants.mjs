/** Participants of one call, each in a process of its own, whose parent carries what would be signalled. */
import { build } from 'esbuild';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { peakOf, root } from './measure.mjs';

/**
 * @param isStar all but the first connect to the first only
 * @returns for each, in order: CPU and wall milliseconds, packets received and lost, the number of its recordings; the
 *   largest peak of memory in MiB; the milliseconds until everybody was heard
 */
export async function measureCall({ count, seconds, isStar = false }) {
  // Beside node_modules, so that what is not bundled is found, and on a disk.
  const folder = mkdtempSync(path.join(root, 'node_modules/.xmppctl-bench-'));
  try {
    const program = await bundle(folder);
    const participants = [];
    for (let index = 0; index < count; index += 1)
      participants.push(start(participants, { index, count, folder, program, isStar }));
    const tellAll = (type) => participants.forEach(({ child }) => child.send({ type }));
    const untilAll = (what) => Promise.all(participants.map((participant) => participant[what]));
    await untilAll('ready');
    tellAll('open');
    await untilAll('opened');
    const startedMs = performance.now();
    tellAll('go');
    await untilAll('heardAll');
    const setUpMs = performance.now() - startedMs;
    tellAll('begin');
    await sleep(seconds * 1000);
    const peakMiB = Math.max(...participants.map(({ child }) => peakOf(child.pid)));
    tellAll('report');
    const reports = await untilAll('report');
    await Promise.all(participants.map(({ child }) => child.exitCode ?? once(child, 'exit')));
    return {
      setUpMs,
      peakMiB,
      reports: reports.map((report, index) => ({
        ...report,
        cpuPercent: (report.cpuMs / report.wallMs) * 100,
        recordings: readdirSync(participants[index].files).length,
      })),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundle(folder) {
  const program = path.join(folder, 'call-participant.mjs');
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
  return program;
}

function start(all, { index, count, folder, program, isStar }) {
  const files = path.join(folder, `recorded-${index}`);
  const child = fork(program, [index, count, files, ...(isStar ? ['star'] : [])].map(String));
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
    if (message.to !== undefined) all[message.to].child.send(message);
    else if (message.type === 'warning') console.error(`participant ${index}: ${message.text}`);
    else when[message.type]?.(message);
  });
  return participant;
}

/** `--participants=16` */
export function numberOf(name, usual) {
  const told = process.argv.find((word) => word.startsWith(`--${name}=`));
  return told === undefined ? usual : Number(told.split('=')[1]);
}
