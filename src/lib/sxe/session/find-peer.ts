/** Finding the resource of somebody that can take part, and the way in which it can: by Jingle, or as Psi does it. */
import { NegativeError, StanzaError, TimeoutError } from '../../errors.js';
import { queryInfo } from '../../disco/query.js';
import { JID } from '../../jid/jid.js';
import { PresenceWatch } from '../../roster/presence-watch.js';
import { presenceSettled, sendPresence } from '../../roster/send-presence.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { NS_PSI_SXE } from '../psi-stanzas.js';
import { NS_JINGLE_SXE, NS_SXE, NS_XHTML_EDITING, NS_XML_EDITING } from '../stanzas.js';
import type { Channel } from './channel.js';
import { offerByJingle, takeJingleOffer } from './jingle-peer.js';
import { inviteByPsi, NS_SVG, takePsiInvitation } from './psi-peer.js';

type Wait = WaitOptions & { signal: AbortSignal; onWaiting: () => void };
/** What somebody speaks. */
export type Spoken = 'standard' | 'psi';

/** Says, as long as it lives, that sessions of this kind can be had here (§5); `NS_SVG` is what Psi asks for. */
export function advertiseEditing(session: Session): Disposable {
  return session.advertise(NS_SXE, NS_JINGLE_SXE, NS_XHTML_EDITING, NS_XML_EDITING, NS_PSI_SXE, NS_SVG);
}

/**
 * Offers a session to somebody: the resource that can do it, as soon as there is one.
 *
 * @param isDrawing whether Psi can be asked as well
 * @throws NegativeError it was declined @throws StanzaError it was refused @throws InterruptedError
 */
export async function offerTo(
  session: Session,
  peer: JID,
  application: string,
  isDrawing: boolean,
  wait: Wait,
): Promise<Channel> {
  using presences = new PresenceWatch(session);
  await sendPresence(session, { signal: wait.signal });
  // Whoever is no contact is told directly, and answers in the same way.
  await sendPresence(session, { to: peer, signal: wait.signal });
  await presenceSettled(session, peer.domain, { signal: wait.signal });
  const { jid, spoken } = await findResource(session, presences, peer, isDrawing, wait);
  return spoken === 'psi'
    ? await inviteByPsi(session, jid, wait.signal)
    : await offerByJingle(session, jid, application, wait);
}

async function findResource(
  session: Session,
  presences: PresenceWatch,
  peer: JID,
  isDrawing: boolean,
  { signal, onWaiting, ...wait }: Wait,
): Promise<{ jid: JID; spoken: Spoken }> {
  const asked = new Map<string, Spoken | undefined>();
  for (let hasSaid = false; ; hasSaid = true) {
    const candidates = peer.isBare ? presences.of(peer).map(({ jid }) => jid) : [peer];
    for (const jid of candidates) {
      const name = jid.toString();
      if (!asked.has(name)) asked.set(name, await spokenBy(session, jid, { ...wait, signal }));
      const spoken = asked.get(name);
      if (spoken === 'standard' || (spoken === 'psi' && isDrawing)) return { jid, spoken };
    }
    if (!hasSaid) onWaiting();
    await presences.changed(signal);
    signal.throwIfAborted();
  }
}

/** Undefined: neither, or it does not say. */
export async function spokenBy(session: Session, jid: JID, wait: WaitOptions): Promise<Spoken | undefined> {
  try {
    const { features } = await queryInfo(session, jid, undefined, wait);
    if (features.includes(NS_SXE)) return 'standard';
    return features.includes(NS_PSI_SXE) && features.includes(NS_SVG) ? 'psi' : undefined;
  } catch (error) {
    if (error instanceof StanzaError || error instanceof TimeoutError) return undefined;
    throw error;
  }
}

/**
 * Waits until somebody offers a session, in either way.
 *
 * @param from whose offers are taken; others are declined
 * @throws InterruptedError
 */
export async function takeOffer(session: Session, from: JID, wait: Wait): Promise<Channel> {
  const found = new AbortController();
  const stop = AbortSignal.any([found.signal, wait.signal]);
  // Contacts are told by presence; whoever is none is told directly: now, and as soon as it is there.
  using _presences = session.handle({ name: 'presence' }, (presence) => {
    const sender: unknown = presence.attrs['from'];
    if (presence.attrs['type'] !== undefined || typeof sender !== 'string') return;
    const jid = JID.fromServer(sender);
    if (jid.bare.equals(from.bare) && !jid.equals(session.jid))
      sendPresence(session, { to: jid }).catch(() => undefined);
  });
  const ways = [takeJingleOffer(session, from, wait, stop), takePsiInvitation(session, from, stop)];
  let taken: Channel | undefined;
  try {
    await sendPresence(session, { signal: wait.signal });
    await sendPresence(session, { to: from, signal: wait.signal });
    wait.onWaiting();
    const channel = await Promise.race(ways);
    wait.signal.throwIfAborted();
    taken = channel;
    if (!channel) throw new NegativeError('no session was offered');
    return channel;
  } finally {
    found.abort();
    // Whatever the other way has found is for nobody.
    void Promise.allSettled(ways).then(async (results) => {
      for (const result of results)
        if (result.status === 'fulfilled' && result.value !== taken) await result.value?.close();
    });
  }
}
