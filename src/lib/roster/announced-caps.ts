/**
 * What an entity announces of its capabilities (XEP-0115 §4): a client in its presence, the own server in the features
 * of the stream (§6.3).
 */
import { Caps } from '../disco/caps.js';
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { presenceSettled, sendPresence } from './send-presence.js';

/**
 * Undefined when nothing is announced, or nothing that this account may see. Of a client we have to be a contact, and
 * become available to be told: with a priority below 0, so that no message comes to us.
 */
export async function findAnnouncedCaps(
  session: Session,
  entity: JID,
  wait: WaitOptions,
): Promise<Caps | undefined> {
  if (entity.toString() === session.jid.domain) return Caps.find(session.features);
  if (entity.isBare || session.kind === 'component') return undefined;
  let announced: Caps | undefined;
  using _watch = session.handle({ name: 'presence', from: entity }, (presence) => {
    if (presence.attrs['type'] === undefined) announced = Caps.find(presence);
  });
  await sendPresence(session, { ...wait, priority: -1 });
  // What it says about its presence comes the same way, and before what it answers.
  await presenceSettled(session, entity.toString(), wait);
  return announced;
}
