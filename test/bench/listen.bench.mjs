/** 50,000 messages received and printed as JSON lines, beside slixmpp, from a server that is faster than both. */
import path from 'node:path';
import { bar, median, python, root, show, xmppctl } from './measure.mjs';
import { accountOptions, withFastServer } from './peers/race-on-fast-server.mjs';

const count = 50_000;
const rounds = 3;
const results = { ours: [], theirs: [] };

await withFastServer(count, async (race) => {
  for (let round = 0; round < rounds; round += 1) {
    results.ours.push(
      await race((place) => [
        ...xmppctl,
        ...accountOptions(place),
        '--json',
        'listen',
        '--count',
        String(count),
      ]),
    );
    results.theirs.push(
      await race(() => [python, path.join(root, 'test/bench/peers/slixmpp_listen.py'), String(count)]),
    );
  }
});
for (const { printed } of [...results.ours, ...results.theirs])
  if (printed !== count) throw new Error(`${printed} lines were printed, not ${count}`);
const wall = (list) => median(list.map(({ wallMs }) => wallMs));
show('xmppctl listen --json, 50,000 messages', wall(results.ours), 'ms');
show('slixmpp, 50,000 messages', wall(results.theirs), 'ms');
bar('slixmpp / xmppctl listen', wall(results.theirs) / wall(results.ours), 2, { atLeast: true });
bar('peak memory', Math.max(...results.ours.map(({ peakMiB }) => peakMiB)), 120, { unit: ' MiB' });
