/**
 * XEP-0045: Multi-User Chat, version 1.35.5: what goes over the wire for entering a room.
 */
import { element, type Infer } from '../xml/codec.js';
import { attr, child, childText, children, optional } from '../xml/fields.js';
import { jid } from '../xml/jid-scalar.js';
import { dateTime, uint } from '../xml/scalars.js';

export const NS_MUC = 'http://jabber.org/protocol/muc';
export const NS_MUC_USER = 'http://jabber.org/protocol/muc#user';
export const NS_MUC_OWNER = 'http://jabber.org/protocol/muc#owner';

/** In the presence that enters a room (§7.2). */
export const JoinRequest = element(NS_MUC, 'x', {
  history: optional(
    child(
      element(NS_MUC, 'history', {
        maxStanzas: optional(attr('maxstanzas', uint)),
        since: optional(attr('since', dateTime)),
      }),
    ),
  ),
  password: optional(childText('password')),
});

/** What the room says about an occupant (§7.2.2). */
export const RoomUser = element(NS_MUC_USER, 'x', {
  item: optional(
    child(
      element(NS_MUC_USER, 'item', {
        affiliation: optional(attr('affiliation')),
        role: optional(attr('role')),
        jid: optional(attr('jid', jid)),
        nick: optional(attr('nick')),
        reason: optional(childText('reason')),
      }),
    ),
  ),
  statuses: children(element(NS_MUC_USER, 'status', { code: attr('code', uint) })),
});
export type RoomUser = Infer<typeof RoomUser>;

/** Status codes of XEP-0045 §15.6.2 that matter to an occupant. */
export const RoomStatus = {
  nonAnonymous: 100,
  nonAnonymousFromNow: 172,
  self: 110,
  created: 201,
  nickAssigned: 210,
  banned: 301,
  nickChanged: 303,
  kicked: 307,
  affiliationLost: 321,
  membersOnly: 322,
  shutdown: 332,
  technical: 333,
} as const;
