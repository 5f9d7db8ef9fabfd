/** What fits into a stanza. */
import type { Change } from '../edits.js';
import type { Message } from '../inbox.js';
import { lengthOfEdit, lengthOfMessage } from '../message-log.js';
import { splitChange } from '../split-change.js';

/** Servers take 64 KiB at least. */
export const MAX_STATE_LENGTH = 24_000;

/** Changes in groups that fit; those that do not fit alone are divided. */
export function batchChanges(changes: readonly Change[]): Change[][] {
  return batch(
    changes.flatMap((change) => splitChange<Change>(change)),
    lengthOfEdit,
  );
}

/** At least one group, which may be empty. */
export function batchMessages(messages: readonly Message[]): Message[][] {
  const groups = batch(messages, lengthOfMessage);
  return groups.length > 0 ? groups : [[]];
}

function batch<T>(items: readonly T[], lengthOf: (item: T) => number): T[][] {
  const groups: T[][] = [];
  let some: T[] = [];
  let length = 0;
  for (const item of items) {
    const own = lengthOf(item);
    if (some.length > 0 && length + own > MAX_STATE_LENGTH) {
      groups.push(some);
      [some, length] = [[], 0];
    }
    some.push(item);
    length += own;
  }
  if (some.length > 0) groups.push(some);
  return groups;
}
