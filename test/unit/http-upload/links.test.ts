import { describe, expect, it } from 'vitest';
import { JID } from '../../../src/lib/jid/jid.js';
import { readLinks } from '../../../src/lib/http-upload/read-links.js';
import { sharingMessage } from '../../../src/lib/http-upload/share-link.js';
import { canonicalXml } from '../../../src/lib/xml/canonical.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { factsOf, sha256Of } from '../../support/numbered-content.js';

const URL_A = 'https://upload.example.org/abc/summit%20%C3%A9.jpg';
const message = (inner: string, type = 'chat') =>
  parseXml(`<message xmlns='jabber:client' type='${type}' from='bob@example.org/x'>${inner}</message>`);
const oob = (url: string) => `<x xmlns='jabber:x:oob'><url>${url}</url></x>`;
const sharing = (file: string, sources: string) =>
  `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>${file}</file><sources>${sources}</sources></file-sharing>`;
const urlData = (url: string) => `<url-data xmlns='http://jabber.org/protocol/url-data' target='${url}'/>`;

describe('sharingMessage', () => {
  const facts = factsOf('../su\u0007mmit é.jpg', 6144, {
    mediaType: 'image/jpeg',
    date: new Date('2026-07-26T20:46:00Z'),
    description: 'Photo',
    hashes: [{ algorithm: 'sha-256', value: sha256Of(6144) }],
    promisedHashes: [],
  });
  const file = { url: new URL(URL_A), sizeBytes: 6144, facts };

  it('says it in every way that clients know, and is kept by servers', () => {
    const sent = sharingMessage(JID.parse('bob@example.org'), 'm1', file, 'chat');
    expect(canonicalXml(sent)).toBe(
      canonicalXml(
        parseXml(
          `<message to='bob@example.org' id='m1' type='chat'><body>${URL_A}</body>` +
            `<x xmlns='jabber:x:oob'><url>${URL_A}</url><desc>Photo</desc></x>` +
            `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>` +
            `<date>2026-07-26T20:46:00Z</date><desc>Photo</desc><media-type>image/jpeg</media-type>` +
            `<name>su_mmit é.jpg</name><size>6144</size>` +
            `<hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>${sha256Of(6144).toString('base64')}</hash></file>` +
            `<sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${URL_A}'/></sources></file-sharing>` +
            `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body/></fallback>` +
            `<store xmlns='urn:xmpp:hints'/></message>`,
        ),
      ),
    );
  });

  it('is read again as what it was', () => {
    const sent = sharingMessage(JID.parse('bob@example.org'), 'm1', file, 'groupchat');
    expect(readLinks(sent)).toEqual([{ url: URL_A, facts: { ...facts, name: 'su_mmit é.jpg' } }]);
  });
});

describe('readLinks', () => {
  it('takes the file where there are a file and a link, because they are one', () => {
    const file = sharing('<name>a.jpg</name><size>5</size>', urlData(URL_A));
    expect(readLinks(message(oob(URL_A) + file)).map(({ facts }) => facts.name)).toEqual(['a.jpg']);
  });

  it('takes the name from the link where nothing else says it', () => {
    expect(readLinks(message(oob(URL_A)))).toEqual([
      { url: URL_A, facts: factsOf('summit é.jpg', undefined, { promisedHashes: [] }) },
    ]);
    expect(readLinks(message(oob('https://h/a/%zz')))[0]?.facts.name).toBe('%zz');
    expect(readLinks(message(oob('https://h/')))[0]?.facts.name).toBeUndefined();
  });

  it('takes all files of a message', () => {
    const files = ['a', 'b'].map((name) => sharing(`<name>${name}</name>`, urlData(`https://h/${name}`)));
    expect(readLinks(message(files.join(''))).map(({ url }) => url)).toEqual(['https://h/a', 'https://h/b']);
  });

  it('reads what it can of a file that is said badly', () => {
    const file = sharing(
      "<name> </name><size>-5</size><date>2026-07-26T22:01:59.223216+00:00Z</date><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>not base64!</hash><hash xmlns='urn:xmpp:hashes:2' algo='whirlpool'>eA==</hash>",
      urlData(URL_A),
    );
    expect(readLinks(message(file))).toEqual([
      { url: URL_A, facts: factsOf('summit é.jpg', undefined, { promisedHashes: [] }) },
    ]);
  });

  it('goes on to the link where the file has no source that can be fetched', () => {
    const jingle = "<jinglepub xmlns='urn:xmpp:jinglepub:1' from='a@b/c' id='1'/>";
    for (const sources of [jingle, urlData('ftp://h/x'), urlData('file:///etc/passwd'), ''])
      expect(readLinks(message(sharing('', sources) + oob(URL_A))).map(({ url }) => url)).toEqual([URL_A]);
  });

  it('takes an encrypted link only where it is the whole message', () => {
    const key = 'a'.repeat(88);
    const link = `aesgcm://h/x.jpg#${key}`;
    expect(readLinks(message(`<body>${link}\ndata:image/jpeg,/9j/4AAQ</body>`))[0]).toMatchObject({
      url: link,
      facts: { name: 'x.jpg' },
    });
    for (const body of [`look: ${link}`, 'aesgcm://h/x.jpg', `aesgcm://h/x#${'a'.repeat(80)}`])
      expect(readLinks(message(`<body>${body}</body>`))).toEqual([]);
  });

  it.each([
    ['a text with an address in it', `<body>see ${URL_A}</body>`],
    ['another kind of link', oob('javascript:alert(1)') + oob('file:///etc/passwd') + oob('xmpp:a@b')],
    ['a broken file', "<file-sharing xmlns='urn:xmpp:sfs:0'/>" + "<x xmlns='jabber:x:oob'/>"],
  ])('finds nothing in %s', (_, inner) => {
    expect(readLinks(message(inner))).toEqual([]);
  });

  it('finds nothing in an error, which repeats what we sent', () => {
    expect(readLinks(message(oob(URL_A), 'error'))).toEqual([]);
  });
});
