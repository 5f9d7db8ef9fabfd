import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffDocument } from '../../../src/lib/sxe/diff-document.js';
import { MAX_CHDATA_LENGTH, MAX_WAITING_SETS, type Edit } from '../../../src/lib/sxe/edits.js';
import { Joining } from '../../../src/lib/sxe/joining.js';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { parseDocument } from '../../../src/lib/sxe/parse-document.js';
import { removalsOf } from '../../../src/lib/sxe/remove-subtree.js';
import { SharedDocument } from '../../../src/lib/sxe/shared-document.js';
import { Inbox } from '../../../src/lib/sxe/inbox.js';
import { loadSnapshot, snapshotItems, splitState, takeSnapshot } from '../../../src/lib/sxe/snapshot.js';
import { inAnyOrder, outcomesOf } from './any-order.js';
import { participantWith, textOf } from './document-text.js';
import { randomFrom } from './simulation.js';
import { snapshotOfTree } from './tree-text.js';

const root: Edit = { kind: 'new', rid: 'r', type: 'element', name: 'r' };
const text: Edit = { kind: 'new', rid: 't', type: 'text', chdata: 'abc', parent: 'r' };

describe('hostile input', () => {
  it('of any kind is never thrown out, never diverges, and never makes a document that is not well-formed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = randomFrom(seed);
        const senders = ['a', 'b', 'c'].map((name): [string, Edit[]] => [
          name,
          Array.from({ length: 3 + Math.floor(random() * 20) }, () => garbage(random)),
        ]);
        const documents = [1, 2, 3].map(() => {
          const document = new SharedDocument();
          const left = senders.map(([name, edits]): [string, Edit[]] => [name, [...edits]]);
          for (let count = 0; count < 100; count++) {
            const [name, edits] = left[Math.floor(random() * left.length)] ?? ['', []];
            const edit = edits.shift();
            if (edit) document.apply(edit, name);
          }
          for (const [name, edits] of left) for (const edit of edits) document.apply(edit, name);
          return document;
        });
        const [first] = documents.map(snapshotOfTree);
        for (const document of documents) expect(snapshotOfTree(document)).toBe(first);
        const [document] = documents;
        if (document?.root) expect(parseDocument(textOf(document)).nodes.length).toBeGreaterThan(0);
      }),
      { numRuns: 600, seed: 284 },
    );
  });

  it('sets records that are not there, and versions far ahead', () => {
    expect(
      outcomesOf([
        { kind: 'set', target: 'nobody', version: 1 },
        root,
        { kind: 'set', target: 'r', version: 1_000_000_000_000, name: 'x' },
        { kind: 'set', target: 'r', version: 0, name: 'x' },
        { kind: 'set', target: 'r', version: NaN, name: 'x' },
        { kind: 'set', target: 'r', version: 1, name: 'y' },
      ]),
    ).toEqual([
      { kind: 'waiting', reason: 'unknown-record' },
      { kind: 'applied' },
      { kind: 'waiting', reason: 'version-ahead' },
      { kind: 'refused', reason: 'version' },
      { kind: 'refused', reason: 'version' },
      { kind: 'applied' },
    ]);
  });

  it('lets edits of unknown records wait up to a number', () => {
    const document = new SharedDocument();
    const set = (index: number): Edit => ({ kind: 'set', target: `x${index}`, version: 1 });
    for (let index = 0; index < MAX_WAITING_SETS; index++) document.apply(set(index), 'a');
    expect(document.apply(set(MAX_WAITING_SETS), 'a')).toEqual({
      kind: 'refused',
      reason: 'too-many-waiting',
    });
    document.apply({ kind: 'remove', target: 'x0' }, 'a');
    expect(document.apply(set(MAX_WAITING_SETS), 'a').kind).toBe('waiting');
  });

  it('has a limit for texts, also when they grow', () => {
    const long = 'x'.repeat(100 * 1024 * 1024);
    const half = 'x'.repeat(MAX_CHDATA_LENGTH / 2 + 1);
    const grow = (version: number): Edit => ({
      kind: 'set',
      target: 'h',
      version,
      chdata: half,
      replaceFrom: 0,
      replaceCount: 0,
    });
    expect(
      outcomesOf([
        root,
        { kind: 'new', rid: 'l', type: 'text', chdata: long, parent: 'r' },
        { kind: 'new', rid: 'h', type: 'text', chdata: '', parent: 'r' },
        grow(1),
        grow(2),
      ]).slice(1),
    ).toEqual([
      { kind: 'refused', reason: 'too-long' },
      { kind: 'applied' },
      { kind: 'applied' },
      { kind: 'refused', reason: 'too-long' },
    ]);
  });

  it('is 100,000 elements deep', () => {
    const depth = 100_000;
    const deep = '<a>'.repeat(depth) + '</a>'.repeat(depth);
    const document = createDocument(deep, 'a', 'site0000a');
    const written = textOf(document);
    expect(written.length).toBe(deep.length - '<a></a>'.length + '<a/>'.length + 1);
    const ids = [...document.records.keys()];
    const top = ids[1] ?? '';
    // Under its own last descendant: it stays where it was.
    document.apply({ kind: 'set', target: top, version: 1, parent: ids.at(-1) }, 'b');
    expect(textOf(document)).toBe(written);
    const { document: loaded } = loadSnapshot(takeSnapshot(document, new Inbox(), 'a'), 'a');
    expect(loaded.records.size).toBe(depth);
    expect(removalsOf(document, ids[0] ?? '').length).toBe(depth);
  });

  it('is deep, and one thing in it has changed', () => {
    const deep = '<a>'.repeat(20_000) + '</a>'.repeat(20_000);
    const document = createDocument(deep, 'a', 'site0000a');
    const changes = diffDocument(document, parseDocument(deep.replace('<a></a>', '<b/>')), () => 'n');
    expect(changes.map(({ kind }) => kind)).toEqual(['new', 'remove']);
  });

  it('removes a parent and not its children', () => {
    const document = inAnyOrder({ A: [{ kind: 'remove', target: 'r' }], B: [text] }, [root]);
    expect(document.root).toBeUndefined();
    expect(document.record('t')).toBeDefined();
  });

  it('claims a record of somebody else', () => {
    const mine: Edit = { kind: 'new', rid: 't', type: 'comment', chdata: '--', parent: 'r' };
    inAnyOrder({
      a: [root, text],
      b: [{ ...text, chdata: 'b' }, mine],
      c: [{ ...text, type: 'element', name: 'x' }],
    });
    expect(outcomesOf([text, text])[1]).toEqual({ kind: 'ignored', reason: 'duplicate' });
  });

  it('says its edits are those of somebody else', () => {
    inAnyOrder(
      {
        a: [{ kind: 'set', target: 't', version: 1, chdata: 'a' }],
        b: [{ kind: 'set', target: 't', version: 1, chdata: 'b', author: 'a' }],
        c: [{ kind: 'set', target: 't', version: 2, chdata: 'c', author: 'b' }],
      },
      [root, text],
    );
  });

  it('sends the state in pieces, begins anew, and vanishes', () => {
    const host = participantWith('<r>text</r>');
    const pieces = [...splitState(snapshotItems(host.snapshot()), 100)];
    expect(pieces.length).toBeGreaterThan(2);
    const joining = new Joining({ name: 'b', site: 'site0000b' });
    joining.offered('a');
    expect(joining.receive('a', '1', pieces[0] ?? [])).toEqual({ kind: 'waiting' });
    expect(joining.left('x')).toBe(false);
    expect(joining.left('a')).toBe(true);
    expect(joining.offered('c')).toBe('accept-state');
    expect(joining.receive('a', '2', pieces.at(-1) ?? [])).toMatchObject({ kind: 'refused' });
    const steps = [pieces[0] ?? [], ...pieces].map((piece, index) =>
      joining.receive('c', `s${index}`, piece),
    );
    const last = steps.at(-1);
    if (last?.kind !== 'joined') return expect.fail();
    expect(textOf(last.participant.document)).toBe('<r>text</r>\n');
  });

  it('is a file from an editor that is no document', () => {
    for (const broken of [
      '',
      '<a>',
      '<a/><b/>',
      'text',
      '<a b="1" b="2"/>',
      '<p:a/>',
      '<a xmlns:p=""/>',
      '<<<<<<< mine\n<a/>',
    ]) {
      expect(() => parseDocument(broken)).toThrow();
    }
    expect(() => parseDocument('<a><b/></a>', { maxDepth: 1 })).toThrow('deeper');
    expect(() => parseDocument('<aaaa/>', { maxLength: 3 })).toThrow('longer');
  });
});

/** An edit in which anything may be wrong. */
function garbage(random: () => number): Edit {
  const pick = <T>(...items: T[]): T => items[Math.floor(random() * items.length)] as T;
  const maybe = <T>(value: T): T | undefined => (random() < 0.4 ? value : undefined);
  const rid = (): string => pick('r', 'x', 'y', 'z', 't', 'a', 'c', '');
  const chdata = (): string => pick('', 'abc', 'a😀b', '--', '?>', '\u0001', '\ud83d', ']]>', '<&"');
  const fields = {
    parent: maybe(rid()),
    weight: maybe(pick(0, 1, -1, NaN, Infinity, 1e308, -0)),
    ns: maybe(
      pick('', 'urn:a', 'xml', 'http://www.w3.org/2000/xmlns/', 'http://www.w3.org/XML/1998/namespace'),
    ),
    name: maybe(
      pick('a', 'p:a', 'xmlns', 'xmlns:q', 'xml:lang', 'xmlns:xml', 'xmlns:xmlns', 'p:xmlns', '1', 'b'),
    ),
    chdata: maybe(chdata()),
    pitarget: maybe(pick('p', 'xml', 'a b')),
    pidata: maybe(chdata()),
  };
  const dice = random();
  if (dice < 0.1) return { kind: 'remove', target: rid() };
  if (dice < 0.55) {
    const type = pick('element', 'element', 'attr', 'text', 'comment', 'processinginstruction', 'entity');
    const kept = { ...fields };
    // Often enough it is one that can be.
    if (random() < 0.8) {
      for (const key of ['ns', 'name', 'chdata', 'pitarget', 'pidata'] as const) kept[key] = undefined;
      if (type === 'element' || type === 'attr') kept.name = pick('a', 'b', 'p:c');
      else kept.chdata = 'abc';
      if (type === 'processinginstruction')
        Object.assign(kept, { chdata: undefined, pitarget: 'p', pidata: 'd' });
    }
    return { kind: 'new', rid: rid(), type, ...kept };
  }
  return {
    kind: 'set',
    target: rid(),
    version: pick(1, 1, 1, 2, 2, 3, 4, 0, -1, 1.5, 1e15),
    ...fields,
    replaceFrom: maybe(pick(0, 1, 2, 99, -1, 0.5)),
    replaceCount: maybe(pick(0, 1, 2, 99)),
    author: random() < 0.1 ? pick('a', 'b') : undefined,
  };
}
