import { describe, expect, it } from 'vitest';
import { JID } from '../../../src/lib/jid/jid.js';
import { DeliveryWatch, type Confirmation } from '../../../src/lib/messaging/delivery.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const bob = JID.parse('bob@a.test');
const carol = JID.parse('carol@a.test');

/** A watch, and a way to let a stanza arrive. */
function watchFor(confirmation: Confirmation, to = [bob, carol]) {
  let receive: (stanza: Element) => void = () => undefined;
  const session = {
    handle: (_filter: unknown, handler: (stanza: Element) => void) => {
      receive = handler;
      return { [Symbol.dispose]: () => (receive = () => undefined) };
    },
  };
  const watch = new DeliveryWatch(session, to, confirmation, 'secret');
  const ids = watch.recipients.map((recipient) => watch.nextId(recipient));
  return {
    watch,
    ids,
    arrive: (text: string) => receive(parseXml(text, { defaultNamespace: 'jabber:client' })),
  };
}

const bounce = (from: string, id: string): string =>
  `<message type='error' from='${from}' id='${id}'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`;
const receipt = (from: string, id: string): string =>
  `<message from='${from}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`;

describe('DeliveryWatch', () => {
  it('knows who refused', () => {
    const { watch, ids, arrive } = watchFor('none');
    arrive(bounce('bob@a.test', ids[0] ?? ''));
    expect(watch.bounced.map(({ to, error }) => [String(to), error?.condition])).toEqual([
      ['bob@a.test', 'gone'],
    ]);
    expect(watch.silent).toEqual([]);
  });

  it('believes only the recipient', () => {
    const { watch, ids, arrive } = watchFor('receipt');
    for (const from of ['carol@a.test/x', 'a.test', 'bob@a.test.evil.test']) {
      arrive(receipt(from, ids[0] ?? ''));
      arrive(bounce(from, ids[0] ?? ''));
    }
    arrive(receipt('bob@a.test/phone', 'secret-99-7'));
    arrive(receipt('bob@a.test/phone', 'other-1-0'));
    expect(watch.silent.map(({ to }) => String(to))).toEqual(['bob@a.test', 'carol@a.test']);
    expect(watch.bounced).toEqual([]);
  });

  it('is done when everybody has confirmed or refused, however often', async () => {
    const { watch, ids, arrive } = watchFor('receipt');
    const confirmed = watch.confirmed();
    arrive(receipt('bob@a.test/phone', ids[0] ?? ''));
    arrive(receipt('bob@a.test/laptop', ids[0] ?? ''));
    expect(watch.recipients[0]?.confirmed).toBe(1);
    arrive(bounce('carol@a.test', ids[1] ?? ''));
    await confirmed;
    expect(watch.silent).toEqual([]);
  });

  it('knows its own message in a room, also when the room gave it another id', () => {
    const { watch, ids, arrive } = watchFor('reflection', [bob]);
    arrive(`<message type='groupchat' from='bob@a.test/other' id='x'><body>hi</body></message>`);
    expect(watch.silent.length).toBe(1);
    arrive(
      `<message type='groupchat' from='bob@a.test/me' id='y'><origin-id xmlns='urn:xmpp:sid:0' id='${ids[0] ?? ''}'/></message>`,
    );
    expect(watch.silent).toEqual([]);
  });
});
