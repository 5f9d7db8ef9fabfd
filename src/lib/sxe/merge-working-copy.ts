/**
 * Three-way merge of a working copy: what somebody has made of a file, and what the session has become in the meantime.
 *
 * By lines; where both sides changed the same lines, by words; where they changed the same words, both are kept between marks,
 * as version control does it. A text with marks is no XML, so it cannot be sent by mistake.
 */
import { alignSequences, type Run } from './align-sequences.js';
import { diffText, type Hunk } from './diff-text.js';
import { mergeText } from './merge-text.js';

export interface MergeConflict {
  /** What both sides began with, and what each has made of it. */
  base: string;
  mine: string;
  theirs: string;
  /** The line of the merged text on which the marks begin, from 1. */
  line: number;
}

export interface MergedText {
  text: string;
  conflicts: MergeConflict[];
}

export interface MergeLabels {
  mine: string;
  theirs: string;
}

/**
 * @param base what the working copy was written from
 * @param mine what it says now
 * @param theirs what the document says now
 */
export function mergeWorkingCopy(
  base: string,
  mine: string,
  theirs: string,
  labels: MergeLabels = { mine: 'mine', theirs: 'theirs' },
): MergedText {
  if (mine === theirs || theirs === base) return { text: mine, conflicts: [] };
  if (mine === base) return { text: theirs, conflicts: [] };
  const baseLines = splitLines(base);
  const mineLines = splitLines(mine);
  const theirLines = splitLines(theirs);
  const merged: string[] = [];
  const conflicts: MergeConflict[] = [];
  let at = { base: 0, mine: 0, theirs: 0 };
  for (const run of commonRuns(baseLines, mineLines, theirLines)) {
    const region = {
      base: baseLines.slice(at.base, run.base).join(''),
      mine: mineLines.slice(at.mine, run.mine).join(''),
      theirs: theirLines.slice(at.theirs, run.theirs).join(''),
    };
    const resolved = resolve(region.base, region.mine, region.theirs);
    if (resolved !== undefined) merged.push(resolved);
    else {
      conflicts.push({ ...region, line: countLines(merged) + 1 });
      merged.push(mark(region.mine, region.theirs, labels));
    }
    merged.push(...baseLines.slice(run.base, run.base + run.length));
    at = { base: run.base + run.length, mine: run.mine + run.length, theirs: run.theirs + run.length };
  }
  return { text: merged.join(''), conflicts };
}

interface CommonRun {
  base: number;
  mine: number;
  theirs: number;
  length: number;
}

/** Lines that are in all three; the last run is the empty one at the end. */
function commonRuns(
  base: readonly string[],
  mine: readonly string[],
  theirs: readonly string[],
): CommonRun[] {
  const inMine = alignSequences(base, mine);
  const inTheirs = alignSequences(base, theirs);
  const runs: CommonRun[] = [];
  let [left, right] = [0, 0];
  for (let a = inMine[left], b = inTheirs[right]; a && b; a = inMine[left], b = inTheirs[right]) {
    const start = Math.max(a.left, b.left);
    const end = Math.min(endOf(a), endOf(b));
    if (start < end) {
      const length = end - start;
      runs.push({ base: start, mine: a.right + start - a.left, theirs: b.right + start - b.left, length });
    }
    if (endOf(a) <= endOf(b)) left++;
    else right++;
  }
  runs.push({ base: base.length, mine: mine.length, theirs: theirs.length, length: 0 });
  return runs;
}

const endOf = (run: Run): number => run.left + run.length;

/** One text for a region, or `undefined` when both sides have changed the same words of it. */
function resolve(base: string, mine: string, theirs: string): string | undefined {
  if (mine === theirs || theirs === base) return mine;
  if (mine === base) return theirs;
  const ours = diffText(base, mine);
  const others = diffText(base, theirs);
  return ours.some((hunk) => others.some((other) => touches(hunk, other)))
    ? undefined
    : mergeText(base, mine, theirs);
}

/** Whether two changes are of the same place, so that one cannot know what the other would be. */
function touches(left: Hunk, right: Hunk): boolean {
  const isSame = left.from === right.from && left.count === right.count && left.inserted === right.inserted;
  if (isSame && left.count > 0) return false;
  return left.from <= right.from + right.count && right.from <= left.from + left.count;
}

function mark(mine: string, theirs: string, labels: MergeLabels): string {
  return `<<<<<<< ${labels.mine}\n${withLineEnd(mine)}=======\n${withLineEnd(theirs)}>>>>>>> ${labels.theirs}\n`;
}

function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** Lines with their ends. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function countLines(pieces: readonly string[]): number {
  return pieces.reduce((count, piece) => count + piece.split('\n').length - 1, 0);
}

/** Whether a text still has the marks of a conflict. */
export function hasConflictMarks(text: string): boolean {
  return /^<<<<<<< /m.test(text) && /^>>>>>>> /m.test(text);
}
