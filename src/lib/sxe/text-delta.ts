/**
 * Changes of a text as lists of hunks, and how two of them follow one another or pass each other.
 *
 * The hunks of a delta are in order, do not touch each other, and speak of the text before the change.
 */
import type { Hunk } from './diff-text.js';

export type TextDelta = readonly Hunk[];

export function applyDelta(text: string, delta: TextDelta): string {
  let result = '';
  let at = 0;
  for (const { from, count, inserted } of delta) {
    result += text.slice(at, from) + inserted;
    at = from + count;
  }
  return at === 0 ? result + text : result + text.slice(at);
}

/** The one change that does what two do, the second on what came of the first. */
export function composeDeltas(first: TextDelta, second: TextDelta): TextDelta {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const left = new StepReader(first);
  const right = new StepReader(second);
  const out = new DeltaBuilder();
  while (left.kind !== 'end' || right.kind !== 'end') {
    if (right.kind === 'insert') out.insert(right.takeText());
    else if (left.kind === 'delete') out.delete(left.take());
    else {
      const count = Math.min(left.length, right.length);
      const isDeleted = right.kind === 'delete';
      right.take(count);
      if (left.kind === 'insert') {
        const text = left.takeText(count);
        if (!isDeleted) out.insert(text);
      } else {
        left.take(count);
        if (isDeleted) out.delete(count);
        else out.keep(count);
      }
    }
  }
  return out.hunks;
}

/**
 * A change as it has to be when another one of the same text was made first. What it inserts stays, behind what the other
 * inserted at the same place; what both deleted is deleted once; what both replaced by the same is replaced once.
 */
export function transformDelta(delta: TextDelta, other: TextDelta): TextDelta {
  if (delta.length === 0 || other.length === 0) return delta;
  const left = new StepReader(withoutTwins(delta, other));
  const right = new StepReader(other);
  const out = new DeltaBuilder();
  while (left.kind !== 'end') {
    if (right.kind === 'insert') out.keep(right.takeText().length);
    else if (left.kind === 'insert') out.insert(left.takeText());
    else {
      const count = Math.min(left.length, right.length);
      const isDeleted = left.kind === 'delete';
      const isGone = right.kind === 'delete';
      left.take(count);
      right.take(count);
      if (isGone) continue;
      if (isDeleted) out.delete(count);
      else out.keep(count);
    }
  }
  return out.hunks;
}

/** Two people who correct the same mistake in the same way do not mean it twice. */
export function withoutTwins(delta: TextDelta, other: TextDelta): TextDelta {
  const key = ({ from, count, inserted }: Hunk): string => `${from} ${count} ${inserted}`;
  const replaced = new Set(other.filter(({ count }) => count > 0).map(key));
  return replaced.size === 0 ? delta : delta.filter((hunk) => !replaced.has(key(hunk)));
}

/** A delta as steps through the text: keep, insert, delete; and then for ever nothing. */
class StepReader {
  #index = 0;
  /** Where in the old text it is. */
  #at = 0;
  #inserted: string;

  constructor(private readonly delta: TextDelta) {
    this.#inserted = delta[0]?.inserted ?? '';
  }

  get kind(): 'keep' | 'insert' | 'delete' | 'end' {
    const hunk = this.delta[this.#index];
    if (!hunk) return 'end';
    if (hunk.from > this.#at) return 'keep';
    return this.#inserted === '' ? 'delete' : 'insert';
  }

  get length(): number {
    const hunk = this.delta[this.#index];
    if (!hunk) return Infinity;
    if (hunk.from > this.#at) return hunk.from - this.#at;
    return this.#inserted === '' ? hunk.from + hunk.count - this.#at : this.#inserted.length;
  }

  takeText(count = this.#inserted.length): string {
    const text = this.#inserted.slice(0, count);
    this.#inserted = this.#inserted.slice(count);
    this.#goOn();
    return text;
  }

  take(count = this.length): number {
    this.#at += count;
    this.#goOn();
    return count;
  }

  #goOn(): void {
    const hunk = this.delta[this.#index];
    if (!hunk || this.#inserted !== '' || this.#at < hunk.from + hunk.count) return;
    this.#index++;
    this.#inserted = this.delta[this.#index]?.inserted ?? '';
  }
}

class DeltaBuilder {
  readonly hunks: Hunk[] = [];
  #at = 0;

  keep(count: number): void {
    this.#at += count;
  }

  insert(text: string): void {
    this.#hunk().inserted += text;
  }

  delete(count: number): void {
    this.#hunk().count += count;
    this.#at += count;
  }

  /** The hunk that ends here, or a new one. */
  #hunk(): Hunk {
    const last = this.hunks.at(-1);
    if (last && last.from + last.count === this.#at) return last;
    const hunk = { from: this.#at, count: 0, inserted: '' };
    this.hunks.push(hunk);
    return hunk;
  }
}
