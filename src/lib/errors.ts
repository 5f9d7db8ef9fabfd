/**
 * Every error class of the program, and the exit code each one ends in.
 *
 * A message is one line and says what was being done and what came back; `hint` says what to do next.
 * Nothing secret may be put into a message, a hint or a detail.
 */

/** The documented exit codes (`xmppctl help exit-codes`). */
export const ExitCode = {
  ok: 0,
  no: 1,
  usage: 2,
  connect: 3,
  auth: 4,
  remote: 5,
  timeout: 6,
  file: 7,
  // Where a call failed; they are in the order of its phases.
  room: 20,
  muji: 21,
  session: 22,
  ice: 23,
  dtls: 24,
  media: 25,
  bug: 70,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface ErrorExtras {
  /** What the user can do next; one line. */
  hint?: string;
  /** Machine-readable facts, printed with `--json`. */
  details?: Readonly<Record<string, unknown>>;
  cause?: unknown;
}

/** The base of every error that is not a bug. */
export abstract class XmppctlError extends Error {
  abstract override readonly name: string;
  abstract readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.hint = extras.hint;
    this.details = extras.details ?? {};
  }
}

/** The work was done and the answer is no: declined, a check failed, items could not be handled. */
export class NegativeError extends XmppctlError {
  override readonly name = 'NegativeError';
  readonly exitCode = ExitCode.no;
}

/** What was typed, or what a configuration file says, cannot be acted on. */
export class UsageError extends XmppctlError {
  override readonly name: string = 'UsageError';
  readonly exitCode = ExitCode.usage;
}

/** The server could not be reached, or the connection was lost. */
export class ConnectError extends XmppctlError {
  override readonly name: string = 'ConnectError';
  readonly exitCode = ExitCode.connect;
}

/** A name could not be resolved. */
export class DnsError extends ConnectError {
  override readonly name = 'DnsError';
}

/** TLS is missing, failed, or its certificate is not the one we must see. */
export class TlsError extends ConnectError {
  override readonly name = 'TlsError';
}

/** The stream ended while it was still needed. */
export class ConnectionLostError extends ConnectError {
  override readonly name = 'ConnectionLostError';
}

/** The throw-away server could not be provided: not installed, did not start, or is not running. */
export class SandboxError extends ConnectError {
  override readonly name = 'SandboxError';
}

/** Authentication was refused, or the server could not prove that it knows the password. */
export class AuthError extends XmppctlError {
  override readonly name = 'AuthError';
  readonly exitCode = ExitCode.auth;
}

/** The other side answered with an error, or with something that is not XMPP. */
export class RemoteError extends XmppctlError {
  override readonly name: string = 'RemoteError';
  readonly exitCode = ExitCode.remote;
}

/** The other side broke the protocol: broken XML, a restricted feature, a limit exceeded. */
export class ProtocolError extends RemoteError {
  override readonly name: string = 'ProtocolError';
}

/** An element lacks something, or holds something of the wrong kind. */
export class DecodeError extends ProtocolError {
  override readonly name = 'DecodeError';

  constructor(
    /** Where in the stanza: `iq/slot/put@url`. */
    readonly path: string,
    readonly reason: string,
    extras: ErrorExtras = {},
  ) {
    super(`unexpected XML at ${path}: ${reason}`, { ...extras, details: { path, ...extras.details } });
  }
}

/** What others say goes on one line of ours; all of it is in the details. */
function shortened(text: string): string {
  const limit = 500;
  return text.length > limit ? `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

/** A `<stream:error/>` (RFC 6120 §4.9). */
export class StreamError extends RemoteError {
  override readonly name = 'StreamError';

  constructor(
    readonly condition: string,
    readonly text: string | undefined,
    extras: ErrorExtras = {},
  ) {
    super(`the server closed the stream: ${condition}${text ? ` (${shortened(text)})` : ''}`, {
      ...extras,
      details: { condition, ...(text && { text }), ...extras.details },
    });
  }
}

export type StanzaErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait';

/** A stanza of type `error` (RFC 6120 §8.3). Built by `stanzaErrorFrom` in `lib/xml/stanza-error.ts`. */
export class StanzaError extends RemoteError {
  override readonly name = 'StanzaError';

  constructor(
    readonly condition: string,
    readonly type: StanzaErrorType | undefined,
    readonly text: string | undefined,
    /** Name and namespace of the application-specific condition, if there is one. */
    readonly application: { name: string; namespace: string } | undefined,
    readonly from: string | undefined,
    extras: ErrorExtras = {},
  ) {
    super(
      `${from ?? 'the server'} answered ${condition}${application ? ` (${application.name})` : ''}${text ? `: ${shortened(text)}` : ''}`,
      {
        ...extras,
        details: {
          condition,
          ...(type && { type }),
          ...(text && { text }),
          ...(application && { application }),
          ...(from && { from }),
          ...extras.details,
        },
      },
    );
  }
}

/** Something did not happen within its time. */
export class TimeoutError extends XmppctlError {
  override readonly name = 'TimeoutError';
  readonly exitCode = ExitCode.timeout;
}

/** A local file could not be read or written. */
export class FileError extends XmppctlError {
  override readonly name = 'FileError';
  readonly exitCode = ExitCode.file;
}

/** The user, or whoever started us, asked to stop. */
export class InterruptedError extends XmppctlError {
  override readonly name = 'InterruptedError';
  readonly exitCode = ExitCode.interrupted;
}

/** A program was run for the user, and we end as it did. The message, if there is one, says why it could not be run. */
export class CommandExit extends Error {
  override readonly name = 'CommandExit';

  constructor(
    readonly exitCode: number,
    message = '',
  ) {
    super(message);
  }
}

/** The exit code an error ends in: anything that is not ours is a bug. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof XmppctlError ? error.exitCode : ExitCode.bug;
}
