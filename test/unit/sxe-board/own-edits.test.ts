import { describe, expect, it } from 'vitest';
import type { Message } from '../../../src/lib/sxe/inbox.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import { writeWorkingCopy } from '../../../src/lib/sxe/working-copy.js';
import { OwnEdits } from '../../../src/lib/sxe-board/own-edits.js';
import { shapeElement, type Step } from '../../../src/lib/sxe-board/steps.js';
import { participantWith } from '../sxe/document-text.js';

/** A participant whose messages are kept until the others hear of them. */
class Artist {
  readonly messages: Message[] = [];
  readonly own: OwnEdits;

  constructor(readonly participant: Participant) {
    this.own = new OwnEdits({
      participant,
      edit: (changes) => {
        const { message, outcomes } = participant.edit(changes);
        if (message) this.messages.push(message);
        return outcomes;
      },
    });
  }

  get inner(): string {
    return /^<svg[^>]*?(?:\/>|>([^]*)<\/svg>)\n$/.exec(writeWorkingCopy(this.participant))?.[1] ?? '';
  }

  draw(name: string, attributes: Record<string, string>, text?: string, gesture = 'd'): string {
    const made = this.own.perform(gesture, [{ kind: 'create', tree: shapeElement(name, attributes, text) }]);
    return made?.[0] ?? '';
  }

  set(id: string, name: string, value: string | undefined, gesture: string): string[] | undefined {
    return this.own.perform(gesture, [{ kind: 'attribute', id, name, value }]);
  }
}

const SVG = '<svg xmlns="http://www.w3.org/2000/svg"></svg>';
const alone = (text = SVG): Artist => new Artist(participantWith(text, 'a'));

function two(text = SVG): [Artist, Artist] {
  const a = participantWith(text, 'a');
  const b = Participant.fromSnapshot({ name: 'b', site: 'site0000b' }, a.snapshot(), 'a');
  return [new Artist(a), new Artist(b)];
}

/** Everybody hears everything, and says again what a conflict has undone. */
function settle(...[a, b]: [Artist, Artist]): void {
  for (;;) {
    for (const message of a.messages.splice(0)) b.participant.receive(message);
    for (const message of b.messages.splice(0)) a.participant.receive(message);
    for (const artist of [a, b]) {
      const said = artist.participant.speak();
      if (said) artist.messages.push(said);
    }
    if (a.messages.length + b.messages.length === 0) break;
  }
  expect(a.inner).toBe(b.inner);
}

describe('what is drawn', () => {
  it('is one element for each shape, on top of what is there', () => {
    const a = alone('<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>');
    a.draw('rect', { x: '1', fill: 'none' });
    a.draw('text', { x: '1' }, 'a < b');
    expect(a.inner).toBe('<g/><rect x="1" fill="none"/><text x="1">a &lt; b</text>');
    expect(a.messages).toHaveLength(2);
  });

  it('has a prefix where the drawing has one', () => {
    const a = alone('<s:svg xmlns:s="http://www.w3.org/2000/svg"/>');
    a.draw('rect', {});
    expect(writeWorkingCopy(a.participant)).toMatch(
      /^<s:svg [^>]*><(s:rect|rect xmlns="http:\/\/www.w3.org\/2000\/svg")\/>/,
    );
  });

  it('is changed by its attributes', () => {
    const a = alone();
    const id = a.draw('rect', { x: '1' });
    a.set(id, 'x', '2', 'm');
    a.set(id, 'rx', '3', 'm');
    expect(a.inner).toBe('<rect x="2" rx="3"/>');
    expect(a.set(id, 'rx', '3', 'm')).toBeUndefined();
    a.set(id, 'rx', undefined, 'n');
    expect(a.inner).toBe('<rect x="2"/>');
  });

  it('is sent in pieces when it is long and only grows', () => {
    const a = alone();
    const long = `M0 0${'q1 1 2 2'.repeat(40)}`;
    const id = a.draw('path', { d: long });
    a.set(id, 'd', `${long}q3 3 4 4`, 'd');
    expect(a.messages[1]?.edits).toMatchObject([
      { kind: 'set', chdata: 'q3 3 4 4', replaceFrom: long.length, replaceCount: 0 },
    ]);
  });

  it('takes no attribute that may not be shown, and nothing at the root', () => {
    const a = alone();
    const id = a.draw('rect', {});
    const root = a.participant.document.root?.rid ?? '';
    expect(a.set(id, 'onclick', 'a()', 'x')).toBeUndefined();
    expect(a.set(id, 'fill', 'url(#a)', 'x')).toBeUndefined();
    expect(a.set(id, 'constructor', '1', 'x')).toBeUndefined();
    expect(a.set(root, 'width', '1', 'x')).toBeUndefined();
    expect(a.own.perform('x', [{ kind: 'erase', id: root }])).toBeUndefined();
    expect(a.own.perform('x', [{ kind: 'erase', id: 'nobody' }])).toBeUndefined();
    expect(a.set('nobody', 'x', '1', 'x')).toBeUndefined();
    expect(a.own.perform('x', [{ kind: 'text', id: root, text: 'a' }])).toBeUndefined();
    expect(a.inner).toBe('<rect/>');
  });

  it('cannot be put where there is no drawing', () => {
    const a = new Artist(new Participant({ name: 'a', site: 'site0000a' }));
    expect(a.draw('rect', {})).toBe('');
  });
});

describe('undo', () => {
  it('takes back a gesture as a whole, and redo brings it again', () => {
    const a = alone();
    const id = a.draw('rect', { x: '1' }, undefined, 'one');
    a.set(id, 'x', '2', 'one');
    a.set(id, 'x', '3', 'two');
    a.set(id, 'x', '4', 'two');
    a.own.undo();
    expect(a.inner).toBe('<rect x="2"/>');
    a.own.redo();
    expect(a.inner).toBe('<rect x="4"/>');
    a.own.undo();
    a.own.undo();
    expect(a.inner).toBe('');
    expect(a.own.canUndo).toBe(false);
    a.own.redo();
    expect(a.inner).toBe('<rect x="2"/>');
    a.own.redo();
    expect(a.inner).toBe('<rect x="4"/>');
    expect(a.own.canRedo).toBe(false);
    expect(a.own.redo()).toBe(false);
  });

  it('brings back what was erased, with all that was in it, to where it was', () => {
    const inner =
      '<rect/><g opacity="0.5"><text x="1">a<tspan>b</tspan></text><script>kept()</script></g><line/>';
    const a = alone(`<svg xmlns="http://www.w3.org/2000/svg">${inner}</svg>`);
    const find = (name: string): string =>
      [...a.participant.document.records.values()].find((each) => each.fields.name === name)?.rid ?? '';
    a.set(find('text'), 'x', '2', 'first');
    a.own.perform('second', [{ kind: 'erase', id: find('g') }]);
    expect(a.inner).toBe('<rect/><line/>');
    a.own.undo();
    expect(a.inner).toBe(inner.replace('x="1"', 'x="2"'));
    // The text is another record now.
    a.own.undo();
    expect(a.inner).toBe(inner);
    a.own.redo();
    a.own.redo();
    expect(a.inner).toBe('<rect/><line/>');
  });

  it('changes texts', () => {
    const a = alone();
    const id = a.draw('text', {}, 'one');
    const write = (text: string): void => void a.own.perform(text, [{ kind: 'text', id, text }]);
    write('two');
    write('');
    a.own.undo();
    expect(a.inner).toBe('<text>two</text>');
    a.own.undo();
    expect(a.inner).toBe('<text>one</text>');
  });

  it('leaves what others have changed since', () => {
    const [a, b] = two();
    const id = a.draw('rect', { x: '1', y: '1' }, undefined, 'one');
    const move = (x: string, y: string): Step[] => [
      { kind: 'attribute', id, name: 'x', value: x },
      { kind: 'attribute', id, name: 'y', value: y },
    ];
    a.own.perform('two', move('2', '2'));
    settle(a, b);
    b.set(id, 'x', '9', 'b');
    settle(a, b);
    a.own.undo();
    settle(a, b);
    expect(a.inner).toBe('<rect x="9" y="1"/>');
  });

  it('passes over what nobody can take back any more', () => {
    const [a, b] = two();
    const first = a.draw('rect', { x: '1' }, undefined, 'one');
    const second = a.draw('line', { x1: '1' }, undefined, 'two');
    a.set(second, 'x1', '2', 'three');
    settle(a, b);
    b.own.perform('b', [{ kind: 'erase', id: second }]);
    settle(a, b);
    expect(a.own.undo()).toBe(true);
    expect(a.inner).toBe('');
    expect(a.own.canUndo).toBe(false);
    b.own.undo();
    settle(a, b);
    expect(a.inner).toBe('<line x1="2"/>');
    expect(first).not.toBe('');
  });

  it('forgets what is too long ago', () => {
    const a = alone();
    const id = a.draw('rect', { x: '0' });
    for (let step = 1; step <= 1100; step++) a.set(id, 'x', String(step), `g${step}`);
    let count = 0;
    while (a.own.undo()) count++;
    expect(count).toBe(1000);
    expect(a.inner).toBe('<rect x="100"/>');
  });
});

describe('two who draw at the same time', () => {
  it('have the same in the end, whatever both move, erase and take back', () => {
    const [a, b] = two();
    const id = a.draw('rect', { x: '0', y: '0' });
    settle(a, b);
    a.set(id, 'x', '100', 'a1');
    b.set(id, 'x', '250', 'b1');
    settle(a, b);
    // One of both, and not something made of both.
    expect(a.inner).toMatch(/^<rect x="(100|250)" y="0"\/>$/);
    a.set(id, 'transform', 'translate(1 1)', 'a2');
    b.set(id, 'transform', 'translate(2 2)', 'b2');
    settle(a, b);
    expect(a.inner.match(/transform/g)).toHaveLength(1);
    a.own.perform('a3', [{ kind: 'erase', id }]);
    b.set(id, 'y', '7', 'b3');
    settle(a, b);
    expect(a.inner).toBe('');
    a.own.undo();
    b.own.undo();
    settle(a, b);
    expect(a.inner).toMatch(/^<rect /);
  });
});
