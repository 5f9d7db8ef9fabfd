/** A session of two as Psi begins it: an invitation in a message, and the answer to it. */
import { randomUUID } from 'node:crypto';
import { DecodeError, NegativeError } from '../../errors.js';
import { EventQueue } from '../../event-queue.js';
import { JID } from '../../jid/jid.js';
import type { Session } from '../../session/session.js';
import { xml, type Element } from '../../xml/element.js';
import { decodePsiSxe, encodePsiSxe, NS_PSI_SXE, type PsiMessage, type PsiStep } from '../psi-stanzas.js';
import type { Channel } from './channel.js';
import { PeerChannel, type PeerLink } from './peer-channel.js';
import { PsiDialect } from './psi-dialect.js';

/** What Psi takes part in: drawings. */
export const NS_SVG = 'http://www.w3.org/2000/svg';

/** @throws NegativeError it was declined @throws InterruptedError */
export async function inviteByPsi(session: Session, peer: JID, signal: AbortSignal): Promise<Channel> {
  const id = randomUUID();
  const channel = new PeerChannel(session, new PsiLink(session, peer, id), new PsiDialect());
  const answers = new EventQueue<PsiStep['kind']>(100);
  using _answers = session.handle(
    { name: 'message', from: peer, child: { name: 'sxe', namespace: NS_PSI_SXE } },
    (message) => {
      const said = read(message);
      if (said?.session !== id) return;
      for (const { kind } of said.negotiation) answers.push(kind);
    },
  );
  using _presence = session.handle({ name: 'presence', from: peer }, (presence) => {
    if (isLeaving(presence)) answers.end();
  });
  const stop = (): void => answers.end();
  signal.addEventListener('abort', stop);
  // It is there before the answer, which it has to hear as well.
  channel.follow();
  try {
    await negotiate(session, peer, id, { kind: 'invitation', features: [NS_SVG] });
    for await (const answer of answers) {
      if (answer === 'accept-invitation') return channel;
      if (answer === 'decline-invitation' || answer === 'abort-negotiation') break;
    }
    signal.throwIfAborted();
    throw new NegativeError(`${peer.toString()} does not take the session`);
  } catch (error) {
    channel.end();
    if (session.state === 'online') await negotiate(session, peer, id, { kind: 'abort-negotiation' });
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Waits for an invitation.
 *
 * @param from whose; others are declined
 * @returns undefined: it was stopped
 */
export async function takePsiInvitation(
  session: Session,
  from: JID,
  stop: AbortSignal,
): Promise<Channel | undefined> {
  const invitations = new EventQueue<{ peer: JID; id: string; sxe: Element }>(100);
  using _messages = session.handle(
    { name: 'message', child: { name: 'sxe', namespace: NS_PSI_SXE } },
    (message) => {
      const said = read(message);
      const sxe = message.getChild('sxe', NS_PSI_SXE);
      const sender: unknown = message.attrs['from'];
      if (!said || !sxe || typeof sender !== 'string' || message.attrs['type'] === 'groupchat') return;
      if (said.negotiation.some(({ kind }) => kind === 'invitation'))
        invitations.push({ peer: JID.fromServer(sender), id: said.session, sxe });
    },
  );
  const end = (): void => invitations.end();
  stop.addEventListener('abort', end);
  try {
    if (stop.aborted) end();
    for await (const { peer, id, sxe } of invitations) {
      if (from.isBare ? peer.bare.equals(from) : peer.equals(from)) {
        const channel = new PeerChannel(session, new PsiLink(session, peer, id), new PsiDialect(), sxe);
        channel.follow();
        return channel;
      }
      await negotiate(session, peer, id, { kind: 'decline-invitation', alternativeSessions: [] });
    }
    return undefined;
  } finally {
    stop.removeEventListener('abort', end);
  }
}

/** An invitation to everybody in a room. */
export async function inviteRoom(session: Session, room: JID, id: string): Promise<void> {
  const negotiation: PsiStep[] = [{ kind: 'invitation', features: [NS_SVG] }];
  const sxe = encodePsiSxe({ session: id, id: randomUUID(), negotiation, edits: [] });
  await session.send(xml('message', { to: room.toString(), type: 'groupchat' }, sxe));
}

async function negotiate(session: Session, peer: JID, id: string, step: PsiStep): Promise<void> {
  const sxe = encodePsiSxe({ session: id, id: randomUUID(), negotiation: [step], edits: [] });
  await session.send(xml('message', { to: peer.toString() }, sxe));
}

function read(message: Element): PsiMessage | undefined {
  const sxe = message.getChild('sxe', NS_PSI_SXE);
  if (!sxe || message.attrs['type'] === 'error') return undefined;
  try {
    return decodePsiSxe(sxe);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

const isLeaving = ({ attrs }: Element): boolean =>
  attrs['type'] === 'unavailable' || attrs['type'] === 'error';

/** Held together by nothing: it is over when one says so, or has gone. */
class PsiLink implements PeerLink {
  isOver = false;
  readonly #presence: Disposable;
  readonly #over: Promise<void>;
  #end: () => void = () => undefined;

  constructor(
    private readonly stream: Session,
    readonly peer: JID,
    readonly session: string,
  ) {
    this.#over = new Promise((resolve) => (this.#end = resolve));
    this.#presence = stream.handle({ name: 'presence', from: peer }, (presence) => {
      if (isLeaving(presence)) this.#end();
    });
  }

  async untilOver(): Promise<void> {
    await this.#over;
  }

  async close(): Promise<void> {
    if (!this.isOver) await negotiate(this.stream, this.peer, this.session, { kind: 'left-session' });
    this.isOver = true;
  }

  [Symbol.dispose](): void {
    this.#presence[Symbol.dispose]();
  }
}
