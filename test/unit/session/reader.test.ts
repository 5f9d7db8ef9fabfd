import { describe, expect, test } from 'vitest';
import { StanzaReader } from '../../../src/lib/session/reader.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';

const numbered = (id: number) => xml('message', { id });
const idOf = (stanza: Element) => Number(stanza.attrs['id']);

function createReader() {
  const crowded: boolean[] = [];
  let isReturned = false;
  const reader = new StanzaReader({
    onCrowdChange: () => crowded.push(reader.isCrowded),
    onReturn: () => (isReturned = true),
  });
  return { reader, crowded, isReturned: () => isReturned };
}

describe('a reader of stanzas', () => {
  test('gives everything, in order, whoever is faster', async () => {
    const { reader } = createReader();
    const early = reader.next();
    for (let id = 0; id < 1000; id += 1) reader.push(numbered(id));
    reader.end(undefined);
    const ids = [idOf((await early).value as Element)];
    for await (const stanza of reader) ids.push(idOf(stanza));
    expect(ids).toEqual(Array.from({ length: 1000 }, (_, id) => id));
  });

  test('says when it is crowded, and when it has caught up', async () => {
    const { reader, crowded } = createReader();
    for (let id = 0; id <= 256; id += 1) reader.push(numbered(id));
    expect(crowded).toEqual([true]);
    for (let id = 0; id < 192; id += 1) await reader.next();
    expect(crowded).toEqual([true]);
    await reader.next();
    await reader.next();
    expect(crowded).toEqual([true, false]);
  });

  test('throws after the last unread stanza when the stream was lost', async () => {
    const { reader } = createReader();
    reader.push(numbered(1));
    reader.end(new Error('lost'));
    expect(idOf((await reader.next()).value as Element)).toBe(1);
    await expect(reader.next()).rejects.toThrow('lost');
    expect(await reader.next()).toMatchObject({ done: true });
  });

  test('wakes who waits when it ends', async () => {
    const first = createReader().reader;
    const waiting = first.next();
    first.end(undefined);
    expect(await waiting).toMatchObject({ done: true });
    const second = createReader().reader;
    const failing = second.next();
    second.end(new Error('lost'));
    await expect(failing).rejects.toThrow('lost');
  });

  test('left early, drops the rest and lets the socket go on', async () => {
    const { reader, crowded, isReturned } = createReader();
    for (let id = 0; id <= 256; id += 1) reader.push(numbered(id));
    for await (const stanza of reader) if (idOf(stanza) === 1) break;
    expect(crowded).toEqual([true, false]);
    expect(isReturned()).toBe(true);
    reader.push(numbered(999));
    expect(await reader.next()).toMatchObject({ done: true });
  });
});
