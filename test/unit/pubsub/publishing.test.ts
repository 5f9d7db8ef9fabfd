import { describe, expect, it } from 'vitest';
import { ConnectionLostError, StanzaError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { ConfirmedItems } from '../../../src/lib/pubsub/confirmed-items.js';
import { readEvents } from '../../../src/lib/pubsub/events.js';
import { makePayload } from '../../../src/lib/pubsub/payload.js';
import {
  publishItems,
  type OutgoingItem,
  type PublishManyOptions,
} from '../../../src/lib/pubsub/publish-items.js';
import { SeenItems } from '../../../src/lib/pubsub/seen-items.js';
import type { IqRequest, Session } from '../../../src/lib/session/session.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { serialize } from '../../../src/lib/xml/serialize.js';

const refusal = (condition: string, application?: string): StanzaError =>
  new StanzaError(
    condition,
    'cancel',
    undefined,
    application === undefined
      ? undefined
      : { name: application, namespace: 'http://jabber.org/protocol/pubsub#errors' },
    'pubsub.test',
  );

/** A service in memory: what it answers to each request. */
function sessionWith(answer: (payload: Element, request: IqRequest) => Promise<Element> | Element): {
  session: Session;
  requests: string[];
} {
  const requests: string[] = [];
  const request = async (asked: IqRequest): Promise<Element> => {
    requests.push(serialize(asked.payload));
    await Promise.resolve();
    return answer(asked.payload, asked);
  };
  return {
    session: { request, state: 'online', jid: JID.parse('alice@example.org/a') } as unknown as Session,
    requests,
  };
}

const ok = xml('iq', { type: 'result' });
const idOf = (payload: Element): string => String(payload.getChild('publish')?.getChild('item')?.attrs['id']);
const items = (count: number): OutgoingItem[] =>
  Array.from({ length: count }, (_, index) => ({
    id: String(index),
    payload: xml('n', { xmlns: 'urn:n' }, String(index)),
  }));
const options: PublishManyOptions = {
  address: { node: 'events' },
  publishOptions: undefined,
  creates: false,
  reconfigures: false,
  retries: 3,
};

async function publish(
  session: Session,
  outgoing: AsyncIterable<OutgoingItem> | Iterable<OutgoingItem>,
  more: Partial<PublishManyOptions> = {},
): Promise<string[]> {
  const outcomes: string[] = [];
  for await (const { id, error, item } of publishItems(session, outgoing, { ...options, ...more }))
    outcomes.push(id ?? `${item.id} ${error.condition}`);
  return outcomes;
}

const NS_INFO = 'http://jabber.org/protocol/disco#info';

describe('what a service that was killed has forgotten', () => {
  const remembered = items(250);
  /** A service that has these. */
  const having = (isThere: (number: number) => boolean, isAllOrNothing: boolean) =>
    sessionWith((payload) => {
      if (payload.name === 'query') return xml('iq', { type: 'result' }, xml('query', { xmlns: NS_INFO }));
      const asked = payload.getChild('items')?.getChildren('item') ?? [];
      const there = asked.filter((item) => isThere(Number(item.attrs['id'])));
      if (isAllOrNothing && there.length < asked.length) throw refusal('item-not-found');
      return xml(
        'iq',
        {},
        xml(
          'pubsub',
          { xmlns: 'http://jabber.org/protocol/pubsub' },
          xml(
            'items',
            { node: 'n' },
            there.map((item) => xml('item', { id: String(item.attrs['id']) })),
          ),
        ),
      );
    });
  const lost = async (isThere: (number: number) => boolean, isAllOrNothing: boolean): Promise<string[]> => {
    const confirmed = new ConfirmedItems();
    for (const item of remembered) confirmed.add(item);
    const found = await confirmed.findLost(having(isThere, isAllOrNothing).session, { node: 'n' });
    expect(found).toMatchObject({ older: 0, isNodeLost: false });
    return found.items.map(({ id }) => id);
  };

  it.each<[string, (number: number) => boolean, string[]]>([
    ['nothing', () => true, []],
    ['the last ones', (number) => number < 248, ['248', '249']],
    ['one among the last', (number) => number !== 240, ['240']],
    [
      'more than are asked for at a time',
      (number) => number < 140,
      remembered.slice(140).map(({ id }) => id),
    ],
    ['what had to make room', (number) => number >= 245, []],
    ['all that it had, for it keeps nothing', () => false, []],
  ])('%s', async (_what, isThere, expected) => {
    expect(await lost(isThere, false)).toEqual(expected);
    // Services that answer with an error when one of them is not there.
    expect(await lost(isThere, true)).toEqual(expected);
  });

  it('is all, with the node', async () => {
    const confirmed = new ConfirmedItems();
    for (const item of items(2500)) confirmed.add(item);
    const { session } = sessionWith(() => {
      throw refusal('item-not-found');
    });
    const lostItems = await confirmed.findLost(session, { node: 'n' });
    expect(lostItems.items.map(({ id }) => Number(id))).toEqual(
      Array.from({ length: 1000 }, (_, index) => 1500 + index),
    );
    expect(lostItems).toMatchObject({ older: 1500, isNodeLost: true });
  });

  describe('with the node', () => {
    /** One that loses all before the fourth item, and makes a node for whoever publishes. */
    const forgetting = () => {
      let isLost = false;
      const done: string[] = [];
      const { session } = sessionWith((payload) => {
        if (payload.name === 'query' || payload.getChild('items')) throw refusal('item-not-found');
        if (payload.getChild('create')) {
          done.push(`create ${serialize(payload).includes('whitelist') ? 'whitelist' : ''}`);
          return ok;
        }
        const id = idOf(payload);
        if (id === '3' && !isLost) {
          isLost = true;
          throw new ConnectionLostError('cut');
        }
        done.push(id);
        return ok;
      });
      return { session, done };
    };
    async function* slowly(): AsyncGenerator<OutgoingItem> {
      for (const item of items(5)) {
        yield item;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }

    it('is made again as it was, and filled', async () => {
      const { session, done } = forgetting();
      const more = { creates: true, publishOptions: { access_model: 'whitelist' } };
      expect(await publish(session, slowly(), more)).toEqual(['0', '1', '2', '3', '4']);
      expect(done).toEqual(['0', '1', '2', 'create whitelist', '0', '1', '2', '3', '4']);
    });

    it('is not filled again when nobody knows whom it kept out', async () => {
      const { session, done } = forgetting();
      await expect(publish(session, slowly())).rejects.toThrow('has lost the node events');
      expect(done).toEqual(['0', '1', '2']);
    });
  });

  it('is published again before anything else', async () => {
    const published: string[] = [];
    let isCut = false;
    const { session } = sessionWith((payload) => {
      if (payload.getChild('items')) {
        const there = items(2).map(({ id }) => xml('item', { id }));
        return xml(
          'iq',
          {},
          xml('pubsub', { xmlns: 'http://jabber.org/protocol/pubsub' }, xml('items', { node: 'n' }, there)),
        );
      }
      const id = idOf(payload);
      if (id === '3' && !isCut) {
        isCut = true;
        throw new ConnectionLostError('cut');
      }
      published.push(id);
      return ok;
    });
    async function* slowly(): AsyncGenerator<OutgoingItem> {
      for (const item of items(5)) {
        yield item;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect(await publish(session, slowly())).toEqual(['0', '1', '2', '3', '4']);
    expect(published).toEqual(['0', '1', '2', '2', '3', '4']);
  });
});

describe('publishing many items', () => {
  it('keeps their order, and a bounded number under way', async () => {
    let underWay = 0;
    let most = 0;
    const { session } = sessionWith(async (payload) => {
      underWay += 1;
      most = Math.max(most, underWay);
      // Later items are answered sooner.
      await new Promise((resolve) => setTimeout(resolve, (100 - (Number(idOf(payload)) % 100)) / 50));
      underWay -= 1;
      return ok;
    });
    expect(await publish(session, items(300))).toEqual(items(300).map(({ id }) => id));
    expect(most).toBeLessThanOrEqual(50);
    expect(most).toBeGreaterThan(10);
  });

  it('tells each as soon as it is confirmed, while the next is waited for', async () => {
    const { session } = sessionWith(() => ok);
    let release: (() => void) | undefined;
    async function* slow(): AsyncGenerator<OutgoingItem> {
      yield* items(1);
      await new Promise<void>((resolve) => (release = resolve));
    }
    const outcomes = publishItems(session, slow(), options);
    expect((await outcomes.next()).value).toMatchObject({ id: '0' });
    release?.();
    expect((await outcomes.next()).done).toBe(true);
  });

  it('sends again what was under way when the stream was lost, under the same id', async () => {
    let lost = 0;
    const { session, requests } = sessionWith((payload) => {
      if (idOf(payload) === '1' && lost < 3) {
        lost += 1;
        throw new ConnectionLostError('gone');
      }
      return ok;
    });
    expect(await publish(session, items(3))).toEqual(['0', '1', '2']);
    expect(requests.filter((request) => request.includes('id="1"'))).toHaveLength(4);
    lost = -1;
    await expect(publish(session, items(3), { retries: 1 })).rejects.toThrow(ConnectionLostError);
  });

  it('goes on after a refusal, and tells which it was', async () => {
    const { session } = sessionWith((payload) => {
      if (idOf(payload) === '1') throw refusal('not-acceptable');
      return ok;
    });
    expect(await publish(session, items(3))).toEqual(['0', '1 not-acceptable', '2']);
  });

  it('takes the id that the service gives', async () => {
    const { session } = sessionWith(() =>
      parseXml(
        "<iq type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='events'><item id='other'/></publish></pubsub></iq>",
      ),
    );
    expect(await publish(session, items(1))).toEqual(['other']);
  });

  it('makes the node once, whoever finds out that it is missing', async () => {
    let isThere = false;
    const { session, requests } = sessionWith((payload) => {
      if (payload.getChild('create')) {
        isThere = true;
        return ok;
      }
      if (!isThere) throw refusal('item-not-found');
      return ok;
    });
    expect(
      await publish(session, items(5), { creates: true, publishOptions: { access_model: 'open' } }),
    ).toHaveLength(5);
    const made = requests.filter((request) => request.includes('<create'));
    expect(made).toHaveLength(1);
    expect(made[0]).toContain('pubsub#access_model');
    isThere = false;
    expect(await publish(session, items(1))).toEqual(['0 item-not-found']);
  });

  it('changes the configuration only when it is told to', async () => {
    let isMended = false;
    const { session } = sessionWith((payload) => {
      if (payload.getChild('configure')) {
        if (payload.getChild('configure')?.getChild('x')) isMended = true;
        return parseXml(
          "<iq type='result'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='events'><x xmlns='jabber:x:data' type='form'><field var='pubsub#access_model'><value>presence</value></field></x></configure></pubsub></iq>",
        );
      }
      if (!isMended) throw refusal('conflict', 'precondition-not-met');
      return ok;
    });
    const publishOptions = { access_model: 'open' };
    expect(await publish(session, items(1), { publishOptions })).toEqual(['0 conflict']);
    expect(await publish(session, items(1), { publishOptions, reconfigures: true })).toEqual(['0']);
  });

  it('tells what was published before the input went wrong', async () => {
    const { session } = sessionWith(() => ok);
    function* broken(): Generator<OutgoingItem> {
      yield* items(3);
      throw new TypeError('bad line');
    }
    const outcomes: string[] = [];
    await expect(
      (async () => {
        for await (const { id } of publishItems(session, broken(), options)) outcomes.push(id ?? '');
      })(),
    ).rejects.toThrow('bad line');
    expect(outcomes).toEqual(['0', '1', '2']);
  });
});

describe('payloads', () => {
  const entry = { id: 'f3b', now: new Date('2026-11-27T12:00:00.123Z') };
  it('are XML with a namespace, JSON, or an Atom entry', () => {
    expect(
      serialize(makePayload(`<?xml version="1.0"?>\n<a xmlns="urn:a"><b/></a>\n`, 'xml', 'f', entry)),
    ).toBe('<a xmlns="urn:a"><b/></a>');
    expect(serialize(makePayload(' {"a": "<" }', 'json', 'f', entry))).toBe(
      '<json xmlns="urn:xmpp:json:0">{"a":"&lt;"}</json>',
    );
    expect(serialize(makePayload('Hello\n\nworld', 'atom', 'f', entry))).toBe(
      '<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">Hello</title><content type="text">world</content><id>urn:uuid:f3b</id><published>2026-11-27T12:00:00Z</published><updated>2026-11-27T12:00:00Z</updated></entry>',
    );
  });

  it.each([
    ['<a', /f: not well-formed/],
    ['<a/>', /has no namespace/],
    ['', /f: /],
    ['<a xmlns="urn:a"/><b xmlns="urn:b"/>', /f: /],
    ['<!DOCTYPE a><a xmlns="urn:a"/>', /f: /],
  ])('%j is refused', (text, message) => {
    expect(() => makePayload(text, 'xml', 'f', entry)).toThrow(message);
  });

  it('that are not JSON are refused', () => {
    expect(() => makePayload('{', 'json', 'f', entry)).toThrow(/f is not JSON/);
  });
});

describe('events', () => {
  const read = (event: string) =>
    readEvents(
      parseXml(
        `<message from='pubsub.test'><event xmlns='http://jabber.org/protocol/pubsub#event'>${event}</event></message>`,
      ),
    );
  it('are read one by one', () => {
    expect(
      read(
        "<items node='n'><item id='1' publisher='a@b'><x xmlns='urn:x'/></item><item id='2'/><retract id='3'/></items>",
      ),
    ).toMatchObject([
      { kind: 'item', node: 'n', id: '1', publisher: 'a@b' },
      { kind: 'item', node: 'n', id: '2', payload: undefined },
      { kind: 'retract', node: 'n', id: '3' },
    ]);
    expect(
      read(
        "<purge node='n'/><delete node='n'/><configuration node='n'/><subscription node='n' jid='a@b' subscription='subscribed'/><collection node='n'/>",
      ).map(({ kind }) => kind),
    ).toEqual(['purge', 'delete', 'configuration', 'subscription']);
    expect(readEvents(parseXml('<message/>'))).toEqual([]);
  });
});

describe('what was seen', () => {
  it('is an item with its content, kept between runs', () => {
    const seen = SeenItems.empty();
    const payload = (text: string) => xml('n', { xmlns: 'urn:n' }, text);
    expect(seen.add('n', '1', payload('a'))).toBe(true);
    expect(seen.add('n', '1', payload('a'))).toBe(false);
    expect(seen.add('n', '1', payload('b'))).toBe(true);
    seen.add('n', '2', undefined);
    seen.keepOnly('n', new Set(['1']));
    const again = SeenItems.parse(seen.toString());
    expect(again?.add('n', '1', payload('b'))).toBe(false);
    expect(again?.add('n', '2', undefined)).toBe(true);
    again?.remove('n', '1');
    expect(again?.add('n', '1', payload('b'))).toBe(true);
    again?.clear('n');
    expect(again?.toString()).toBe('{}');
    for (const bad of ['', '7', '[]', '{"n":7}', 'x']) expect(SeenItems.parse(bad)).toBeUndefined();
  });

  it('is the same, in whatever order its attributes come', () => {
    const seen = SeenItems.empty();
    const link = (attributes: string) => parseXml(`<entry xmlns='urn:e'><link ${attributes}/></entry>`);
    expect(seen.add('n', '1', link("rel='alternate' href='xmpp:a'"))).toBe(true);
    expect(seen.add('n', '1', link("href='xmpp:a' rel='alternate'"))).toBe(false);
    expect(seen.add('n', '1', link("href='xmpp:b' rel='alternate'"))).toBe(true);
  });
});
