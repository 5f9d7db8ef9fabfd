/** 1,000,000 items published, 100,000 exported and 50,000 watched, with a server that is never the slower part. */
import path from 'node:path';
import { bar, median, python, root, show, xmppctl } from './measure.mjs';
import { accountOptions, withFastServer } from './peers/race-on-fast-server.mjs';

const wall = (list) => median(list.map(({ wallMs }) => wallMs));
const ours = (place, ...args) => [...xmppctl, ...accountOptions(place), ...args];
const expectLines = (printed, count) => {
  if (printed !== count) throw new Error(`${printed} lines were printed, not ${count}`);
};

const published = 1_000_000;
const exported = 100_000;
const itemLines = (count) =>
  Buffer.concat(
    Array.from({ length: count / 1000 }, (_, batch) =>
      Buffer.from(
        Array.from({ length: 1000 }, (_, index) => `<n xmlns='urn:n'>${batch * 1000 + index}</n>\n`).join(''),
      ),
    ),
  );
await withFastServer(exported, async (race) => {
  const publish = async (count) => {
    const run = await race((place) => ours(place, 'pubsub', 'publish', 'n', '--stdin'), {
      input: itemLines(count),
    });
    expectLines(run.printed, count);
    return run;
  };
  const few = await publish(published / 10);
  const many = await publish(published);
  show('peak memory', many.peakMiB, 'MiB');
  bar(`peak memory with ${published} items / with ${published / 10}`, many.peakMiB / few.peakMiB, 1.2);
  const run = await race((place) => ours(place, 'pubsub', 'export', 'n'));
  expectLines(run.printed, exported + 2);
  bar('peak memory of the export', run.peakMiB, 150, { unit: ' MiB' });
});

const watched = 50_000;
const results = { ours: [], theirs: [] };
await withFastServer(
  watched,
  async (race) => {
    for (let round = 0; round < 3; round += 1) {
      results.ours.push(
        await race((place) =>
          ours(place, '--json', 'pubsub', 'watch', 'urn:bench', '--count', String(watched)),
        ),
      );
      results.theirs.push(
        await race(() => [python, path.join(root, 'test/bench/peers/slixmpp_watch.py'), String(watched)]),
      );
    }
  },
  'notifications',
);
for (const { printed } of [...results.ours, ...results.theirs]) expectLines(printed, watched);
show(`xmppctl pubsub watch --json, ${watched} notifications`, wall(results.ours), 'ms');
show(`slixmpp, ${watched} notifications`, wall(results.theirs), 'ms');
bar('slixmpp / xmppctl pubsub watch', wall(results.theirs) / wall(results.ours), 2, { atLeast: true });
