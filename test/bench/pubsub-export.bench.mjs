/**
 * Export of a node, beside bare sockets that only read the same pages. Prosody 0.12 has no pages, and ejabberd takes the
 * longer for each page the more items there are: hours for 100,000.
 * @sandbox ejabberd
 */
import path from 'node:path';
import { bar, measure, median, root, show, xmppctl } from './measure.mjs';

const option = process.argv.find((word) => word.startsWith('--items='));
const count = Number(option?.slice('--items='.length) ?? 3000);
const rounds = 3;
const { env } = process;
const at = ['--at', env.XMPPCTL_SANDBOX_PUBSUB, '--account', 'alice'];

async function fill(node, number) {
  await measure([...xmppctl, 'pubsub', 'create', node, `max_items=${number}`, ...at]);
  const lines = Array.from(
    { length: number },
    (_, index) => `{"id":"${index}","payload":"<n xmlns='urn:n'>number ${index}</n>"}\n`,
  );
  await measure([...xmppctl, 'pubsub', 'publish', node, '--stdin', ...at], { input: lines.join('') });
}

async function exported(node, number) {
  const run = await measure([...xmppctl, 'pubsub', 'export', node, ...at]);
  const lines = run.out.split('\n').length - 1;
  if (lines !== number + 2) throw new Error(`${lines} lines were written, not ${number + 2}`);
  return run;
}

await fill('large', count);
const bare = [
  process.execPath,
  path.join(root, 'test/bench/peers/bare-node-pubsub.cjs'),
  '--read=50',
  'large',
];
const results = { ours: [], bare: [] };
for (let round = 0; round < rounds; round += 1) {
  const read = await measure(bare);
  if (Number(read.out) !== count) throw new Error(`${read.out} items were read, not ${count}`);
  results.bare.push(read);
  results.ours.push(await exported('large', count));
}
const wall = (list) => median(list.map(({ wallMs }) => wallMs));
show(`xmppctl pubsub export, ${count} items`, wall(results.ours), 'ms');
show('bare sockets that read the same pages', wall(results.bare), 'ms');
bar('bare sockets / xmppctl', wall(results.bare) / wall(results.ours), 0.8, { atLeast: true });
