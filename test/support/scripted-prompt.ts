/** A prompt that answers from a list and remembers what it was asked; without answers there is no terminal. */
import type { Prompt } from '../../src/lib/context.js';
import { UsageError } from '../../src/lib/errors.js';

export interface ScriptedPrompt extends Prompt {
  readonly asked: readonly string[];
}

export function scriptedPrompt(...answers: (string | boolean)[]): ScriptedPrompt {
  const left = [...answers];
  const asked: string[] = [];
  const isAvailable = answers.length > 0;
  const next = (question: string): string | boolean => {
    asked.push(question);
    if (!isAvailable) throw new UsageError('there is no terminal');
    const answer = left.shift();
    if (answer === undefined) throw new Error(`nobody answers: ${question}`);
    return answer;
  };
  const text = (question: string): Promise<string> => Promise.resolve(String(next(question)));
  return {
    isAvailable,
    asked,
    text: async (question, { validate } = {}) => {
      const answer = await text(question);
      const verdict = validate?.(answer) ?? true;
      if (verdict !== true) throw new Error(`refused: ${verdict}`);
      return answer;
    },
    secret: text,
    confirm: (question) => Promise.resolve(next(question) === true),
    select: async (question, choices) => {
      const answer = await text(question);
      const choice = choices.find(({ value }) => value === answer);
      if (!choice) throw new Error(`no choice ${answer} for ${question}`);
      return choice.value;
    },
  };
}
