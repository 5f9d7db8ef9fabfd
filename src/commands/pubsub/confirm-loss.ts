import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';

/** @throws UsageError there is nobody to ask @throws NegativeError the answer was no */
export async function confirmLoss(question: string, { prompt }: Context): Promise<void> {
  if (!prompt.isAvailable)
    throw new UsageError('this deletes for good, and there is no terminal to ask at', {
      hint: '--yes does it without a question',
    });
  if (!(await prompt.confirm(question, false))) throw new NegativeError('nothing was deleted');
}
