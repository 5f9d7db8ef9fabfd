/**
 * Noticing that a peer has vanished: when nothing arrives from it any more, it is asked whether it is there; when it is,
 * the path is tried anew, and when it is not, the session ends.
 */
import type { CallSession } from './call-session.js';

const LOOK_MS = 2000;
/** Of nothing at all: the sound of a call is sent without a pause, also when it is silent. */
const SILENT_LOOKS = 3;
const MAX_RESTARTS = 3;

/** Ends with the session, or when it is disposed. */
export function watchSession(session: CallSession): Disposable {
  let received = 0;
  let silentLooks = 0;
  let restarts = 0;
  let isAsking = false;
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };

  async function look(): Promise<void> {
    if (session.isEnded) {
      clearInterval(timer);
      return;
    }
    const packets = session.statistics()?.packetsReceived ?? 0;
    const isFlowing = packets !== received || session.isQuiet || packets === 0;
    received = packets;
    silentLooks = isFlowing ? 0 : silentLooks + 1;
    if (isFlowing) restarts = 0;
    if (silentLooks < SILENT_LOOKS || isAsking) return;
    isAsking = true;
    const isAlive = await session.isAlive();
    isAsking = false;
    silentLooks = 0;
    if (!isAlive) await session.end({ condition: 'connectivity-error', text: 'it has vanished' }, 'media');
    else if (restarts < MAX_RESTARTS) {
      restarts += 1;
      await session.restart();
    }
  }
}
