/** Cards and pictures of accounts, on real servers. */
import { expect, it } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import { fetchItems, publishItem } from '../../src/lib/pubsub/items.js';
import { configureNode, fetchAccessModel } from '../../src/lib/pubsub/nodes.js';
import { isNothingThere, isPreconditionNotMet } from '../../src/lib/pubsub/requester.js';
import { NS_VCARD4_XML, NS_VCARD_TEMP } from '../../src/lib/vcard/card.js';
import { readAvatar } from '../../src/lib/vcard/convert/read-avatar.js';
import { bringPhotoInStep, bringVcardTempInStep } from '../../src/lib/vcard/profile/keep-in-step.js';
import { fetchAvatar, fetchVcard4, fetchVcardTemp } from '../../src/lib/vcard/profile/read-profile.js';
import {
  AvatarData,
  AvatarMetadata,
  NODE_VCARD4,
  NS_AVATAR_DATA,
  NS_AVATAR_METADATA,
} from '../../src/lib/vcard/profile/stanzas.js';
import { clearAvatar, publishAvatar, publishVcard4 } from '../../src/lib/vcard/profile/write-profile.js';
import { canonicalXml } from '../../src/lib/xml/canonical.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

const card = parseXml(
  `<vcard xmlns='${NS_VCARD4_XML}'><fn><text>Juliet Ünï</text></fn><note><text>x &amp; y</text></note>` +
    `<geo><uri>geo:45.44,10.99</uri></geo><email><text>j@example.org</text></email></vcard>`,
);
const png = readAvatar(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64',
  ),
);
if (!png) throw new Error('no picture');
const keep = { access: 'keep' } as const;

describeOnEachServer(
  'a profile',
  (server) => {
    const open = (name: string) => connectAccount(server.sandbox, name);
    const address = (name: string) => JID.parse(server.sandbox.accounts[name]?.jid ?? '');

    it('that is not there is no error', async () => {
      await using session = await open('carol');
      expect(await fetchVcard4(session, undefined)).toBeUndefined();
      expect(await fetchVcardTemp(session, undefined)).toBeUndefined();
      expect(await fetchAvatar(session, undefined)).toBeUndefined();
      const nobody = JID.parse(`nobody@${server.sandbox.domain}`);
      expect(await fetchVcard4(session, nobody)).toBeUndefined();
      expect(await fetchVcardTemp(session, nobody)).toBeUndefined();
      await expect(fetchItems(session, { node: 'no-such-node' })).rejects.toSatisfy(isNothingThere);
    });

    it('is seen by others as it was published, in both kinds of card, and loses nothing by that', async () => {
      await using alice = await open('alice');
      await using bob = await open('bob');
      await publishAvatar(alice, png, keep);
      await publishVcard4(alice, card, keep);
      expect(await bringVcardTempInStep(alice, card, png)).toBe(server.name === 'ejabberd');
      const seen = await fetchVcard4(bob, address('alice'));
      expect(seen && canonicalXml(seen)).toBe(canonicalXml(card));
      const temp = await fetchVcardTemp(bob, address('alice'));
      expect(temp?.getChildText('FN')).toBe('Juliet Ünï');
      expect(temp?.getChildText('NOTE')).toBe('x & y');
      expect(temp?.getChild('PHOTO')?.getChildText('BINVAL')?.replace(/\s/g, '')).toBe(
        png.data.toString('base64'),
      );
      expect(await fetchAvatar(bob, address('alice'))).toMatchObject({
        source: 'pep',
        avatar: { id: png.id },
      });
    });

    it('does not become more public by being published again, unless that is wanted', async () => {
      await using session = await open('dora');
      await publishVcard4(session, card, { access: 'presence' });
      expect(await fetchAccessModel(session, { node: NODE_VCARD4 })).toBe('presence');
      await publishVcard4(session, card, keep);
      expect(await fetchAccessModel(session, { node: NODE_VCARD4 })).toBe('presence');
      await using bob = await open('bob');
      expect(await fetchVcard4(bob, address('dora'))).toBeUndefined();
      await publishVcard4(session, card, { access: 'open' });
      expect(await fetchAccessModel(session, { node: NODE_VCARD4 })).toBe('open');
      expect(await fetchVcard4(bob, address('dora'))).toBeDefined();
    });

    it('loses its picture everywhere', async () => {
      await using session = await open('erin');
      await publishAvatar(session, png, keep);
      await bringPhotoInStep(session, png, {});
      await expect
        .poll(async () => (await fetchVcardTemp(session, undefined))?.getChild('PHOTO') !== undefined)
        .toBe(true);
      await clearAvatar(session, png.id, keep);
      await bringPhotoInStep(session, undefined, {});
      await expect.poll(() => fetchAvatar(session, undefined)).toBeUndefined();
    });

    it('whose picture has another hash than it says is not believed', async () => {
      await using session = await open('frank');
      const id = '0'.repeat(40);
      const data = AvatarData.encode({ base64: png.data.toString('base64') });
      await publishItem(session, { node: NS_AVATAR_DATA, id, payload: data });
      const metadata = AvatarMetadata.encode({ infos: [{ id, bytes: 1, type: 'image/png' }] });
      await publishItem(session, { node: NS_AVATAR_METADATA, id, payload: metadata });
      const found = fetchAvatar(session, undefined);
      // ejabberd's mod_avatar looks at the picture itself, and puts it right.
      if (server.name === 'ejabberd') expect((await found)?.avatar.id).toBe(png.id);
      else await expect(found).rejects.toThrow('its hash is another');
    });

    it('tells a node that is configured otherwise from other refusals', async () => {
      await using session = await open('gina');
      await publishItem(session, { node: NODE_VCARD4, id: 'current', payload: card });
      await configureNode(session, { node: NODE_VCARD4, fields: { access_model: 'whitelist' } });
      const again = publishItem(session, {
        node: NODE_VCARD4,
        id: 'current',
        payload: card,
        publishOptions: { access_model: 'open' },
      });
      await expect(again).rejects.toSatisfy(isPreconditionNotMet);
    });

    it('as an old client wrote it is found', async () => {
      await using session = await open('hans');
      const temp = parseXml(
        `<vCard xmlns='${NS_VCARD_TEMP}'><FN>Old</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>${png.data.toString('base64')}</BINVAL></PHOTO></vCard>`,
      );
      await session.request({ type: 'set', payload: temp });
      expect((await fetchVcardTemp(session, undefined))?.getChildText('FN')).toBe('Old');
      expect((await fetchAvatar(session, undefined))?.avatar.id).toBe(png.id);
    });
  },
  { accounts: ['alice', 'bob', 'carol', 'dora', 'erin', 'frank', 'gina', 'hans'] },
);
