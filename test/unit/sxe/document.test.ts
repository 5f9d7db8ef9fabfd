import { describe, expect, it } from 'vitest';
import { SortedChildren } from '../../../src/lib/sxe/sorted-children.js';
import { compareWeights, weightsBetween, type Weighted } from '../../../src/lib/sxe/weight-order.js';
import { loadSnapshot } from '../../../src/lib/sxe/snapshot.js';
import { participantWith, textOf } from './document-text.js';
import { randomFrom } from './simulation.js';
import { snapshotOfTree } from './tree-text.js';

describe('documents as text', () => {
  it.each([
    ['mixed content', '<p>a<b>c</b> d<!--e--><?f g?>\n</p>\n'],
    [
      'prolog, comments and instructions',
      '<?xml version="1.0" encoding="UTF-8"?>\n<?a b?>\n<!--c-->\n<r/>\n<!--d-->\n',
    ],
    ['escapes', '<r a="&lt;&quot;&amp;&#10;&#9;">&lt;&gt;&amp;&#13;😀</r>\n'],
    ['namespaces', '<r xmlns="urn:a" xmlns:b="urn:b"><b:c b:d="e"/><f xmlns=""><g/></f></r>\n'],
    ['the prefix xml', '<r xml:lang="de" xml:space="preserve"> </r>\n'],
  ])('%s come back as they were', (_, text) => {
    expect(textOf(participantWith(text).document)).toBe(text);
  });

  it('takes CDATA for text, and knows the five entities', () => {
    expect(textOf(participantWith('<r><![CDATA[<a>]]>&apos;&#x41;</r>').document)).toBe(
      "<r>&lt;a&gt;'A</r>\n",
    );
  });

  it('come out of a snapshot as they went in', () => {
    const a = participantWith('<r x="1"><p>one</p><p>two</p></r>');
    const rids = [...a.document.records.keys()];
    a.edit([
      { kind: 'set', target: rids[2] ?? '', weight: 9 },
      { kind: 'set', target: rids[3] ?? '', chdata: 'ONE' },
      { kind: 'remove', target: rids[5] ?? '' },
    ]);
    expect(snapshotOfTree(loadSnapshot(a.snapshot(), 'a').document)).toBe(snapshotOfTree(a.document));
  });
});

describe('children', () => {
  it('are in order however they come and go', () => {
    const random = randomFrom(284);
    const children = new SortedChildren<Weighted>();
    const all = Array.from({ length: 5000 }, (_, index) => ({
      rid: `r${index}`,
      weight: Math.floor(random() * 1000),
    }));
    for (const child of all) children.add(child);
    const kept = all.filter((child) => random() < 0.5 || !children.delete(child));
    expect(children.size).toBe(kept.length);
    expect(children.toArray()).toEqual(kept.sort(compareWeights));
    expect(children.delete({ rid: 'nobody', weight: 5 })).toBe(false);
  });

  it('have weights between others as long as there is room', () => {
    expect(weightsBetween(1, 2, 3)).toEqual([1.25, 1.5, 1.75]);
    expect(weightsBetween(undefined, undefined, 2)).toEqual([0, 1]);
    expect(weightsBetween(undefined, 5, 2)).toEqual([3, 4]);
    expect(weightsBetween(5, undefined, 2)).toEqual([6, 7]);
    expect(weightsBetween(2 ** 60, undefined, 1)?.[0]).toBeGreaterThan(2 ** 60);
    expect(weightsBetween(1, 1, 1)).toBeUndefined();
    expect(weightsBetween(1, 1 + Number.EPSILON, 1)).toBeUndefined();
    expect(weightsBetween(Number.MAX_VALUE, undefined, 1)).toBeUndefined();
  });
});
