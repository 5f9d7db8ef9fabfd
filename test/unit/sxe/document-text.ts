import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { serializeTree } from '../../../src/lib/sxe/serialize-document.js';
import type { SharedDocument } from '../../../src/lib/sxe/shared-document.js';
import { treeOf } from '../../../src/lib/sxe/tree.js';

/** The text of a document. */
export function textOf(document: SharedDocument): string {
  return serializeTree(treeOf(document));
}

/** A participant that begins a session with a text. */
export function participantWith(text: string, name = 'a'): Participant {
  const site = `site0000${name}`;
  return new Participant({ name, site, document: createDocument(text, name, site) });
}
