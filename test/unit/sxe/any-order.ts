import { expect } from 'vitest';
import type { Edit, Outcome } from '../../../src/lib/sxe/edits.js';
import { SharedDocument } from '../../../src/lib/sxe/shared-document.js';
import { snapshotOfTree } from './tree-text.js';

/** What each sender sends, in its order. */
export type Senders = Record<string, readonly Edit[]>;

/** All orders that keep each sender's own. */
function* interleavings(senders: [string, readonly Edit[]][]): Generator<[string, Edit][]> {
  const left = senders.filter(([, edits]) => edits.length > 0);
  if (left.length === 0) yield [];
  for (const [sender, [first, ...rest]] of left) {
    if (!first) continue;
    const others = senders.map(([name, edits]): [string, readonly Edit[]] => [
      name,
      name === sender ? rest : edits,
    ]);
    for (const order of interleavings(others)) yield [[sender, first], ...order];
  }
}

/** The document that edits end in, after it was seen that they end in the same one in every order. */
export function inAnyOrder(senders: Senders, start: readonly Edit[] = []): SharedDocument {
  let result: SharedDocument | undefined;
  for (const order of interleavings(Object.entries(senders))) {
    const document = new SharedDocument();
    for (const edit of start) document.apply(edit, 'start');
    for (const [sender, edit] of order) document.apply(edit, sender);
    if (result) expect(snapshotOfTree(document)).toBe(snapshotOfTree(result));
    result ??= document;
  }
  if (!result) throw new Error('nothing was sent');
  return result;
}

/** What became of edits, one after the other. */
export function outcomesOf(edits: readonly Edit[], sender = 'a'): Outcome[] {
  const document = new SharedDocument();
  return edits.map((edit) => document.apply(edit, sender));
}
