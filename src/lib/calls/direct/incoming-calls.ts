/**
 * Calls of others: announced by message (XEP-0353), offered at once (XEP-0166), or by an invitation (XEP-0482), into a
 * room or to a session.
 *
 * Nothing is answered to those who are not wanted: they do not learn that somebody is here.
 */
import { EventQueue } from '../../event-queue.js';
import { TimeoutError } from '../../errors.js';
import { JID } from '../../jid/jid.js';
import type { JingleEndpoint } from '../../jingle/endpoint.js';
import type { JingleSession } from '../../jingle/jingle-session.js';
import { proposals, type IncomingProposal } from '../../jingle/message-initiation.js';
import type { JingleMessage } from '../../jingle/stanzas.js';
import { readDirectInvitation } from '../../muc/direct-invitation.js';
import type { Session } from '../../session/session.js';
import { Deferred, within } from '../../session/wait.js';
import type { StanzaErrorFacts } from '../../xml/stanza-error.js';
import type { Element } from '../../xml/element.js';
import {
  encodeCallMessage,
  readCallMessage,
  type CallAction,
  type CallMessage,
  type CallMethod,
} from '../stanzas/invitations.js';
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

export interface IncomingInvitation {
  kind: 'invitation';
  id: string;
  /** In a room, the occupant. */
  from: JID;
  room: JID;
  password: string | undefined;
  isVideo: boolean;
  signal: AbortSignal;
  accept(): Promise<void>;
  reject(): Promise<void>;
  /** We have left the call. */
  left(): Promise<void>;
}

export interface IncomingCallsOptions {
  session: Session;
  endpoint: JingleEndpoint;
  isWanted: (from: JID) => boolean;
  /** How long a session may take to be offered after we have said that we take it. */
  timeoutMs: number;
}

const MAX_OPEN = 100;
const NS_DELAY = 'urn:xmpp:delay';

export class IncomingCalls implements Disposable {
  readonly events = new EventQueue<IncomingCall | IncomingInvitation>(MAX_OPEN);
  readonly #options: IncomingCallsOptions;
  readonly #expected = new Map<string, Deferred<JingleSession>>();
  readonly #invitations = new Map<string, AbortController>();
  /** By room: what the direct invitation says beside the invitation to the call. */
  readonly #passwords = new Map<string, { from: JID; password: string }>();
  readonly #proposals: AsyncIterableIterator<IncomingProposal>;
  readonly #offers: AsyncIterableIterator<JingleSession>;
  readonly #messages: Disposable;

  constructor(options: IncomingCallsOptions) {
    this.#options = options;
    const { session, endpoint } = options;
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
    if (media.length === 0 || !this.#options.isWanted(from)) return;
    this.events.push({
      kind: 'call',
      id,
      from,
      signal,
      ring: () => proposal.ring(),
      reject: (why) => proposal.reject(why),
      isVideo: media.some(({ attrs }) => attrs['media'] === 'video'),
      take: () => this.#expect(from, id, () => proposal.proceed()),
    });
  }

  /** The session that comes when `tell` has said that we take it. */
  async #expect(from: JID, sid: string, tell: () => Promise<void>): Promise<JingleSession> {
    const key = keyOf(from, sid);
    const offered = new Deferred<JingleSession>();
    this.#expected.set(key, offered);
    try {
      await tell();
      const { session, timeoutMs } = this.#options;
      const doing = `waiting for the session of ${from.toString()}`;
      return await within(offered.promise, { doing, timeoutMs, signal: session.signal });
    } finally {
      this.#expected.delete(key);
    }
  }

  #receiveMessage(message: Element): void {
    const { from: sender, type } = message.attrs as Record<string, unknown>;
    if (typeof sender !== 'string' || type === 'error' || message.getChild('delay', NS_DELAY)) return;
    const from = JID.fromServer(sender);
    const direct = readDirectInvitation(message);
    if (direct?.password !== undefined && this.#options.isWanted(from))
      remember(this.#passwords, direct.room.bare.toString(), { from, password: direct.password });
    const call = readCallMessage(message);
    if (!call || from.equals(this.#options.session.jid)) return;
    if (call.action === 'retract') this.#invitations.get(invitationKey(from, call.id))?.abort();
    if (call.action === 'invite' && call.method && this.#options.isWanted(from))
      this.#receiveInvitation(from, type === 'groupchat', call, call.method);
  }

  #receiveInvitation(
    from: JID,
    isGroupchat: boolean,
    { id, isVideo }: CallMessage,
    method: CallMethod,
  ): void {
    const key = invitationKey(from, id);
    if (this.#invitations.has(key)) return;
    const controller = new AbortController();
    remember(this.#invitations, key, controller);
    const { session } = this.#options;
    const to = isGroupchat
      ? { jid: from.bare, type: 'groupchat' as const }
      : { jid: from, type: 'chat' as const };
    const answer = (action: CallAction): Promise<void> =>
      session.send(encodeCallMessage({ action, id, isVideo, ...(action === 'accept' && { method }) }, to));
    const common = { id, from, isVideo, signal: controller.signal };
    if (method.kind === 'muji') {
      const known = this.#passwords.get(method.room.toString());
      this.events.push({
        ...common,
        kind: 'invitation',
        room: method.room,
        password: known?.from.bare.equals(from.bare) === true ? known.password : undefined,
        accept: () => answer('accept'),
        reject: () => answer('reject'),
        left: () => answer('left'),
      });
      return;
    }
    this.events.push({
      ...common,
      kind: 'call',
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

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MAX_OPEN) break;
    map.delete(oldest);
  }
}

function keyOf(from: JID, sid: string): string {
  return `${from.toString()} ${sid}`;
}

/** In a room whoever invites may have changed the nickname since. */
function invitationKey(from: JID, id: string): string {
  return `${from.bare.toString()} ${id}`;
}
