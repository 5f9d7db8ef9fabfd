/** What there is to complete, read once from the definitions; each shell's script is written from it. */
import type { AnyCommandDefinition, CommandEntry, ValueKind } from '../command/definition.js';
import { globalOptions } from '../command/global-options.js';
import { commanderFor } from '../command/parse.js';

export interface CompletedOption {
  /** `['-q', '--quiet']` */
  names: readonly string[];
  description: string;
  /** Undefined for an option without a value. */
  value: ValueKind | undefined;
  /** Takes its value only as `--option=VALUE`. */
  isAttached: boolean;
}

export interface CompletedArgument {
  name: string;
  value: ValueKind;
  isVariadic: boolean;
}

export interface CompletedCommand {
  /** `account add` */
  path: string;
  summary: string;
  options: readonly CompletedOption[];
  args: readonly CompletedArgument[];
}

export interface CompletionModel {
  commands: readonly CompletedCommand[];
  groups: Readonly<Record<string, string>>;
  /** Before any command is named. */
  rootOptions: readonly CompletedOption[];
}

const rootNames = ['-h, --help', '-V, --version'];

export async function readCompletionModel(
  registry: readonly CommandEntry[],
  groups: Readonly<Record<string, string>>,
): Promise<CompletionModel> {
  const definitions = await Promise.all(registry.map((entry) => entry.load()));
  return {
    commands: definitions
      .map(completedCommand)
      .map((command) => (command.path === 'help' ? withCommandWords(command, registry) : command)),
    groups,
    rootOptions: [
      ...globalOptions.map(({ flags, description, takesValue }): CompletedOption => ({
        names: namesOf(flags),
        description,
        value: takesValue === 'never' ? undefined : valueKind(flags, undefined),
        isAttached: takesValue === 'attached',
      })),
      ...rootNames.map((flags): CompletedOption => ({
        names: namesOf(flags),
        description: flags.includes('help') ? 'show help' : 'show the version',
        value: undefined,
        isAttached: false,
      })),
    ],
  };
}

/** `help` explains commands as well as topics. Its definition cannot know them: they are not loaded with it. */
function withCommandWords(command: CompletedCommand, registry: readonly CommandEntry[]): CompletedCommand {
  const words = registry.flatMap(({ path }) => path.split(' '));
  return {
    ...command,
    args: command.args.map((argument) => ({
      ...argument,
      value: [...new Set([...(Array.isArray(argument.value) ? (argument.value as string[]) : []), ...words])],
    })),
  };
}

/** For each beginning of a command (`''`, `account`): the words that may follow, with what they are. */
export function commandWords({
  commands,
  groups,
}: CompletionModel): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const nodes = new Map<string, Map<string, string>>([['', new Map()]]);
  for (const { path, summary } of commands) {
    const words = path.split(' ');
    for (const [index, word] of words.entries()) {
      const parent = words.slice(0, index).join(' ');
      const children = nodes.get(parent) ?? new Map<string, string>();
      const isLast = index === words.length - 1;
      if (isLast || !children.has(word)) children.set(word, isLast ? summary : (groups[word] ?? ''));
      nodes.set(parent, children);
    }
  }
  return nodes;
}

function completedCommand(definition: AnyCommandDefinition): CompletedCommand {
  const command = commanderFor(definition);
  const { completes = {} } = definition;
  return {
    path: definition.path,
    summary: definition.summary,
    options: [
      ...command.options
        .filter((option) => !option.hidden)
        .map((option): CompletedOption => {
          const given = completes[option.long ?? ''] ?? completes[option.attributeName()];
          return {
            names: namesOf(option.flags),
            description: option.description,
            value:
              option.required || option.optional
                ? (given ?? option.argChoices ?? valueKind(option.flags, undefined))
                : undefined,
            isAttached: option.optional,
          };
        }),
      { names: ['-h', '--help'], description: 'show help', value: undefined, isAttached: false },
    ],
    args: command.registeredArguments.map((argument): CompletedArgument => ({
      name: argument.name(),
      value:
        completes[argument.name()] ??
        argument.argChoices ??
        valueKind(`<${argument.name()}>`, 'none') ??
        'none',
      isVariadic: argument.variadic,
    })),
  };
}

/** `-q, --quiet` → `['-q', '--quiet']` */
function namesOf(flags: string): string[] {
  return flags.split(/[ ,]+/).filter((word) => word.startsWith('-'));
}

const placeholders: Readonly<Record<string, ValueKind>> = {
  file: 'file',
  path: 'file',
  dir: 'directory',
  directory: 'directory',
  folder: 'directory',
  jid: 'jid',
  account: 'account',
};

/** What the placeholder of an option or argument says: `--ca <file>` takes a file. */
function valueKind(flags: string, otherwise: ValueKind | undefined): ValueKind | undefined {
  if (flags.startsWith('--account ')) return 'account';
  const [, placeholder = ''] = /[<[]([^>\].]+)/.exec(flags) ?? [];
  return placeholders[placeholder] ?? otherwise ?? 'none';
}
