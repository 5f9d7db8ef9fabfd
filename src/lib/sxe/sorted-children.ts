/**
 * The children of a node in the order of their weights: pieces of a sorted list, so that an insertion moves a few hundred
 * neighbours at most, however many there are.
 */
import { compareWeights, type Weighted } from './weight-order.js';

const MAX_PIECE = 512;

export class SortedChildren<T extends Weighted> implements Iterable<T> {
  readonly #pieces: T[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(child: T): void {
    this.#size++;
    const index = Math.min(this.#findPiece(child), this.#pieces.length - 1);
    const piece = this.#pieces[index];
    if (!piece) {
      this.#pieces.push([child]);
      return;
    }
    const at = findPlace(piece, child);
    // A document is loaded from its beginning to its end.
    if (at === piece.length) piece.push(child);
    else piece.splice(at, 0, child);
    if (piece.length > MAX_PIECE) {
      const isLast = index === this.#pieces.length - 1 && at === piece.length - 1;
      this.#pieces.splice(index + 1, 0, piece.splice(isLast ? MAX_PIECE : MAX_PIECE / 2));
    }
  }

  /** Must be called while the weight is still the one that the child was added with. */
  delete(child: T): boolean {
    const index = this.#findPiece(child);
    const piece = this.#pieces[index];
    if (!piece) return false;
    const at = findPlace(piece, child);
    if (piece[at] !== child) return false;
    piece.splice(at, 1);
    if (piece.length === 0) this.#pieces.splice(index, 1);
    this.#size--;
    return true;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.toArray()[Symbol.iterator]();
  }

  /** All of them, in order. */
  toArray(): readonly T[] {
    const [first, second] = this.#pieces;
    return second ? this.#pieces.flat() : (first ?? []);
  }

  /** The first piece whose last child is not before this one. */
  #findPiece(child: Weighted): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#pieces[middle]?.at(-1);
      if (last && compareWeights(last, child) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Where the first child is that does not come before this one. */
function findPlace(piece: readonly Weighted[], child: Weighted): number {
  const last = piece.at(-1);
  if (last && compareWeights(last, child) < 0) return piece.length;
  let low = 0;
  let high = piece.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = piece[middle];
    if (other && compareWeights(other, child) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
