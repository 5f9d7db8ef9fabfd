/**
 * What a command is: how it parses (`build`, `parse`) and what it does (`run`).
 *
 * The parser, `--help`, the man pages and the completions are all made from this one definition, so they cannot disagree.
 */
import type { Command } from '@commander-js/extra-typings';
import type { Context } from '../context.js';

export interface Example {
  /** What it does, as a phrase without a full stop. */
  does: string;
  /** The line to type, without a prompt. */
  line: string;
}

/** What a completion script can offer for an argument or an option's value. */
export type ValueKind = 'file' | 'directory' | 'account' | 'jid' | 'none' | readonly string[];

export interface CommandTexts {
  /** The words typed, without `xmppctl`: `vcard migrate`. Equals the file's path under `src/commands`. */
  path: string;
  /** One line, lower case, no full stop: what it does. */
  summary: string;
  /** Paragraphs for `--help` and the man page, separated by empty lines. */
  description?: string;
  examples?: readonly Example[];
  /** Further sections of the man page: title in capitals, and paragraphs. */
  sections?: readonly { title: string; text: string }[];
  /** Exit codes that mean something particular here: code → meaning. */
  exitCodes?: Readonly<Record<number, string>>;
  /** Which values complete an argument or an option, by its name (`jid`, `--file`). */
  completes?: Readonly<Record<string, ValueKind>>;
  /** Commands that never connect do not take the connection options. */
  needs?: 'connection' | 'account' | 'nothing';
}

export interface CommandDefinition<
  Args extends unknown[],
  Flags extends Record<string, unknown>,
  Options,
> extends CommandTexts {
  /** Declares arguments and options on a fresh commander command. */
  build: (command: Command) => Command<Args, Flags>;
  /** Turns what was typed into options that `run` can rely on. @throws UsageError */
  parse: (args: Args, flags: Flags, context: Context) => Options | Promise<Options>;
  /** Does the work. Failures are thrown; the error decides the exit code. */
  run: (options: Options, context: Context) => Promise<void>;
}

/** A definition whose types have been forgotten: what the registry and the generators hold. */
export interface AnyCommandDefinition extends CommandTexts {
  build: (command: Command) => Command;
  parse: (args: unknown[], flags: Record<string, unknown>, context: Context) => unknown;
  run: (options: unknown, context: Context) => Promise<void>;
}

/** Ties the types of `build`, `parse` and `run` together. */
export function defineCommand<Args extends unknown[], Flags extends Record<string, unknown>, Options>(
  definition: CommandDefinition<Args, Flags, Options>,
): CommandDefinition<Args, Flags, Options> {
  return definition;
}

/** One line of the registry: enough for the top-level help without loading the command. */
export interface CommandEntry {
  path: string;
  summary: string;
  load: () => Promise<AnyCommandDefinition>;
}
