/** The offerer of a proxy connects to it as well, and has it let the bytes through (XEP-0260 §2.4, XEP-0065 §6.3.5). */
import type { Socket } from 'node:net';
import type { TransportContext } from '../../jingle/transport.js';
import type { Candidate } from './candidates.js';
import { dial } from './dial.js';
import { encodeActivation } from './stanzas.js';

export interface ProxyUse {
  context: TransportContext;
  candidate: Candidate;
  sid: string;
  /** The hash with us first. */
  destination: string;
  mayReachLoopback: boolean;
  signal: AbortSignal;
}

/** @throws StanzaError the proxy refuses @throws Error it cannot be reached, or says nothing */
export async function activateOwnProxy({
  context: { session, peer, timeoutMs, signal: stop },
  candidate,
  sid,
  destination,
  mayReachLoopback,
  signal,
}: ProxyUse): Promise<Socket> {
  const socket = await dial(candidate, [destination], { timeoutMs: timeoutMs / 2, mayReachLoopback, signal });
  try {
    await session.request(
      { type: 'set', to: candidate.jid, payload: encodeActivation(sid, peer.toString()) },
      { timeoutMs, signal: stop ? AbortSignal.any([stop, signal]) : signal },
    );
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
