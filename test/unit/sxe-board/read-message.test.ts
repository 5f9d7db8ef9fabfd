import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../src/lib/sxe-board/read-message.js';

const read = (message: unknown): unknown => readMessage(JSON.stringify(message));
const shape = { name: 'rect', attributes: { x: '1', fill: 'none' } };

describe('messages of the page', () => {
  it.each([
    { kind: 'hello', page: 'abc123' },
    { kind: 'draw', seq: 1, gesture: 'g1', shape },
    { kind: 'draw', seq: 1, gesture: 'g1', shape: { name: 'text', attributes: {}, text: 'a <b>' } },
    { kind: 'change', seq: 2, gesture: 'g1', changes: [{ id: 'a.1', attributes: { x: '2', rx: null } }] },
    { kind: 'text', seq: 3, gesture: 'g1', id: 'a.1', text: '' },
    { kind: 'erase', seq: 4, gesture: 'g1', ids: ['a.1', 'a.2'] },
    { kind: 'undo', seq: 5 },
    { kind: 'redo', seq: 6 },
  ])('are read: $kind', (message) => expect(read(message)).toEqual(message));

  it.each([
    null,
    1,
    'undo',
    [],
    {},
    { kind: 'hello' },
    { kind: 'hello', page: '' },
    { kind: 'hello', page: 'a b' },
    { kind: 'hello', page: 'a'.repeat(33) },
    { kind: 'undo' },
    { kind: 'undo', seq: 0 },
    { kind: 'undo', seq: 1.5 },
    { kind: 'undo', seq: '1' },
    { kind: 'undo', seq: 1e300 },
    { kind: 'run', seq: 1, gesture: 'g1' },
    { kind: 'draw', seq: 1, shape },
    { kind: 'draw', seq: 1, gesture: 'g1' },
    { kind: 'draw', seq: 1, gesture: 'g1', shape: { ...shape, name: 'script' } },
    { kind: 'draw', seq: 1, gesture: 'g1', shape: { ...shape, name: 'svg' } },
    { kind: 'draw', seq: 1, gesture: 'g1', shape: { name: 'rect', attributes: { onclick: 'a()' } } },
    { kind: 'draw', seq: 1, gesture: 'g1', shape: { name: 'rect', attributes: { x: 1 } } },
    { kind: 'draw', seq: 1, gesture: 'g1', shape: { name: 'rect', attributes: { x: null } } },
    { kind: 'draw', seq: 1, gesture: 'g1', shape: { name: 'rect', attributes: [] } },
    { kind: 'draw', seq: 1, gesture: 'g1', shape: { ...shape, text: 'a'.repeat(20_001) } },
    { kind: 'change', seq: 1, gesture: 'g1', changes: [] },
    { kind: 'change', seq: 1, gesture: 'g1', changes: [{ id: 'a', attributes: { x: 1 } }] },
    { kind: 'change', seq: 1, gesture: 'g1', changes: [{ id: '', attributes: {} }] },
    { kind: 'erase', seq: 1, gesture: 'g1', ids: [1] },
    { kind: 'erase', seq: 1, gesture: 'g1', ids: 'a' },
    { kind: 'erase', seq: 1, gesture: 'g1', ids: new Array<string>(10_001).fill('a') },
    {
      kind: 'draw',
      seq: 1,
      gesture: 'g1',
      shape: {
        name: 'rect',
        attributes: Object.fromEntries([...Array(51).keys()].map((n) => [`a${n}`, '1'])),
      },
    },
  ])('are refused: %j', (message) => expect(read(message)).toBeUndefined());

  it('never throw', () => {
    expect(readMessage('{')).toBeUndefined();
    expect(readMessage('['.repeat(100_000))).toBeUndefined();
    fc.assert(fc.property(fc.json(), (text) => void readMessage(text)));
  });
});
