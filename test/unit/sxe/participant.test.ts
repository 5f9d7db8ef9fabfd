import { describe, expect, it } from 'vitest';
import type { Change } from '../../../src/lib/sxe/edits.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { mergeWorkingCopy } from '../../../src/lib/sxe/merge-working-copy.js';
import { readWorkingCopy, writeWorkingCopy } from '../../../src/lib/sxe/working-copy.js';
import { participantWith, textOf } from './document-text.js';

function pair(text: string): [Participant, Participant] {
  const a = participantWith(text, 'a');
  const b = Participant.fromSnapshot({ name: 'b', site: 'site0000b' }, a.snapshot(), 'a');
  return [a, b];
}

const ridOf = ({ document }: Participant, type: string): string =>
  [...document.records.values()].find((record) => record.type === type)?.rid ?? '';

/** Lets each hear what the other says until nobody says anything. */
function settle(a: Participant, b: Participant): void {
  for (;;) {
    const [fromA, fromB] = [a.speak(), b.speak()];
    if (fromA) b.receive(fromA);
    if (fromB) a.receive(fromB);
    if (!fromA && !fromB) return;
  }
}

/** Both change something at the same time, and then hear of each other. */
function atOnce(a: Participant, b: Participant, byA: Change[], byB: Change[]): void {
  const [fromA, fromB] = [a.edit(byA).message, b.edit(byB).message];
  if (fromB) a.receive(fromB);
  if (fromA) b.receive(fromA);
  settle(a, b);
  expect(textOf(a.document)).toBe(textOf(b.document));
}

describe('a participant', () => {
  it('cannot have a site that is none', () => {
    expect(() => new Participant({ name: 'a', site: 'A.1' })).toThrow(RangeError);
  });

  it('is told what becomes of its changes', () => {
    const a = participantWith('<r>abc</r>');
    const target = ridOf(a, 'text');
    const changes: Change[] = [
      { kind: 'set', target: 'nobody', chdata: 'x' },
      { kind: 'set', target, name: 'x' },
      { kind: 'new', rid: target, type: 'text', chdata: 'x' },
      { kind: 'set', target, chdata: 'x', replaceFrom: 7, replaceCount: 0 },
      { kind: 'remove', target },
      { kind: 'set', target, chdata: 'x' },
    ];
    const { message, outcomes } = a.edit(changes);
    expect(outcomes).toEqual([
      { kind: 'waiting', reason: 'unknown-record' },
      { kind: 'refused', reason: 'field-of-another-type' },
      { kind: 'ignored', reason: 'duplicate' },
      { kind: 'refused', reason: 'range' },
      { kind: 'applied' },
      { kind: 'ignored', reason: 'removed' },
    ]);
    expect(message?.edits.map(({ kind }) => kind)).toEqual(['remove']);
    expect(a.edit([]).message).toBeUndefined();
  });

  it('does not take its own messages twice when a room sends them back', () => {
    const a = participantWith('<r/>');
    const { message } = a.edit([
      { kind: 'new', rid: 'x', type: 'text', chdata: 'x', parent: a.document.root?.rid },
    ]);
    expect(message && a.receive(message)).toEqual([]);
  });

  it('keeps both halves when two delete and write around the same place', () => {
    const [a, b] = pair('<p>one two three</p>');
    const target = ridOf(a, 'text');
    atOnce(
      a,
      b,
      [{ kind: 'set', target, chdata: '', replaceFrom: 4, replaceCount: 4 }],
      [{ kind: 'set', target, chdata: 'big ', replaceFrom: 4, replaceCount: 0 }],
    );
    expect(textOf(a.document)).toBe('<p>one big three</p>\n');
  });

  it('keeps what is written while others have to speak first', () => {
    const [a, b] = pair('<p>x</p>');
    const target = ridOf(a, 'text');
    const insert = (chdata: string, replaceFrom: number): Change => ({
      kind: 'set',
      target,
      chdata,
      replaceFrom,
      replaceCount: 0,
    });
    const [fromA, fromB] = [a.edit([insert('a', 0)]).message, b.edit([insert('b', 1)]).message];
    if (fromA) b.receive(fromA);
    const record = b.document.record(target);
    expect(record && b.view(record).chdata).toBe('xb');
    expect(b.edit([insert('c', 2)])).toEqual({ message: undefined, outcomes: [{ kind: 'applied' }] });
    expect(record && b.view(record).chdata).toBe('xbc');
    expect(b.edit([insert('d', 99)]).outcomes).toEqual([{ kind: 'refused', reason: 'range' }]);
    if (fromB) a.receive(fromB);
    settle(a, b);
    expect([textOf(a.document), textOf(b.document)]).toEqual(Array(2).fill('<p>axbc</p>\n'));
  });

  it('says everything before it leaves', () => {
    const [a, b] = pair('<p>x</p>');
    const target = ridOf(a, 'text');
    const insert = (chdata: string): Change => ({
      kind: 'set',
      target,
      chdata,
      replaceFrom: 0,
      replaceCount: 0,
    });
    const [fromA, fromB] = [a.edit([insert('a')]).message, b.edit([insert('b')]).message];
    if (fromA) b.receive(fromA);
    b.edit([insert('c')]);
    const last = b.flush();
    for (const message of [fromB, last]) if (message) a.receive(message);
    a.left('b');
    a.speak();
    expect(textOf(a.document)).toContain('cb');
  });

  it('lets the last word on an attribute count, and moves beside changes', () => {
    const [a, b] = pair('<r><x w="1"/><y/></r>');
    const [attribute, moved] = [ridOf(a, 'attr'), a.document.record(ridOf(a, 'attr'))?.placedIn ?? ''];
    const y = [...a.document.records.values()].find(({ fields }) => fields.name === 'y')?.rid;
    atOnce(
      a,
      b,
      [
        { kind: 'set', target: attribute, chdata: '2' },
        { kind: 'set', target: moved, parent: y },
      ],
      [
        { kind: 'set', target: attribute, chdata: '3' },
        { kind: 'set', target: moved, name: 'z' },
      ],
    );
    expect(textOf(a.document)).toBe('<r><y><z w="3"/></y></r>\n');
  });

  it('saves a file that was written on an older document', () => {
    const [a, b] = pair('<doc>\n<p>one</p>\n<p>two</p>\n</doc>');
    const base = writeWorkingCopy(b);
    const { message } = a.edit(readWorkingCopy(a, base.replace('one', 'first')));
    if (message) b.receive(message);
    const mine = base.replace('two', 'second').replace('</doc>', '<p>three</p>\n</doc>');
    const { text, conflicts } = mergeWorkingCopy(base, mine, writeWorkingCopy(b));
    expect(conflicts).toEqual([]);
    const saved = b.edit(readWorkingCopy(b, text));
    if (saved.message) a.receive(saved.message);
    expect(textOf(a.document)).toBe('<doc>\n<p>first</p>\n<p>second</p>\n<p>three</p>\n</doc>\n');
  });

  it('saves a file while own words wait, and neither loses nor repeats them', () => {
    const [a, b] = pair('<p>x</p>');
    const [fromA, fromB] = [
      a.edit(readWorkingCopy(a, '<p>a x</p>')),
      b.edit(readWorkingCopy(b, '<p>x b</p>')),
    ];
    if (fromA.message) b.receive(fromA.message);
    expect(writeWorkingCopy(b)).toBe('<p>x b</p>\n');
    expect(readWorkingCopy(b, '<p>x b</p>')).toEqual([]);
    expect(b.edit(readWorkingCopy(b, '<p>x b c</p>')).message).toBeUndefined();
    if (fromB.message) a.receive(fromB.message);
    settle(a, b);
    expect([writeWorkingCopy(a), writeWorkingCopy(b)]).toEqual(Array(2).fill('<p>a x b c</p>\n'));
  });

  it('merges what was set as a whole', () => {
    const [a, b] = pair('<p>one two</p>');
    const target = ridOf(a, 'text');
    atOnce(
      a,
      b,
      [{ kind: 'set', target, chdata: 'one big two' }],
      [{ kind: 'set', target, chdata: 'one two three' }],
    );
    expect(textOf(a.document)).toBe('<p>one big two three</p>\n');
  });
});
