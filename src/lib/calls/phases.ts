/** The steps of a call, in order; each is timed, and a call that fails does so in one of them. */
import { ExitCode, XmppctlError, type ErrorExtras } from '../errors.js';

export const phases = ['room', 'muji', 'session', 'ice', 'dtls', 'media'] as const;
export type Phase = (typeof phases)[number];

/** What a person is told. */
export const phaseNames: Readonly<Record<Phase, string>> = {
  room: 'entering the room',
  muji: 'agreeing with the others in the room (Muji)',
  session: 'the Jingle session',
  ice: 'finding a path (ICE)',
  dtls: 'securing the path (DTLS)',
  media: 'waiting for the first packet',
};

/** A call that failed, and where. */
export class CallError extends XmppctlError {
  override readonly name = 'CallError';
  readonly exitCode: ExitCode;

  constructor(
    readonly phase: Phase,
    message: string,
    { details, ...extras }: ErrorExtras = {},
  ) {
    super(message, { ...extras, details: { phase, ...details } });
    this.exitCode = ExitCode[phase];
  }
}
