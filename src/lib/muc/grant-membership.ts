/** Letting somebody into a room for members only (XEP-0045 §9.3). */
import { queryInfo } from '../disco/query.js';
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { xml } from '../xml/element.js';

const NS_MUC_ADMIN = 'http://jabber.org/protocol/muc#admin';

/** The room says that only members may enter (§6.4). @throws StanzaError @throws TimeoutError */
export async function isMembersOnly(session: Session, room: JID, wait: WaitOptions): Promise<boolean> {
  const { features } = await queryInfo(session, room, undefined, wait);
  return features.includes('muc_membersonly');
}

/** @param who bare @throws StanzaError `forbidden`: only owners and admins may */
export async function grantMembership(
  session: Session,
  room: JID,
  who: JID,
  wait: WaitOptions,
): Promise<void> {
  const item = xml('item', { affiliation: 'member', jid: who.toString() });
  await session.request(
    { type: 'set', to: room, payload: xml('query', { xmlns: NS_MUC_ADMIN }, item) },
    wait,
  );
}
