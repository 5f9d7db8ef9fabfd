import { describe, expect, it } from 'vitest';
import type { Edit, StateItem } from '../../../src/lib/sxe/edits.js';
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { psiSnapshotItems } from '../../../src/lib/sxe/psi-snapshot.js';
import { PsiDialect } from '../../../src/lib/sxe/session/psi-dialect.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const negotiation = (inner: string) =>
  parseXml(
    `<sxe xmlns='http://jabber.org/protocol/sxe' session='s' id='i'><negotiation>${inner}</negotiation></sxe>`,
  );

describe('a document for Psi', () => {
  const editsOf = (items: readonly StateItem[]): Edit[] =>
    items.filter(
      (item): item is Edit => item.kind === 'new' || item.kind === 'set' || item.kind === 'remove',
    );

  it('has an edit for every version, also where a conflict was', () => {
    const a = new Participant({
      name: 'a',
      site: 'site0000a',
      document: createDocument('<svg x="1"/>', 'a', 'site0000a'),
    });
    const [attribute] = [...a.document.records.values()].filter(({ type }) => type === 'attr');
    const target = attribute?.rid ?? '';
    const set = (version: number, chdata: string): Edit => ({ kind: 'set', target, version, chdata });
    a.receive({ sender: 'b', id: '1', edits: [set(1, '2')] });
    a.receive({ sender: 'c', id: '1', edits: [set(1, '3')] });
    a.receive({ sender: 'b', id: '2', edits: [set(3, '4')] });
    a.receive({ sender: 'b', id: '3', edits: [set(6, '5'), set(6, '6')] });
    const items = psiSnapshotItems(a.snapshot());
    const versions = editsOf(items).flatMap((edit) => (edit.kind === 'set' ? [edit.version] : []));
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(editsOf(items)).toContainEqual(expect.objectContaining({ kind: 'set', version: 3, chdata: '4' }));
  });

  it('has nothing that Psi would remove for everybody', () => {
    const a = new Participant({
      name: 'a',
      site: 'site0000a',
      document: createDocument('<svg><g/></svg>', 'a', 'site0000a'),
    });
    const edits: Edit[] = [
      { kind: 'new', rid: 'orphan', type: 'element', name: 'x', parent: 'nowhere' },
      { kind: 'new', rid: 'in-orphan', type: 'element', name: 'x', parent: 'orphan' },
      { kind: 'new', rid: '0', type: 'element', name: 'second-root' },
      { kind: 'remove', target: 'never-there' },
    ];
    a.receive({ sender: 'b', id: '1', edits });
    const items = editsOf(psiSnapshotItems(a.snapshot()));
    expect(items.map((edit) => edit.kind === 'new' && edit.name)).toEqual(['svg', 'g']);
  });
});

describe('the dialect of Psi', () => {
  it('answers to an invitation in another way than to an offer of the document', () => {
    const dialect = new PsiDialect();
    const accept = (to: string): string =>
      String(dialect.encode({ session: 's', id: 'i', content: { kind: 'accept-state' } }, to));
    dialect.decode(
      negotiation('<invitation><feature>http://www.w3.org/2000/svg</feature></invitation>'),
      'b',
      'a',
    );
    dialect.decode(negotiation('<history-offer/>'), 'c', 'a');
    expect(accept('b')).toContain('<accept-invitation/>');
    expect(accept('c')).toContain('<accept-history/>');
  });

  it('takes no message twice that is in the document, if the document is that of who was asked', () => {
    const dialect = new PsiDialect();
    dialect.encode({ session: 's', id: 'own.1', content: { kind: 'state', items: [] } }, undefined);
    const end = negotiation("<document-end used-sxe-ids='1.7;own.1'/>");
    const late = parseXml(
      "<sxe xmlns='http://jabber.org/protocol/sxe' session='s' id='1.7'><remove rid='1.1'/></sxe>",
    );
    expect(dialect.decode(end, 'b', 'a').map(({ kind }) => kind)).toEqual(['message']);
    expect(dialect.decode(late, 'c', 'a')).toHaveLength(1);
    dialect.encode({ session: 's', id: 'i', content: { kind: 'accept-state' } }, 'b');
    expect(dialect.decode(end, 'b', 'a')).toMatchObject([
      { kind: 'arrived', id: 'own.1' },
      { kind: 'message', message: { content: { items: [{ kind: 'document-end' }] } } },
    ]);
    expect(dialect.decode(late, 'c', 'a')).not.toContainEqual(
      expect.objectContaining({
        message: expect.objectContaining({
          content: expect.objectContaining({ kind: 'state' }) as object,
        }) as object,
      }),
    );
  });

  it('has no words for what only we know of', () => {
    const dialect = new PsiDialect();
    const contents = [
      { kind: 'schema' },
      { kind: 'not-valid', reason: 'x' },
      { kind: 'have', seen: [] },
      { kind: 'want', seen: [] },
      { kind: 'missed', messages: [], isLast: true },
    ] as const;
    for (const content of contents)
      expect(dialect.encode({ session: 's', id: 'i', content }, 'b')).toBeUndefined();
  });
});
