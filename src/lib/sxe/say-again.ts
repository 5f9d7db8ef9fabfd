/**
 * Words that did not hold as edits that can (CLARIFICATIONS 11 and 12).
 */
import type { FieldChanges, SetEdit } from './edits.js';
import type { Fields, SharedRecord } from './record.js';
import { splitChange } from './split-change.js';
import { isMergeable, withWords, type Words } from './words.js';

type Piece = Pick<SetEdit, 'chdata' | 'replaceFrom' | 'replaceCount'>;

/**
 * Words as edits of what holds, one for each piece of a text. What was said before is marked as said again, and is said even
 * when it changes nothing any more, because others wait for it.
 */
export function sayAgain(record: SharedRecord, words: Words, author: string): SetEdit[] {
  const { parent, weight, ns, name, pitarget, pidata, chdata } = changed(record, words);
  const whole = { parent, weight, ns, name, pitarget, pidata };
  const isChanged = Object.values(whole).some((field) => field !== undefined);
  const pieces: Piece[] = [];
  if (chdata !== undefined && !isMergeable(record)) pieces.push(...inPieces({ chdata }, record.rid));
  else if (chdata !== undefined) {
    // From the end to the beginning, so that no piece moves another.
    for (const { from, count, inserted } of words.delta.toReversed())
      pieces.push(...inPieces({ chdata: inserted, replaceFrom: from, replaceCount: count }, record.rid));
  }
  if (pieces.length === 0 && (isChanged || !words.isHeld)) pieces.push({});
  return pieces.map((piece, index) => ({
    kind: 'set',
    target: record.rid,
    version: record.version + 1 + index,
    ...piece,
    ...(index === 0 && withoutUndefined(whole)),
    ...(!words.isHeld && { author }),
  }));
}

/** One that is too long for a stanza as several. */
function inPieces(piece: Piece, target: string): Piece[] {
  return splitChange({ kind: 'set', target, ...piece }).map(({ chdata, replaceFrom, replaceCount }) => {
    return { chdata, replaceFrom, replaceCount };
  });
}

/** What others know of somebody's words may be a guess; they may add to the text by it, but not take away. */
export function withoutDeletions(words: Words): Words {
  const delta = words.delta.filter(({ inserted }) => inserted !== '').map((hunk) => ({ ...hunk, count: 0 }));
  return { ...words, delta };
}

/** The fields that would be others with somebody's words. */
function changed(record: SharedRecord, words: Words): FieldChanges {
  const wanted = withWords(record, words);
  const changes: FieldChanges = {};
  for (const key of Object.keys(wanted) as (keyof Fields)[]) {
    if (wanted[key] !== record.fields[key]) Object.assign(changes, { [key]: wanted[key] });
  }
  return changes;
}

function withoutUndefined(fields: FieldChanges): FieldChanges {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
