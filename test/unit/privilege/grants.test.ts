import { describe, expect, test } from 'vitest';
import { PrivilegeGrants } from '../../../src/lib/privilege/grants.js';
import type { StanzaFilter } from '../../../src/lib/session/session.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const pubsub = 'http://jabber.org/protocol/pubsub';
const wanted = [
  { namespace: pubsub, type: 'set' },
  { namespace: 'vcard-temp', type: 'get' },
] as const;

/** Gives messages to whoever asked for them. */
function grantsAfter(...messages: string[]): PrivilegeGrants {
  const handlers: [StanzaFilter, (stanza: Element) => void][] = [];
  const grants = new PrivilegeGrants();
  grants.listen({
    handle: (filter, handler) => {
      handlers.push([filter, handler]);
      return { [Symbol.dispose]: () => undefined };
    },
  });
  for (const message of messages.map((text) => parseXml(text)))
    for (const [{ child }, handler] of handlers)
      if (child && message.getChild('privilege', child.namespace)) handler(message);
  return grants;
}

const advert = (from: string, version: 1 | 2, perms: string): string =>
  `<message from='${from}' to='mover.example'><privilege xmlns='urn:xmpp:privilege:${version}'>${perms}</privilege></message>`;
const both = (ns: string, inner = ''): string => `<namespace ns='${ns}' type='both'>${inner}</namespace>`;

describe('what a server grants', () => {
  test('is known for each host that said it, side by side or one inside the other', () => {
    const grants = grantsAfter(
      advert('a.example', 2, `<perm access='iq'>${both(pubsub)}${both('vcard-temp')}</perm>`),
      advert('b.example', 2, `<perm access='iq'>${both('vcard-temp', both(pubsub))}</perm>`),
    );
    for (const host of ['a.example', 'b.example', 'c.example'])
      expect(grants.obstacle(host, wanted)).toBeUndefined();
    expect(grants.of('b.example')?.iq.get(pubsub)).toEqual(new Set(['get', 'set']));
    expect(grants.of('c.example')).toBeUndefined();
  });

  test('is in the way where something is missing', () => {
    const grants = grantsAfter(
      advert(
        'a.example',
        2,
        `<perm access='iq'><namespace ns='${pubsub}' type='get'/>${both('vcard-temp')}</perm>`,
      ),
      advert('b.example', 2, `<perm access='roster' type='both'/>`),
      advert('c.example', 2, `<perm access='iq'><namespace ns='vcard-temp'/></perm>`),
    );
    expect(grants.obstacle('a.example', wanted)?.message).toBe(
      `a.example does not privilege this component for set of ${pubsub}`,
    );
    for (const host of ['b.example', 'c.example'])
      expect(grants.obstacle(host, wanted)?.message).toContain(`set of ${pubsub}, get of vcard-temp`);
  });

  test('of the older protocol is not enough, and says what is', () => {
    const grants = grantsAfter(advert('a.example', 1, `<perm access='roster' type='both'/>`));
    const obstacle = grants.obstacle('a.example', wanted);
    expect(obstacle?.message).toContain('not for cards');
    expect(obstacle?.hint).toContain('--api');
  });

  test('is replaced by what is said later, and said by hosts only', () => {
    const grants = grantsAfter(
      advert('a.example', 2, `<perm access='iq'>${both(pubsub)}${both('vcard-temp')}</perm>`),
      advert('a.example', 2, ''),
      advert('eve@b.example', 1, ''),
      advert('', 1, ''),
    );
    expect(grants.obstacle('a.example', wanted)).toBeDefined();
    expect(grants.of('b.example')).toBeUndefined();
  });

  test('is bounded', () => {
    const many = Array.from({ length: 2000 }, (_none, index) => both(`urn:${index}`)).join('');
    const grants = grantsAfter(advert('a.example', 2, `<perm access='iq'>${many}</perm>`));
    expect(grants.of('a.example')?.iq.size).toBe(1000);
  });

  test('in both versions counts as it is said in the newer one', () => {
    const newer = advert('a.example', 2, `<perm access='iq'>${both(pubsub)}${both('vcard-temp')}</perm>`);
    const older = advert('a.example', 1, `<perm access='roster' type='both'/>`);
    for (const grants of [grantsAfter(newer, older), grantsAfter(older, newer)]) {
      expect(grants.of('a.example')?.version).toBe(2);
      expect(grants.obstacle('a.example', wanted)).toBeUndefined();
    }
  });
});
