/** What is made of the contents of an offer, and of its answer: which are used, on which paths. Pure. */
import { randomBytes } from 'node:crypto';
import { DecodeError } from '../errors.js';
import type { Content, Reason, Role, Senders } from '../jingle/stanzas.js';
import type { DtlsSetup, MediaKindPlan } from '../media/media-link.js';
import type { Element } from '../xml/element.js';
import {
  describe,
  directionsOf,
  ourAnswer,
  ourOffer,
  planOf,
  sendersOf,
  type MediaKind,
  type OurContent,
} from './negotiate.js';
import type { Phase } from './phases.js';
import { decidedSetup, offeredSetup, securityProblem } from './security.js';
import { bundledNames } from './stanzas/grouping.js';
import { IceTransport } from './stanzas/ice.js';
import { Description } from './stanzas/rtp.js';

/** Pictures are sent only where there are some, and received only where somebody wants them. */
export interface VideoWishes {
  isSent: boolean;
  isReceived: boolean;
}

export interface OfferedMedia {
  name: string;
  kind: MediaKind;
  codecs: OurContent['codecs'];
}

/** One content that both sides have described. */
export interface PlannedContent {
  ours: OurContent;
  theirs: Description;
  plan: MediaKindPlan;
}

/** How one path is to be connected: who describes it, and what travels on it. */
export interface PathPlan {
  /** Of the contents on it, the one whose transport counts comes first. */
  contents: PlannedContent[];
  transport: IceTransport;
  /** As the other side has it. */
  setup: DtlsSetup;
}

/** Nothing can be made of it: why, and in which step that failed. */
export interface Problem {
  reason: Reason;
  phase: Phase;
}

/** What we offer. */
export function offerOf(media: readonly OfferedMedia[], video: VideoWishes, cname: string): OurContent[] {
  const isBundled = media.length > 1;
  return media.map(({ name, kind, codecs }) => {
    const isSound = kind === 'audio';
    const senders = sendersOf(isSound || video.isSent, isSound || video.isReceived, 'initiator');
    return ourOffer({ name, kind, senders, codecs }, isBundled, { newSsrc, cname });
  });
}

/**
 * What is accepted of an offer. Without BUNDLE each content has a path of its own.
 * @param role ours in the session
 */
export function answerOffer(
  offered: readonly Content[],
  payload: readonly Element[],
  { video, cname, role }: { video: VideoWishes; cname: string; role: Role },
): PathPlan[] | Problem {
  const bundled = bundledNames(payload);
  const paths: PathPlan[] = [];
  let shared: PathPlan | undefined;
  let problem = noCodec;
  for (const content of offered) {
    const theirs = partsOf(content);
    if (!theirs) continue;
    const { description, transport } = theirs;
    const senders = answeredSenders(content.senders, description.media, video, role);
    const ours =
      senders === 'none' ? undefined : ourAnswer(content, description, senders, { newSsrc, cname });
    const plan = ours && planOf(ours, description, role);
    if (!ours || !plan) continue;
    const obstacle = obstacleIn(theirs);
    if (obstacle) {
      problem = obstacle;
      continue;
    }
    const isBundled = bundled.includes(content.name);
    const path = (isBundled ? shared : undefined) ?? {
      contents: [],
      transport,
      setup: offeredSetup(transport),
    };
    if (path.contents.length === 0) paths.push(path);
    if (isBundled) shared = path;
    path.contents.push({ ours, theirs: description, plan });
  }
  return paths.length > 0 ? paths : problem;
}

/** What has become of our offer. On a shared path, the transport of the first content says everything (RFC 9143 §7.3). */
export function readAnswer(
  offer: readonly OurContent[],
  contents: readonly Content[],
  payload: readonly Element[],
): PathPlan[] | Problem {
  const bundled = bundledNames(payload).filter((name) => contents.some((content) => content.name === name));
  const paths: PathPlan[] = [];
  let shared: PathPlan | undefined;
  const ordered = contents.toSorted((a, b) => Number(b.name === bundled[0]) - Number(a.name === bundled[0]));
  for (const content of ordered) {
    const offered = offer.find(({ name }) => name === content.name);
    const theirs = partsOf(content);
    if (!offered || !theirs) continue;
    const ours = { ...offered, senders: content.senders };
    const plan = planOf(ours, theirs.description, 'initiator');
    if (!plan) continue;
    const isBundled = bundled.includes(content.name);
    let path = isBundled ? shared : undefined;
    if (!path) {
      const obstacle = obstacleIn(theirs);
      if (obstacle) return obstacle;
      const setup = decidedSetup(theirs.transport);
      if (setup === undefined) return nobodyBegins;
      path = { contents: [], transport: theirs.transport, setup };
      paths.push(path);
    }
    if (isBundled) shared = path;
    path.contents.push({ ours, theirs: theirs.description, plan });
  }
  return paths.length > 0 ? paths : noCodec;
}

/** For the wire. */
export function contentOf(ours: OurContent, transport: Element): Content {
  const { creator, name, senders } = ours;
  return { creator, name, senders, description: describe(ours), transport };
}

export function transportOf({ transport }: Content): IceTransport | undefined {
  return readable(() => transport && IceTransport.decode(transport));
}

interface Parts {
  description: Description;
  transport: IceTransport;
}

function partsOf(content: Content): Parts | undefined {
  const transport = transportOf(content);
  const description = readable(() => content.description && Description.decode(content.description));
  return description && transport && { description, transport };
}

function readable<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function obstacleIn({ transport, description }: Parts): Problem | undefined {
  const insecure = securityProblem(transport, description);
  if (insecure)
    return { reason: insecure, phase: insecure.condition === 'security-error' ? 'dtls' : 'session' };
  return description.usesRtcpMux ? undefined : twoPorts;
}

/**
 * No more than was offered; pictures only as far as somebody wants them.
 * @param role ours in the session
 */
export function answeredSenders(offered: Senders, media: MediaKind, video: VideoWishes, role: Role): Senders {
  if (media === 'audio') return offered;
  const [weSend, theySend] = directionsOf(offered, role);
  return sendersOf(weSend && video.isSent, theySend && video.isReceived, role);
}

/** RFC 3550 §8: at random, because nobody gives them out. */
function newSsrc(): number {
  return randomBytes(4).readUInt32BE();
}

function problemOf(condition: string, text: string, phase: Phase): Problem {
  return { reason: { condition, text, details: [] }, phase };
}

const noCodec = problemOf('failed-application', 'no codec in common', 'session');
const twoPorts = problemOf(
  'incompatible-parameters',
  'RTP and RTCP on one port (rtcp-mux) are needed',
  'session',
);
const nobodyBegins = problemOf('security-error', 'nobody begins DTLS', 'dtls');
