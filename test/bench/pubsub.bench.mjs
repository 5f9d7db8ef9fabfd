/**
 * 10,000 small items published line by line, beside the same stanzas written to a bare socket, and slixmpp.
 * @sandbox prosody ejabberd
 */
import path from 'node:path';
import { bar, measure, median, python, root, show, xmppctl } from './measure.mjs';

const count = 10_000;
/** With all of them at once slixmpp takes minutes: its time grows with the square. */
const fewer = 1000;
const rounds = 3;
const { env } = process;
const node = 'bench';
const at = ['--at', env.XMPPCTL_SANDBOX_PUBSUB, '--account', 'alice'];
const lines = (number) =>
  Array.from(
    { length: number },
    (_, index) => `{"id":"${index}","payload":"<n xmlns='urn:n'>${index}</n>"}\n`,
  ).join('');

const publish = [...xmppctl, 'pubsub', 'publish', node, '--per-line', ...at];
const bare = [
  process.execPath,
  path.join(root, 'test/bench/peers/bare-node-send.cjs'),
  `--publish=${count}`,
  node,
];
const slixmpp = [python, path.join(root, 'test/bench/peers/slixmpp_publish.py'), node, String(fewer)];

await measure([...xmppctl, 'pubsub', 'create', node, 'max_items=100', ...at]);
const results = { ours: [], bare: [], slixmpp: [] };
for (let round = 0; round < rounds; round += 1) {
  results.bare.push(await measure(bare));
  const ours = await measure(publish, { input: lines(count) });
  const printed = ours.out.trim().split('\n').length;
  if (printed !== count) throw new Error(`${printed} items were confirmed, not ${count}`);
  results.ours.push(ours);
  results.slixmpp.push(await measure(slixmpp));
}
const small = await measure(publish, { input: lines(count / 10) });
const wall = (list) => median(list.map(({ wallMs }) => wallMs));
show(`xmppctl, ${count} items`, wall(results.ours), 'ms');
show(`bare socket, ${count} items`, wall(results.bare), 'ms');
show(`slixmpp with gather, ${fewer} items`, wall(results.slixmpp), 'ms');
bar('bare socket / xmppctl', wall(results.bare) / wall(results.ours), 0.85, { atLeast: true });
const perItem = { ours: wall(results.ours) / count, slixmpp: wall(results.slixmpp) / fewer };
bar('slixmpp / xmppctl, for one item', perItem.slixmpp / perItem.ours, 2.5, { atLeast: true });
const peak = median(results.ours.map(({ peakMiB }) => peakMiB));
bar(`peak memory with ${count} items / with ${count / 10}`, peak / small.peakMiB, 1.5);
