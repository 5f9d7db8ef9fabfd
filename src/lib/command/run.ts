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
    const group = groupOf(unknown, groups);
    if (wantsHelp && (unknown.length === 0 || group !== undefined)) {
      const { renderGroupHelp, renderRootHelp } = await import('./root-help.js');
      program.printHelp(
        group === undefined
          ? renderRootHelp(registry, groups, columns)
          : renderGroupHelp(group, groups[group] ?? '', registry, columns),
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
  const [first] = words;
  if (first === undefined) {
    const [option] = rest;
    return new UsageError(option === undefined ? 'no command given' : `${option} needs a command`, {
      hint: 'xmppctl --help lists the commands',
    });
  }
  const group = groupOf(words, program.groups);
  const within = group === undefined ? '' : `${group} `;
  const typed = group === undefined ? first : words[group.split(' ').length];
  const paths = program.registry.map(({ path }) => path).filter((path) => path.startsWith(within));
  const rests = paths.map((path) => path.slice(within.length));
  const choices = group === undefined ? [...new Set(rests.map((path) => path.split(' ')[0] ?? path))] : rests;
  if (typed === undefined) {
    return new UsageError(`${group ?? ''} needs one of: ${choices.join(', ')}`, {
      hint: `see xmppctl ${group ?? ''} --help`,
    });
  }
  const { nearest } = await import('./nearest.js');
  const suggestion = nearest(typed, choices);
  return new UsageError(`no such command: ${within}${typed}`, {
    hint:
      suggestion === undefined ? 'xmppctl --help lists the commands' : `did you mean ${within}${suggestion}?`,
  });
}

/** The longest group that the words begin with: `vcard avatar` before `vcard`. */
function groupOf(words: readonly string[], groups: Program['groups']): string | undefined {
  for (let count = words.length; count > 0; count -= 1) {
    const name = words.slice(0, count).join(' ');
    if (Object.hasOwn(groups, name)) return name;
  }
  return undefined;
}
