/**
 * XEP-0249: Direct MUC Invitations, version 1.2.
 *
 * Not here: `continue` and `thread`, for a conversation that moves into a room.
 */
import { DecodeError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { element, type Infer } from '../xml/codec.js';
import { xml, type Element } from '../xml/element.js';
import { attr, optional } from '../xml/fields.js';
import { jid } from '../xml/jid-scalar.js';

export const NS_CONFERENCE = 'jabber:x:conference';

const Invitation = element(NS_CONFERENCE, 'x', {
  room: attr('jid', jid),
  password: optional(attr('password')),
  reason: optional(attr('reason')),
});
export type DirectInvitation = Infer<typeof Invitation>;

export function encodeDirectInvitation(to: JID, invitation: DirectInvitation): Element {
  return xml('message', { to: to.toString() }, Invitation.encode(invitation));
}

/** Undefined when the message invites to nothing, or nothing that can be read. */
export function readDirectInvitation(message: Element): DirectInvitation | undefined {
  try {
    return Invitation.find(message);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
