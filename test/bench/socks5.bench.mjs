/**
 * A file of 1 GiB by SOCKS5, hashed on both sides and written to disk: direct, beside a bare Node copy that does the
 * same and beside `ncat | sha256sum`; and through Prosody's proxy, beside what the proxy passes by itself.
 * @sandbox prosody
 */
import { build } from 'esbuild';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { bar, median, peakOf, root, show, xmppctl } from './measure.mjs';

const rounds = 5;
const directMiB = 1024;
/** The proxy takes its time. */
const proxiedMiB = 256;
// Beside node_modules, so that what is not bundled is found, and on a disk.
const folder = mkdtempSync(path.join(root, 'node_modules/.xmppctl-bench-'));
const program = path.join(folder, 'socks5-file.cjs');
const bare = path.join(root, 'test/bench/peers/bare-node-copy.cjs');
try {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/peers/socks5-file.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile: program,
    external: ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'],
    logLevel: 'error',
  });
  const large = makeFile('large.bin', directMiB);
  const small = makeFile('small.bin', proxiedMiB);
  const hasNcat = spawnSync('ncat', ['--version']).status === 0;
  const speeds = { ours: [], bare: [], ncat: [], proxied: [], proxy: [] };
  let peakMiB = 0;
  const received = path.join(folder, 'received');
  /** The program itself, from the offer to the verified end. */
  const sendDirectly = async (file) => {
    const { XMPPCTL_SANDBOX_JID_ALICE: alice } = process.env;
    const receiver = start(
      [...xmppctl, '--account', 'bob', '-v', 'receive-file', '--from', alice, '--once', '--dir', received],
      'stderr',
    );
    const jid = await waitingAs(receiver);
    const sender = start([...xmppctl, '--account', 'alice', 'send-file', '--json', file, jid]);
    const watch = setInterval(() => {
      peakMiB = Math.max(peakMiB, peakOf(sender.pid), peakOf(receiver.pid));
    }, 50);
    let begunAt;
    let event;
    do {
      event = JSON.parse(await sender.next());
      begunAt ??= performance.now();
    } while (event.event !== 'done' && event.event !== 'failed');
    const elapsedMs = performance.now() - begunAt;
    await Promise.all([sender.ended, receiver.ended]);
    clearInterval(watch);
    if (event.method !== 'direct' || event.certainty !== 'verified') throw new Error(JSON.stringify(event));
    rmSync(received, { recursive: true });
    return directMiB / (elapsedMs / 1000);
  };
  /** The same engine without what would be better: the program has no option for it. */
  const sendThroughProxy = async (file) => {
    const receiver = start([process.execPath, program, 'receive', 'proxy', received]);
    const [, jid] = (await receiver.next()).split(' ');
    const sender = start([process.execPath, program, 'send', 'proxy', file, jid]);
    const elapsedMs = Number(await sender.next());
    peakMiB = Math.max(peakMiB, Number(await sender.next()), Number(await receiver.next()));
    await Promise.all([sender.ended, receiver.ended]);
    rmSync(received, { recursive: true });
    return proxiedMiB / (elapsedMs / 1000);
  };
  for (let round = 0; round < rounds; round += 1) {
    // What one leaves to be written to the disk slows the other: each begins with none, and each is first in turn.
    const direct = [
      async () => speeds.ours.push(await sendDirectly(large)),
      async () => speeds.bare.push(await copyBare(large)),
    ];
    for (const measure of round % 2 === 0 ? direct : direct.reverse()) {
      spawnSync('sync');
      await measure();
    }
    if (hasNcat) speeds.ncat.push(await copyWithNcat(large));
    speeds.proxied.push(await sendThroughProxy(small));
    speeds.proxy.push(await passThroughProxy());
  }
  show(`xmppctl, direct, ${directMiB} MiB`, median(speeds.ours), 'MiB/s');
  show('bare Node copy', median(speeds.bare), 'MiB/s');
  if (hasNcat) show('ncat | sha256sum, not written to disk', median(speeds.ncat), 'MiB/s');
  show(`xmppctl, through the proxy, ${proxiedMiB} MiB`, median(speeds.proxied), 'MiB/s');
  show('what the proxy passes', median(speeds.proxy), 'MiB/s');
  bar('xmppctl direct / bare Node copy', ratio(speeds.ours, speeds.bare), 0.9, { atLeast: true });
  if (hasNcat)
    bar('xmppctl direct / ncat | sha256sum', ratio(speeds.ours, speeds.ncat), 1, { atLeast: true });
  else console.log('  ncat is not installed: no comparison with it');
  bar('xmppctl proxied / what the proxy passes', ratio(speeds.proxied, speeds.proxy), 0.9, { atLeast: true });
  bar('peak memory of either side', peakMiB, 150, { unit: ' MiB' });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Of each round, whose runs see the same machine. */
function ratio(some, others) {
  return median(some.map((speed, round) => speed / others[round]));
}

function makeFile(name, mebibytes) {
  const file = path.join(folder, name);
  const { status } = spawnSync('sh', ['-c', `head -c ${mebibytes}M /dev/urandom > "$0"`, file]);
  if (status !== 0) throw new Error(`cannot write ${file}`);
  return file;
}

/** With --verbose it also tells how the server was reached. */
async function waitingAs(receiver) {
  for (;;) {
    const [, jid] = /waiting for files as (\S+)/.exec(await receiver.next()) ?? [];
    if (jid !== undefined) return jid;
  }
}

async function copyBare(file) {
  const copy = path.join(folder, 'copy');
  const receiver = start([process.execPath, bare, 'receive', copy]);
  const sender = start([process.execPath, bare, 'send', file, await receiver.next()]);
  const elapsedMs = Number(await sender.next());
  await Promise.all([sender.ended, receiver.ended]);
  rmSync(copy);
  return directMiB / (elapsedMs / 1000);
}

/** The receiver is there a moment after it has been started: the sender tries until it is. */
async function copyWithNcat(file) {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const receiver = start(['sh', '-c', `ncat -l 127.0.0.1 ${port} --recv-only | sha256sum`]);
  const script = `until ncat --send-only 127.0.0.1 ${port} < "$0" 2>/dev/null; do sleep 0.02; done`;
  const begunAt = performance.now();
  const sender = start(['sh', '-c', script, file]);
  await receiver.next();
  const elapsedMs = performance.now() - begunAt;
  await Promise.all([sender.ended, receiver.ended]);
  return directMiB / (elapsedMs / 1000);
}

async function passThroughProxy() {
  const both = start([process.execPath, program, 'pass', String(proxiedMiB * 1024 * 1024)]);
  const elapsedMs = Number(await both.next());
  await both.ended;
  return proxiedMiB / (elapsedMs / 1000);
}

/** A program that says things line by line. */
function start([file, ...args], says = 'stdout') {
  const isStdout = says === 'stdout';
  const stdio = ['ignore', isStdout ? 'pipe' : 'ignore', isStdout ? 'inherit' : 'pipe'];
  const child = spawn(file, args, { stdio });
  const lines = createInterface(child[says])[Symbol.asyncIterator]();
  return {
    pid: child.pid,
    next: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${args.slice(0, 3).join(' ')} ended too soon`);
      return value;
    },
    ended: new Promise((resolve, reject) =>
      child.on('close', (code) =>
        code === 0
          ? resolve()
          : reject(new Error(`${args.slice(0, 3).join(' ')} ended with exit code ${code}`)),
      ),
    ),
  };
}
