import { expect, test } from 'vitest';
import { ConnectError, StanzaError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import type { IqRequest } from '../../../src/lib/session/session.js';
import { restoreAccount } from '../../../src/lib/vcard/migration/restore-account.js';
import { NODE_VCARD4, NS_AVATAR_DATA, NS_AVATAR_METADATA } from '../../../src/lib/vcard/profile/stanzas.js';
import { xml, type Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';
const id = 'a'.repeat(40);
const account = JID.parse('alice@example.org');

/** An account after its migration; the line is cut before the given retraction. */
class Account {
  readonly items = new Map<string, string>([
    [`${NODE_VCARD4} current`, "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>"],
    [
      `${NS_AVATAR_METADATA} ${id}`,
      `<metadata xmlns='${NS_AVATAR_METADATA}'><info id='${id}' bytes='1' type='image/gif'/></metadata>`,
    ],
    [`${NS_AVATAR_DATA} ${id}`, `<data xmlns='${NS_AVATAR_DATA}'>AA==</data>`],
  ]);
  cutBefore = 0;
  #retractions = 0;

  request({ type, payload }: IqRequest): Promise<Element> {
    const answer = (content?: Element) => Promise.resolve(xml('iq', { type: 'result' }, content));
    const retract = payload.getChild('retract');
    if (type === 'set' && retract) {
      this.#retractions += 1;
      if (this.#retractions === this.cutBefore) return Promise.reject(new ConnectError('cut'));
      const place = `${String(retract.attrs['node'])} ${String(retract.getChild('item')?.attrs['id'])}`;
      return this.items.delete(place) ? answer() : Promise.reject(notFound());
    }
    const items = payload.getChild('items');
    if (type !== 'get' || !items) return Promise.reject(notFound());
    const node = String(items.attrs['node']);
    const wanted = items.getChild('item')?.attrs['id'] as string | undefined;
    const found = [...this.items].filter(
      ([place]) => place.startsWith(`${node} `) && (wanted === undefined || place.endsWith(` ${wanted}`)),
    );
    const list = found.map(([place, text]) => xml('item', { id: place.split(' ')[1] }, parseXml(text)));
    return answer(xml('pubsub', { xmlns: NS_PUBSUB }, xml('items', { node }, ...list)));
  }
}

function notFound(): StanzaError {
  return new StanzaError('item-not-found', 'cancel', undefined, undefined, undefined);
}

const nothing = { item: undefined, access: undefined };
const journaled = {
  before: { [NODE_VCARD4]: nothing, [NS_AVATAR_METADATA]: nothing, [NS_AVATAR_DATA]: nothing },
  planned: { card: '<x/>', avatar: id },
};

test.each([1, 2, 3, 4])(
  'cut before its retraction %i, the next run takes back all of it',
  async (cutBefore) => {
    const server = new Account();
    server.cutBefore = cutBefore;
    const handle = { account, requester: server };
    const first = restoreAccount(handle, journaled, {});
    if (cutBefore < 4) {
      await expect(first).rejects.toThrow(ConnectError);
      expect(server.items.size).toBe(4 - cutBefore);
      await restoreAccount(handle, journaled, {});
    } else await first;
    expect([...server.items.keys()]).toEqual([]);
  },
);
