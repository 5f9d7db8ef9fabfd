/** Saying that we are there (RFC 6121 §4.2, §4.6), and what we can do (XEP-0115). */
import { queryInfo } from '../disco/query.js';
import { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { xml } from '../xml/element.js';

export interface PresenceOptions extends WaitOptions {
  /** To one entity; to all who may see us when left out. */
  to?: JID;
  /** Below 0: messages to the account go to its other clients, or wait for them. */
  priority?: number;
}

export async function sendPresence(
  session: Session,
  { to, priority, ...wait }: PresenceOptions = {},
): Promise<void> {
  await session.send(
    xml(
      'presence',
      { to: to?.toString() },
      priority === undefined ? undefined : xml('priority', {}, String(priority)),
      await session.capabilities(),
    ),
    wait,
  );
}

/**
 * Resolves when the presence that our own has called forth from a domain, or from one entity, has come, as far as that
 * can be known: what it sends travels in order, so what was sent before its next answer is here.
 */
export async function presenceSettled(session: Session, from: string, wait: WaitOptions): Promise<void> {
  await queryInfo(session, JID.fromServer(from), undefined, wait).catch(() => undefined);
}
