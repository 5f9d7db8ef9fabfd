/** A password that is chosen now: for a new account, or in the place of the old one. */
import { UsageError } from '../errors.js';
import type { Prompt } from '../context.js';

/**
 * Asks twice, so that a slip of the finger locks nobody out.
 * @throws UsageError there is no terminal (with `hint`), or the answers are empty or differ
 */
export async function askNewPassword(question: string, prompt: Prompt, hint: string): Promise<string> {
  if (!prompt.isAvailable) {
    throw new UsageError('no new password, and no terminal to ask at', { hint });
  }
  const password = await prompt.secret(question);
  if (password === '') throw new UsageError('an empty password is none');
  if ((await prompt.secret('The same again')) !== password) {
    throw new UsageError('the two passwords differ; nothing was changed');
  }
  return password;
}
