/** 20,000 lines from stdin, a message each, acknowledged, beside slixmpp. @sandbox prosody */
import path from 'node:path';
import { bar, measure, median, python, root, show, xmppctl } from './measure.mjs';

const bob = `bob@${process.env.XMPPCTL_SANDBOX_DOMAIN}`;
const lines = (count) =>
  Array.from({ length: count }, (_, number) => `line ${number} with some words in it\n`).join('');
const ours = [...xmppctl, '--account', 'alice', 'send', bob, '--per-line'];
const theirs = [python, path.join(root, 'test/bench/peers/slixmpp_send.py'), '--per-line', '--acknowledged'];

const input = lines(20_000);
const samples = { ours: [], theirs: [] };
for (let round = 0; round < 3; round += 1) {
  samples.ours.push(await measure(ours, { input }));
  samples.theirs.push(await measure(theirs, { input }));
}
const wall = (list) => median(list.map((sample) => sample.wallMs));
show('xmppctl send --per-line, 20,000 lines', wall(samples.ours), 'ms');
show('slixmpp, 20,000 messages', wall(samples.theirs), 'ms');
bar('slixmpp / xmppctl send --per-line', wall(samples.theirs) / wall(samples.ours), 2, { atLeast: true });
const small = await measure(ours, { input: lines(2_000) });
const peak = median(samples.ours.map((sample) => sample.peakMiB));
bar('peak memory with 20,000 lines / with 2,000', peak / small.peakMiB, 1.5);
