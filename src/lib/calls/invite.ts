/**
 * Inviting people to a call in a room: as members, where the room wants that, by a direct invitation (XEP-0249), which
 * carries the password, and by one to the call (XEP-0482).
 */
import { randomUUID } from 'node:crypto';
import { StanzaError } from '../errors.js';
import { JID } from '../jid/jid.js';
import { encodeDirectInvitation } from '../muc/direct-invitation.js';
import { grantMembership, isMembersOnly } from '../muc/grant-membership.js';
import type { Session } from '../session/session.js';
import { Deferred, within } from '../session/wait.js';
import { stanzaErrorFrom } from '../xml/stanza-error.js';
import type { Element } from '../xml/element.js';
import { encodeCallMessage, readCallMessage } from './stanzas/invitations.js';

export interface InviteOptions {
  room: JID;
  people: readonly JID[];
  password: string | undefined;
  isVideo: boolean;
  /** How long answers are waited for, in milliseconds; not at all when undefined. */
  waitMs: number | undefined;
  signal: AbortSignal;
  warn: (text: string) => void;
}

export interface Invited {
  jid: JID;
  /** `unreachable`: the invitation came back. */
  answer: 'invited' | 'accepted' | 'rejected' | 'unanswered' | 'unreachable';
}

/**
 * Invites, and yields one outcome for each, as they come.
 * @throws TimeoutError the room does not say what it is @throws InterruptedError
 */
export async function* invite(session: Session, options: InviteOptions): AsyncGenerator<Invited> {
  const { room, people, password, isVideo, waitMs, signal, warn } = options;
  if (await isForMembers(session, room, signal)) {
    for (const person of people) {
      try {
        await grantMembership(session, room, person.bare, { signal });
      } catch (error) {
        if (!(error instanceof StanzaError)) throw error;
        warn(`${person.toString()} could not be made a member of the room: ${error.condition}`);
      }
    }
  }
  const id = randomUUID();
  const answers = people.map((jid) => ({ jid, answer: new Deferred<Invited['answer']>() }));
  using _messages = session.handle({ name: 'message' }, (message) => {
    const answer = answerFrom(message, id);
    const from = JID.fromServer(String(message.attrs['from'] ?? ''));
    if (answer) answers.find(({ jid }) => jid.bare.equals(from.bare))?.answer.resolve(answer);
  });
  for (const jid of people) {
    await session.send(encodeDirectInvitation(jid, { room, password }));
    const method = { kind: 'muji' as const, room };
    await session.send(encodeCallMessage({ action: 'invite', id, method, isVideo }, { jid, type: 'chat' }));
  }
  await session.flush({ signal });
  const until = performance.now() + (waitMs ?? 0);
  for (const { jid, answer } of answers) {
    if (waitMs === undefined) {
      yield { jid, answer: 'invited' };
      continue;
    }
    const timeoutMs = Math.max(1, until - performance.now());
    const late = within(answer.promise, { doing: 'waiting for an answer', timeoutMs, signal });
    yield { jid, answer: await late.catch((): Invited['answer'] => 'unanswered') };
    signal.throwIfAborted();
  }
}

async function isForMembers(session: Session, room: JID, signal: AbortSignal): Promise<boolean> {
  try {
    return await isMembersOnly(session, room, { signal });
  } catch (error) {
    // One that does not say so to us may still let others in.
    if (error instanceof StanzaError) return false;
    throw error;
  }
}

function answerFrom(message: Element, id: string): Invited['answer'] | undefined {
  if (message.attrs['type'] === 'error')
    return message.attrs['id'] === id && stanzaErrorFrom(message).type !== 'wait' ? 'unreachable' : undefined;
  const call = readCallMessage(message);
  if (call?.id !== id) return undefined;
  if (call.action === 'accept') return 'accepted';
  return call.action === 'reject' ? 'rejected' : undefined;
}
