/** A fact that could not be had is a fact, too. */
import { InterruptedError, XmppctlError } from '../../errors.js';
import type { Measured } from './facts.js';

/** What the server does, or does not do, is a fact. The user's interruption is not, and neither is a bug: they are thrown. */
export async function measure<T>(work: () => Promise<T>): Promise<Measured<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

/** @throws the error itself where it is an interruption, or a bug */
export function reasonOf(error: unknown): string {
  if (error instanceof XmppctlError && !(error instanceof InterruptedError)) return error.message;
  throw error;
}
