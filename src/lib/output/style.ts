/** Colours by meaning. chalk is loaded only where colour is on. */
import type { Style } from './output.js';

const same = (text: string): string => text;

export const plainStyle: Style = {
  good: same,
  bad: same,
  warning: same,
  dim: same,
  strong: same,
  incoming: same,
  outgoing: same,
  name: same,
  message: same,
  presence: same,
  request: same,
  reply: same,
  nonza: same,
};

export async function loadColourStyle(): Promise<Style> {
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    warning: (text) => chalk.yellow(text),
    dim: (text) => chalk.dim(text),
    strong: (text) => chalk.bold(text),
    incoming: (text) => chalk.cyan(text),
    outgoing: (text) => chalk.magenta(text),
    name: (text) => chalk.blue(text),
    message: (text) => chalk.green(text),
    presence: (text) => chalk.blue(text),
    request: (text) => chalk.yellow(text),
    reply: (text) => chalk.cyan(text),
    nonza: (text) => chalk.magenta(text),
  };
}

/**
 * Whether to colour what goes to a stream: `--no-color` and NO_COLOR say no, CLICOLOR_FORCE says yes, else a
 * terminal that is not `dumb` decides.
 */
export function wantsColour(
  stream: { isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
  flag: boolean | undefined,
): boolean {
  if (flag === false || (env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['CLICOLOR_FORCE'] ?? '0') !== '0') return true;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
