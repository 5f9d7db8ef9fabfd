/** Commands that join a session, do something with its document, and leave. */
import { defineCommand, type CommandDefinition, type CommandTexts } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import {
  joinCompletes,
  joinExitCodes,
  joinOptionsOf,
  nickOption,
  roomPasswordOption,
  sessionOption,
  whereText,
  type JoinOptions,
} from './sxe-flags.js';

interface JoinFlags extends Record<string, unknown> {
  nick?: string | undefined;
  roomPasswordFile?: string | undefined;
  session?: string | undefined;
}

/** A command that takes nothing but where the session is. */
export function defineJoinCommand(
  texts: CommandTexts,
  run: (options: JoinOptions, context: Context) => Promise<void>,
): CommandDefinition<[string], JoinFlags, JoinOptions> {
  return defineCommand({
    ...texts,
    exitCodes: { ...joinExitCodes, ...texts.exitCodes },
    completes: joinCompletes,
    build: (command) =>
      command
        .argument('<where>', whereText)
        .addOption(nickOption)
        .addOption(roomPasswordOption)
        .addOption(sessionOption),
    parse: ([where], flags: JoinFlags) => joinOptionsOf(where, flags),
    run,
  });
}
