/**
 * Calls of others: announced by message (XEP-0353), offered at once (XEP-0166), or by an invitation (XEP-0482), into a
 * room or to a session.
 *
 * Nothing is answered to those who are not wanted: they do not learn that somebody is here.
 */
import { EventQueue } from '../../event-queue.js';
import { TimeoutError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import type { JingleEndpoint } from '../../jingle/endpoint.js';
import type { JingleSession } from '../../jingle/jingle-session.js';
import { proposals, type IncomingProposal } from '../../jingle/message-initiation.js';
import type { JingleMessage } from '../../jingle/stanzas.js';
import type { Session } from '../../session/session.js';
import { Deferred, within } from '../../session/wait.js';
import { isDelayed } from '../../xml/delay.js';
import type { StanzaErrorFacts } from '../../xml/stanza-error.js';
import type { Element } from '../../xml/element.js';
import {
  encodeCallMessage,
  readCallMessage,
  type CallAction,
  type CallMessage,
  type CallMethod,
} from '../stanzas/invitations.js';
import { RoomInvitations, senderOf, type RoomInvitation } from '../room-invitations.js';
import { encodeCallInfo, NS_RTP } from '../stanzas/rtp.js';

export interface IncomingCall {
  kind: 'call';
  id: string;
  from: JID;
  isVideo: boolean;
  /** Aborted when it is not offered any more, or somebody else has taken it. */
  signal: AbortSignal;
  /** Tells the caller that somebody is being asked. */
  ring(): Promise<void>;
  /** @throws TimeoutError no session was offered after all */
  take(): Promise<JingleSession>;
  reject(why: 'busy' | 'decline' | 'tie-break'): Promise<void>;
}

export interface IncomingCallsOptions {
  session: Session;
  endpoint: JingleEndpoint;
  isWanted: (from: JID) => boolean;
  /** Whether invitations to calls in rooms are wanted as calls are; not at all when left out. */
  takesInvitations?: boolean;
  /** How long a session may take to be offered after we have said that we take it. */
  timeoutMs: number;
}

const MAX_OPEN = 100;

export class IncomingCalls implements Disposable {
  readonly events = new EventQueue<IncomingCall | RoomInvitation>(MAX_OPEN);
  readonly #options: IncomingCallsOptions;
  readonly #expected = new Map<string, Deferred<JingleSession>>();
  readonly #invitations: RoomInvitations;
  readonly #proposals: AsyncIterableIterator<IncomingProposal>;
  readonly #offers: AsyncIterableIterator<JingleSession>;
  readonly #messages: Disposable;

  constructor(options: IncomingCallsOptions) {
    this.#options = options;
    const { session, endpoint } = options;
    this.#invitations = new RoomInvitations({
      session,
      isWanted: (from) => options.takesInvitations === true && options.isWanted(from),
      takesPlain: false,
      emit: (invitation) => this.events.push(invitation),
    });
    this.#messages = session.handle({ name: 'message' }, (message) => this.#receiveMessage(message));
    this.#proposals = proposals(session);
    this.#offers = endpoint.incoming({
      application: NS_RTP,
      refuse: (from, message) => this.#refusal(from, message),
    });
    void this.#readProposals();
    void this.#readOffers();
  }

  [Symbol.dispose](): void {
    this.#messages[Symbol.dispose]();
    this.#invitations[Symbol.dispose]();
    void this.#proposals.return?.();
    void this.#offers.return?.();
    this.events.end();
  }

  async #readProposals(): Promise<void> {
    try {
      for await (const proposal of this.#proposals) this.#receiveProposal(proposal);
      this.events.end();
    } catch (error) {
      this.events.end(error);
    }
  }

  async #readOffers(): Promise<void> {
    for await (const jingle of this.#offers) {
      const expected = this.#expected.get(keyOf(jingle.peer, jingle.sid));
      if (expected) expected.resolve(jingle);
      else this.events.push(directCall(jingle));
    }
  }

  #refusal(from: JID, { sid, contents }: JingleMessage): StanzaErrorFacts | undefined {
    const isExpected = this.#expected.has(keyOf(from, sid)) || this.#expected.has(keyOf(from.bare, sid));
    const isCall = contents.every(({ description }) => description?.getNS() === NS_RTP);
    return isExpected || (isCall && this.#options.isWanted(from))
      ? undefined
      : { condition: 'service-unavailable' };
  }

  #receiveProposal(proposal: IncomingProposal): void {
    const { id, from, descriptions, signal } = proposal;
    const media = descriptions.filter((description) => description.getNS() === NS_RTP);
    // Whoever called while nobody was here has given up by now.
    if (media.length === 0 || proposal.isLate || !this.#options.isWanted(from)) return;
    this.events.push({
      kind: 'call',
      id,
      from,
      signal,
      ring: () => proposal.ring(),
      reject: (why) => proposal.reject(why),
      isVideo: media.some(({ attrs }) => attrs['media'] === 'video'),
      take: () => this.#expect(from, id, () => proposal.proceed(), signal),
    });
  }

  /** The session that comes when `tell` has said that we take it. */
  async #expect(
    from: JID,
    sid: string,
    tell: () => Promise<void>,
    retracted?: AbortSignal,
  ): Promise<JingleSession> {
    const key = keyOf(from, sid);
    const offered = new Deferred<JingleSession>();
    this.#expected.set(key, offered);
    const giveUp = (): void => offered.reject(new TimeoutError('the caller has hung up'));
    retracted?.addEventListener('abort', giveUp);
    if (retracted?.aborted === true) giveUp();
    try {
      await tell();
      const { session, timeoutMs } = this.#options;
      const doing = `waiting for the session of ${from.toString()}`;
      return await within(offered.promise, { doing, timeoutMs, signal: session.signal });
    } finally {
      retracted?.removeEventListener('abort', giveUp);
      this.#expected.delete(key);
    }
  }

  #receiveMessage(message: Element): void {
    this.#invitations.receive(message);
    const from = senderOf(message);
    const call = readCallMessage(message);
    if (!from || call?.action !== 'invite' || call.method?.kind !== 'jingle') return;
    if (!isDelayed(message) && this.#options.isWanted(from)) this.#receiveInvitation(from, call, call.method);
  }

  /** To a session that its sender offers when we take it. */
  #receiveInvitation(
    from: JID,
    { id, isVideo }: CallMessage,
    method: Extract<CallMethod, { kind: 'jingle' }>,
  ): void {
    const { session } = this.#options;
    const answer = (action: CallAction): Promise<void> =>
      session.send(
        encodeCallMessage(
          { action, id, isVideo, ...(action === 'accept' && { method }) },
          { jid: from, type: 'chat' },
        ),
      );
    this.events.push({
      kind: 'call',
      id,
      from,
      isVideo,
      signal: new AbortController().signal,
      ring: () => Promise.resolve(),
      take: () => this.#expect(method.jid ?? from, method.sid, () => answer('accept')),
      reject: () => answer('reject'),
    });
  }
}

/** Offered without any announcement. */
function directCall(jingle: JingleSession): IncomingCall {
  const controller = new AbortController();
  return {
    kind: 'call',
    id: jingle.sid,
    from: jingle.peer,
    isVideo: jingle.offered.some(({ description }) => description?.attrs['media'] === 'video'),
    signal: controller.signal,
    ring: async () => {
      const payload = [encodeCallInfo({ kind: 'ringing' })];
      await jingle.request({ action: 'session-info', contents: [], payload }).catch(() => undefined);
    },
    take: () => {
      if (jingle.phase === 'ended') return Promise.reject(new TimeoutError('the caller has hung up'));
      return Promise.resolve(jingle);
    },
    reject: (why) => jingle.terminate({ condition: why === 'tie-break' ? 'busy' : why }),
  };
}

function keyOf(from: JID, sid: string): string {
  return `${from.toString()} ${sid}`;
}
