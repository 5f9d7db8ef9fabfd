/**
 * Everything a command is given. All of it is lazy and replaceable: nothing connects, reads a file or asks a
 * question before a command needs it, and a test passes its own.
 */
import type { Readable } from 'node:stream';
import type { Output } from './output/output.js';
import type { ConnectOptions } from './session/options.js';
import type { Session } from './session/session.js';
import type { GlobalOptions } from './command/global-options.js';
import type { Tracer } from './trace/events.js';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Questions to the person at the terminal. Every method throws a UsageError when there is no terminal. */
export interface Prompt {
  readonly isAvailable: boolean;
  text(
    question: string,
    options?: { initial?: string; validate?: (answer: string) => string | true },
  ): Promise<string>;
  secret(question: string): Promise<string>;
  confirm(question: string, initial?: boolean): Promise<boolean>;
  select<T extends string>(question: string, choices: readonly { value: T; label: string }[]): Promise<T>;
}

export interface Context {
  /** The options that every command takes, as typed or from the environment. */
  readonly global: GlobalOptions;
  readonly output: Output;
  readonly prompt: Prompt;
  /** Aborted on Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { isTTY?: boolean };
  readonly clock: Clock;
  /** The number of this process. */
  readonly pid: number;
  /** How this very program is started: Node and its script. */
  readonly program: readonly [node: string, script: string];
  /** Until disposal the handler is given Ctrl-C, SIGTERM and SIGHUP and `signal` is not aborted: for a command that runs another program. */
  interceptSignals(handler: (name: NodeJS.Signals) => void): Disposable;
  /** The tracer that `--trace` asked for, or undefined. */
  tracer(): Promise<Tracer | undefined>;
  /** How the chosen account connects: profile, environment and options put together, secrets still unread. */
  connectOptions(overrides?: Partial<ConnectOptions>): Promise<ConnectOptions>;
  /** Connects the chosen account. */
  connect(overrides?: Partial<ConnectOptions>): Promise<Session>;
}
