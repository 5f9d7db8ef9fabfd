/**
 * One command's own parser: commander, set up from the definition, with its complaints turned into our errors.
 */
import { Command, CommanderError, Help } from '@commander-js/extra-typings';
import { UsageError } from '../errors.js';
import type { AnyCommandDefinition } from './definition.js';
import { addGlobalOptions, groupsFor, maxTimeoutSeconds, type GlobalOptions } from './global-options.js';
import { showFlags } from './root-help.js';

const plainHelp = new Help();

/** What was typed after the command's words, parsed but not yet interpreted. */
export type Parsed =
  | { kind: 'run'; args: unknown[]; flags: Record<string, unknown>; global: GlobalOptions }
  | { kind: 'help'; text: string };

/** The commander command of a definition, complete with global options: for parsing, and for the generators to look at. */
export function commanderFor(definition: AnyCommandDefinition, columns = 80): Command {
  const words = definition.path.split(' ');
  const command = definition.build(new Command(words.at(-1)));
  command
    .description(
      `${capitalise(definition.summary)}.${definition.description ? `\n\n${definition.description}` : ''}`,
    )
    .usage(usageOf(command))
    .helpOption('-h, --help', 'show this help')
    .configureHelp({
      helpWidth: Math.min(columns, 110),
      showGlobalOptions: false,
      optionTerm: (option) => showFlags(option.flags),
      // What is given as often as wanted starts with an empty list, which tells nobody anything.
      optionDescription: (option) =>
        isEmptyList(option.defaultValue) ? option.description : plainHelp.optionDescription(option),
      commandUsage: () => `xmppctl ${definition.path} ${command.usage()}`,
    })
    .exitOverride();
  addGlobalOptions(command, groupsFor(definition.needs));
  command.addHelpText('after', () => afterHelp(definition));
  return command;
}

/**
 * Parses the arguments of one command.
 * @throws UsageError an unknown option, a missing argument, a value that is not allowed
 */
export function parseCommand(
  definition: AnyCommandDefinition,
  argv: readonly string[],
  columns: number,
): Parsed {
  const command = commanderFor(definition, columns);
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text), writeErr: () => undefined });
  let args: unknown[] = [];
  // commander calls an action with one value per declared argument, then the options, then itself.
  command.action((...values: unknown[]) => {
    args = values.slice(0, -2);
  });
  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { kind: 'help', text: help };
    throw new UsageError(complaint(error.message), { hint: `see xmppctl ${definition.path} --help` });
  }
  const flags: Record<string, unknown> = command.opts();
  return { kind: 'run', args, flags, global: globalFrom(flags) };
}

/** `error: unknown option '--tset'\n(Did you mean --test?)` → one line without the prefix. */
function complaint(message: string): string {
  return message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Numbers are checked here, once, for every command. */
function globalFrom(flags: Record<string, unknown>): GlobalOptions {
  const { timeout, passwordFd, ...rest } = flags;
  // Usually a variable that is not set: --trace=$FILE.
  if (rest['trace'] === '')
    throw new UsageError('--trace= names no file', { hint: '--trace alone shows the stream on stderr' });
  return {
    ...(rest as Omit<GlobalOptions, 'timeout' | 'passwordFd'>),
    ...(timeout !== undefined && { timeout: positive('--timeout', timeout) }),
    ...(passwordFd !== undefined && { passwordFd: descriptor(passwordFd) }),
  };
}

function positive(name: string, value: unknown): number {
  const number = Number(value);
  if (!(number > 0) || !Number.isFinite(number))
    throw new UsageError(`${name} takes a number of seconds above 0, not ${String(value)}`);
  return Math.min(number, maxTimeoutSeconds);
}

function descriptor(value: unknown): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 0)
    throw new UsageError(`--password-fd takes the number of an open file descriptor, not ${String(value)}`);
  return number;
}

function usageOf(command: Command): string {
  const args = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return ['[options]', ...args].join(' ');
}

function afterHelp(definition: AnyCommandDefinition): string {
  const blocks: string[] = [];
  if (definition.examples && definition.examples.length > 0) {
    blocks.push(
      ['Examples:', ...definition.examples.flatMap(({ does, line }) => [`  # ${does}`, `  $ ${line}`])].join(
        '\n',
      ),
    );
  }
  if (definition.exitCodes) {
    blocks.push(
      [
        'Exit codes:',
        ...Object.entries(definition.exitCodes).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`),
      ].join('\n'),
    );
  }
  return blocks.length > 0 ? `\n${blocks.join('\n\n')}\n` : '';
}
