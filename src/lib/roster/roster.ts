/**
 * Who is in the contact list of the account (RFC 6121 §2).
 *
 * Not here: changing it, its versions, and subscriptions.
 */
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { element } from '../xml/codec.js';
import { attr, children, withDefault } from '../xml/fields.js';
import { xml } from '../xml/element.js';
import { jid } from '../xml/jid-scalar.js';
import { token } from '../xml/scalars.js';

const NS_ROSTER = 'jabber:iq:roster';

const RosterQuery = element(NS_ROSTER, 'query', {
  items: children(
    element(NS_ROSTER, 'item', {
      jid: attr('jid', jid),
      subscription: withDefault(attr('subscription', token), 'none'),
    }),
  ),
});

export interface Contact {
  jid: JID;
  /** Whether we are told of their presence. */
  isSeen: boolean;
  /** Whether they are told of ours. */
  seesUs: boolean;
}

/** By bare address. @throws StanzaError · @throws TimeoutError */
export async function fetchRoster(session: Session, wait?: WaitOptions): Promise<Map<string, Contact>> {
  const reply = await session.request({ type: 'get', payload: xml('query', { xmlns: NS_ROSTER }) }, wait);
  const items = RosterQuery.find(reply)?.items ?? [];
  return new Map(
    items
      .filter(({ subscription }) => subscription !== 'remove')
      .map(({ jid: contact, subscription }) => [
        contact.bare.toString(),
        {
          jid: contact,
          isSeen: subscription === 'both' || subscription === 'to',
          seesUs: subscription === 'both' || subscription === 'from',
        },
      ]),
  );
}
