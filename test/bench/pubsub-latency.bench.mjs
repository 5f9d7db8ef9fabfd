/**
 * From the line that is published to the line that is printed, beside bare sockets.
 * @sandbox prosody ejabberd
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { bar, measure, root, show, xmppctl } from './measure.mjs';

const count = 500;
/** Until both have warmed up. */
const notCounted = 100;
const { env } = process;
const service = env.XMPPCTL_SANDBOX_PUBSUB;
const as = (account) => ['--at', service, '--account', account];
const percentile = (times, part) => [...times].sort((a, b) => a - b)[Math.floor(times.length * part)];

for (const node of ['bare', 'ours'])
  await measure([...xmppctl, 'pubsub', 'create', node, 'access_model=open', 'max_items=100', ...as('alice')]);
const script = path.join(root, 'test/bench/peers/bare-node-pubsub.cjs');
const bareTimes = () =>
  measure([process.execPath, script, `--latency=${count}`, 'bare']).then(({ out }) =>
    JSON.parse(out).slice(notCounted),
  );

async function ourTimes() {
  const start = (...args) =>
    spawn(xmppctl[0], [xmppctl[1], 'pubsub', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const watching = start('watch', 'ours', ...as('bob'));
  const publishing = start('publish', 'ours', '--stdin', ...as('alice'));
  publishing.stdout.resume();
  const lines = readline.createInterface({ input: watching.stdout })[Symbol.asyncIterator]();
  const publish = (id) => publishing.stdin.write(`{"id":"${id}","payload":"<n xmlns='urn:n'>1</n>"}\n`);
  // Until it watches, nothing comes.
  let isWatching = false;
  const first = lines.next().then(() => (isWatching = true));
  for (let number = 0; !isWatching; number += 1) {
    publish(`early${number}`);
    await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 50))]);
  }
  const times = [];
  for (let number = 0; number < count; number += 1) {
    const started = performance.now();
    publish(`ours${number}`);
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error('the watch has ended');
      if (value.includes(`ours${number}\t`)) break;
    }
    times.push(performance.now() - started);
  }
  watching.kill('SIGINT');
  publishing.stdin.end();
  return times.slice(notCounted);
}

const [bare, ours] = [[], []];
for (let round = 0; round < 3; round += 1) {
  bare.push(...(await bareTimes()));
  ours.push(...(await ourTimes()));
}
for (const part of [0.5, 0.99]) {
  show(`bare sockets, p${part * 100}`, percentile(bare, part), 'ms');
  show(`xmppctl, p${part * 100}`, percentile(ours, part), 'ms');
}
bar('xmppctl / bare sockets, p99', percentile(ours, 0.99) / percentile(bare, 0.99), 2);
