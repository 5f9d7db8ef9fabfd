/** The texts a filter works on: its arguments, or the lines of stdin with `--stdin`. */
import { UsageError } from '../errors.js';
import type { Context } from '../context.js';
import { readLines } from './stdin.js';

export interface Text {
  text: string;
  /** Line of the input, or place among the arguments; counted from 1. */
  line: number;
}

export interface TextsOptions {
  texts: readonly string[];
  stdin: boolean;
}

/** Longer than any address can be, and short enough that a file without line ends is refused early. */
const maxLineLength = 65_536;

/**
 * What was typed, checked for sense.
 * @throws UsageError both or neither were given
 */
export function toTextsOptions(
  texts: readonly string[],
  flags: { stdin?: true | undefined },
  what: string,
): TextsOptions {
  if (flags.stdin && texts.length > 0)
    throw new UsageError(`give the ${what} as arguments or with --stdin, not both`);
  if (!flags.stdin && texts.length === 0)
    throw new UsageError(`no ${what} given`, { hint: '--stdin reads a list, one on each line' });
  return { texts, stdin: flags.stdin === true };
}

/** Holds no more than one line at a time. A byte order mark at the beginning is dropped. */
export async function* readTexts(options: TextsOptions, context: Context): AsyncGenerator<Text> {
  if (!options.stdin) {
    for (const [index, text] of options.texts.entries()) yield { text, line: index + 1 };
    return;
  }
  let line = 0;
  for await (const text of readLines(context.stdin, { signal: context.signal, limit: maxLineLength })) {
    line += 1;
    yield { text: line === 1 ? text.replace(/^\ufeff/, '') : text, line };
  }
}
