import type { Context } from '../lib/context.js';
import { defineCommand, type AnyCommandDefinition } from '../lib/command/definition.js';
import { nearest } from '../lib/command/nearest.js';
import { UsageError } from '../lib/errors.js';
import { topics } from '../lib/help/topics.js';

export interface HelpOptions {
  words: readonly string[];
}

export const command = defineCommand({
  path: 'help',
  summary: 'show the help of a command, or explain a topic',
  description: `Topics: ${Object.entries(topics)
    .map(([name, { summary }]) => `${name} (${summary})`)
    .join(', ')}.`,
  examples: [
    { does: 'the same as xmppctl account add --help', line: 'xmppctl help account add' },
    { does: 'which exit code means what', line: 'xmppctl help exit-codes' },
  ],
  needs: 'nothing',
  completes: { words: Object.keys(topics) },
  build: (command) => command.argument('[words...]', 'the words of a command, or a topic'),
  parse: ([words]): HelpOptions => ({ words }),
  run: runHelp,
});

export async function runHelp({ words }: HelpOptions, { output }: Context): Promise<void> {
  const text = await helpText(words, output.columns);
  await output.result({ help: text }, () => text);
}

async function helpText(words: readonly string[], columns: number): Promise<string> {
  // The registry has this command in it, so it is loaded when everything else is.
  const { groups, registry } = await import('./registry.js');
  const [first] = words;
  if (first === undefined) {
    const { renderRootHelp } = await import('../lib/command/root-help.js');
    return renderRootHelp(registry, groups, columns);
  }
  const typed = words.join(' ');
  const topic = Object.hasOwn(topics, typed) ? topics[typed] : undefined;
  if (topic) {
    const [{ renderText }, page] = await Promise.all([import('../lib/help/render-text.js'), topic.load()]);
    return renderText(page, columns);
  }
  const entry = registry.find(({ path }) => path === typed);
  if (entry) return commandHelp(await entry.load(), columns);
  const group = Object.hasOwn(groups, typed) ? groups[typed] : undefined;
  if (group !== undefined) {
    const { renderGroupHelp } = await import('../lib/command/root-help.js');
    return renderGroupHelp(typed, group, registry, columns);
  }
  const meant = nearest(typed, [
    ...registry.map(({ path }) => path),
    ...Object.keys(groups),
    ...Object.keys(topics),
  ]);
  throw new UsageError(`no help on ${typed}: it is neither a command nor a topic`, {
    hint:
      meant === undefined
        ? `xmppctl --help lists the commands; the topics are ${Object.keys(topics).join(', ')}`
        : `did you mean ${meant}?`,
  });
}

async function commandHelp(definition: AnyCommandDefinition, columns: number): Promise<string> {
  const { parseCommand } = await import('../lib/command/parse.js');
  const parsed = parseCommand(definition, ['--help'], columns);
  return parsed.kind === 'help' ? parsed.text : '';
}
