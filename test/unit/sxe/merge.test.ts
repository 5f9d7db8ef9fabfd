import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffOnce, diffText } from '../../../src/lib/sxe/diff-text.js';
import { mergeText } from '../../../src/lib/sxe/merge-text.js';
import { hasConflictMarks, mergeWorkingCopy } from '../../../src/lib/sxe/merge-working-copy.js';
import { applyDelta, composeDeltas, transformDelta } from '../../../src/lib/sxe/text-delta.js';

/** Short texts of few words, so that much is alike, with characters outside of the basic plane. */
const texts = fc
  .array(fc.constantFrom('a', 'b ', 'ab', ' ', '😀', '😁', 'é', '\n'), { maxLength: 12 })
  .map((pieces) => pieces.join(''));

const isWellFormed = (text: string): boolean =>
  !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);

describe('diffText', () => {
  it('gets from any text to any other, and divides no character', () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        for (const delta of [diffText(before, after), [diffOnce(before, after)]]) {
          expect(applyDelta(before, delta)).toBe(after);
          for (const { from, count, inserted } of delta) {
            expect(isWellFormed(inserted)).toBe(true);
            expect(isWellFormed(before.slice(from, from + count))).toBe(true);
          }
        }
      }),
      { numRuns: 1000, seed: 284 },
    );
  });

  it('replaces whole words', () => {
    expect(diffText('the cat sat', 'the car sat')).toEqual([{ from: 4, count: 3, inserted: 'car' }]);
  });
});

describe('deltas', () => {
  it('do together what they do one after the other', () => {
    fc.assert(
      fc.property(texts, texts, texts, (one, two, three) => {
        const composed = composeDeltas(diffText(one, two), diffText(two, three));
        expect(applyDelta(one, composed)).toBe(three);
      }),
      { numRuns: 1000, seed: 284 },
    );
  });

  it('stay well-formed behind another', () => {
    fc.assert(
      fc.property(texts, texts, texts, (base, mine, theirs) => {
        const moved = transformDelta(diffText(base, mine), diffText(base, theirs));
        expect(isWellFormed(applyDelta(theirs, moved))).toBe(true);
      }),
      { numRuns: 1000, seed: 284 },
    );
  });

  it('keep what they insert where the text around it is deleted', () => {
    const mine = [{ from: 2, count: 0, inserted: 'X' }];
    expect(applyDelta('', transformDelta(mine, [{ from: 0, count: 4, inserted: '' }]))).toBe('X');
  });
});

describe('mergeText', () => {
  it('keeps the words of both', () => {
    expect(mergeText('one two', 'one big two', 'one two three')).toBe('one big two three');
    expect(mergeText('', 'mine', 'theirs')).toBe('theirsmine');
    expect(mergeText('a b c', 'a c', 'a B c')).toBe('a Bc');
  });

  it('takes the same correction once', () => {
    expect(mergeText('teh cat', 'the cat', 'the cat sat')).toBe('the cat sat');
  });

  it('changes nothing that only one side changed', () => {
    fc.assert(
      fc.property(texts, texts, (base, other) => {
        expect(mergeText(base, other, base)).toBe(other);
        expect(mergeText(base, base, other)).toBe(other);
      }),
      { numRuns: 300, seed: 284 },
    );
  });
});

describe('mergeWorkingCopy', () => {
  it('takes the lines of both', () => {
    const base = '<r>\n<a/>\n<b/>\n<c/>\n</r>\n';
    const mine = base.replace('<a/>', '<A/>');
    const theirs = base.replace('<c/>', '<C/>');
    expect(mergeWorkingCopy(base, mine, theirs)).toEqual({
      text: '<r>\n<A/>\n<b/>\n<C/>\n</r>\n',
      conflicts: [],
    });
  });

  it('takes the words of both within a line', () => {
    const merged = mergeWorkingCopy('<p>one two three</p>\n', '<p>1 two three</p>\n', '<p>one two 3</p>\n');
    expect(merged).toEqual({ text: '<p>1 two 3</p>\n', conflicts: [] });
  });

  it('marks what both have changed, and loses neither', () => {
    const merged = mergeWorkingCopy('x\n<p>one</p>\n', 'x\n<p>mine</p>\n', 'x\n<p>theirs</p>\n');
    expect(merged.text).toBe('x\n<<<<<<< mine\n<p>mine</p>\n=======\n<p>theirs</p>\n>>>>>>> theirs\n');
    expect(merged.conflicts).toEqual([
      { base: '<p>one</p>\n', mine: '<p>mine</p>\n', theirs: '<p>theirs</p>\n', line: 2 },
    ]);
    expect(hasConflictMarks(merged.text)).toBe(true);
  });

  it('takes one side when the other has changed nothing', () => {
    fc.assert(
      fc.property(texts, texts, (base, other) => {
        expect(mergeWorkingCopy(base, other, base)).toEqual({ text: other, conflicts: [] });
        expect(mergeWorkingCopy(base, base, other)).toEqual({ text: other, conflicts: [] });
        expect(mergeWorkingCopy(base, other, other)).toEqual({ text: other, conflicts: [] });
      }),
      { numRuns: 300, seed: 284 },
    );
  });

  it('is silent about nothing: whatever a side has added is in the text', () => {
    const words = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd', '\n'), { maxLength: 10 })
      .map((list) => list.join(' '));
    fc.assert(
      fc.property(words, fc.nat(10), fc.nat(10), (base, left, right) => {
        const put = (word: string, at: number): string => {
          const list = base.split(' ');
          list.splice(at % (list.length + 1), 0, word);
          return list.join(' ');
        };
        const { text } = mergeWorkingCopy(base, put('MINE', left), put('THEIRS', right));
        expect(text).toContain('MINE');
        expect(text).toContain('THEIRS');
      }),
      { numRuns: 500, seed: 284 },
    );
  });
});
