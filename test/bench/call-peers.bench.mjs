/**
 * One participant with fifteen peers, all of which it sends a tone to and records, and who have nobody else: what that takes
 * of a core, and whether it keeps up.
 *
 * `--peers=31` and `--seconds=60` measure something else.
 */
import { loadavg } from 'node:os';
import { measureCall, numberOf } from './call-participants.mjs';
import { bar, show } from './measure.mjs';

const peers = numberOf('peers', 15);
const maxCpuPercent = 100;
const maxLossPercent = 1;
const load = loadavg()[0];
const { reports, setUpMs, peakMiB } = await measureCall({
  count: peers + 1,
  seconds: numberOf('seconds', 20),
  isStar: true,
});
const [one] = reports;
const wanted = (one.wallMs / 20) * peers;
show('load of the machine before', load, '');
show('everybody is heard after', setUpMs, 'ms');
show('packets, of those that the clock says', (one.received / wanted) * 100, '%');
show('memory', peakMiB, 'MiB');
bar('recordings that are missing', peers + 1 - one.recordings, 0);
bar(`processor of one with ${peers} peers`, one.cpuPercent, maxCpuPercent, { unit: ' % of a core' });
bar(`loss over ${peers} streams`, (one.lost / (one.received + one.lost)) * 100, maxLossPercent, {
  unit: ' %',
});
