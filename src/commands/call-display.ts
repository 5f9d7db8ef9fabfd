/** What is told of a call while it goes on: lines for people on standard error, one object a line with --json. */
import type { CallSessionEvent } from '../lib/calls/call-session.js';
import type { Conference, ConferenceEvent } from '../lib/calls/muji/conference.js';
import type { Participant } from '../lib/calls/muji/participant.js';
import { phaseNames, type Phase } from '../lib/calls/phases.js';
import type { CandidatePair, IceCandidate, LinkStatistics } from '../lib/media/media-link.js';
import type { Output } from '../lib/output/output.js';
import { safeText } from '../lib/output/safe-text.js';

/** One participant, as JSON and tables have it. */
export interface ShownParticipant {
  nick: string;
  jid?: string;
  state: Participant['state'];
  failed?: { phase: Phase; reason: string };
  phases: Partial<Record<Phase, number>>;
  isMuted?: true;
  codec?: string;
  local?: string;
  remote?: string;
  packetsSent?: number;
  packetsReceived?: number;
  lost?: number;
  jitterMs?: number;
  roundTripMs?: number;
  levelDbov?: number;
  /** What came of pictures, and how often a key frame of ours was asked for. */
  video?: LinkStatistics['video'];
}

export class CallDisplay {
  readonly #output: Output;
  /** Standard output is the sound. */
  readonly #isStdoutTaken: boolean;

  constructor(output: Output, { isStdoutTaken }: { isStdoutTaken: boolean }) {
    this.#output = output;
    this.#isStdoutTaken = isStdoutTaken;
  }

  async direct(name: string, event: CallSessionEvent): Promise<void> {
    switch (event.kind) {
      case 'ringing':
        await this.#tell({ event: 'ringing', participant: name });
        this.#output.note(`it rings at ${name}`);
        return;
      case 'phase':
        return this.#phase(event.phase, event.ms, name);
      case 'connected':
        await this.#tell({ event: 'connected', participant: name, ...shownPair(event.pair) });
        this.#output.detail(`${name}: ${pairText(event.pair)}`);
        return;
      case 'first-packet':
        await this.#tell({ event: 'first-packet', participant: name, media: event.media });
        if (event.media === 'audio') this.#output.note(`${name} can be heard`);
        return;
      case 'info':
        await this.#tell({ event: event.info.kind, participant: name });
        return;
      case 'ended': {
        const { by, reason, failed } = event;
        await this.#tell({
          event: 'ended',
          participant: name,
          by,
          reason: reason.condition,
          ...(reason.text !== undefined && { text: reason.text }),
          ...(failed && { failed }),
        });
        if (by === 'them') this.#output.note(`${name} has ended the call (${safe(reason.condition)})`);
      }
    }
  }

  async conference(conference: Pick<Conference, 'statistics'>, event: ConferenceEvent): Promise<void> {
    switch (event.kind) {
      case 'phase':
        return this.#phase(event.phase, event.ms, event.participant?.nick);
      case 'joined': {
        const { nick, present, isNewRoom } = event;
        await this.#tell({ event: 'joined', nick, present, isNewRoom });
        const who =
          present.length === 0 ? 'nobody else is there yet' : `there are ${safe(present.join(', '))}`;
        this.#output.note(`in the call as ${safe(nick)}; ${who}`);
        return;
      }
      case 'participant': {
        const { participant } = event;
        const statistics = conference.statistics(participant.nick);
        await this.#tell({ event: 'participant', ...shownParticipant(participant, statistics) });
        this.#tellState(participant);
        return;
      }
      case 'first-packet': {
        const { nick } = event.participant;
        await this.#tell({ event: 'first-packet', participant: nick, media: event.media });
        return;
      }
      case 'warning':
        await this.#tell({ event: 'warning', text: event.text });
        this.#output.warn(event.text);
        return;
      case 'put-out':
        await this.#tell({ event: 'put-out', reason: event.reason });
    }
  }

  /** At the end: everybody who took part, and the files that were written, which are the result. */
  async finish(participants: readonly ShownParticipant[], recordings: readonly string[]): Promise<void> {
    await this.#tell({ event: 'finished', participants, recordings });
    for (const participant of participants) this.#output.note(summary(participant));
    if (this.#isStdoutTaken || this.#output.isJson) return;
    for (const file of recordings) await this.#output.item(file, (path) => path);
    await this.#output.flush();
  }

  async #phase(phase: Phase, ms: number, participant: string | undefined): Promise<void> {
    await this.#tell({ event: 'phase', phase, ms, ...(participant !== undefined && { participant }) });
    const who = participant === undefined ? '' : `${safe(participant)}: `;
    this.#output.detail(`${who}${phaseNames[phase]}: ${ms} ms`);
  }

  #tellState({ nick, state, failure }: Participant): void {
    if (state === 'connected') this.#output.note(`${safe(nick)} can be heard`);
    if (state === 'left') this.#output.note(`${safe(nick)} has left`);
    if (state === 'failed' && failure)
      this.#output.warn(`${safe(nick)}: failed while ${phaseNames[failure.phase]}: ${safe(failure.reason)}`);
  }

  /** With --json only: what people are told goes to standard error. */
  async #tell(event: Record<string, unknown>): Promise<void> {
    if (!this.#output.isJson) return;
    await this.#output.item(event, () => '');
    await this.#output.flush();
  }
}

export function shownParticipant(
  { nick, jid, state, failure, phaseMs, pair, isMuted }: Participant,
  statistics: LinkStatistics | undefined,
): ShownParticipant {
  return {
    nick,
    ...(jid && { jid: jid.toString() }),
    state,
    ...(failure && { failed: failure }),
    phases: phaseMs,
    ...(isMuted && { isMuted }),
    ...(pair && shownPair(pair)),
    ...shownStatistics(statistics),
  };
}

export function shownStatistics(statistics: LinkStatistics | undefined): Partial<ShownParticipant> {
  if (!statistics) return {};
  const { codec, packetsSent, packetsReceived, lost, jitterMs, roundTripMs, levelDbov, pair, video } =
    statistics;
  return {
    ...(codec !== undefined && { codec }),
    ...(pair && shownPair(pair)),
    packetsSent,
    packetsReceived,
    lost,
    jitterMs: Math.round(jitterMs * 10) / 10,
    ...(roundTripMs !== undefined && { roundTripMs: Math.round(roundTripMs * 10) / 10 }),
    ...(levelDbov !== undefined && { levelDbov: Math.round(levelDbov) }),
    ...(video && { video }),
  };
}

function shownPair({ local, remote }: CandidatePair): { local: string; remote: string } {
  return { local: placeText(local), remote: placeText(remote) };
}

function pairText({ local, remote }: CandidatePair): string {
  return `${placeText(local)} to ${placeText(remote)}`;
}

function placeText({ type, ip, port }: IceCandidate): string {
  return `${type} ${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}

function summary({
  nick,
  state,
  failed,
  codec,
  packetsReceived = 0,
  lost = 0,
  jitterMs = 0,
}: ShownParticipant): string {
  const how = failed ? `failed while ${phaseNames[failed.phase]}: ${failed.reason}` : state;
  const what = codec === undefined ? '' : `, ${codec}`;
  return safe(`${nick}: ${how}${what}, ${packetsReceived} packets, ${lost} lost, jitter ${jitterMs} ms`);
}

function safe(text: string): string {
  return safeText(text, { singleLine: true });
}
