/**
 * From the save of a file to the document of somebody else, through a room, beside a message there and back of bare
 * sockets; and where the time goes.
 * @sandbox prosody
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { bar, measure, root, show, xmppctl } from './measure.mjs';

const count = 60;
/** Until both have warmed up. */
const notCounted = 10;
const percentile = (times, part) => [...times].sort((a, b) => a - b)[Math.floor(times.length * part)];
const room = `orchard@${process.env.XMPPCTL_SANDBOX_MUC}`;
const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-bench-'));
const [ours, theirs] = ['ours.xml', 'theirs.xml'].map((name) => path.join(folder, name));
const documentOf = (number) => `<doc><p>The quick brown fox</p><p>save ${number}.</p></doc>\n`;
const script = path.join(root, 'test/bench/peers/bare-node-round-trip.cjs');
const bareTimes = async () =>
  JSON.parse((await measure([process.execPath, script, String(count)])).out).slice(notCounted);

/** A command whose events are told as they come, with the time. */
function start(account, ...args) {
  const child = spawn(xmppctl[0], [xmppctl[1], 'sxe', ...args, '--json', '--account', account], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const waiting = [];
  const events = [];
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    const event = { ...JSON.parse(line), at: performance.now() };
    const resolve = waiting.shift();
    if (resolve) resolve(event);
    else events.push(event);
  });
  const next = () =>
    events.length > 0 ? Promise.resolve(events.shift()) : new Promise((resolve) => waiting.push(resolve));
  return {
    /** The next event of a kind. */
    async until(kind) {
      for (let event = await next(); ; event = await next()) if (event.event === kind) return event.at;
    },
    async end() {
      child.kill('SIGINT');
      await new Promise((resolve) => child.once('close', resolve));
    },
  };
}

const bare = [...(await bareTimes())];
await writeFile(ours, documentOf(0));
const sharing = start('alice', 'share', ours, room, '--live');
await sharing.until('shared');
const joining = start('bob', 'join', room, '--live', theirs);
await sharing.until('joined');
const saysTheSame = async (text) => (await readFile(theirs, 'utf8').catch(() => '')) === text;
const fileHas = async (text) => {
  while (!(await saysTheSame(text))) await new Promise((resolve) => setImmediate(resolve));
  return performance.now();
};
await fileHas(documentOf(0));

const times = { noticed: [], carried: [], document: [], written: [] };
for (let number = 1; number <= count; number += 1) {
  const text = documentOf(number);
  await writeFile(`${ours}.new`, text);
  const [sent, changed, file] = [sharing.until('sent'), joining.until('changed'), fileHas(text)];
  const saved = performance.now();
  await rename(`${ours}.new`, ours);
  const [sentAt, changedAt, writtenAt] = await Promise.all([sent, changed, file]);
  if (number <= notCounted) continue;
  times.noticed.push(sentAt - saved);
  times.carried.push(changedAt - sentAt);
  times.document.push(changedAt - saved);
  times.written.push(writtenAt - saved);
}
await joining.end();
await sharing.end();
await rm(folder, { recursive: true });
bare.push(...(await bareTimes()));

show('load of the machine', loadavg()[0], '');
for (const [name, list] of [
  ['a message there and back, bare sockets', bare],
  ['save → noticed, read, and sent', times.noticed],
  ['sent → in the document of the other', times.carried],
  ['save → in the document of the other', times.document],
  ['save → in the file of the other', times.written],
])
  for (const part of [0.5, 0.95]) show(`${name}, p${part * 100}`, percentile(list, part), 'ms');
bar(
  'save → document / message there and back, p95',
  percentile(times.document, 0.95) / percentile(bare, 0.95),
  2,
);
