/** A document that is here, and the one that comes in its place because too much was missed (CLARIFICATIONS 22). */
import { hasMore } from '../message-log.js';
import { mergeWorkingCopy, type MergedText } from '../merge-working-copy.js';
import type { Participant } from '../participant.js';
import { writeWorkingCopy } from '../working-copy.js';
import type { Delivery } from './delivery.js';

/**
 * Takes along what has come here and is not in a snapshot.
 * @returns the text with marks, when not all of it is kept any more
 */
export function bringAlong(
  before: Participant,
  now: Participant,
  { log, onTheWay }: Delivery,
): MergedText | undefined {
  // Who does not say what is in the snapshot has all that came back to us.
  for (const message of now.inbox.isComplete ? log.all() : onTheWay) now.receive(message);
  if (!now.inbox.isComplete || !hasMore(before.inbox.seen(), now.inbox.seen())) return undefined;
  const [mine, theirs] = [writeWorkingCopy(before), writeWorkingCopy(now)];
  if (mine === theirs) return undefined;
  return mergeWorkingCopy('', mine, theirs, { mine: 'this file', theirs: 'the others' });
}
