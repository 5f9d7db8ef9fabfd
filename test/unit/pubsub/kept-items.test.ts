import { describe, expect, it } from 'vitest';
import { DataForm } from '../../../src/lib/forms/stanzas.js';
import { KeptItems } from '../../../src/lib/pubsub/kept-items.js';
import { StanzaError } from '../../../src/lib/errors.js';
import type { IqRequester } from '../../../src/lib/pubsub/requester.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';

/** What is said after these were published to a node whose owner is told this, and how often the node was asked. */
async function publish(
  ids: readonly string[],
  answer: string | Error,
): Promise<{ said: number[]; asked: number }> {
  let asked = 0;
  const said: number[] = [];
  const request = (): Promise<Element> => {
    asked += 1;
    if (answer instanceof Error) return Promise.reject(answer);
    const form = DataForm.encode({ type: 'form', fields: [{ name: 'pubsub#max_items', values: [answer] }] });
    const configure = xml('configure', {}, form);
    const pubsub = xml('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub#owner' }, configure);
    return Promise.resolve(xml('iq', { type: 'result' }, pubsub));
  };
  const requester = { request } as unknown as IqRequester;
  const kept = new KeptItems(requester, { node: 'n' }, (most) => said.push(most));
  for (const id of ids) {
    kept.add(id);
    // What has been answered meanwhile counts from here on.
    await Promise.resolve();
  }
  await kept.finish();
  return { said, asked };
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe('how many items a node keeps', () => {
  it('is not asked for a single item, or for one that replaces it', async () => {
    expect(await publish(['a'], '1')).toEqual({ said: [], asked: 0 });
    expect(await publish(['a', 'a', 'a'], '1')).toEqual({ said: [], asked: 0 });
  });

  it.each([
    ['1', 2, [1]],
    ['20', 20, []],
    ['20', 21, [20]],
    ['20', 500, [20]],
    ['max', 500, []],
    ['', 500, []],
    ['0', 2, []],
    ['999999999', 20_000, []],
    ['10000', 10_001, [10_000]],
  ])('%j and %d items', async (maxItems, count, said) => {
    expect(await publish(ids(count), maxItems)).toEqual({ said, asked: 1 });
  });

  it('is unknown to whoever is not the owner', async () => {
    expect(await publish(ids(50), new StanzaError('forbidden', 'auth', undefined, undefined, 'x'))).toEqual({
      said: [],
      asked: 1,
    });
  });
});
