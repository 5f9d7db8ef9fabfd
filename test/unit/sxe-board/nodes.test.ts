import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Change } from '../../../src/lib/sxe/edits.js';
import { treeOf } from '../../../src/lib/sxe/tree.js';
import { diffNodes, type Patch } from '../../../src/lib/sxe-board/diff-nodes.js';
import type { BoardNode, PlacedNode } from '../../../src/lib/sxe-board/messages.js';
import { VisibleDrawing } from '../../../src/lib/sxe-board/visible-drawing.js';
import { visibleNodes, type Visible } from '../../../src/lib/sxe-board/visible-nodes.js';
import { participantWith } from '../sxe/document-text.js';

const svg = (inner: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">${inner}</svg>`;
const see = (text: string): Visible => visibleNodes(treeOf(participantWith(text).document));
/** Without ids. */
const outline = ({ nodes }: Visible): unknown[] =>
  nodes.map((node) => (node.kind === 'text' ? node.text : [node.name, ...node.attributes]));

describe('what of a document the page gets', () => {
  it('is shapes, in order, with what is harmless of their attributes', () => {
    expect(
      outline(see(svg('<g><rect x="1" onclick="a()" style="fill:red"/><text>a<tspan>b</tspan></text></g>'))),
    ).toEqual([['svg', ['viewBox', '0 0 9 9']], ['g'], ['rect', ['x', '1']], ['text'], 'a', ['tspan'], 'b']);
  });

  it('is nothing that could run, nor what is in it', () => {
    const hostile = [
      '<script>a()</script>',
      '<foreignObject><rect/><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>',
      '<a xlink:href="javascript:a()"><rect/></a>',
      '<image xlink:href="http://example.org/a.png"/>',
      '<animate attributeName="href" to="javascript:a()"/>',
      '<rect xmlns="http://www.w3.org/1999/xhtml"/>',
      '<!-- a --><?a b?>',
    ];
    expect(outline(see(svg(hostile.join(''))))).toEqual([['svg', ['viewBox', '0 0 9 9']]]);
  });

  it('is nothing of what is no drawing', () => {
    expect(see('<html xmlns="http://www.w3.org/1999/xhtml"/>')).toEqual({
      nodes: [],
      isDrawing: false,
      isCutOff: false,
    });
    expect(see('<svg/>').isDrawing).toBe(false);
    expect(see('<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:g/></s:svg>').nodes).toHaveLength(2);
  });

  it('ends where a browser would', () => {
    const many = see(svg('<g/>'.repeat(20_100)));
    expect(many.nodes).toHaveLength(20_000);
    expect(many.isCutOff).toBe(true);
    const deep = see(svg(`${'<g>'.repeat(1000)}${'</g>'.repeat(1000)}`));
    expect(deep.nodes).toHaveLength(65);
    expect(deep.isCutOff).toBe(true);
  });
});

/** As the page does it. */
function patched(
  before: readonly PlacedNode[],
  after: readonly PlacedNode[],
  { gone, put, changed }: Patch = diffNodes(before, after),
): unknown {
  const lists = new Map<string, string[]>();
  const parents = new Map<string, string>();
  const nodes = new Map<string, BoardNode>();
  const place = (node: PlacedNode): void => {
    const old = lists.get(parents.get(node.id) ?? '?');
    old?.splice(old.indexOf(node.id), 1);
    const list = lists.get(node.parent) ?? [];
    lists.set(node.parent, list);
    list.splice(node.after === '' ? 0 : list.indexOf(node.after) + 1, 0, node.id);
    parents.set(node.id, node.parent);
    nodes.set(node.id, node);
  };
  for (const node of before) place(node);
  for (const node of put) place(node);
  for (const node of changed) nodes.set(node.id, node);
  for (const id of gone) {
    const list = lists.get(parents.get(id) ?? '?');
    list?.splice(list.indexOf(id), 1);
    lists.delete(id);
  }
  const write = (id: string): unknown => {
    const node = nodes.get(id);
    return [id, node?.kind === 'element' ? node.attributes : '', (lists.get(id) ?? []).map(write)];
  };
  return (lists.get('') ?? []).map(write);
}

/** Ten nodes at most, each in one of those before it. */
const drawing = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.nat(), fc.integer({ min: 0, max: 3 })), {
    selector: ([id]) => id,
    maxLength: 10,
  })
  .map((entries): PlacedNode[] => {
    const children = new Map<string, { id: string; value: string }[]>([['', [{ id: 'root', value: '0' }]]]);
    const ids = ['root'];
    for (const [id, at, value] of entries) {
      const parent = ids[at % ids.length] ?? 'root';
      children.set(parent, [...(children.get(parent) ?? []), { id: `n${id}`, value: String(value) }]);
      ids.push(`n${id}`);
    }
    const nodes: PlacedNode[] = [];
    const visit = (parent: string): void => {
      let after = '';
      for (const { id, value } of children.get(parent) ?? []) {
        nodes.push({ id, kind: 'element', name: 'g', attributes: [['opacity', value]], parent, after });
        after = id;
        visit(id);
      }
    };
    visit('');
    return nodes;
  });

describe('a patch', () => {
  it('makes one drawing of another', () => {
    fc.assert(
      fc.property(drawing, drawing, (before, after) => {
        expect(patched(before, after)).toEqual(patched([], after));
      }),
      { numRuns: 500 },
    );
  });

  it('says only what is different', () => {
    const node = (id: string, after: string, x = '1'): PlacedNode => ({
      id,
      kind: 'element',
      name: 'rect',
      attributes: [['x', x]],
      parent: 'r',
      after,
    });
    const before = [node('a', ''), node('b', 'a'), node('c', 'b')];
    expect(diffNodes(before, before)).toEqual({ gone: [], put: [], changed: [] });
    expect(diffNodes(before, [node('a', ''), node('b', 'a', '2'), node('d', 'b')])).toEqual({
      gone: ['c'],
      put: [node('d', 'b')],
      changed: [{ id: 'b', kind: 'element', name: 'rect', attributes: [['x', '2']] }],
    });
    expect(diffNodes(before, [node('c', ''), node('a', 'c'), node('b', 'a')]).put).toEqual([node('c', '')]);
  });
});

describe('a drawing that is followed', () => {
  it('is what it would be if it were looked at anew, whatever is edited', () => {
    const names = ['x', 'fill', 'onclick', 'opacity'];
    const values = ['1', 'red', 'url(#a)', '0.5'];
    const step = fc.record({
      what: fc.constantFrom('set', 'rename', 'move', 'weight', 'new attr', 'new element', 'text', 'remove'),
      at: fc.nat(),
      to: fc.nat(),
      name: fc.constantFrom(...names),
      value: fc.constantFrom(...values),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const participant = participantWith(
          svg('<g><rect x="1" fill="red"/><text>a</text></g><line/><circle r="1"/>'),
        );
        const drawing = new VisibleDrawing(() => participant);
        let shown: readonly PlacedNode[] = [...drawing.now.nodes];
        for (const { what, at, to, name, value } of steps) {
          const records = [...participant.document.records.values()].filter(
            (each) => each !== participant.document.root,
          );
          const pick = (type: string, index: number): string => {
            const list = records.filter((each) => each.type === type);
            return list[index % Math.max(1, list.length)]?.rid ?? '';
          };
          const change = ((): Change => {
            switch (what) {
              case 'set':
                return { kind: 'set', target: pick('attr', at), chdata: value };
              case 'rename':
                return { kind: 'set', target: pick('attr', at), name };
              case 'move':
                return {
                  kind: 'set',
                  target: records[at % records.length]?.rid ?? '',
                  parent: pick('element', to),
                };
              case 'weight':
                return { kind: 'set', target: records[at % records.length]?.rid ?? '', weight: to % 5 };
              case 'new attr':
                return {
                  kind: 'new',
                  rid: participant.newRid(),
                  type: 'attr',
                  name,
                  chdata: value,
                  parent: pick('element', to),
                };
              case 'new element':
                return {
                  kind: 'new',
                  rid: participant.newRid(),
                  type: 'element',
                  name: 'g',
                  parent: pick('element', to),
                  weight: at % 5,
                };
              case 'text':
                return { kind: 'set', target: pick('text', at), chdata: value };
              case 'remove':
                return { kind: 'remove', target: records[at % records.length]?.rid ?? '' };
            }
          })();
          const { outcomes } = participant.edit([change]);
          drawing.note(change, outcomes[0]);
          const patch = drawing.update();
          const fresh = visibleNodes(treeOf(participant.document));
          expect(drawing.now).toEqual(fresh);
          if (patch) expect(patched(shown, fresh.nodes, patch)).toEqual(patched([], fresh.nodes));
          shown = [...fresh.nodes];
        }
      }),
      { numRuns: 300 },
    );
  });
});
