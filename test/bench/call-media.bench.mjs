/**
 * Eight participants of one call, each in a process of its own, each sending a tone to all others and recording all:
 * loss, processor time, and how long it takes until everybody is heard. Nothing of XMPP is in it: the parent process
 * carries what would be signalled.
 *
 * `--participants=16` and `--seconds=60` measure something else.
 */
import { measureCall, numberOf } from './call-participants.mjs';
import { bar, show } from './measure.mjs';

const count = numberOf('participants', 8);
const maxCpuPercent = 12;
const maxLossPercent = 1;
const { reports, setUpMs, peakMiB } = await measureCall({ count, seconds: numberOf('seconds', 30) });

const cpu = reports.map(({ cpuPercent }) => cpuPercent);
const received = reports.reduce((sum, report) => sum + report.received, 0);
const lost = reports.reduce((sum, report) => sum + report.lost, 0);
// What should have come by the clock, so that nothing that was never sent is overlooked.
const wanted = reports.reduce((sum, { wallMs }) => sum + (wallMs / 20) * (count - 1), 0);
show('everybody is heard by everybody after', setUpMs, 'ms');
show('packets, of those that the clock says', (received / wanted) * 100, '%');
show('memory of the largest', peakMiB, 'MiB');
show('processor of the busiest', Math.max(...cpu), '% of a core');
bar(
  'participants without all recordings',
  reports.filter(({ recordings }) => recordings !== count).length,
  0,
);
bar(
  `processor of one of ${count}, on average`,
  cpu.reduce((sum, each) => sum + each, 0) / count,
  maxCpuPercent,
  { unit: ' % of a core' },
);
bar(`loss over ${count * (count - 1)} streams`, (lost / (received + lost)) * 100, maxLossPercent, {
  unit: ' %',
});
