/**
 * What somebody wanted of a record and what does not hold: taken back by a conflict, or not said yet because of one.
 */
import { diffOnce, isInsideWord } from './diff-text.js';
import type { FieldChanges, SetChange, SetEdit } from './edits.js';
import type { Fields, SharedRecord } from './record.js';
import { applyDelta, composeDeltas, transformDelta, type TextDelta } from './text-delta.js';
import { findFaultInComment, findFaultInRange, splitsPair } from './validity.js';

export interface Words {
  /** The change of the text, on top of what holds now. */
  delta: TextDelta;
  /** What was set as a whole; the last one counts. */
  fields: FieldChanges;
  /** The version of the last of the edits, while what it was made on is known; `unsure` when it is not. */
  upTo: number | 'unsure' | undefined;
  /** Nobody else has heard of them yet. */
  isHeld: boolean;
}

export const noWords = (): Words => ({ delta: [], fields: {}, upTo: undefined, isHeld: false });

/** Texts and comments are merged by their characters; of an attribute the last value counts, half of each would be none. */
export function isMergeable(record: SharedRecord): boolean {
  return record.type === 'text' || record.type === 'comment';
}

/** Adds an edit that was made on what holds together with the words so far. `false`: it does not fit there. */
export function addWords(words: Words, record: SharedRecord, edit: SetChange): boolean {
  const { chdata, replaceFrom = 0, replaceCount } = edit;
  if (chdata !== undefined) {
    const text = textWithWords(record, record.fields, words);
    const count = replaceCount ?? text.length;
    if (findFaultInRange(text, replaceFrom, count)) return false;
    const hunk =
      edit.replaceFrom === undefined
        ? diffOnce(text, chdata)
        : { from: replaceFrom, count, inserted: chdata };
    if (isMergeable(record)) words.delta = composeDeltas(words.delta, [hunk]);
    else words.fields.chdata = text.slice(0, replaceFrom) + chdata + text.slice(replaceFrom + count);
  }
  Object.assign(words.fields, otherFields(edit));
  return true;
}

/** What an edit sets as a whole, the text left out. */
export function otherFields(edit: SetChange): FieldChanges {
  const fields: FieldChanges = {};
  for (const key of ['parent', 'weight', 'ns', 'name', 'pitarget', 'pidata'] as const) {
    if (edit[key] !== undefined) Object.assign(fields, { [key]: edit[key] });
  }
  return fields;
}

/**
 * The words of an edit that never held here. What it was made on is known when that is what holds, or what its author said
 * before. When it is not, only what was inserted is kept, at a place where it divides no word: to delete something else than
 * was meant would be worse than to delete nothing.
 *
 * @param start the version that holds
 */
export function addUnappliedWords(words: Words, record: SharedRecord, edit: SetEdit, start: number): void {
  if (words.upTo !== 'unsure' && edit.version - 1 === (words.upTo ?? start)) {
    words.upTo = edit.version;
    if (addWords(words, record, edit)) return;
  }
  words.upTo = 'unsure';
  // What is said again may be known from the first time.
  if (edit.author !== undefined && words.delta.some(({ inserted }) => inserted.includes(edit.chdata ?? ''))) {
    Object.assign(words.fields, otherFields(edit));
    return;
  }
  const { chdata, replaceFrom, replaceCount: _count, ...others } = edit;
  const loose: SetChange = { ...others };
  if (isMergeable(record) && chdata !== undefined) {
    const text = textWithWords(record, record.fields, words);
    let at = Math.min(replaceFrom ?? text.length, text.length);
    while (isInsideWord(text, at) || splitsPair(text, at)) at++;
    Object.assign(loose, { chdata, replaceFrom: at, replaceCount: 0 });
  } else if (replaceFrom === undefined && chdata !== undefined) loose.chdata = chdata;
  addWords(words, record, loose);
}

/** A piece whose place is not known any more, unless it is there already. */
export function addAtEnd(words: Words, record: SharedRecord, piece: string): void {
  if (words.delta.some(({ inserted }) => inserted.includes(piece))) return;
  const { length } = textWithWords(record, record.fields, words);
  words.delta = composeDeltas(words.delta, [{ from: length, count: 0, inserted: piece }]);
}

/** Words of two as those of one: both were made on what holds. */
export function joinWords(first: Words, second: Words): Words {
  return {
    delta: composeDeltas(first.delta, transformDelta(second.delta, first.delta)),
    fields: { ...first.fields, ...second.fields },
    upTo: 'unsure',
    isHeld: first.isHeld && second.isHeld,
  };
}

function textWithWords(record: SharedRecord, fields: Readonly<Fields>, words: Words): string {
  if (!isMergeable(record)) return words.fields.chdata ?? fields.chdata;
  return words.delta.length === 0 ? fields.chdata : applyDelta(fields.chdata, words.delta);
}

/** The fields as they would be with somebody's words on top of what holds. */
export function withWords(record: SharedRecord, words: Words): Fields {
  const { fields } = record;
  let chdata = textWithWords(record, fields, words);
  // Two comments that are good may make one that is not; then the words give way to the form.
  if (record.type === 'comment' && findFaultInComment(chdata)) chdata = fields.chdata;
  return { ...fields, ...words.fields, chdata } as Fields;
}
