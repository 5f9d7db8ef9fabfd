/** Shared editing without a network: the engine by itself, and beside Yjs. */
import { loadavg } from 'node:os';
import { bar, median, show } from './measure.mjs';
import { runBundled } from './bundled.mjs';

const { snapshot, edits, save, peers } = await runBundled('sxe-engine');

show('load of the machine', loadavg()[0], '');
show('snapshot of a document', snapshot.bytes / 1e6, `MB for ${snapshot.records} records`);
bar(
  'a snapshot taken, written, read and loaded',
  snapshot.records / (median(snapshot.samples) / 1000),
  50_000,
  {
    atLeast: true,
    unit: ' records/s',
  },
);

const costs = edits.map(({ records, samples }) => {
  const cost = (key) => median(samples.map((sample) => sample[key]));
  show(`an edit made, ${records} records`, cost('editUs'), 'µs');
  show(`an edit received, ${records} records`, cost('receiveUs'), 'µs');
  return Math.max(cost('editUs'), cost('receiveUs'));
});
bar('one edit applied', Math.max(...costs), 50, { unit: ' µs' });
// A hundred times the records: the logarithm is 1.7 times as much, and memory is further away.
bar('one edit, in 100 times as many records', costs.at(-1) / costs[0], 2);

show('CPU of a snapshot', snapshot.records / (median(snapshot.cpu) / 1000), 'records/s');
show('CPU of a save', median(save.cpu.slice(1)), 'ms');
show('a save, the first time', save.first, 'ms');
bar(
  `a save of ${(save.bytes / 1e6).toFixed(1)} MB with 100 changes diffed`,
  median(save.samples.slice(1)),
  300,
  {
    unit: ' ms',
  },
);

// The same editor's work, from the change to the other one's document. Yjs sends the structure of its data in a binary
// form; SXE names each record and field in XML, which anybody can read, and which XMPP can carry as it is (the updates of
// Yjs would grow by a third as base64). So it is several times as long. What the time is made of is mostly that XML, too.
const { operations, sxe, yjs } = peers;
for (const [name, { cpuMs, bytes }] of [
  ['sxe', sxe],
  ['yjs', yjs],
]) {
  show(`${name}: changes made, carried and applied`, operations / (median(cpuMs) / 1000), '/s of CPU');
  show(`${name}: on the wire`, bytes / operations, 'bytes a change');
}
show('yjs: as base64 in a stanza', (Math.ceil(yjs.bytes / 3) * 4) / operations, 'bytes a change');
