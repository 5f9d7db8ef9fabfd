/**
 * Calling somebody: all clients of an account by message first (XEP-0353), or one client at once; and when both sides
 * call at the same moment, the lower of the two ids stands (XEP-0353 §4.1).
 */
import { CallError } from '../phases.js';
import { NegativeError, StanzaError, TimeoutError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { Proposal } from '../../jingle/message-initiation.js';
import type { Session } from '../../session/session.js';
import { Deferred, interruption, within } from '../../session/wait.js';
import { xml, type Element } from '../../xml/element.js';
import { CallSession, type CallContext, type CallSessionEvent } from '../call-session.js';
import { ownCodecs, type MediaKind } from '../negotiate.js';
import { NS_RTP } from '../stanzas/rtp.js';
import { IncomingCalls, type IncomingCall } from './incoming-calls.js';

export interface PlaceCallOptions extends CallContext {
  session: Session;
  /** All clients of an account, or with a resource that one. */
  to: JID;
  /** How long it may ring, in milliseconds. */
  ringMs: number;
  signal: AbortSignal;
  emit: (event: CallSessionEvent) => void;
}

export interface PlacedCall {
  session: CallSession;
  /** Ends the session, and tells the other clients of both sides that it is over. */
  hangUp(): Promise<void>;
}

/**
 * Resolves when the session is accepted.
 * @throws NegativeError declined, or busy
 * @throws TimeoutError nobody has answered
 * @throws CallError phase `session`: nobody is there, or there is no codec in common
 * @throws InterruptedError
 */
export async function placeCall(options: PlaceCallOptions): Promise<PlacedCall> {
  const { to, signal, ringMs } = options;
  const accepted = new Deferred<undefined>();
  const emit = (event: CallSessionEvent): void => {
    if (event.kind === 'phase' && event.phase === 'session') accepted.resolve(undefined);
    if (event.kind === 'ended') accepted.reject(refusalFrom(to, event));
    options.emit(event);
  };
  const { session, proposal } = await (to.isBare ? announce(options, emit) : offer(options, to, emit));
  const hangUp = async (): Promise<void> => {
    await session.end({ condition: session.isAccepted ? 'success' : 'cancel' });
    if (proposal && session.peer && session.isAccepted)
      await proposal.finish(session.peer, 'success').catch(() => undefined);
  };
  try {
    await within(accepted.promise, { doing: `calling ${to.toString()}`, timeoutMs: ringMs, signal });
  } catch (error) {
    await hangUp();
    throw error instanceof TimeoutError ? nobodyAnswered(to, ringMs) : error;
  }
  return { session, hangUp };
}

interface Begun {
  session: CallSession;
  proposal: Proposal | undefined;
}

async function offer(
  options: PlaceCallOptions,
  peer: JID,
  emit: (event: CallSessionEvent) => void,
  proposal?: Proposal,
): Promise<Begun> {
  const kinds = kindsOf(options);
  const media = kinds.map((kind) => ({ name: kind, kind, codecs: ownCodecs[kind] }));
  const to = { peer, name: peer.bare.toString(), ...(proposal && { sid: proposal.id }) };
  try {
    return { session: await CallSession.offer(options, to, media, emit), proposal };
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    throw new CallError('session', `${peer.toString()} does not take calls: ${error.condition}`, {
      cause: error,
      details: error.details,
    });
  }
}

/** Asks all clients, and offers the session to the one that takes the call. */
async function announce(options: PlaceCallOptions, emit: (event: CallSessionEvent) => void): Promise<Begun> {
  const { session, endpoint, to, ringMs, signal, timeoutMs } = options;
  using incoming = new IncomingCalls({
    session,
    endpoint,
    timeoutMs,
    isWanted: (from) => from.bare.equals(to),
  });
  const proposal = new Proposal(session, to, 'does not take the call');
  void proposal.firstSign.then((sign) => {
    if (sign === 'ringing') emit({ kind: 'ringing' });
  });
  const answer = new Deferred<JID | IncomingCall>();
  proposal.answer.then(
    (peer) => answer.resolve(peer),
    (error: unknown) => answer.reject(error as Error),
  );
  void resolveTies(incoming, proposal, answer);
  await proposal.send(kindsOf(options).map(describeKind));
  let answered: JID | IncomingCall;
  try {
    answered = await within(answer.promise, { doing: `calling ${to.toString()}`, timeoutMs: ringMs, signal });
  } catch (error) {
    await proposal.retract().catch(() => undefined);
    if (error instanceof TimeoutError) throw nobodyAnswered(to, ringMs);
    if (error instanceof StanzaError)
      throw new CallError('session', `${to.toString()} cannot be called: ${error.condition}`, {
        cause: error,
        details: error.details,
      });
    throw error;
  }
  if (!('kind' in answered)) return await offer(options, answered, emit, proposal);
  await proposal.retract({ isTieBreak: true });
  const jingle = await answered.take();
  const callSession = CallSession.incoming(options, jingle, to.toString(), emit);
  await callSession.accept();
  if (signal.aborted) throw interruption(signal, 'calling');
  return { session: callSession, proposal: undefined };
}

/** They call us, too: one of both stands. */
async function resolveTies(
  incoming: IncomingCalls,
  proposal: Proposal,
  answer: Deferred<JID | IncomingCall>,
): Promise<void> {
  try {
    for await (const event of incoming.events) {
      if (event.kind !== 'call') continue;
      const isTheirs = Buffer.compare(Buffer.from(event.id), Buffer.from(proposal.id)) < 0;
      if (isTheirs) answer.resolve(event);
      else await event.reject('tie-break').catch(() => undefined);
    }
  } catch (error) {
    answer.reject(error as Error);
  }
}

function kindsOf({ video }: PlaceCallOptions): MediaKind[] {
  return video.isSent ? ['audio', 'video'] : ['audio'];
}

function describeKind(kind: MediaKind): Element {
  return xml('description', { xmlns: NS_RTP, media: kind });
}

function refusalFrom(to: JID, { reason, failed }: Extract<CallSessionEvent, { kind: 'ended' }>): Error {
  const { condition, text } = reason;
  const said = text === undefined ? condition : `${condition}: ${text}`;
  if (failed === undefined)
    return new NegativeError(`${to.toString()} does not take the call (${said})`, { details: { condition } });
  return new CallError(failed, `the call to ${to.toString()} failed: ${said}`, { details: { condition } });
}

function nobodyAnswered(to: JID, ringMs: number): TimeoutError {
  return new TimeoutError(`${to.toString()} has not answered in ${ringMs / 1000} s`, {
    hint: 'let it ring for longer with --ring',
  });
}
