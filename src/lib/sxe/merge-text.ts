/**
 * One text from two that were made of the same: what either has inserted stays, what either has deleted goes.
 */
import { diffText, type Hunk } from './diff-text.js';
import { withoutTwins } from './text-delta.js';

/**
 * Brings a change onto a text that has changed in the meantime. Nothing that was inserted on either side is lost: where
 * both inserted at the same place, or replaced the same, both are kept, `theirs` first. Only what both replaced by the same
 * is taken once: two people corrected the same mistake.
 *
 * @param before what the change was made on
 * @param mine what came out of it
 * @param theirs what has become of `before`
 */
export function mergeText(before: string, mine: string, theirs: string): string {
  if (theirs === before) return mine;
  if (mine === before) return theirs;
  const theirHunks = diffText(before, theirs);
  const others = new HunkReader(theirHunks);
  const ours = new HunkReader(withoutTwins(diffText(before, mine), theirHunks));
  let merged = '';
  let at = 0;
  for (;;) {
    merged += others.takeInserted(at) + ours.takeInserted(at);
    if (at >= before.length) return merged;
    const next = Math.min(before.length, ours.nextBoundary(at), others.nextBoundary(at));
    if (!ours.deletes(at) && !others.deletes(at)) merged += before.slice(at, next);
    at = next;
  }
}

/** Goes along the changes of one side, from one place where anything happens to the next. */
class HunkReader {
  #index = 0;
  /** The insertion of the current hunk has been given out. */
  #isInserted = false;

  constructor(private readonly hunks: readonly Hunk[]) {}

  /** What this side inserted at a place. */
  takeInserted(at: number): string {
    let text = '';
    for (;;) {
      const hunk = this.hunks[this.#index];
      if (!hunk || hunk.from > at) return text;
      if (!this.#isInserted) text += hunk.inserted;
      this.#isInserted = true;
      if (hunk.from + hunk.count > at) return text;
      this.#index++;
      this.#isInserted = false;
    }
  }

  /** Whether this side deleted what begins at a place. */
  deletes(at: number): boolean {
    const hunk = this.hunks[this.#index];
    return hunk !== undefined && hunk.from <= at && at < hunk.from + hunk.count;
  }

  /** Where the next thing happens after a place. */
  nextBoundary(at: number): number {
    const hunk = this.hunks[this.#index];
    if (!hunk) return Infinity;
    return hunk.from > at ? hunk.from : hunk.from + hunk.count;
  }
}
