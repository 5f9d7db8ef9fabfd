import { describe, expect, it } from 'vitest';
import { JID } from '../../../src/lib/jid/jid.js';
import { hasContent, readMessage, type Message } from '../../../src/lib/messaging/message.js';
import { messageFilter } from '../../../src/lib/messaging/message-filter.js';
import { textOf } from '../../../src/lib/messaging/render-message.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const me = JID.parse('juliet@capulet.test/balcony');
const now = Date.parse('2026-01-02T03:04:05Z');
const read = (text: string): Message | undefined =>
  readMessage(parseXml(text, { defaultNamespace: 'jabber:client' }), { me, now });

describe('readMessage', () => {
  it('reads a plain message', () => {
    expect(
      read(
        `<message from='romeo@montague.test/orchard' to='juliet@capulet.test' type='chat' id='1'><body>hi</body></message>`,
      ),
    ).toEqual({
      from: 'romeo@montague.test/orchard',
      to: 'juliet@capulet.test',
      type: 'chat',
      id: '1',
      time: '2026-01-02T03:04:05.000Z',
      body: 'hi',
    });
  });

  it('reads all that may be beside the body', () => {
    expect(
      read(`<message from='a@b.test' type='chat' xml:lang='en'>
        <subject>s</subject><body>one</body><body xml:lang='de'>eins</body><body xml:lang='de'>zwei</body><thread>t</thread>
        <request xmlns='urn:xmpp:receipts'/>
        <origin-id xmlns='urn:xmpp:sid:0' id='o'/>
        <stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='a@b.test'/>
        <stanza-id xmlns='urn:xmpp:sid:0' id='mine' by='juliet@capulet.test'/>
        <replace xmlns='urn:xmpp:message-correct:0' id='old'/>
        <reply xmlns='urn:xmpp:reply:0' id='r' to='c@d.test/e'/>
        <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'/>
        <x xmlns='jabber:x:oob'><url>https://a.test/1</url></x>
        <encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:omemo:2'/>
        <active xmlns='http://jabber.org/protocol/chatstates'/>
      </message>`),
    ).toMatchObject({
      lang: 'en',
      subject: 's',
      body: 'one',
      bodies: { en: 'one', de: 'eins' },
      thread: 't',
      wantsReceipt: true,
      originId: 'o',
      stanzaId: 'mine',
      replaces: 'old',
      replyTo: { id: 'r', to: 'c@d.test/e' },
      fallbackFor: ['urn:xmpp:reply:0'],
      attachments: [{ url: 'https://a.test/1' }],
      encryption: 'urn:xmpp:omemo:2',
      chatState: 'active',
    });
  });

  it('believes the id of a room in a room only', () => {
    const ids = `<stanza-id xmlns='urn:xmpp:sid:0' id='i' by='room@muc.test'/>`;
    expect(read(`<message type='groupchat' from='room@muc.test/nick'>${ids}</message>`)?.stanzaId).toBe('i');
    expect(read(`<message type='chat' from='room@muc.test/nick'>${ids}</message>`)?.stanzaId).toBeUndefined();
  });

  it('takes the time of a delayed message', () => {
    expect(
      read(
        `<message from='a@b.test'><body>x</body><delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/></message>`,
      ),
    ).toMatchObject({ type: 'normal', time: '2002-09-10T23:08:25.000Z', isDelayed: true });
  });

  it('reads a message although an extension in it is broken', () => {
    expect(
      read(
        `<message from='a@b.test' type='strange'><body>x</body><delay xmlns='urn:xmpp:delay' stamp='soon'/></message>`,
      ),
    ).toEqual({ from: 'a@b.test', type: 'normal', time: '2026-01-02T03:04:05.000Z', body: 'x' });
  });

  it('says why a message was refused', () => {
    expect(
      read(
        `<message from='a@b.test' type='error' id='1'><body>x</body><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
      ),
    ).toMatchObject({ type: 'error', error: { condition: 'service-unavailable', type: 'cancel' } });
  });

  const carbon = (from: string): string =>
    `<message ${from} to='juliet@capulet.test/balcony'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>
      <message xmlns='jabber:client' from='romeo@montague.test/orchard' to='juliet@capulet.test/chamber' type='chat'><body>what man art thou</body></message>
    </forwarded></received></message>`;

  it.each([`from='juliet@capulet.test'`, ''])('opens a copy from our own account: %s', (from) => {
    expect(read(carbon(from))).toMatchObject({
      carbon: 'received',
      from: 'romeo@montague.test/orchard',
      body: 'what man art thou',
    });
  });

  it.each([
    `from='romeo@montague.test'`,
    `from='capulet.test'`,
    `from='juliet@capulet.test/chamber'`,
    `from='juliet@capulet.test.evil.test'`,
  ])('does not believe a copy from anybody else (CVE-2017-5589): %s', (from) => {
    expect(read(carbon(from))).toBeUndefined();
  });

  it('does not take a result of an archive for a message', () => {
    expect(read(`<message><result xmlns='urn:xmpp:mam:2' id='1'/></message>`)).toBeUndefined();
  });
});

describe('hasContent', () => {
  it('is false for typing notices and receipts', () => {
    const base: Message = { from: 'a@b.test', type: 'chat', time: '' };
    expect(hasContent({ ...base, chatState: 'composing' })).toBe(false);
    expect(hasContent({ ...base, receiptFor: '1' })).toBe(false);
    expect(hasContent({ ...base, body: '' })).toBe(true);
    expect(hasContent({ ...base, encryption: 'x' })).toBe(true);
  });
});

describe('textOf', () => {
  const base: Message = { from: 'a@b.test', type: 'chat', time: '' };
  it.each<[Partial<Message>, string]>([
    [{ body: 'hi' }, 'hi'],
    [{ subject: 's', body: 'hi' }, '[subject: s] hi'],
    [{ body: 'https://a.test/1', attachments: [{ url: 'https://a.test/1' }] }, 'https://a.test/1'],
    [{ attachments: [{ url: 'https://a.test/1' }] }, 'https://a.test/1'],
    [{ type: 'error', body: 'hi', error: { condition: 'gone', text: 'moved' } }, '[refused: gone, moved] hi'],
    [{ chatState: 'composing' }, '[composing]'],
    [{ chatState: 'active', body: 'x' }, 'x'],
    [{ receiptFor: '7' }, '[received 7]'],
    [{ reactions: { id: '7', reactions: ['👋'] } }, '[reaction 👋 to 7]'],
  ])('%j is %j', (facts, text) => {
    expect(textOf({ ...base, ...facts })).toBe(text);
  });
});

describe('messageFilter', () => {
  const message = (from: string, facts: Partial<Message> = {}): Message => ({
    from,
    type: 'chat',
    time: '',
    ...facts,
  });
  const jids = (...texts: string[]): JID[] => texts.map((text) => JID.parse(text));

  it('takes everybody without senders and rooms', () => {
    expect(messageFilter({ from: [], rooms: [], types: [] })(message('a@b.test/c'))).toBe(true);
  });

  it('takes any resource of a bare address, and exactly a full one', () => {
    const bare = messageFilter({ from: jids('a@b.test'), rooms: [], types: [] });
    expect(bare(message('a@b.test/c'))).toBe(true);
    expect(bare(message('A@b.test'))).toBe(true);
    expect(bare(message('x@b.test'))).toBe(false);
    const full = messageFilter({ from: jids('a@b.test/c'), rooms: [], types: [] });
    expect(full(message('a@b.test/c'))).toBe(true);
    expect(full(message('a@b.test/d'))).toBe(false);
  });

  it('takes rooms or senders, of the wanted types', () => {
    const filter = messageFilter({ from: jids('a@b.test'), rooms: jids('r@muc.test'), types: ['groupchat'] });
    expect(filter(message('r@muc.test/nick', { type: 'groupchat' }))).toBe(true);
    expect(filter(message('a@b.test/c'))).toBe(false);
  });

  it('goes by the recipient for a copy of what we sent', () => {
    const filter = messageFilter({ from: jids('a@b.test'), rooms: [], types: [] });
    expect(filter(message('me@b.test', { carbon: 'sent', to: 'a@b.test' }))).toBe(true);
  });
});
