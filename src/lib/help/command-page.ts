/** The page of a command, from its definition and the commander command it builds: what the parser takes is what is shown. */
import type { AnyCommandDefinition, CommandEntry } from '../command/definition.js';
import { commanderFor } from '../command/parse.js';
import { showFlags } from '../command/root-help.js';
import { globalOptions } from '../command/global-options.js';
import { blocksFrom, code, terms, text, type Block, type Page, type Section } from './document.js';
import { environmentTerms } from './environment.js';
import { exitCodeTerms } from './exit-codes.js';

export function commandPage(definition: AnyCommandDefinition): Page {
  const command = commanderFor(definition);
  const sections: Section[] = [
    { title: 'SYNOPSIS', blocks: [text(`\`xmppctl ${definition.path}\` ${command.usage()}`)] },
    {
      title: 'DESCRIPTION',
      blocks: blocksFrom(definition.description ?? `${capitalise(definition.summary)}.`),
    },
  ];
  if (command.registeredArguments.length > 0) {
    sections.push({
      title: 'ARGUMENTS',
      blocks: [
        terms(
          command.registeredArguments.map((argument) => ({
            term: argument.variadic ? `${argument.name()}...` : argument.name(),
            text: withChoices(argument.description, argument.argChoices, argument.defaultValue),
          })),
        ),
      ],
    });
  }
  const groups = new Map<string, { term: string; text: string }[]>();
  for (const option of command.options) {
    if (option.hidden) continue;
    const title = option.helpGroupHeading === undefined ? 'OPTIONS' : groupTitle(option.helpGroupHeading);
    const rows = groups.get(title) ?? [];
    const defaultValue: unknown = option.negate ? undefined : option.defaultValue;
    rows.push({
      term: showFlags(option.flags),
      text: withChoices(option.description, option.argChoices, defaultValue),
    });
    groups.set(title, rows);
  }
  const own = groups.get('OPTIONS') ?? [];
  groups.delete('OPTIONS');
  sections.push({
    title: 'OPTIONS',
    blocks: [terms([...own, { term: '-h, --help', text: 'show the help of the command' }])],
  });
  for (const [title, rows] of groups) sections.push({ title, blocks: [terms(rows)] });
  for (const { title, text: content } of definition.sections ?? []) {
    sections.push({ title, blocks: blocksFrom(content) });
  }
  if (definition.exitCodes) {
    sections.push({
      title: 'EXIT CODES',
      blocks: [
        terms(Object.entries(definition.exitCodes).map(([code, meaning]) => ({ term: code, text: meaning }))),
        text('The others are those of every command: xmppctl(1).'),
      ],
    });
  }
  if (definition.examples && definition.examples.length > 0) {
    sections.push({ title: 'EXAMPLES', blocks: exampleBlocks(definition.examples) });
  }
  sections.push({ title: 'SEE ALSO', blocks: [text('xmppctl(1), xmppctl-config(5)')] });
  return { name: pageName(definition.path), section: 1, summary: definition.summary, sections };
}

/** The page of xmppctl itself: every command with its own page, the options they share, environment and exit codes. */
export function programPage(registry: readonly CommandEntry[]): Page {
  return {
    name: 'xmppctl',
    section: 1,
    summary: 'everything people operate on XMPP, from the command line',
    sections: [
      { title: 'SYNOPSIS', blocks: [text('`xmppctl` [options] <command> [arguments]')] },
      {
        title: 'DESCRIPTION',
        blocks: [
          text(
            'Standard output carries results and nothing else; progress, warnings, traces and errors go to standard error. With `--json` a result is one JSON document, or one object a line where results come one by one, and it is the same whether or not there is a terminal.\n\nEach command has a page of its own, named after its words: xmppctl-account-add(1).',
          ),
        ],
      },
      {
        title: 'COMMANDS',
        blocks: [
          terms(registry.map(({ path, summary }) => ({ term: path, text: `${capitalise(summary)}.` }))),
        ],
      },
      {
        title: 'CONNECTION OPTIONS',
        blocks: [text('For the commands that connect.'), terms(globalTerms('connection'))],
      },
      { title: 'OUTPUT OPTIONS', blocks: [terms(globalTerms('output'))] },
      { title: 'ENVIRONMENT', blocks: [terms(environmentTerms)] },
      { title: 'EXIT CODES', blocks: [terms(exitCodeTerms)] },
      {
        title: 'EXAMPLES',
        blocks: exampleBlocks([
          {
            does: 'set up an account, then see whether it works',
            line: 'xmppctl account add alice@example.org && xmppctl account test',
          },
          { does: 'send the end of a log', line: 'tail -n 20 build.log | xmppctl send bob@example.org' },
          {
            does: 'try it all on a throw-away server',
            line: 'xmppctl sandbox run -- xmppctl --account alice send bob@sandbox.localhost hello',
          },
        ]),
      },
      { title: 'SEE ALSO', blocks: [text('xmppctl-config(5), xmppctl-trace(5)')] },
    ],
  };
}

/** `account add` → `xmppctl-account-add` */
export function pageName(path: string): string {
  return `xmppctl-${path.replaceAll(' ', '-')}`;
}

function globalTerms(group: 'connection' | 'output'): { term: string; text: string }[] {
  return globalOptions
    .filter((option) => option.group === group)
    .map((option) => ({ term: showFlags(option.flags), text: option.description }));
}

function exampleBlocks(examples: readonly { does: string; line: string }[]): Block[] {
  return examples.flatMap(({ does, line }) => [text(`${capitalise(does)}:`), code(line)]);
}

function withChoices(
  description: string,
  choices: readonly string[] | undefined,
  defaultValue: unknown,
): string {
  const notes = [
    ...(choices && choices.length > 0 ? [`one of ${choices.join(', ')}`] : []),
    // An empty list is the start of what is given as often as wanted.
    ...(defaultValue !== undefined && typeof defaultValue !== 'boolean' && !Array.isArray(defaultValue)
      ? [`default ${JSON.stringify(defaultValue)}`]
      : []),
  ];
  return notes.length > 0 ? `${description} (${notes.join('; ')})` : description;
}

/** `Connection:` → `CONNECTION OPTIONS` */
function groupTitle(heading: string): string {
  return `${heading.replace(/:$/, '').toUpperCase()} OPTIONS`;
}

function capitalise(content: string): string {
  return content.charAt(0).toUpperCase() + content.slice(1);
}
