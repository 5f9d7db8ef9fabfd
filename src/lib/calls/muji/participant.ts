/** Who is in a conference, as the others see it. */
import type { JID } from '../../jid/jid.js';
import type { CandidatePair, LinkStatistics } from '../../media/media-link.js';
import type { CallSession, CallSessionEvent } from '../call-session.js';
import type { Phase } from '../phases.js';
import type { Occupant } from './conference-room.js';

export type ParticipantState = 'preparing' | 'calling' | 'connecting' | 'connected' | 'failed' | 'left';

export interface Participant {
  nick: string;
  jid: JID | undefined;
  state: ParticipantState;
  /** In which step it failed, and why. */
  failure: { phase: Phase; reason: string } | undefined;
  /** How long each step took, in milliseconds. */
  phaseMs: Partial<Record<Phase, number>>;
  pair: CandidatePair | undefined;
  isMuted: boolean;
}

/** With what belongs to the conference alone. */
export interface Member extends Participant {
  session: CallSession | undefined;
  /** Of the session that was the last. */
  final: LinkStatistics | undefined;
  isOurs: boolean;
  timer: NodeJS.Timeout | undefined;
  watch: Disposable | undefined;
}

export function newMember({ nick, jid }: Occupant): Member {
  return {
    nick,
    jid,
    state: 'preparing',
    failure: undefined,
    phaseMs: {},
    pair: undefined,
    isMuted: false,
    session: undefined,
    final: undefined,
    isOurs: false,
    timer: undefined,
    watch: undefined,
  };
}

export function release(member: Member): void {
  clearTimeout(member.timer);
  member.timer = undefined;
  member.watch?.[Symbol.dispose]();
  member.watch = undefined;
}

export function isTakingPart({ muji }: Occupant): boolean {
  return muji !== undefined && !muji.isPreparing && muji.contents.length > 0;
}

export function textOf({ reason }: Extract<CallSessionEvent, { kind: 'ended' }>): string {
  return reason.text === undefined ? reason.condition : `${reason.condition}: ${reason.text}`;
}
