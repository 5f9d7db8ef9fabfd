/**
 * From words to a finished command: finds it, loads it, parses, runs. Knows nothing of processes and terminals.
 */
import { UsageError } from '../errors.js';
import type { Context } from '../context.js';
import type { CommandEntry } from './definition.js';
import type { GlobalOptions } from './global-options.js';
import { splitArgv } from './argv.js';

export interface Program {
  registry: readonly CommandEntry[];
  /** Group name → what the group is for. */
  groups: Readonly<Record<string, string>>;
  columns: number;
  /** Prints help to stdout. */
  printHelp: (text: string) => void;
  createContext: (global: GlobalOptions) => Promise<Context>;
}

/** @throws XmppctlError whatever went wrong; anything else thrown is a bug */
export async function runProgram(argv: readonly string[], program: Program): Promise<void> {
  const { registry, groups, columns } = program;
  const { path, unknown, rest } = splitArgv(argv, new Set(registry.map((entry) => entry.path)));
  const wantsHelp = rest.includes('--help') || rest.includes('-h');
  const entry = registry.find((candidate) => candidate.path === path);
  if (!entry) {
    const [first] = unknown;
    const group = first === undefined ? undefined : groups[first];
    if (wantsHelp && (first === undefined || group !== undefined)) {
      const { renderGroupHelp, renderRootHelp } = await import('./root-help.js');
      program.printHelp(
        first !== undefined && group !== undefined
          ? renderGroupHelp(first, group, registry, columns)
          : renderRootHelp(registry, groups, columns),
      );
      return;
    }
    throw await noSuchCommand(unknown, rest, program);
  }
  const [definition, { parseCommand }] = await Promise.all([entry.load(), import('./parse.js')]);
  const parsed = parseCommand(definition, rest, columns);
  if (parsed.kind === 'help') {
    program.printHelp(parsed.text);
    return;
  }
  const context = await program.createContext(parsed.global);
  const options = await definition.parse(parsed.args, parsed.flags, context);
  await definition.run(options, context);
  await context.output.flush();
}

async function noSuchCommand(
  words: readonly string[],
  rest: readonly string[],
  program: Program,
): Promise<UsageError> {
  const [first, second] = words;
  if (first === undefined) {
    const [option] = rest;
    return new UsageError(option === undefined ? 'no command given' : `${option} needs a command`, {
      hint: 'xmppctl --help lists the commands',
    });
  }
  const isGroup = first in program.groups;
  const choices = isGroup
    ? program.registry
        .filter(({ path }) => path.startsWith(`${first} `))
        .map(({ path }) => path.slice(first.length + 1))
    : [...new Set(program.registry.map(({ path }) => path.split(' ')[0] ?? path))];
  if (isGroup && second === undefined) {
    return new UsageError(`${first} needs one of: ${choices.join(', ')}`, {
      hint: `see xmppctl ${first} --help`,
    });
  }
  const typed = isGroup ? (second ?? '') : first;
  const { nearest } = await import('./nearest.js');
  const suggestion = nearest(typed, choices);
  return new UsageError(`no such command: ${isGroup ? `${first} ${typed}` : typed}`, {
    hint:
      suggestion === undefined
        ? 'xmppctl --help lists the commands'
        : `did you mean ${isGroup ? `${first} ` : ''}${suggestion}?`,
  });
}
