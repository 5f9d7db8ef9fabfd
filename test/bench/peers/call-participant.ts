/**
 * One participant of a call, in a process of its own: a tone is sent to all others, and what they send is recorded.
 * The process that started it carries what would be signalled, and asks at the end.
 *
 * Arguments: own number, number of participants, folder of the recordings; `star` when all but the first connect to the
 * first only.
 */
import { openMediaEngine } from '../../../src/lib/media/engine.js';
import type {
  IceCandidate,
  MediaKindPlan,
  MediaLink,
  RemoteTransport,
} from '../../../src/lib/media/media-link.js';

const [own = 0, count = 0] = process.argv.slice(2, 4).map(Number);
const folder = process.argv[4] ?? '.';
const isStar = process.argv[5] === 'star';
const peers = Array.from({ length: count }, (_, peer) => peer).filter(
  (peer) => peer !== own && (!isStar || own === 0 || peer === 0),
);
const opus = { name: 'opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: {}, feedback: [] };

type Message =
  | { type: 'remote'; from: number; remote: RemoteTransport }
  | { type: 'candidate'; from: number; candidate: IceCandidate }
  | { type: 'end'; from: number }
  | { type: 'open' }
  | { type: 'go' }
  | { type: 'begin' }
  | { type: 'report' };

const engine = await openMediaEngine({
  source: { kind: 'tone', hertz: 300 + 100 * own },
  sink: { recordDirectory: folder },
  signal: new AbortController().signal,
  onWarning: (text) => process.send?.({ type: 'warning', text }),
});
const links = new Map<number, MediaLink>();
let beginning = { cpu: process.cpuUsage(), atMs: performance.now(), received: 0, lost: 0 };
let heard = 0;
let isGoing = false;
const outbox: object[] = [];

process.on('message', (message: Message) => void take(message));
process.send?.({ type: 'ready' });

async function take(message: Message): Promise<void> {
  switch (message.type) {
    case 'open':
      for (const peer of peers) await open(peer);
      process.send?.({ type: 'opened' });
      break;
    case 'go':
      // Nothing is told before everybody has a link for whoever tells it.
      isGoing = true;
      for (const waiting of outbox.splice(0)) process.send?.(waiting);
      break;
    case 'remote':
      links.get(message.from)?.setRemote(message.remote, [plan()]);
      break;
    case 'candidate':
      links.get(message.from)?.addRemoteCandidate(message.candidate);
      break;
    case 'end':
      links.get(message.from)?.endRemoteCandidates();
      break;
    case 'begin':
      beginning = { cpu: process.cpuUsage(), atMs: performance.now(), ...totals() };
      break;
    case 'report': {
      const { user, system } = process.cpuUsage(beginning.cpu);
      const { received, lost } = totals();
      process.send?.({
        type: 'report',
        cpuMs: (user + system) / 1000,
        wallMs: performance.now() - beginning.atMs,
        received: received - beginning.received,
        lost: lost - beginning.lost,
      });
      await engine.close();
      process.disconnect();
    }
  }
}

async function open(peer: number): Promise<void> {
  const link = await engine.openLink({
    name: `participant-${peer}`,
    isInitiator: own < peer,
    servers: [],
    isRelayOnly: false,
    interfaces: ['lo'],
  });
  links.set(peer, link);
  const remote: RemoteTransport = {
    credentials: link.local.credentials,
    fingerprints: [link.local.fingerprint],
    setup: own < peer ? 'actpass' : 'active',
  };
  tell({ type: 'remote', from: own, to: peer, remote });
  void (async () => {
    for await (const event of link.events) {
      if (event.type === 'candidate') {
        tell({ type: 'candidate', from: own, to: peer, candidate: event.candidate });
      } else if (event.type === 'gathered') tell({ type: 'end', from: own, to: peer });
      else if (event.type === 'failed') process.send?.({ type: 'warning', text: event.reason });
      else if (event.type === 'first-packet') {
        heard += 1;
        if (heard === peers.length) process.send?.({ type: 'heard-all' });
      }
    }
  })();
}

function tell(message: object): void {
  if (isGoing) process.send?.(message);
  else outbox.push(message);
}

function plan(): MediaKindPlan {
  return {
    kind: 'audio',
    send: opus,
    ssrc: 1000 + own,
    cname: `participant-${own}`,
    receive: [opus],
    headerExtensions: [],
  };
}

function totals(): { received: number; lost: number } {
  const all = [...links.values()].map((link) => link.statistics());
  return {
    received: all.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0),
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
  };
}
