import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Anonymiser } from '../../../src/lib/trace-analysis/anonymise/anonymise.js';
import { Pseudonyms } from '../../../src/lib/trace-analysis/anonymise/pseudonyms.js';
import { isToken } from '../../../src/lib/trace-analysis/anonymise/vocabulary.js';
import { TraceLinter } from '../../../src/lib/trace-analysis/lint.js';
import type { DataRecord, TraceRecord } from '../../../src/lib/trace/record.js';
import {
  clientHeader,
  header,
  login,
  managed,
  nest,
  recordTrace,
  type Line,
} from '../../support/recorded-trace.js';

function anonymise(records: readonly TraceRecord[], keptDomain?: string): TraceRecord[] {
  const anonymiser = new Anonymiser(keptDomain === undefined ? {} : { keptDomain });
  const text = anonymiser.push(records) + anonymiser.end();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TraceRecord);
}

const textsOf = (records: readonly TraceRecord[]): string[] =>
  records.filter((record): record is DataRecord => record.kind === 'data').map(({ text }) => text ?? '');

/** What becomes of one stanza that came in after a login. */
const rewrite = (xml: string, keptDomain?: string): string =>
  textsOf(anonymise(recordTrace([...login, `←${xml}`]), keptDomain)).at(-1) ?? '';

describe('trace anonymise', () => {
  it.each([
    [
      'addresses, keeping who is whose',
      "<message from='bob@chat.example.net/phone' to='alice@example.org/desk' type='chat' id='msg-1'/>",
      '<message from="user2@chat.domain2.example/resource2" to="user1@domain1.example/resource1" type="chat" id="msg-1"/>',
    ],
    ['texts', '<message><body>Meet me at 8</body></message>', '<message><body>text1</body></message>'],
    [
      'an address in a text',
      '<message><body>alice@example.org</body></message>',
      '<message><body>user1@domain1.example</body></message>',
    ],
    [
      'not the state of presence',
      '<presence><show>away</show><priority>-1</priority></presence>',
      '<presence><show>away</show><priority>-1</priority></presence>',
    ],
    [
      'a state that is none',
      '<presence><show>at the beach</show></presence>',
      '<presence><show>text1</show></presence>',
    ],
    ['ids that tell', "<message id='alice-1'/>", '<message id="id3"/>'],
    [
      'links',
      "<message><x xmlns='jabber:x:oob'><url>https://files.example.org/u/secret.jpg?x=1</url></x></message>",
      '<message><x xmlns="jabber:x:oob"><url>https://files.domain1.example/path1</url></x></message>',
    ],
    [
      'files, but not how large they are',
      "<iq type='set' id='1'><file xmlns='urn:xmpp:jingle:apps:file-transfer:5'><name>cv.pdf</name><size>12</size><date>2026-01-31T10:00:00Z</date></file></iq>",
      '<iq type="set" id="1"><file xmlns="urn:xmpp:jingle:apps:file-transfer:5"><name>text1</name><size>12</size><date>2026-01-31T10:00:00Z</date></file></iq>',
    ],
    [
      'IP addresses',
      "<iq type='set' id='1'><candidate xmlns='urn:xmpp:jingle:transports:s5b:1' host='203.0.113.7' port='1' priority='2'/></iq>",
      '<iq type="set" id="1"><candidate xmlns="urn:xmpp:jingle:transports:s5b:1" host="198.18.0.1" port="1" priority="2"/></iq>',
    ],
    [
      'secrets that were recorded',
      "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNl</auth>",
      '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">[redacted]</auth>',
    ],
    [
      'comments, CDATA and instructions',
      '<message><!--alice--><body><![CDATA[alice]]></body><?alice?></message>',
      '<message><body>text1</body></message>',
    ],
    ['what breaks off', "<message><body>hello</body><x to='ali", '<message><body>text1</body>text2'],
    ['what is no XMPP', 'hello', 'text1'],
    [
      'namespaces that tell',
      "<message><x xmlns='http://alice.example.org/ns'/></message>",
      '<message><x xmlns="urn:x-anonymous:1"/></message>',
    ],
    [
      'markup in texts',
      '<message><body>&lt;b to="x"&gt;</body></message>',
      '<message><body>text1</body></message>',
    ],
  ])('replaces %s', (_, xml, expected) => {
    expect(rewrite(xml)).toBe(expected);
  });

  it('keeps a domain that is no secret', () => {
    expect(rewrite("<message from='bob@rooms.example.org/x' to='alice@example.com'/>", 'example.org')).toBe(
      '<message from="user2@rooms.example.org/resource2" to="user1@domain1.example"/>',
    );
  });

  it('writes a trace with the same course: nothing new for lint, numbers without holes', () => {
    const records = anonymise(
      recordTrace([...managed, '→<presence/>', { gap: [15, 17] }, "←<presence from='b@c'/>"]),
    );
    const linter = new TraceLinter();
    expect([...linter.push(records), ...linter.end()].map(({ code }) => code)).toEqual(['trace.missing']);
    expect(records[0]).toEqual(header);
    expect(records[1]).toMatchObject({ n: 1, kind: 'connection', label: 'c2s user1@domain1.example' });
  });

  it('replaces the facts of events', () => {
    const events: Line[] = [
      {
        name: 'dns',
        detail: {
          query: '_xmpp-client._tcp.example.org',
          type: 'SRV',
          answers: [{ target: 'xmpp.example.org', port: 5222 }],
        },
      },
      { name: 'tcp', detail: { address: '203.0.113.9', port: 5222, family: 4 } },
      {
        name: 'tls',
        detail: {
          serverName: 'example.org',
          version: 'TLSv1.3',
          cipher: 'TLS_AES_256_GCM_SHA384',
          certificate: { subject: 'CN=Alice', names: ['example.org'] },
        },
      },
      { name: 'error', detail: { message: 'alice went away' } },
    ];
    const facts = anonymise(recordTrace(events)).flatMap((record) =>
      record.kind === 'event' ? [record.detail] : [],
    );
    expect(facts).toEqual([
      {
        query: '_xmpp-client._tcp.domain1.example',
        type: 'SRV',
        answers: [{ target: 'xmpp.domain1.example', port: 5222 }],
      },
      { address: '198.18.0.1', port: 5222, family: 4 },
      {
        serverName: 'domain1.example',
        version: 'TLSv1.3',
        cipher: 'TLS_AES_256_GCM_SHA384',
        certificate: { subject: 'text1', names: ['domain1.example'] },
      },
      { message: 'text2' },
    ]);
  });

  it('bears what is nested to hurt', () => {
    expect(rewrite(nest(100_000))).toContain('>text1</a></a>');
  });

  it('names no more than it may remember, and the same still the same', () => {
    const names = new Pseudonyms({ maxNames: 10 });
    const all = Array.from({ length: 100 }, (_, index) => names.jid(`user-${index}@d`));
    expect(all[99]).toBe(names.jid('user-99@d'));
    expect(new Set(all).size).toBe(100);
  });

  it('leaves no part of an address and no word of a text, wherever they were', () => {
    // Words that the protocols themselves have would prove nothing.
    const word = fc
      .stringMatching(/^[a-z][a-z0-9üß]{4,11}$/)
      .filter((text) => !isToken(text) && /[g-z]/.test(text) && !protocolText.includes(text))
      .map((text) => `q${text}`);
    const places = [
      (w: string) =>
        `<message from='${w}@${w}x.org/${w}'><body>${w} and ${w}</body><subject>${w}</subject></message>`,
      (w: string) => `<message id='${w}' to='${w}.net'><thread>${w}</thread></message>`,
      (w: string) =>
        `<presence xml:lang='${w}'><show>${w}</show><status>${w}</status><priority>${w}</priority></presence>`,
      (w: string) =>
        `<iq type='${w}' id='1'><query xmlns='jabber:iq:roster' ver='${w}'><item jid='${w}@a.b' name='${w}' ask='${w}'><group>${w}</group></item></query></iq>`,
      (w: string) =>
        `<iq type='result' id='${w}-1'><x xmlns='jabber:x:data' type='form'><title>${w}</title><field var='${w}' label='${w}' type='text-single'><value>${w}</value></field></x></iq>`,
      (w: string) =>
        `<message><x xmlns='urn:${w}' h='${w}' stamp='${w}' node='${w}' url='https://${w}.org/${w}' host='${w}'/><!--${w}--></message>`,
      (w: string) =>
        `<iq type='set' id='2'><vCard xmlns='vcard-temp'><FN>${w}</FN><EMAIL><USERID>${w}@${w}.de</USERID></EMAIL></vCard></iq>`,
      (w: string) =>
        `<message><body><![CDATA[${w}]]></body><nick xmlns='http://jabber.org/protocol/nick'>${w}</nick></message>`,
      (w: string) =>
        `<message><e xmlns='a'>${w}<f>&#113;${w.slice(1)}</f></e></message> ${w} <message><body>${w}`,
    ];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, fc.constantFrom(...places), fc.constantFrom('→' as const, '←' as const)), {
          minLength: 1,
          maxLength: 8,
        }),
        (entries) => {
          const lines = entries.map(([w, place, arrow]): Line => `${arrow}${place(w)}`);
          const events = entries.map(([w]): Line => ({
            name: 'close',
            detail: { reason: w, server: { name: [w] }, clean: false },
          }));
          const written = JSON.stringify(anonymise(recordTrace([`→${clientHeader}`, ...lines, ...events])));
          for (const [w] of entries) expect(written).not.toContain(w);
          expect(written).not.toContain('example.org');
        },
      ),
      { numRuns: 500 },
    );
  });
});

const protocolText =
  'message presence body subject thread status priority query group title field value vcard email userid close reason server name clean';
