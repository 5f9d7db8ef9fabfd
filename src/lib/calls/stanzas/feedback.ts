/**
 * XEP-0293: Jingle RTP Feedback Negotiation, version 1.0.2.
 *
 * Not here: how often feedback comes at most (`rtcp-fb-trr-int`).
 */
import { element, type Infer } from '../../xml/codec.js';
import { attr, optional } from '../../xml/fields.js';
import { token } from '../../xml/scalars.js';

export const NS_FEEDBACK = 'urn:xmpp:jingle:apps:rtp:rtcp-fb:0';

/** In a description, for all of its payload types, or in one of these: `nack pli`. */
export const Feedback = element(NS_FEEDBACK, 'rtcp-fb', {
  type: attr('type', token),
  subtype: optional(attr('subtype', token)),
});
export type Feedback = Infer<typeof Feedback>;

/** As SDP has it: `nack pli`. */
export function feedbackText({ type, subtype }: Feedback): string {
  return subtype === undefined ? type : `${type} ${subtype}`;
}

export function feedbackFrom(text: string): Feedback {
  const [type = '', ...rest] = text.split(' ');
  return rest.length === 0 ? { type } : { type, subtype: rest.join(' ') };
}
