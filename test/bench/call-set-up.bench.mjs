/**
 * How long it takes whoever joins a call in a room with two others to hear both, as whole programs over a real server:
 * from entering the room to the first packet of the last, and where the time goes.
 * @sandbox prosody
 */
import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import readline from 'node:readline';
import { bar, show, xmppctl } from './measure.mjs';

const rounds = 12;
/** Until everything that is read from disk has been read once. */
const notCounted = 2;
const maxSetUpMs = 1000;
const room = `orchard@${process.env.XMPPCTL_SANDBOX_MUC}`;
const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];

/** A participant, and its events with the time when they came. */
function join(account, ...args) {
  const words = ['muc-call', 'join', room, '--create', '--interface', 'lo', '--tone', '440', '--json'];
  const child = spawn(xmppctl[0], [xmppctl[1], ...words, '--account', account, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const events = [];
  let wake = () => {};
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    events.push({ ...JSON.parse(line), at: performance.now() });
    wake();
  });
  const closed = new Promise((resolve) => child.once('close', resolve));
  void closed.then(() => wake());
  return {
    events,
    closed,
    async until(fits) {
      while (!fits(events) && child.exitCode === null) await new Promise((resolve) => (wake = resolve));
      if (!fits(events)) throw new Error(`${account} ended with exit code ${child.exitCode}`);
    },
    end: () => child.kill('SIGINT'),
  };
}

const heard = (events) => events.filter(({ event }) => event === 'first-packet');
const [alice, bob] = ['alice', 'bob'].map((account) => join(account, '--nick', account));
await Promise.all([alice, bob].map(({ until }) => until((events) => heard(events).length === 1)));
const times = [];
for (let round = 0; round < rounds; round += 1) {
  const carol = join('carol', '--nick', `carol${round}`);
  await carol.until((events) => heard(events).length === 2);
  const stepOf = (name) =>
    carol.events.find(({ event, phase }) => event === 'phase' && phase === name)?.ms ?? 0;
  const joined = carol.events.find(({ event }) => event === 'joined');
  const last = Math.max(...heard(carol.events).map(({ at }) => at));
  const [roomMs, mujiMs] = ['room', 'muji'].map(stepOf);
  if (round >= notCounted)
    times.push({
      room: roomMs,
      muji: mujiMs,
      sessions: last - joined.at,
      all: roomMs + mujiMs + last - joined.at,
    });
  carol.end();
  await carol.closed;
}
for (const one of [alice, bob]) one.end();
await Promise.all([alice, bob].map(({ closed }) => closed));

show('load of the machine', loadavg()[0], '');
show('entering the room', median(times.map(({ room: ms }) => ms)), 'ms');
show('agreeing with the others (Muji)', median(times.map(({ muji }) => muji)), 'ms');
show('sessions, paths, keys, first packets', median(times.map(({ sessions }) => sessions)), 'ms');
bar('from joining to hearing both others, median', median(times.map(({ all }) => all)), maxSetUpMs, {
  unit: ' ms',
});
