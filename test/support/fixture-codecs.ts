/** Which codecs read the fixtures of a family: the one that matches the element is used. */
import type { ElementCodec } from '../../src/lib/xml/codec.js';

/** A codec whose type has been forgotten. */
export type AnyCodec = ElementCodec<unknown>;

export const fixtureCodecs: Readonly<Record<string, readonly AnyCodec[]>> = {};
