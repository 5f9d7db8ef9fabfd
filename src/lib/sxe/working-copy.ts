/**
 * The document of a participant as a file: written for a program to edit, and read back when it was saved.
 *
 * What others change meanwhile goes into the file by `mergeWorkingCopy(base, saved, writeWorkingCopy(participant))`, with
 * `base` the text that was written before.
 */
import { diffDocument } from './diff-document.js';
import type { Change } from './edits.js';
import type { DocumentLimits } from './parse-document.js';
import { parseDocument } from './parse-document.js';
import type { Participant } from './participant.js';
import { serializeTree } from './serialize-document.js';
import { treeOf, type Tree } from './tree.js';

/** The document as its user sees it, with the own words that are still to be sent. */
export function writeWorkingCopy(participant: Participant): string {
  return serializeTree(treeOf(participant.document, (record) => participant.view(record)));
}

/**
 * What a saved text changes, for `participant.edit`.
 * @param saved the text, or what it is when it is parsed
 * @throws ProtocolError it is not well-formed, or has what is refused; nothing has changed then
 */
export function readWorkingCopy(
  participant: Participant,
  saved: string | Tree,
  limits?: DocumentLimits,
): Change[] {
  return diffDocument(
    participant.document,
    typeof saved === 'string' ? parseDocument(saved, limits) : saved,
    () => participant.newRid(),
    (record) => participant.view(record),
  );
}
