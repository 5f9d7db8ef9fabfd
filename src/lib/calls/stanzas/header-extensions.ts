/**
 * XEP-0294: Jingle RTP Header Extensions Negotiation, version 1.1.2.
 *
 * Not here: parameters of extensions; none of those that are used has any.
 */
import { element, type Infer } from '../../xml/codec.js';
import { attr, withDefault } from '../../xml/fields.js';
import { enumOf, intBetween, token } from '../../xml/scalars.js';

export const NS_HEADER_EXTENSIONS = 'urn:xmpp:jingle:apps:rtp:rtp-hdrext:0';

export const HeaderExtensionElement = element(NS_HEADER_EXTENSIONS, 'rtp-hdrext', {
  /** 1 to 14 go into the short header (RFC 8285 §4.2); larger ones are for somebody else. */
  id: attr('id', intBetween(1, 255)),
  uri: attr('uri', token),
  senders: withDefault(attr('senders', enumOf('both', 'initiator', 'responder', 'none')), 'both'),
});
export type HeaderExtensionElement = Infer<typeof HeaderExtensionElement>;

/** RFC 6464: how loud a packet is. */
export const AUDIO_LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
/** RFC 8843 §15: which content a packet belongs to. */
export const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';
