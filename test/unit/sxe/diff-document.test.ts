import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../../src/lib/sxe/edits.js';
import { diffDocument } from '../../../src/lib/sxe/diff-document.js';
import { parseDocument } from '../../../src/lib/sxe/parse-document.js';
import { serializeTree } from '../../../src/lib/sxe/serialize-document.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { readWorkingCopy } from '../../../src/lib/sxe/working-copy.js';
import { participantWith, textOf } from './document-text.js';
import { randomFrom } from './simulation.js';

/** The changes of a save, and what the document is after them. */
function save(before: string, after: string): { changes: Change[]; text: string } {
  const participant = participantWith(before);
  const changes = diffDocument(participant.document, parseDocument(after), () => participant.newRid());
  const { outcomes } = participant.edit(changes);
  expect(outcomes.filter(({ kind }) => kind !== 'applied')).toEqual([]);
  return { changes, text: textOf(participant.document) };
}

const kinds = (changes: readonly Change[]): string[] => changes.map(({ kind }) => kind);

describe('diffDocument', () => {
  it('changes nothing when nothing has changed', () => {
    const text = '<?xml version="1.0" encoding="UTF-8"?>\n<!--a--><r x="1"><a/>t<?p d?></r>\n';
    expect(save(text, text).changes).toEqual([]);
  });

  it('changes the pieces of a text that differ', () => {
    const { changes, text } = save('<p>the cat sat on the mat</p>', '<p>the dog sat on a mat</p>');
    expect(text).toBe('<p>the dog sat on a mat</p>\n');
    expect(changes).toMatchObject([
      { kind: 'set', chdata: 'a', replaceFrom: 15, replaceCount: 3 },
      { kind: 'set', chdata: 'dog', replaceFrom: 4, replaceCount: 3 },
    ]);
  });

  it('never divides a character', () => {
    const { changes } = save('<p>a😀b</p>', '<p>a😁b</p>');
    expect(changes).toMatchObject([{ replaceFrom: 1, replaceCount: 2, chdata: '😁' }]);
  });

  it('sets, adds and removes attributes', () => {
    const { changes, text } = save('<r a="1" b="2"/>', '<r b="3" c="4"/>');
    expect(kinds(changes)).toEqual(['set', 'new', 'remove']);
    expect(text).toBe('<r b="3" c="4"/>\n');
  });

  it('moves what is the same in another place', () => {
    const { changes, text } = save(
      '<r><a><x i="1"><y/></x></a><b/></r>',
      '<r><a/><b><x i="1"><y/></x></b></r>',
    );
    expect(kinds(changes)).toEqual(['set']);
    expect(text).toBe('<r><a/><b><x i="1"><y/></x></b></r>\n');
  });

  it('moves what was wrapped, and what was unwrapped', () => {
    expect(kinds(save('<r><x i="1"/></r>', '<r><g><x i="1"/></g></r>').changes)).toEqual(['new', 'set']);
    expect(kinds(save('<r><g><x i="1"/></g></r>', '<r><x i="1"/></r>').changes)).toEqual(['set', 'remove']);
  });

  it('keeps the namespace of what it moves', () => {
    const after = '<r xmlns="urn:a"><b xmlns="urn:b"/><x i="1"/></r>';
    const { text } = save('<r xmlns="urn:a"><b xmlns="urn:b"><x xmlns="urn:a" i="1"/></b></r>', after);
    expect(parseDocument(text).nodes).toMatchObject(parseDocument(after).nodes.map(({ kind }) => ({ kind })));
    expect(text).toContain('<x');
  });

  it('knows an element by its id', () => {
    const { changes } = save('<r><p id="1">one</p><p id="2">two</p></r>', '<r><p id="2">zwei</p></r>');
    expect(kinds(changes)).toEqual(['set', 'remove', 'remove', 'remove']);
  });

  it('makes room where two weights leave none', () => {
    let before = '<r><a/><z/></r>';
    const participant = participantWith(before);
    for (let count = 0; count < 200; count++) {
      const after = before.replace('<z/>', `<n i="${count}"/><z/>`);
      participant.edit(diffDocument(participant.document, parseDocument(after), () => participant.newRid()));
      expect(textOf(participant.document)).toBe(`${after}\n`);
      before = after;
    }
  });

  it('makes room at the end of what a number can be', () => {
    const participant = participantWith('<r><a/></r>');
    const [root] = [...participant.document.records.values()];
    participant.edit([
      { kind: 'new', rid: 'z', type: 'element', name: 'z', parent: root?.rid, weight: Number.MAX_VALUE },
    ]);
    participant.edit(
      diffDocument(participant.document, parseDocument('<r><a/><z/><b/></r>'), () => participant.newRid()),
    );
    expect(textOf(participant.document)).toBe('<r><a/><z/><b/></r>\n');
  });

  it('replaces the root', () => {
    expect(save('<a><b/></a>', '<z><b/></z>').text).toBe('<z><b/></z>\n');
  });

  it('gets from any document to any other', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = randomFrom(seed);
        const before = randomDocument(random);
        const after = random() < 0.5 ? randomDocument(random) : disturb(before, random);
        expect(save(before, after).text).toBe(serializeTree(parseDocument(after)));
      }),
      { numRuns: 300, seed: 284 },
    );
  });

  describe('with texts of several records beside each other', () => {
    /** Two who have inserted a text at the same place, and between them another one that says nothing. */
    const beside = (...texts: string[]) => {
      const participant = participantWith('<p><a/></p>');
      const [root] = participant.document.container('')?.nodes ?? [];
      const parent = root?.rid ?? '';
      const rids = texts.map((chdata, index) => {
        const rid = `other.${index}`;
        participant.edit([{ kind: 'new', rid, type: 'text', parent, weight: 5 + index, chdata }]);
        return rid;
      });
      const change = (after: string) => {
        const changes = diffDocument(participant.document, parseDocument(after), () => participant.newRid());
        participant.edit(changes);
        return { changes, text: textOf(participant.document) };
      };
      return { rids, change };
    };

    it('leaves all of them when nothing has changed', () => {
      expect(beside('one ', '', 'two').change('<p><a/>one two</p>').changes).toEqual([]);
      expect(beside('').change('<p><a/></p>').changes).toEqual([]);
    });

    it('changes those in which something has changed', () => {
      const { rids, change } = beside('one ', 'two ', 'three');
      const { changes, text } = change('<p><a/>one 2 three!</p>');
      expect(text).toBe('<p><a/>one 2 three!</p>\n');
      expect(changes).toMatchObject([
        { kind: 'set', target: rids[2], chdata: '!' },
        { kind: 'set', target: rids[1], chdata: '2' },
      ]);
    });

    it('divides what goes over the border of two', () => {
      const { change } = beside('one two', ' three four');
      const { changes, text } = change('<p><a/>one four</p>');
      expect(text).toBe('<p><a/>one four</p>\n');
      expect(kinds(changes).every((kind) => kind === 'set')).toBe(true);
    });

    it('removes all of them when they are gone, and inserts behind all of them', () => {
      expect(kinds(beside('one ', 'two').change('<p><a/></p>').changes)).toEqual(['remove', 'remove']);
      const { changes, text } = beside('one ', 'two').change('<p><a/>one two<b/></p>');
      expect(text).toBe('<p><a/>one two<b/></p>\n');
      expect(kinds(changes)).toEqual(['new']);
    });

    it('keeps what somebody else writes into the second one meanwhile', () => {
      const mine = participantWith('<p>one<a/>two</p>');
      const { name, site } = { name: 'z', site: 'site0000z' };
      const theirs = Participant.fromSnapshot({ name, site }, mine.snapshot(), mine.name);
      const exchange = (changes: Change[], from: Participant, to: Participant): void => {
        const { message } = from.edit(changes);
        if (message) to.receive(message);
      };
      exchange(readWorkingCopy(mine, '<p>onetwo</p>'), mine, theirs);
      const saved = mine.edit(readWorkingCopy(mine, '<p>One, onetwo</p>'));
      const other = theirs.edit(readWorkingCopy(theirs, '<p>onetwo and three</p>'));
      if (saved.message) theirs.receive(saved.message);
      if (other.message) mine.receive(other.message);
      expect(textOf(mine.document)).toBe('<p>One, onetwo and three</p>\n');
      expect(textOf(theirs.document)).toBe(textOf(mine.document));
    });

    it('ends in what the file says, whatever it says', () => {
      const words = fc.array(fc.constantFrom('one', 'two ', ' ', 'a'), { maxLength: 4 });
      fc.assert(
        fc.property(fc.array(words, { maxLength: 4 }), words, fc.boolean(), (texts, after, hasElement) => {
          const { change } = beside(...texts.map((some) => some.join('')));
          const wanted = `<p>${hasElement ? '<a/>' : ''}${after.join('')}${hasElement ? '' : '<b/>'}</p>`;
          expect(change(wanted).text).toBe(`${wanted}\n`);
        }),
      );
    });
  });
});

function randomDocument(random: () => number): string {
  const node = (depth: number): string => {
    const dice = random();
    if (depth > 3 || dice < 0.3) return ['one', 'two three', 'four '][Math.floor(random() * 3)] ?? '';
    if (dice < 0.35) return `<!--c${Math.floor(random() * 3)}-->`;
    if (dice < 0.4) return `<?pi ${Math.floor(random() * 3)}?>`;
    const name = ['a', 'b', 'p:c'][Math.floor(random() * 3)] ?? 'a';
    const id = random() < 0.3 ? ` id="${Math.floor(random() * 9)}"` : '';
    const ns = random() < 0.2 ? ` xmlns="urn:${Math.floor(random() * 2)}"` : '';
    const children = Array.from({ length: Math.floor(random() * 4) }, () => node(depth + 1)).join('');
    return `<${name}${id}${ns}>${children}</${name}>`;
  };
  return `<r xmlns:p="urn:p">${Array.from({ length: 4 }, () => node(0)).join('')}</r>`;
}

/** A few things elsewhere, gone, or changed. */
function disturb(text: string, random: () => number): string {
  let changed = text;
  for (let count = 0; count < 3; count++) {
    const pieces = changed.match(/<[^>]*\/>|<([ab])[^>]*>[^<]*<\/\1>|<!--.*?-->|one|two/g) ?? [];
    const piece = pieces[Math.floor(random() * pieces.length)];
    if (piece === undefined) continue;
    const without = changed.replace(piece, () => (random() < 0.3 ? 'five' : ''));
    changed = random() < 0.6 ? without.replace(/<\/r>$/, `${piece}</r>`) : without;
  }
  return changed;
}
