/** Two sides of a call in one process, without signalling: what one says is told to the other. */
import { readFile } from 'node:fs/promises';
import type {
  Codec,
  LinkEvent,
  LinkOptions,
  MediaEngine,
  MediaKindPlan,
  MediaLink,
  RemoteTransport,
} from '../../src/lib/media/media-link.js';
import { readOggOpus } from '../../src/lib/media/sound/ogg-opus-reader.js';
import { loadOpus } from '../../src/lib/media/sound/opus-codec.js';

export const opus: Codec = {
  name: 'opus',
  payloadType: 111,
  clockRate: 48_000,
  channels: 2,
  parameters: {},
  feedback: [],
};
export const vp8: Codec = {
  name: 'VP8',
  payloadType: 96,
  clockRate: 90_000,
  channels: 1,
  parameters: {},
  feedback: ['nack pli', 'ccm fir'],
};

let nextSsrc = 1000;

export function audioPlan(changes: Partial<MediaKindPlan> = {}): MediaKindPlan {
  nextSsrc += 1;
  return {
    kind: 'audio',
    send: opus,
    ssrc: nextSsrc,
    cname: `side-${nextSsrc}`,
    receive: [opus],
    headerExtensions: [],
    ...changes,
  };
}

export interface CallSide {
  link: MediaLink;
  events: LinkEvent[];
  /** Resolves with the first event of this kind; rejects when the link ends before. */
  when<Type extends LinkEvent['type']>(type: Type): Promise<Extract<LinkEvent, { type: Type }>>;
}

export interface CallOptions {
  first?: Partial<LinkOptions>;
  second?: Partial<LinkOptions>;
  plans?: () => MediaKindPlan[];
  /** Changes what the first is told of the second. */
  tamper?: (remote: RemoteTransport) => RemoteTransport;
}

export async function connectEngines(
  first: MediaEngine,
  second: MediaEngine,
  options: CallOptions = {},
): Promise<[CallSide, CallSide]> {
  const plans = options.plans ?? (() => [audioPlan()]);
  const common = { servers: [], isRelayOnly: false, interfaces: ['lo'] };
  const one = watchLink(
    await first.openLink({ name: 'second', isInitiator: true, ...common, ...options.first }),
  );
  const other = watchLink(
    await second.openLink({ name: 'first', isInitiator: false, ...common, ...options.second }),
  );
  forward(one, other);
  forward(other, one);
  const tamper = options.tamper ?? ((remote) => remote);
  one.link.setRemote(tamper(remoteOf(other.link, 'active')), plans());
  other.link.setRemote(remoteOf(one.link, 'actpass'), plans());
  return [one, other];
}

export function remoteOf(link: MediaLink, setup: RemoteTransport['setup']): RemoteTransport {
  return { credentials: link.local.credentials, fingerprints: [link.local.fingerprint], setup };
}

/** What happened already is told to the other side, and what happens later, too. */
function forward(from: CallSide & { onEvent?: (event: LinkEvent) => void }, to: CallSide): void {
  from.onEvent = (event) => {
    if (event.type === 'candidate') to.link.addRemoteCandidate(event.candidate);
    if (event.type === 'gathered') to.link.endRemoteCandidates();
  };
  for (const event of from.events) from.onEvent(event);
}

export function watchLink(link: MediaLink): CallSide {
  const events: LinkEvent[] = [];
  const waiting = new Set<() => void>();
  let isOver = false;
  const side: CallSide & { onEvent?: (event: LinkEvent) => void } = {
    link,
    events,
    when: (type) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find((event) => event.type === type);
          if (!found && !isOver) return;
          waiting.delete(look);
          if (found) resolve(found as never);
          else reject(new Error(`no ${type} but ${JSON.stringify(events.slice(-3))}`));
        };
        waiting.add(look);
        look();
      }),
  };
  void (async () => {
    for await (const event of link.events) {
      events.push(event);
      side.onEvent?.(event);
      for (const look of [...waiting]) look();
    }
    isOver = true;
    for (const look of [...waiting]) look();
  })();
  return side;
}

/** All samples of an Ogg Opus file. */
export async function decodeRecording(path: string): Promise<Int16Array> {
  const decoder = (await loadOpus()).createDecoder();
  const pieces: Int16Array[] = [];
  const bytes = await readFile(path);
  for await (const { packet } of readOggOpus(once(bytes), path)) {
    pieces.push(decoder.decode(packet) ?? new Int16Array(0));
  }
  decoder.close();
  const all = new Int16Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** How much of the power is at one frequency (Goertzel), 0 to 1. */
export function shareOf(samples: Int16Array, hertz: number, rate = 48_000): number {
  const factor = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let [before, last, power] = [0, 0, 0];
  for (const sample of samples) {
    [before, last] = [last, sample + factor * last - before];
    power += sample * sample;
  }
  if (power === 0) return 0;
  return (2 * (last * last + before * before - factor * last * before)) / (samples.length * power);
}

/** The second in the middle: no beginning, no end. */
export function middleOf(samples: Int16Array, count = 24_000): Int16Array {
  const start = Math.max(0, Math.floor((samples.length - count) / 2));
  return samples.subarray(start, start + count);
}

// eslint-disable-next-line @typescript-eslint/require-await -- an iterable of one
async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
