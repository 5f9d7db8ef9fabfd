/**
 * The help of `xmppctl` itself and of its groups, from the registry alone: no command is loaded for it.
 */
import { globalOptions } from './global-options.js';
import type { CommandEntry } from './definition.js';

const indent = 2;

export function renderRootHelp(
  registry: readonly CommandEntry[],
  groups: Readonly<Record<string, string>>,
  columns: number,
): string {
  const rows = new Map<string, string>();
  for (const { path, summary } of registry) {
    const [first = path] = path.split(' ');
    rows.set(first, groups[first] ?? summary);
  }
  return [
    'Usage: xmppctl [options] <command> [arguments]',
    '',
    'Everything people operate on XMPP, from the command line.',
    '',
    'Commands:',
    table([...rows], columns),
    '',
    'Options for every command:',
    table(
      [
        ...globalOptions.map((option): [string, string] => [showFlags(option.flags), option.description]),
        ['-h, --help', 'show help for a command'],
        ['-V, --version', 'show the version'],
      ],
      columns,
    ),
    '',
    'Topics: xmppctl help exit-codes | environment | config | trace-format',
    'Start with: xmppctl account add, or without an account: xmppctl sandbox run -- sh',
    '',
  ].join('\n');
}

export function renderGroupHelp(
  group: string,
  description: string,
  registry: readonly CommandEntry[],
  columns: number,
): string {
  const rows = registry
    .filter(({ path }) => path.startsWith(`${group} `))
    .map(({ path, summary }): [string, string] => [path.slice(group.length + 1), summary]);
  return [
    `Usage: xmppctl ${group} <command> [arguments]`,
    '',
    `${description.charAt(0).toUpperCase()}${description.slice(1)}.`,
    '',
    'Commands:',
    table(rows, columns),
    '',
    `See xmppctl ${group} <command> --help.`,
    '',
  ].join('\n');
}

/** `--trace [file]` takes its value only attached, so it is shown as it must be typed. */
export function showFlags(flags: string): string {
  return flags.replace('--trace [file]', '--trace[=<file>]');
}

/** Two columns, the second wrapped to the width of the terminal. */
function table(rows: readonly (readonly [string, string])[], columns: number): string {
  const widest = Math.min(28, Math.max(...rows.map(([term]) => term.length)));
  const room = Math.max(24, columns - indent - widest - 2);
  return rows
    .map(([term, text]) => {
      const [first = '', ...more] = wrap(text, room);
      const continuation = ' '.repeat(indent + widest + 2);
      const head =
        term.length > widest
          ? `${' '.repeat(indent)}${term}\n${continuation}${first}`
          : `${' '.repeat(indent)}${term.padEnd(widest)}  ${first}`;
      return [head, ...more.map((line) => continuation + line)].join('\n');
    })
    .join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}
