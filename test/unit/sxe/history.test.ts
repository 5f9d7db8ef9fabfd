import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SetEdit } from '../../../src/lib/sxe/edits.js';
import { SharedDocument } from '../../../src/lib/sxe/shared-document.js';
import { randomFrom } from './simulation.js';

/**
 * The rule as Psi has it: sorted by version, the edit at place i holds when its version is i and the next one has another.
 * `undefined`: versions are missing, and the rule is not meant for that.
 */
function byPsi(edits: readonly SetEdit[]): string | undefined {
  const sorted = [...edits].sort((a, b) => a.version - b.version);
  let text = '0';
  for (const [index, edit] of sorted.entries()) {
    const place = index + 1;
    if (edit.version > place) return undefined;
    if (edit.version === place && sorted[place]?.version !== place) text = edit.chdata ?? '';
  }
  return text;
}

describe('the edits of a record', () => {
  it('hold as they do for Psi, whatever the order they come in', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 9 }),
        fc.integer(),
        (versions, seed) => {
          const edits = versions.map((version, index): SetEdit => ({
            kind: 'set',
            target: 't',
            version,
            chdata: `text ${index}`,
          }));
          const expected = byPsi(edits);
          if (expected === undefined) return;
          compared++;
          const random = randomFrom(seed);
          const document = new SharedDocument();
          document.apply({ kind: 'new', rid: 't', type: 'text', chdata: '0' }, 'a');
          for (const edit of edits.map((one) => ({ one, at: random() })).sort((a, b) => a.at - b.at))
            document.apply(edit.one, `s${edit.one.chdata ?? ''}`);
          expect(document.record('t')).toMatchObject({ version: edits.length, fields: { chdata: expected } });
        },
      ),
      { numRuns: 3000, seed: 284 },
    );
    expect(compared).toBeGreaterThan(300);
  });

  it('are undone to the last version that all agree on', () => {
    const document = new SharedDocument();
    document.apply({ kind: 'new', rid: 't', type: 'element', name: 'a' }, 'a');
    const outcomes = [
      { version: 1, name: 'b' },
      { version: 2, name: 'c', weight: 5, parent: 'x' },
      { version: 3, ns: 'urn:a' },
      { version: 2, name: 'd' },
    ].map((edit) => document.apply({ kind: 'set', target: 't', ...edit }, 'b'));
    expect(outcomes.at(-1)).toEqual({ kind: 'conflict', undone: 2 });
    expect(document.record('t')).toMatchObject({
      version: 4,
      lastModifiedBy: 'b',
      fields: { name: 'b', weight: 0, parent: '', ns: undefined },
    });
  });

  it('are many, and a late one does not take long', () => {
    const document = new SharedDocument();
    document.apply({ kind: 'new', rid: 't', type: 'text', chdata: '' }, 'a');
    for (let version = 1; version <= 20_000; version++) {
      const replaceFrom = version - 1;
      document.apply({ kind: 'set', target: 't', version, chdata: 'x', replaceFrom, replaceCount: 0 }, 'a');
    }
    expect(document.apply({ kind: 'set', target: 't', version: 2, chdata: 'y' }, 'b')).toEqual({
      kind: 'conflict',
      undone: 19_999,
    });
    expect(document.record('t')?.fields.chdata).toBe('x');
    expect(document.record('t')?.history?.owed.get('a')?.delta).toEqual([
      { from: 1, count: 0, inserted: 'x'.repeat(19_999) },
    ]);
  });
});
