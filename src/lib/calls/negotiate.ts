/**
 * Which codecs, directions and extensions two sides agree on (RFC 3264 as XEP-0167 §4 has it). Pure.
 */
import type { Codec, HeaderExtension, MediaKindPlan } from '../media/media-link.js';
import type { Content, Role, Senders } from '../jingle/stanzas.js';
import type { Element } from '../xml/element.js';
import { AUDIO_LEVEL, MID } from './stanzas/header-extensions.js';
import { codecOf, payloadTypeOf, Description } from './stanzas/rtp.js';

export type MediaKind = 'audio' | 'video';

/**
 * What we speak, with the payload types that we give it where nobody else has.
 * COMPAT(Dino): in a conference it takes a payload type only when everything about it is as in its own list.
 */
export const ownCodecs: Readonly<Record<MediaKind, readonly Codec[]>> = {
  audio: [
    {
      name: 'opus',
      payloadType: 111,
      clockRate: 48_000,
      channels: 2,
      parameters: { useinbandfec: '1' },
      feedback: [],
    },
  ],
  video: [
    {
      name: 'VP8',
      payloadType: 98,
      clockRate: 90_000,
      channels: 1,
      parameters: {},
      feedback: ['goog-remb', 'ccm fir', 'nack', 'nack pli'],
    },
  ],
};

const ownExtensions: Readonly<Record<MediaKind, readonly HeaderExtension[]>> = {
  audio: [{ id: 1, uri: AUDIO_LEVEL }],
  video: [],
};
const midExtension: HeaderExtension = { id: 4, uri: MID };

/** The same codec, whatever number it has. */
export function isSameCodec(a: Codec, b: Codec): boolean {
  const name = a.name.toLowerCase();
  if (name !== b.name.toLowerCase() || a.clockRate !== b.clockRate) return false;
  // Opus is always announced with two channels (RFC 7587 §4.1); not everybody knows.
  return name === 'opus' || a.channels === b.channels;
}

export function isSpoken(kind: MediaKind, codec: Codec): boolean {
  return ownCodecs[kind].some((own) => isSameCodec(own, codec));
}

/** One content from our side: what it is, and what we send in it. */
export interface OurContent {
  creator: Role;
  name: string;
  kind: MediaKind;
  senders: Senders;
  /** What we receive, by our payload types. */
  codecs: readonly Codec[];
  headerExtensions: readonly HeaderExtension[];
  ssrc: number;
  cname: string;
}

export interface SourceNames {
  newSsrc: () => number;
  cname: string;
}

/** A content to offer. */
export function ourOffer(
  {
    name,
    kind,
    senders,
    codecs,
  }: { name: string; kind: MediaKind; senders: Senders; codecs: readonly Codec[] },
  isBundled: boolean,
  { newSsrc, cname }: SourceNames,
): OurContent {
  const headerExtensions = isBundled ? [...ownExtensions[kind], midExtension] : ownExtensions[kind];
  return { creator: 'initiator', name, kind, senders, codecs, headerExtensions, ssrc: newSsrc(), cname };
}

/**
 * What we answer to a content of an offer: those of its codecs that we speak, by its payload types; undefined when there
 * is none.
 * @param senders who sends in the end: no more than was offered
 */
export function ourAnswer(
  { creator, name }: Pick<Content, 'creator' | 'name'>,
  theirs: Description,
  senders: Senders,
  { newSsrc, cname }: SourceNames,
): OurContent | undefined {
  const kind = theirs.media;
  const codecs = theirs.payloadTypes.map(codecOf).filter((codec) => isSpoken(kind, codec));
  if (codecs.length === 0) return undefined;
  const known = [...ownExtensions[kind], midExtension].map(({ uri }) => uri);
  const headerExtensions = theirs.headerExtensions
    .filter(({ id, uri }) => id <= 14 && known.includes(uri))
    .map(({ id, uri }) => ({ id, uri }));
  return { creator, name, kind, senders, codecs, headerExtensions, ssrc: newSsrc(), cname };
}

/** The `<description/>` of a content of ours. */
export function describe({ kind, codecs, headerExtensions, ssrc, cname }: OurContent): Element {
  return Description.encode({
    media: kind,
    payloadTypes: codecs.map(payloadTypeOf),
    headerExtensions,
    sources: [{ ssrc, parameters: [{ name: 'cname', value: cname }] }],
    usesRtcpMux: true,
  });
}

/**
 * What is sent and received in a content, when both sides have described it; undefined when they have no codec in common.
 * @param role ours in the session
 */
export function planOf(ours: OurContent, theirs: Description, role: Role): MediaKindPlan | undefined {
  const send = theirs.payloadTypes
    .map(codecOf)
    .find((codec) => ours.codecs.some((own) => isSameCodec(own, codec)));
  if (!send) return undefined;
  const [weSend, theySend] = directionsOf(ours.senders, role);
  const shared = ours.headerExtensions.filter(({ id, uri }) =>
    theirs.headerExtensions.some((extension) => extension.id === id && extension.uri === uri),
  );
  return {
    kind: ours.kind,
    ...(weSend && { send }),
    ssrc: ours.ssrc,
    cname: ours.cname,
    receive: theySend ? ours.codecs : [],
    headerExtensions: shared,
    ...(shared.some(({ uri }) => uri === MID) && { mid: ours.name }),
  };
}

/** Whether we send, and whether they do. */
export function directionsOf(senders: Senders, role: Role): [weSend: boolean, theySend: boolean] {
  const other: Role = role === 'initiator' ? 'responder' : 'initiator';
  return [senders === 'both' || senders === role, senders === 'both' || senders === other];
}

/** The other way round. */
export function sendersOf(weSend: boolean, theySend: boolean, role: Role): Senders {
  if (weSend && theySend) return 'both';
  if (weSend) return role;
  if (theySend) return role === 'initiator' ? 'responder' : 'initiator';
  return 'none';
}
