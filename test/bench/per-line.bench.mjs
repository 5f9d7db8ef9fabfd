/** 20,000 lines from stdin, a message each, acknowledged, beside slixmpp, to a server that is faster than both. */
import path from 'node:path';
import { bar, median, python, root, show, xmppctl } from './measure.mjs';
import { accountOptions, withFastServer } from './peers/race-on-fast-server.mjs';

const count = 20_000;
const rounds = 3;
const lines = (number) =>
  Array.from({ length: number }, (_, index) => `line ${index} with some words in it\n`).join('');
const ours = (place) => [...xmppctl, ...accountOptions(place), 'send', 'carol@fake.test', '--per-line'];
const theirs = () => [
  python,
  path.join(root, 'test/bench/peers/slixmpp_send.py'),
  '--as=bob',
  '--per-line',
  '--acknowledged',
];

const results = { ours: [], theirs: [] };
let small;
await withFastServer(0, async (race) => {
  for (let round = 0; round < rounds; round += 1) {
    results.ours.push(await race(ours, { input: lines(count) }));
    results.theirs.push(await race(theirs, { input: lines(count) }));
  }
  small = await race(ours, { input: lines(count / 10) });
});
for (const { messages } of [...results.ours, ...results.theirs])
  if (messages !== count) throw new Error(`${messages} messages were sent, not ${count}`);
const wall = (list) => median(list.map(({ wallMs }) => wallMs));
show('xmppctl send --per-line, 20,000 lines', wall(results.ours), 'ms');
show('slixmpp, 20,000 messages', wall(results.theirs), 'ms');
bar('slixmpp / xmppctl send --per-line', wall(results.theirs) / wall(results.ours), 2, { atLeast: true });
const peak = median(results.ours.map(({ peakMiB }) => peakMiB));
show('peak memory with 20,000 lines', peak, 'MiB');
bar('peak memory with 20,000 lines / with 2,000', peak / small.peakMiB, 1.5);
