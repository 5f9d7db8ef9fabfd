/**
 * Finds out which command was typed, before any parser is loaded.
 */
import { globalOptions } from './global-options.js';

/** What `splitArgv` found. */
export interface SplitArgv {
  /** The command's path (`account add`), or undefined when no word names one. */
  path: string | undefined;
  /** The words that were tried, when they name no command. */
  unknown: string[];
  /** Everything else, in an order that the command's own parser takes: global options from before the words first. */
  rest: string[];
}

const valueTaking = new Set(
  globalOptions
    .filter((option) => option.takesValue === 'always')
    .flatMap((option) => flagNames(option.flags)),
);

/** `-q, --quiet` → `['-q', '--quiet']` */
function flagNames(flags: string): string[] {
  return flags.split(/[ ,]+/).filter((word) => word.startsWith('-'));
}

/**
 * Global options may stand before the command's words (`xmppctl --account alice send …`), so the words are
 * searched behind them. The longest path that matches wins, and options end the words.
 */
export function splitArgv(argv: readonly string[], paths: ReadonlySet<string>): SplitArgv {
  const before: string[] = [];
  let index = 0;
  while (index < argv.length) {
    const word = argv[index];
    if (word === undefined || !word.startsWith('-') || word === '-' || word === '--') break;
    before.push(word);
    index += 1;
    const value = argv[index];
    if (valueTaking.has(word) && value !== undefined) {
      before.push(value);
      index += 1;
    }
  }
  const words: string[] = [];
  for (const word of argv.slice(index)) {
    if (word.startsWith('-')) break;
    words.push(word);
  }
  for (let length = Math.min(words.length, 3); length > 0; length -= 1) {
    const path = words.slice(0, length).join(' ');
    if (paths.has(path)) {
      return { path, unknown: [], rest: attachTrace([...before, ...argv.slice(index + length)]) };
    }
  }
  return { path: undefined, unknown: words, rest: attachTrace([...before, ...argv.slice(index)]) };
}

/** `--trace` takes a file only as `--trace=FILE`: alone it must not swallow the next word. */
function attachTrace(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((word, index) => (word === '--trace' && (end < 0 || index < end) ? '--trace=-' : word));
}
