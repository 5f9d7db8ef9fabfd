/**
 * Changing the fields of a record, and taking a change back.
 */
import { diffOnce } from './diff-text.js';
import { MAX_CHDATA_LENGTH, type RefusalReason, type SetEdit } from './edits.js';
import type { Fields, SharedRecord } from './record.js';
import { findFaultInComment, findFaultInRange, findFaultInSet } from './validity.js';

/** A piece of text in the place of another. */
interface Splice {
  at: number;
  removed: string;
  inserted: string;
}

/** What a change replaced; only what it changed is there. */
export interface Undo {
  fields: Partial<Omit<Fields, 'chdata'>>;
  chdata: Splice | undefined;
}

/** Applies an edit whose turn has come, or says why it cannot be; then nothing has changed. */
export function applySet(record: SharedRecord, edit: SetEdit): Undo | RefusalReason {
  const fault = findFaultInSet(record.type, edit);
  if (fault) return fault;
  const { fields } = record;
  let chdata: Splice | undefined;
  let text = fields.chdata;
  if (edit.chdata !== undefined) {
    const from = edit.replaceFrom ?? 0;
    const count = edit.replaceCount ?? text.length;
    const rangeFault = findFaultInRange(text, from, count);
    if (rangeFault) return rangeFault;
    if (text.length - count + edit.chdata.length > MAX_CHDATA_LENGTH) return 'too-long';
    // A text that was set as a whole is told as the piece that is another.
    const hunk =
      edit.replaceFrom === undefined ? diffOnce(text, edit.chdata) : { from, count, inserted: edit.chdata };
    chdata = { at: hunk.from, removed: detach(text, hunk.from, hunk.count), inserted: hunk.inserted };
    text = text.slice(0, from) + edit.chdata + text.slice(from + count);
    const commentFault = record.type === 'comment' ? findFaultInComment(text) : undefined;
    if (commentFault) return commentFault;
  }
  const undo: Undo = { fields: {}, chdata };
  const { parent, weight, ns, name, pitarget, pidata } = edit;
  const wanted = { parent, weight, ns, name, pitarget, pidata };
  for (const key of Object.keys(wanted) as (keyof typeof wanted)[]) {
    if (wanted[key] === undefined) continue;
    Object.assign(undo.fields, { [key]: fields[key] });
    Object.assign(fields, { [key]: wanted[key] });
  }
  fields.chdata = text;
  return undo;
}

export function undoSet(record: SharedRecord, undo: Undo): void {
  const { fields } = record;
  Object.assign(fields, undo.fields);
  if (!undo.chdata) return;
  const { at, removed, inserted } = undo.chdata;
  fields.chdata = fields.chdata.slice(0, at) + removed + fields.chdata.slice(at + inserted.length);
}

/** A piece of a long text as a string of its own: a slice would keep the whole text in memory for as long as the history. */
function detach(text: string, from: number, count: number): string {
  const piece = text.slice(from, from + count);
  return piece.length < 13 || piece.length === text.length
    ? piece
    : Buffer.from(piece, 'utf16le').toString('utf16le');
}
