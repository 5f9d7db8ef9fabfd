/**
 * The map of payload types that all in a conference keep (XEP-0272 §"Joining a Conference"): what is added to it is as
 * the others have it, and something in it is spoken by all. Pure.
 */
import type { Codec } from '../../media/media-link.js';
import { isSameCodec, isSpoken, ownCodecs, type MediaKind } from '../negotiate.js';
import { codecOf, payloadTypeOf, type Description } from '../stanzas/rtp.js';
import type { MujiContent } from '../stanzas/muji.js';

export interface ParticipantMap {
  nick: string;
  contents: readonly MujiContent[];
}

/** What we announce for one kind of media. */
export interface AgreedContent {
  name: string;
  kind: MediaKind;
  codecs: Codec[];
  /** Those who announce this kind of media, and not the first of these codecs as the others have it. */
  without: string[];
}

/**
 * Our content for a kind of media, given what those before us have announced; undefined when none of them speaks
 * anything that we speak.
 */
export function agreeOn(kind: MediaKind, others: readonly ParticipantMap[]): AgreedContent | undefined {
  const maps = others.flatMap(({ nick, contents }) => {
    const content = contents.find(({ description }) => description.media === kind);
    return content
      ? [{ nick, name: content.name, codecs: content.description.payloadTypes.map(codecOf) }]
      : [];
  });
  const [first] = maps;
  if (!first) return { name: freeName(kind, others), kind, codecs: ownNumbers(kind, others), without: [] };
  const candidates = new Map<number, { codec: Codec; support: number }[]>();
  for (const { codecs } of maps) {
    for (const codec of codecs) {
      if (!isSpoken(kind, codec)) continue;
      const definitions = candidates.get(codec.payloadType) ?? [];
      const known = definitions.find((definition) => isSameEntry(definition.codec, codec));
      if (known) known.support += 1;
      else definitions.push({ codec, support: 1 });
      candidates.set(codec.payloadType, definitions);
    }
  }
  // Where two define one number differently, what more of them say holds, and of equals what was there first.
  const chosen = [...candidates.values()].flatMap((definitions) => {
    const [most] = definitions.toSorted((a, b) => b.support - a.support);
    return most ? [most] : [];
  });
  if (chosen.length === 0) return undefined;
  const codecs = chosen.toSorted((a, b) => b.support - a.support).map(({ codec }) => codec);
  const [best] = codecs;
  const without = maps
    .filter((map) => !map.codecs.some((codec) => best !== undefined && isSameEntry(best, codec)))
    .map(({ nick }) => nick);
  return { name: first.name, kind, codecs, without };
}

/** The same number for the same codec with the same parameters. */
function isSameEntry(a: Codec, b: Codec): boolean {
  const keys = Object.keys(a.parameters);
  return (
    a.payloadType === b.payloadType &&
    isSameCodec(a, b) &&
    keys.length === Object.keys(b.parameters).length &&
    keys.every((key) => a.parameters[key] === b.parameters[key])
  );
}

/** Numbers that nobody uses for anything else: contents may share a path, where a number means one thing. */
function ownNumbers(kind: MediaKind, others: readonly ParticipantMap[]): Codec[] {
  const used = new Set(
    others.flatMap(({ contents }) =>
      contents.flatMap(({ description }) => description.payloadTypes.map(({ id }) => id)),
    ),
  );
  return ownCodecs[kind].map((codec) => {
    let { payloadType } = codec;
    for (let number = 96; used.has(payloadType) && number < 128; number += 1) payloadType = number;
    used.add(payloadType);
    return { ...codec, payloadType };
  });
}

function freeName(kind: MediaKind, others: readonly ParticipantMap[]): string {
  const used = new Set(others.flatMap(({ contents }) => contents.map(({ name }) => name)));
  let name: string = kind;
  for (let number = 2; used.has(name); number += 1) name = `${kind}${number}`;
  return name;
}

/** For our presence. */
export function mujiContentOf({ name, kind, codecs }: AgreedContent): MujiContent {
  const description: Description = {
    media: kind,
    payloadTypes: codecs.map(payloadTypeOf),
    feedback: [],
    headerExtensions: [],
    sources: [],
    encryption: [],
    usesRtcpMux: false,
  };
  return { name, description };
}
