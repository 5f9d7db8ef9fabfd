/**
 * XEP-0047: In-Band Bytestreams, version 2.0.1: what goes over the wire.
 *
 * Not here: XEP-0079 for data in messages; see `block-carrier.ts` for what is done instead.
 */
import { element, type Infer } from '../../xml/codec.js';
import { attr, text, withDefault } from '../../xml/fields.js';
import { base64, enumOf, intBetween, token } from '../../xml/scalars.js';

export const NS_IN_BAND = 'http://jabber.org/protocol/ibb';

/** Sizes and sequence numbers are unsigned 16-bit integers (XEP-0047 §2.1, §2.2). */
export const MAX_BLOCK_BYTES = 65_535;

/** How data is carried: in requests that are acknowledged, or in messages that are not. */
export const stanzaKind = enumOf('iq', 'message');
export type StanzaKind = 'iq' | 'message';

export const blockSize = intBetween(1, MAX_BLOCK_BYTES);

export const Open = element(NS_IN_BAND, 'open', {
  blockSize: attr('block-size', blockSize),
  sid: attr('sid', token),
  stanza: withDefault(attr<StanzaKind>('stanza', stanzaKind), 'iq'),
});
export type Open = Infer<typeof Open>;

/** Base64 is read strictly (XEP-0047 §6); white space between its characters is not data, and the examples have it. */
export const Data = element(NS_IN_BAND, 'data', {
  seq: attr('seq', intBetween(0, 65_535)),
  sid: attr('sid', token),
  bytes: text(base64),
});
export type Data = Infer<typeof Data>;

export const Close = element(NS_IN_BAND, 'close', { sid: attr('sid', token) });
