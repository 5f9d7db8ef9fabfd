import { defineCommand } from '../../lib/command/definition.js';
import type { Conference } from '../../lib/calls/muji/conference.js';
import type { Context } from '../../lib/context.js';
import type { Output } from '../../lib/output/output.js';
import { renderTable } from '../../lib/output/table.js';
import { shownParticipant, type ShownParticipant } from '../call-display.js';
import { addCallOptions, callCompletes, positive, toCallOptions, type CallOptions } from '../call-flags.js';
import { openCall } from '../call-run.js';
import { mediaText, pathText, phaseExitCodes } from '../call-texts.js';
import { confer, joinConference, type ConferenceDisplay } from '../conference-run.js';
import {
  nickAndPassword,
  nickOption,
  prepareOption,
  roomCompletes,
  roomExitCodes,
  roomOf,
  roomPasswordOption,
  type RoomFlags,
} from './muc-call-flags.js';
import type { JID } from '../../lib/jid/jid.js';

export interface StatusOptions extends CallOptions, RoomFlags {
  room: JID;
  prepareMs: number;
  intervalMs: number;
}

export const command = defineCommand({
  path: 'muc-call status',
  summary: 'watch a call in a room from inside: who is connected, by which path, loss, jitter, level',
  description: [
    'Takes part in the call as xmppctl muc-call join does, because only who takes part can measure, and shows everybody in a table: the state, the codec, the address of the path at their end, packets received and lost, jitter and round trip in milliseconds, and how loud they are (0 is as loud as can be, -127 silence).',
    'On a terminal the table is drawn anew every --interval seconds. Elsewhere, and with --json, it is an object a line, every time.',
  ].join('\n\n'),
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'elapsedMs since the beginning, and participants: nick, jid, state (preparing, calling, connecting, connected, failed, left), failed (phase, reason), phases (milliseconds of each), codec, local and remote (the addresses of the path), packetsSent, packetsReceived, lost, jitterMs, roundTripMs, levelDbov.',
    },
    { title: 'SOUND AND PICTURES', text: mediaText },
    { title: 'PATHS', text: pathText },
  ],
  examples: [
    { does: 'watch', line: 'xmppctl muc-call status orchard@chat.example.org' },
    {
      does: 'log the loss of everybody for a minute',
      line: `xmppctl muc-call status orchard@chat.example.org --duration 60 | jq -c '.participants[] | [.nick, .lost]'`,
    },
  ],
  exitCodes: { 1: 'some could not be heard to the end', ...roomExitCodes, ...phaseExitCodes },
  completes: { ...roomCompletes, '--interval': 'none', ...callCompletes },
  build: (command) =>
    addCallOptions(command)
      .argument('<room>', 'the room')
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(prepareOption)
      .option('--interval <s>', 'how often', '1'),
  parse: ([room], flags, { global }): StatusOptions => ({
    ...toCallOptions(flags, global.json === true),
    room: roomOf(room),
    nick: flags.nick,
    passwordFile: flags.roomPasswordFile,
    prepareMs: 1000 * positive('--prepare', flags.prepare),
    intervalMs: 1000 * positive('--interval', flags.interval),
  }),
  run: runStatus,
});

/** @throws CallError @throws NegativeError @throws InterruptedError */
export async function runStatus(options: StatusOptions, context: Context): Promise<void> {
  const { signal, output } = context;
  const { room, prepareMs, durationMs, intervalMs } = options;
  const { advertiseCalls } = await import('../../lib/calls/features.js');
  await using session = await context.connect({ resume: true });
  using _features = advertiseCalls(session, true);
  await using open = await openCall(session, options, context);
  const own = await nickAndPassword(session, options, context);
  const conference = await joinConference(
    { ...open.call, session, room: { room, ...own }, prepareMs, signal },
    open.display,
  );
  const view = new StatusView(output, conference, intervalMs);
  await confer(
    conference,
    { engine: open.engine, display: view },
    { session, durationMs, expect: undefined, endsAlone: false, signal },
  );
}

class StatusView implements ConferenceDisplay {
  readonly #output: Output;
  readonly #conference: Conference;
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(output: Output, conference: Conference, intervalMs: number) {
    this.#output = output;
    this.#conference = conference;
    this.#timer = setInterval(() => void this.#draw().catch(() => undefined), intervalMs);
  }

  /** What happens is seen in the next table. */
  conference(): Promise<void> {
    return Promise.resolve();
  }

  async finish(participants: readonly ShownParticipant[]): Promise<void> {
    clearInterval(this.#timer);
    await this.#show(participants);
    await this.#output.flush();
  }

  async #draw(): Promise<void> {
    const conference = this.#conference;
    const participants = conference
      .participants()
      .map((participant) => shownParticipant(participant, conference.statistics(participant.nick)));
    await this.#show(participants);
  }

  async #show(participants: readonly ShownParticipant[]): Promise<void> {
    const elapsedMs = Math.round(performance.now() - this.#began);
    await this.#output.live({ elapsedMs, participants }, () => this.#render(participants));
  }

  #render(participants: readonly ShownParticipant[]): string {
    const header = ['nick', 'state', 'codec', 'path', 'received', 'lost', 'jitter', 'rtt', 'level'];
    const rows = participants.map(
      ({ nick, state, failed, codec, remote, packetsReceived, lost, jitterMs, roundTripMs, levelDbov }) => [
        nick,
        failed ? `failed: ${failed.phase}` : state,
        codec ?? '',
        remote ?? '',
        ...[packetsReceived, lost, jitterMs, roundTripMs, levelDbov].map((value) => value?.toString() ?? ''),
      ],
    );
    // A line that is broken by the terminal would not be drawn over.
    return renderTable(this.#output, header, rows)
      .split('\n')
      .map((line, index) => (index === 0 ? line : line.slice(0, this.#output.columns - 1)))
      .join('\n');
  }
}
