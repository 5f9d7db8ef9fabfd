import { describe, expect, test } from 'vitest';
import { JID } from '../../../src/lib/jid/jid.js';
import { Discovery } from '../../../src/lib/session/discovery.js';
import { Responders } from '../../../src/lib/session/responders.js';
import { StanzaReply } from '../../../src/lib/session/stanza-reply.js';
import { capsVerification } from '../../../src/lib/disco/caps.js';
import { stanzaErrorFrom } from '../../../src/lib/xml/stanza-error.js';
import { childElements, xml, type Element } from '../../../src/lib/xml/element.js';

const own = JID.parse('alice@example.org/laptop');
const NS = 'urn:example:thing';
const NS_INFO = 'http://jabber.org/protocol/disco#info';

const request = (type: string, ...payload: Element[]) =>
  xml('iq', { type, id: 'q1', from: 'bob@example.org/x', to: own.toString() }, ...payload);

function createResponders() {
  const warnings: string[] = [];
  return { responders: new Responders((message) => warnings.push(message)), warnings };
}

describe('an incoming request', () => {
  test('gets the payload of its handler as the result', async () => {
    const { responders } = createResponders();
    responders.respond({ type: 'get', name: 'query', namespace: NS }, ({ payload, from }) =>
      xml('query', { xmlns: NS, seen: payload.name, by: from.toString() }),
    );
    const reply = await responders.answer(request('get', xml('query', { xmlns: NS })), own);
    expect(reply.toString()).toBe(
      `<iq type="result" id="q1" to="bob@example.org/x"><query xmlns="${NS}" seen="query" by="bob@example.org/x"/></iq>`,
    );
  });

  test('that nobody handles is answered service-unavailable', async () => {
    const { responders } = createResponders();
    responders.respond({ type: 'get', name: 'query', namespace: NS }, () => undefined);
    for (const iq of [
      request('set', xml('query', { xmlns: NS })),
      request('get', xml('other', { xmlns: NS })),
    ]) {
      expect(stanzaErrorFrom(await responders.answer(iq, own)).condition).toBe('service-unavailable');
    }
  });

  test.each([
    ['no payload', request('get')],
    ['two payloads', request('get', xml('a', { xmlns: NS }), xml('b', { xmlns: NS }))],
  ])('with %s is a bad-request', async (_what, iq) => {
    const { responders } = createResponders();
    expect(stanzaErrorFrom(await responders.answer(iq, own)).condition).toBe('bad-request');
  });

  test('from an address that only servers accept is answered like any other', async () => {
    const { responders } = createResponders();
    const from = 'heart\u2665@example.org/x';
    responders.respond({ type: 'get', name: 'a', namespace: NS }, (asked) =>
      xml('a', { xmlns: NS, by: asked.from.toString() }),
    );
    const reply = await responders.answer(
      xml('iq', { type: 'get', id: '1', from }, xml('a', { xmlns: NS })),
      own,
    );
    expect(reply.toString()).toBe(
      `<iq type="result" id="1" to="${from}"><a xmlns="${NS}" by="${from}"/></iq>`,
    );
  });

  test('is refused with the error that its handler throws', async () => {
    const { responders, warnings } = createResponders();
    responders.respond({ type: 'set', name: 'query', namespace: NS }, () => {
      throw new StanzaReply({ condition: 'forbidden', text: 'no' });
    });
    const reply = await responders.answer(request('set', xml('query', { xmlns: NS })), own);
    expect(stanzaErrorFrom(reply)).toMatchObject({ condition: 'forbidden', type: 'auth', text: 'no' });
    expect(warnings).toEqual([]);
  });

  test('whose handler has a bug is an internal-server-error, and the user hears of it', async () => {
    const { responders, warnings } = createResponders();
    responders.respond({ type: 'set', name: 'query', namespace: NS }, () =>
      Promise.reject(new TypeError('oops')),
    );
    const reply = await responders.answer(request('set', xml('query', { xmlns: NS })), own);
    expect(stanzaErrorFrom(reply).condition).toBe('internal-server-error');
    expect(warnings).toEqual([expect.stringContaining('oops')]);
  });

  test('goes to the handler before once the latest is disposed', async () => {
    const { responders } = createResponders();
    const key = { type: 'get', name: 'query', namespace: NS } as const;
    responders.respond(key, () => xml('old', { xmlns: NS }));
    const latest = responders.respond(key, () => xml('new', { xmlns: NS }));
    const answer = async () =>
      childElements(await responders.answer(request('get', xml('query', { xmlns: NS })), own))[0]?.name;
    expect(await answer()).toBe('new');
    latest[Symbol.dispose]();
    expect(await answer()).toBe('old');
  });

  test('to a component is answered from the address that was asked', async () => {
    const { responders } = createResponders();
    const iq = xml('iq', { type: 'get', id: '1', from: 'bob@example.org/x', to: 'room@muc.example.org' });
    const reply = await responders.answer(iq, JID.parse('muc.example.org'));
    expect(reply.attrs['from']).toBe('room@muc.example.org');
  });
});

describe('service discovery', () => {
  const info = async (responders: Responders, node?: string) =>
    responders.answer(request('get', xml('query', { xmlns: NS_INFO, node })), own);
  const featuresOf = (reply: Element) =>
    (reply.getChild('query', NS_INFO)?.getChildren('feature') ?? []).map(
      ({ attrs }) => attrs['var'] as string,
    );

  test('tells exactly what is registered, while it is', async () => {
    const { responders } = createResponders();
    new Discovery(responders, 'client', () => 0);
    const handler = responders.respond({ type: 'set', name: 'open', namespace: NS }, () => undefined);
    const extra = responders.advertise(['urn:xmpp:receipts']);
    expect(featuresOf(await info(responders))).toEqual([
      'http://jabber.org/protocol/caps',
      NS_INFO,
      'http://jabber.org/protocol/disco#items',
      'jabber:iq:version',
      NS,
      'urn:xmpp:ping',
      'urn:xmpp:receipts',
      'urn:xmpp:time',
    ]);
    handler[Symbol.dispose]();
    extra[Symbol.dispose]();
    expect(featuresOf(await info(responders))).not.toContain(NS);
    expect(featuresOf(await info(responders))).not.toContain('urn:xmpp:receipts');
  });

  test('answers for the node of its capabilities, whose hash is of that answer', async () => {
    const { responders } = createResponders();
    const discovery = new Discovery(responders, 'client', () => 0);
    const { attrs } = await discovery.capabilities();
    const node = `${String(attrs['node'])}#${String(attrs['ver'])}`;
    const reply = await info(responders, node);
    expect(reply.getChild('query', NS_INFO)?.attrs['node']).toBe(node);
    expect(
      capsVerification({
        identities: [{ category: 'client', type: 'console', name: 'xmppctl' }],
        features: featuresOf(reply),
        forms: [],
      }),
    ).toBe(attrs['ver']);
    expect(stanzaErrorFrom(await info(responders, 'other')).condition).toBe('item-not-found');
  });

  test('answers ping, version and time', async () => {
    const { responders } = createResponders();
    new Discovery(responders, 'client', () => Date.UTC(2026, 10, 22, 23, 10));
    const ask = async (name: string, namespace: string) =>
      responders.answer(request('get', xml(name, { xmlns: namespace })), own);
    expect((await ask('ping', 'urn:xmpp:ping')).toString()).toBe(
      '<iq type="result" id="q1" to="bob@example.org/x"/>',
    );
    expect((await ask('query', 'jabber:iq:version')).toString()).toContain('<name>xmppctl</name>');
    const time = await ask('time', 'urn:xmpp:time');
    expect(time.getChild('time')?.getChildText('utc')).toBe('2026-11-22T23:10:00.000Z');
    expect(time.getChild('time')?.getChildText('tzo')).toMatch(/^[+-]\d\d:\d\d$/);
  });
});
