/** Questions at the terminal, by inquirer, which is loaded with the first one. They go to stderr: stdout is for results. */
import type { Readable, Writable } from 'node:stream';
import { InterruptedError, UsageError } from '../errors.js';
import type { Prompt } from '../context.js';
import { safeText } from './safe-text.js';

export interface PromptSurroundings {
  stdin: Readable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  /** Ends a question that is open. */
  signal: AbortSignal;
  /** There is a terminal to ask at. */
  isAvailable: boolean;
}

type Question =
  | { type: 'input'; default?: string; validate?: (answer: string) => string | true }
  | { type: 'password' }
  | { type: 'confirm'; default: boolean }
  | { type: 'select'; choices: { value: string; name: string }[] };

/**
 * Makes the prompt. Each method throws a UsageError where there is no terminal, and an InterruptedError on Ctrl-C
 * or when the signal is aborted.
 */
export function createPrompt({ stdin, stderr, signal, isAvailable }: PromptSurroundings): Prompt {
  const ask = async (text: string, question: Question): Promise<unknown> => {
    if (!isAvailable) {
      throw new UsageError(`cannot ask "${text}": there is no terminal`, {
        hint: 'give the answer as an option; see --help',
      });
    }
    const { default: inquirer } = await import('inquirer');
    const prompts = inquirer.createPromptModule({ input: stdin, output: stderr, signal });
    try {
      const message = safeText(text, { singleLine: true });
      const answers: { answer: unknown } = await prompts([{ ...question, name: 'answer', message }]);
      return answers.answer;
    } catch (error) {
      throw isInterruption(error) ? new InterruptedError('interrupted', { cause: error }) : error;
    }
  };
  return {
    isAvailable,
    text: async (question, { initial, validate } = {}) =>
      String(
        await ask(question, {
          type: 'input',
          ...(initial !== undefined && { default: initial }),
          ...(validate && { validate }),
        }),
      ),
    secret: async (question) => String(await ask(question, { type: 'password' })),
    confirm: async (question, initial = false) =>
      (await ask(question, { type: 'confirm', default: initial })) === true,
    select: async <T extends string>(question: string, choices: readonly { value: T; label: string }[]) =>
      (await ask(question, {
        type: 'select',
        choices: choices.map(({ value, label }) => ({ value, name: safeText(label, { singleLine: true }) })),
      })) as T,
  };
}

/** Ctrl-C in a question, or the signal: inquirer has an error class for each. */
function isInterruption(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ExitPromptError' || error.name === 'AbortPromptError');
}
