/**
 * Whether the other party of a transfer goes away, found out as soon as its server says so (RFC 6121 §4.5) where its
 * presence is for us: silence would have to be waited out.
 */
import { StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { Session } from '../session/session.js';

export interface PresenceToWatch {
  session: Pick<Session, 'handle'>;
  /** The full address. */
  peer: JID;
  /** Whether it is there. @throws StanzaError it is not */
  ping: () => Promise<void>;
  onGone: (error: StanzaError) => void;
}

export function watchPresence({ session, peer, ping, onGone }: PresenceToWatch): Disposable {
  let isOver = false;
  const askWhetherGone = async (): Promise<void> => {
    try {
      // It may have become invisible, and go on all the same.
      await ping();
    } catch (error) {
      if (error instanceof StanzaError && !isOver) onGone(error);
    }
  };
  const handled = session.handle(
    { name: 'presence', type: ['unavailable', 'error'], from: peer },
    () => void askWhetherGone(),
  );
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      handled[Symbol.dispose]();
    },
  };
}
