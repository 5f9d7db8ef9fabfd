import { describe, expect, it } from 'vitest';
import { readPages } from '../../../src/lib/rsm/pages.js';
import { PageRequest } from '../../../src/lib/rsm/stanzas.js';

const all = ['a', 'b', 'c', 'd', 'e'];

/** A responder with the five items above. */
function respond(asked: PageRequest[], options: { complete: boolean }) {
  return (request: PageRequest) => {
    asked.push(request);
    const start = request.after === undefined ? 0 : all.indexOf(request.after) + 1;
    const items = all.slice(start, start + (request.max ?? 10));
    const [id] = items;
    const last = items.at(-1);
    return Promise.resolve({
      items,
      set: {
        count: all.length,
        ...(id !== undefined && { first: { id, index: start } }),
        ...(last !== undefined && { last }),
      },
      ...(options.complete && { isLast: start + items.length >= all.length }),
    });
  };
}

async function collect(pages: AsyncIterable<string>): Promise<string[]> {
  const items: string[] = [];
  for await (const item of pages) items.push(item);
  return items;
}

describe('readPages', () => {
  it('goes on after the last item of each page until the responder says complete', async () => {
    const asked: PageRequest[] = [];
    expect(await collect(readPages(respond(asked, { complete: true }), { pageSize: 2 }))).toEqual(all);
    expect(asked).toEqual([{ max: 2 }, { max: 2, after: 'b' }, { max: 2, after: 'd' }]);
  });

  it('finds the end itself when the responder only counts', async () => {
    const asked: PageRequest[] = [];
    expect(
      await collect(readPages(respond(asked, { complete: false }), { pageSize: 2, after: 'a' })),
    ).toEqual(all.slice(1));
    expect(asked.length).toBe(3);
  });

  it('refuses to go round in circles', async () => {
    const page = () => Promise.resolve({ items: ['a'], set: { last: 'a' } });
    await expect(collect(readPages(page, { pageSize: 1 }))).rejects.toThrow(/same page was sent twice/);
  });

  it('asks for one page more than the reader is at, and not for all', async () => {
    const asked: PageRequest[] = [];
    for await (const item of readPages(respond(asked, { complete: true }), { pageSize: 2 })) {
      if (item === 'b') break;
    }
    expect(asked.length).toBe(2);
  });
});

describe('PageRequest', () => {
  it('writes an empty before, which asks for the last page', () => {
    expect(PageRequest.encode({ max: 1, before: '' }).toString()).toBe(
      '<set xmlns="http://jabber.org/protocol/rsm"><max>1</max><before/></set>',
    );
  });
});
