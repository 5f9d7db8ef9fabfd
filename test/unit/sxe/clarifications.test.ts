import { describe, expect, it } from 'vitest';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { lengthOfEdit } from '../../../src/lib/sxe/message-log.js';
import { EditingSession } from '../../../src/lib/sxe/session/editing-session.js';
import { splitChange } from '../../../src/lib/sxe/split-change.js';
import { FakeRoom } from './fake-room.js';
import { VirtualClock } from './virtual-clock.js';
import type { Edit, NewEdit, SetEdit } from '../../../src/lib/sxe/edits.js';
import { Joining } from '../../../src/lib/sxe/joining.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { parseDocument } from '../../../src/lib/sxe/parse-document.js';
import { decodeProlog, encodeProlog } from '../../../src/lib/sxe/prolog.js';
import { removalsOf } from '../../../src/lib/sxe/remove-subtree.js';
import { SharedDocument } from '../../../src/lib/sxe/shared-document.js';
import { loadSnapshot } from '../../../src/lib/sxe/snapshot.js';
import { inAnyOrder, outcomesOf } from './any-order.js';
import { participantWith, textOf } from './document-text.js';
import { snapshotOfTree } from './tree-text.js';

const element = (rid: string, parent = 'r', more: Partial<NewEdit> = {}): NewEdit => ({
  kind: 'new',
  rid,
  type: 'element',
  name: rid,
  parent,
  ...more,
});
const set = (target: string, version: number, changes: Partial<SetEdit>): SetEdit => ({
  kind: 'set',
  target,
  version,
  ...changes,
});
const remove = (target: string): Edit => ({ kind: 'remove', target });
const text = (chdata: string, rid = 't', parent = 'r'): NewEdit => ({
  kind: 'new',
  rid,
  type: 'text',
  chdata,
  parent,
});
const root = element('r', '');

describe('clarifications', () => {
  it('1. what holds does not depend on the order', () => {
    const say = (version: number, chdata: string): SetEdit => set('t', version, { chdata });
    const start = [root, text('0')];
    const document = inAnyOrder({ A: [say(1, 'a1'), say(2, 'a2'), say(3, 'a3')], B: [say(1, 'b1')] }, start);
    expect(document.record('t')).toMatchObject({ version: 4, fields: { chdata: '0' } });
    // Who knows them all goes on.
    const next = inAnyOrder({ A: [say(1, 'a')], B: [say(1, 'b')], C: [say(3, 'c')] }, start);
    expect(next.record('t')).toMatchObject({ version: 3, fields: { chdata: 'c' } });
    // A conflict widens to what knows only a part of it.
    const wide = inAnyOrder(
      { A: [say(1, 'a')], B: [say(1, 'b')], C: [say(2, 'c')], D: [say(4, 'd')] },
      start,
    );
    expect(wide.record('t')).toMatchObject({ version: 4, fields: { chdata: 'd' } });
  });

  it('2. edits wait for their record', () => {
    const document = inAnyOrder({ A: [root, text('0')], B: [set('t', 1, { chdata: 'b' })] });
    expect(textOf(document)).toBe('<r>b</r>\n');
  });

  it('3. what was removed never comes back', () => {
    const document = inAnyOrder({
      A: [root, element('x')],
      B: [remove('x')],
      C: [set('x', 1, { name: 'y' })],
    });
    expect(textOf(document)).toBe('<r/>\n');
    expect(outcomesOf([root, remove('r'), root, set('r', 1, {}), remove('r')]).slice(2)).toEqual([
      { kind: 'ignored', reason: 'removed' },
      { kind: 'ignored', reason: 'removed' },
      { kind: 'ignored', reason: 'duplicate' },
    ]);
  });

  it('4. an orphan shows when it gets a parent', () => {
    const start = [root, element('x'), element('c', 'x'), element('y')];
    const document = inAnyOrder({ A: [remove('x')], B: [set('c', 1, { parent: 'y' })] }, start);
    expect(textOf(document)).toBe('<r><y><c/></y></r>\n');
    expect(textOf(inAnyOrder({ A: [root], B: [element('c', 'x')], C: [element('x')] }))).toBe(
      '<r><x><c/></x></r>\n',
    );
  });

  it('5. of two attributes one shows, and the other behind it', () => {
    const attribute = (rid: string): NewEdit => ({
      kind: 'new',
      rid,
      type: 'attr',
      name: 'n',
      chdata: rid,
      parent: 'r',
    });
    expect(textOf(inAnyOrder({ A: [attribute('a')], B: [attribute('b')] }, [root]))).toBe('<r n="b"/>\n');
    const document = inAnyOrder({ A: [attribute('a')], B: [attribute('b')], C: [remove('b')] }, [root]);
    expect(textOf(document)).toBe('<r n="a"/>\n');
    const both = inAnyOrder({ A: [attribute('a')], B: [attribute('b')] }, [root]);
    for (const edit of removalsOf(both, 'b')) both.apply(edit, 'C');
    expect(textOf(both)).toBe('<r/>\n');
  });

  it('6. of two roots one shows, and nothing where nothing can be', () => {
    expect(textOf(inAnyOrder({ A: [element('r1', '')], B: [element('r2', ''), text('t', 'x', 'r2')] }))).toBe(
      '<r2>t</r2>\n',
    );
    const document = inAnyOrder({ A: [root, text('top', 't', '')], B: [text('under', 'u', 't')] });
    expect(textOf(document)).toBe('<r/>\n');
  });

  it('7. a cycle falls back to where its records were created', () => {
    const start = [root, element('x'), element('y'), element('z')];
    const move = (rid: string, parent: string): SetEdit => set(rid, 1, { parent });
    expect(textOf(inAnyOrder({ A: [move('x', 'y')], B: [move('y', 'x')] }, start))).toBe(
      '<r><x/><y/><z/></r>\n',
    );
    const three = inAnyOrder({ A: [move('x', 'y')], B: [move('y', 'z')], C: [move('z', 'x')] }, start);
    expect(textOf(three)).toBe('<r><x/><y/><z/></r>\n');
    // When one goes elsewhere, the other is where it was moved to.
    const solved = inAnyOrder(
      { A: [move('x', 'y'), set('x', 2, { parent: 'z' })], B: [move('y', 'x')] },
      start,
    );
    expect(textOf(solved)).toBe('<r><z><x><y/></x></z></r>\n');
    expect(textOf(inAnyOrder({ A: [move('x', 'x')], B: [move('y', 'x')] }, start))).toBe(
      '<r><x><y/></x><z/></r>\n',
    );
    const gone = inAnyOrder({ A: [move('x', 'y')], B: [move('y', 'x')], C: [remove('x')] }, start);
    expect(textOf(gone)).toBe('<r><z/></r>\n');
  });

  it('8. weights are finite, and ids are compared by characters', () => {
    for (const weight of [NaN, Infinity, -Infinity]) {
      expect(outcomesOf([root, { ...element('x'), weight }]).at(-1)).toEqual({
        kind: 'refused',
        reason: 'weight',
      });
    }
    const document = inAnyOrder({
      A: [root, element('x\uffee', 'r', { name: 'c' }), element('x', 'r', { name: 'b' })],
      B: [element('x😀', 'r', { name: 'd' }), element('z', 'r', { name: 'a', weight: -1 })],
    });
    expect(textOf(document)).toBe('<r><a/><b/><c/><d/></r>\n');
  });

  it('9. of two records with one id the lower sender counts', () => {
    const document = inAnyOrder({
      B: [root, text('b'), set('t', 1, { chdata: 'x', replaceFrom: 0, replaceCount: 0 })],
      A: [text('a'), element('t')],
    });
    expect(textOf(document)).toBe('<r>xa</r>\n');
  });

  it('10. a snapshot leaves conflicts out, and a joiner goes on as the others do', () => {
    const say = (version: number, chdata: string): SetEdit => set('t', version, { chdata });
    for (const later of [[], [say(3, 'c')]]) {
      const host = new Participant({ name: 'h', site: 'site0000h' });
      for (const edit of [root, text('0')]) host.document.apply(edit, 'h');
      for (const edit of [say(1, 'a'), say(1, 'b'), ...later]) host.document.apply(edit, 'a');
      const { document } = loadSnapshot(host.snapshot(), 'h');
      expect(snapshotOfTree(document)).toBe(snapshotOfTree(host.document));
      for (const late of [say(2, 'late'), say(4, 'x'), say(5, 'y'), say(6, 'z')]) {
        document.apply(late, 'd');
        host.document.apply(late, 'd');
        expect(document.record('t')?.fields).toEqual(host.document.record('t')?.fields);
        expect(document.record('t')?.version).toBe(host.document.record('t')?.version);
      }
    }
  });

  it('11. two people in one paragraph both keep their words', () => {
    const a = participantWith('<p>one two</p>', 'a');
    const b = Participant.fromSnapshot({ name: 'b', site: 'site0000b' }, a.snapshot(), 'a');
    const rid = [...a.document.records.values()].find(({ type }) => type === 'text')?.rid ?? '';
    const insert = (chdata: string, replaceFrom: number) =>
      ({ kind: 'set', target: rid, chdata, replaceFrom, replaceCount: 0 }) as const;
    const fromA = a.edit([insert('big ', 4)]).message;
    const fromB = b.edit([insert(' three', 7)]).message;
    if (fromB) expect(a.receive(fromB)).toMatchObject([{ outcome: { kind: 'conflict', undone: 1 } }]);
    if (fromA) b.receive(fromA);
    // Both see their own words all the time; the first to speak is a.
    expect(b.view(b.document.record(rid) ?? expect.fail()).chdata).toBe('one two three');
    expect(b.speak()).toBeUndefined();
    expect([...b.waitingFor()]).toEqual(['a']);
    const again = a.speak();
    expect(again?.edits).toMatchObject([{ kind: 'set', version: 3, chdata: 'big ', author: 'a' }]);
    if (again) b.receive(again);
    const last = b.speak();
    if (last) a.receive(last);
    expect([textOf(a.document), textOf(b.document)]).toEqual(Array(2).fill('<p>one big two three</p>\n'));
  });

  it('12. the words of who has left are said by another', () => {
    const a = participantWith('<p/>', 'a');
    const p = a.document.root?.rid ?? '';
    a.edit([text('', 't', p)]);
    const b = Participant.fromSnapshot({ name: 'b', site: 'site0000b' }, a.snapshot(), 'a');
    const say = (chdata: string) =>
      ({ kind: 'set', target: 't', chdata, replaceFrom: 0, replaceCount: 0 }) as const;
    const fromA = a.edit([say('A')]).message;
    const fromB = b.edit([say('B')]).message;
    if (!fromA || !fromB) return expect.fail();
    b.receive(fromA);
    a.receive(fromB);
    b.left('a');
    expect(b.speak()?.edits).toMatchObject([
      { chdata: 'A', author: 'a' },
      { chdata: 'B', author: 'b' },
    ]);
    expect(textOf(b.document)).toBe('<p>AB</p>\n');
  });

  it('13. ranges are code units, and a refused edit counts', () => {
    const edits = [
      root,
      text('a😀b'),
      set('t', 1, { chdata: 'x', replaceFrom: 2, replaceCount: 0 }),
      set('t', 2, { chdata: 'x', replaceFrom: 9, replaceCount: 0 }),
      set('t', 3, { chdata: 'x', replaceFrom: 1, replaceCount: 2 }),
    ];
    expect(outcomesOf(edits).slice(2)).toEqual([
      { kind: 'refused', reason: 'surrogate-pair' },
      { kind: 'refused', reason: 'range' },
      { kind: 'applied' },
    ]);
  });

  it('14. messages are taken in the order of their numbers, and once', () => {
    const participant = new Participant({ name: 'b', site: 'site0000b' });
    const message = (number: number, edit: Edit) => ({
      sender: 'a',
      id: `site0000a.${number}`,
      edits: [edit],
    });
    expect(participant.receive(message(2, set('r', 1, { name: 'q' })))).toEqual([]);
    expect(participant.inbox.gaps()).toEqual([{ sender: 'a', site: 'site0000a', first: 1, last: 1 }]);
    expect(participant.receive(message(1, root))).toHaveLength(2);
    expect(participant.receive(message(1, root))).toEqual([]);
    expect(textOf(participant.document)).toBe('<q/>\n');
    const other = { sender: 'psi', id: '17', edits: [element('x')] };
    expect([participant.receive(other).length, participant.receive(other).length]).toEqual([1, 0]);
  });

  it('15. a joiner knows what the snapshot contains', () => {
    const a = participantWith('<r/>', 'a');
    const first = a.edit([text('x', 't', a.document.root?.rid)]).message;
    const second = a.edit([{ kind: 'set', target: 't', chdata: 'y' }]).message;
    a.receive({ sender: 'c', id: 'site0000c.1', edits: [set('later', 1, { name: 'q' })] });
    const b = Participant.fromSnapshot({ name: 'b', site: 'site0000b' }, a.snapshot(), 'a');
    for (const message of [first, second]) if (message) expect(b.receive(message)).toEqual([]);
    b.receive({ sender: 'd', id: 'site0000d.1', edits: [element('later', a.document.root?.rid)] });
    expect(textOf(b.document)).toBe('<r><q/>y</r>\n');
  });

  it('16. namespaces are inherited, and prefixes declared where they are needed', () => {
    const document = new SharedDocument();
    const attribute = (rid: string, name: string, more: Partial<NewEdit>): Edit => ({
      ...{ kind: 'new', rid, type: 'attr', name, chdata: 'v', parent: 'c' },
      ...more,
    });
    for (const edit of [
      element('r', '', { ns: 'urn:r' }),
      element('c', 'r', { name: 'p:c' }),
      element('d', 'c', { ns: '' }),
      attribute('1', 'lang', { ns: 'xml' }),
      attribute('2', 'q:a', { ns: 'urn:q' }),
      attribute('3', 'a', { ns: 'urn:z' }),
      attribute('4', 'u:a', {}),
    ])
      document.apply(edit, 'a');
    const written = textOf(document);
    expect(written).toBe(
      '<r xmlns="urn:r"><p:c xmlns:p="urn:r" xmlns:q="urn:q" xmlns:ns0="urn:z" xml:lang="v" q:a="v" ns0:a="v" a="v">' +
        '<d xmlns=""/></p:c></r>\n',
    );
    expect(parseDocument(written).nodes).toHaveLength(1);
    const file = '<s:r xmlns:s="urn:s" xmlns:unused="urn:u"><s:a xmlns="urn:d"><b s:x="1"/></s:a></s:r>\n';
    expect(textOf(participantWith(file).document)).toBe(file);
  });

  it('17. a document type is kept by name, and nothing in it', () => {
    const svg =
      '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">\n<svg/>\n';
    expect(textOf(participantWith(svg).document)).toBe(svg);
    expect(() => parseDocument('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')).toThrow('refused');
    expect(() => parseDocument('<a>&b;</a>')).toThrow('not well-formed');
    expect(decodeProlog(encodeProlog('<!DOCTYPE a [<!ENTITY b "c">]>'))).toBe('');
  });

  it('18. what cannot be written is refused by everybody', () => {
    const attribute = (more: Partial<NewEdit>): NewEdit => ({
      kind: 'new',
      rid: 'a',
      type: 'attr',
      name: 'n',
      parent: 'r',
      ...more,
    });
    const refused: [NewEdit, string][] = [
      [element('x', 'r', { name: '1' }), 'name'],
      [element('x', 'r', { name: 'a b' }), 'name'],
      [element('x', 'r', { name: 'a:b:c' }), 'name'],
      [attribute({ chdata: 'a\u0000' }), 'characters'],
      [attribute({ chdata: '\ud800' }), 'characters'],
      [{ ...text('a--b'), type: 'comment' }, 'comment'],
      [
        { kind: 'new', rid: 'p', type: 'processinginstruction', pitarget: 'XML', pidata: '' },
        'processing-instruction',
      ],
      [
        { kind: 'new', rid: 'p', type: 'processinginstruction', pitarget: 'p', pidata: '?>' },
        'processing-instruction',
      ],
      [{ ...text('t'), name: 'n' }, 'field-of-another-type'],
      [{ ...text('t'), type: 'entity' }, 'type'],
      [element('x'.repeat(2000)), 'rid'],
      [element(''), 'rid'],
    ];
    for (const [edit, reason] of refused)
      expect(outcomesOf([root, edit])[1]).toEqual({ kind: 'refused', reason });
  });

  it('19. a snapshot is taken from one sender', () => {
    const joining = new Joining({ name: 'b', site: 'site0000b' });
    const begin = { kind: 'document-begin', prolog: '' } as const;
    const end = { kind: 'document-end', lastSender: '', lastId: '', seen: [], following: 0 } as const;
    expect(joining.receive('x', '1', [begin, end])).toEqual({ kind: 'refused', reason: 'no-offer-accepted' });
    expect([joining.offered('a'), joining.offered('x')]).toEqual(['accept-state', 'refuse-state']);
    expect(joining.receive('x', '2', [begin, element('x', ''), end])).toMatchObject({ kind: 'refused' });
    expect(joining.receive('a', '3', [begin, root])).toEqual({ kind: 'waiting' });
    expect(joining.receive('x', 'site0000x.1', [text('live')])).toEqual({ kind: 'waiting' });
    const step = joining.receive('a', '4', [end]);
    if (step.kind !== 'joined') return expect.fail();
    expect(textOf(step.participant.document)).toBe('<r>live</r>\n');
  });

  it('20. children of what was removed do not show, and nobody has to remove them', () => {
    const document = inAnyOrder({ A: [element('c', 'x')], B: [remove('x')] }, [root, element('x')]);
    expect(textOf(document)).toBe('<r/>\n');
    expect(removalsOf(document, 'r').map(({ target }) => target)).toEqual(['r']);
  });

  it('21. the example of the specification', () => {
    const participant = new Participant({ name: 'b', site: 'site0000b' });
    const edits: Edit[] = [
      {
        kind: 'new',
        type: 'processinginstruction',
        pitarget: 'xml-stylesheet',
        pidata: 'href="style.xsl" type="text/xsl"',
        rid: 'GUID0',
        weight: 0.4,
      },
      element('GUID1', '', { ns: 'http://www.w3.org/1999/xhtml', name: 'html', weight: 3 }),
      element('GUID3', 'GUID1', { name: 'head' }),
      element('GUID4', 'GUID3', { name: 'title' }),
      text('Royal Musings', 'GUID5', 'GUID4'),
      { ...text('The title of the document goes here.', 'GUID6', 'GUID4'), type: 'comment', weight: -2.43 },
      element('GUID7', 'GUID1', { name: 'body', weight: 23 }),
      set('GUID5', 1, { chdata: "It's good to be the king!" }),
      set('GUID5', 1, { chdata: 'It certainly is' }),
      set('GUID6', 1, { replaceFrom: 9, replaceCount: 16, chdata: '' }),
      set('GUID6', 2, { replaceFrom: 3, replaceCount: 0, chdata: 'document' }),
    ];
    for (const edit of edits) participant.document.apply(edit, 'a');
    expect(textOf(participant.document)).toBe(
      '<?xml-stylesheet href="style.xsl" type="text/xsl"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>' +
        '<!--Thedocument title goes here.-->Royal Musings</title></head><body/></html>\n',
    );
  });

  it('22. who was away gets the messages that were missed, and holds back what nobody can hear', async () => {
    const clock = new VirtualClock();
    const room = new FakeRoom(clock, () => 0.5);
    let sites = 0;
    const surroundings = { clock, newSite: () => `site0000${String.fromCharCode(97 + sites++)}` };
    const channel = room.enter('a');
    const make = (name: string, site: string) => createDocument('<r>one</r>', name, site);
    const a = EditingSession.share(channel, 'urn:xmpp:jingle:apps:xml', make, { surroundings });
    const b = EditingSession.join(room.enter('b'), 'urn:xmpp:jingle:apps:xml', { surroundings });
    await clock.pass(5_000);
    const sent: string[] = [];
    const pass = room.pass.bind(room);
    room.pass = (from, to, content, id) => {
      sent.push(`${from.name} ${content.kind}`);
      pass(from, to, content, id);
    };
    channel.lose();
    await clock.pass(1_000);
    a.apply(a.text.replace('one', 'one two'));
    for (const word of ['three', 'four']) b.apply(b.text.replace('one', `${word} one`));
    await clock.pass(1_000);
    expect(a.participant.document.record(a.participant.document.root?.rid ?? '')).toBeDefined();
    channel.comeIn();
    await clock.pass(10_000);
    expect(sent).toEqual([
      'b state',
      'b state',
      'a connect',
      'b have',
      'a want',
      'b missed',
      'a connect',
      'a state',
    ]);
    expect([a.text, b.text]).toEqual(['<r>three four one two</r>\n', '<r>three four one two</r>\n']);
  });

  it('23. a text that is longer than a stanza is continued', () => {
    const text = `${'x'.repeat(23_999)}😀${'é&'.repeat(6_000)}`;
    const changes = splitChange({ kind: 'new', rid: 't', type: 'text', chdata: text, parent: 'r' });
    expect(changes.map(({ kind }) => kind)).toEqual(['new', 'set', 'set', 'set']);
    const document = inAnyOrder({}, [root]);
    changes.forEach((change, version) =>
      document.apply(change.kind === 'set' ? { ...change, version } : change, 'a'),
    );
    expect(document.record('t')?.fields.chdata).toBe(text);
    for (const change of changes) expect(lengthOfEdit(change)).toBeLessThan(24_300);
    const dashes = `${'- '.repeat(11_999)}x-y`;
    const [begin] = splitChange({ kind: 'set', target: 'c', chdata: `${dashes}${'z'.repeat(9_000)}` });
    expect(begin.chdata.endsWith('-')).toBe(false);
  });
});
