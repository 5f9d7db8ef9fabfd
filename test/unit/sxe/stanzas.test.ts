import { describe, expect, it } from 'vitest';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { serialize } from '../../../src/lib/xml/serialize.js';
import type { StateItem } from '../../../src/lib/sxe/edits.js';
import { decodeProlog, encodeProlog } from '../../../src/lib/sxe/prolog.js';
import { decodePsiSxe, encodePsiSxe } from '../../../src/lib/sxe/psi-stanzas.js';
import { decodeSxe, encodeSxe, SxeTransport, type SxeContent } from '../../../src/lib/sxe/stanzas.js';

const NS = "xmlns='urn:xmpp:sxe:0' session='851ba2' id='f'";

describe('sxe elements', () => {
  it.each<[string, SxeContent['kind']]>([
    ['<connect/>', 'connect'],
    ["<state-offer><description xmlns='urn:xmpp:jingle:apps:xhtml'/></state-offer>", 'state-offer'],
    ['<accept-state/>', 'accept-state'],
    ['<refuse-state/>', 'refuse-state'],
    ['<state/>', 'state'],
    ['', 'advertisement'],
    ['<something-new/>', 'advertisement'],
  ])('reads and writes %s', (content, kind) => {
    const message = decodeSxe(parseXml(`<sxe ${NS}>${content}</sxe>`));
    expect(message).toMatchObject({ session: '851ba2', id: 'f', content: { kind } });
    expect(decodeSxe(encodeSxe(message))).toEqual(message);
  });

  it('reads the example of a snapshot', () => {
    const { content } = decodeSxe(
      parseXml(`<sxe ${NS}><state>
        <document-begin prolog='data:text/xml,%3C!DOCTYPE%20html%3E%0A'/>
        <new type='processinginstruction' pitarget='xml-stylesheet' pidata='href="style.xsl"' rid='GUID0' primary-weight='0.4'/>
        <new type='element' ns='http://www.w3.org/1999/xhtml' name='html' rid='GUID1' primary-weight='3'/>
        <new type='attr' ns='xml' name='lang' chdata='fi' parent='GUID1' rid='GUID2'/>
        <set target='GUID2' version='1' chdata='en'/>
        <remove target='GUID9'/>
        <document-end last-sender='jid3' last-id='abc'/>
      </state></sxe>`),
    );
    expect(content).toEqual({
      kind: 'state',
      items: [
        { kind: 'document-begin', prolog: '<!DOCTYPE html>\n' },
        {
          kind: 'new',
          type: 'processinginstruction',
          rid: 'GUID0',
          weight: 0.4,
          pitarget: 'xml-stylesheet',
          pidata: 'href="style.xsl"',
        },
        {
          kind: 'new',
          type: 'element',
          rid: 'GUID1',
          weight: 3,
          ns: 'http://www.w3.org/1999/xhtml',
          name: 'html',
        },
        { kind: 'new', type: 'attr', rid: 'GUID2', parent: 'GUID1', ns: 'xml', name: 'lang', chdata: 'fi' },
        { kind: 'set', target: 'GUID2', version: 1, chdata: 'en' },
        { kind: 'remove', target: 'GUID9' },
        { kind: 'document-end', lastSender: 'jid3', lastId: 'abc', seen: [], following: 0 },
      ],
    });
  });

  it('writes what it reads', () => {
    const items: StateItem[] = [
      { kind: 'document-begin', prolog: '<?xml version="1.0"?>' },
      { kind: 'new', type: 'text', rid: 'a', parent: 'b', weight: -2.5, chdata: 'x\n"y"', creator: 'me' },
      { kind: 'set', target: 'a', version: 1, chdata: 'z', replaceFrom: 0, replaceCount: 2, author: 'me' },
      {
        kind: 'document-end',
        lastSender: '',
        lastId: '',
        seen: [{ sender: 'a@b/c', id: 'site0000a.1' }],
        following: 1,
      },
      {
        kind: 'owed',
        author: 'me',
        target: 'a',
        changes: [{ kind: 'set', target: 'a', chdata: 'z', replaceFrom: 0, replaceCount: 2 }],
      },
    ];
    const message = { session: 's', id: '1', content: { kind: 'state' as const, items } };
    expect(decodeSxe(parseXml(serialize(encodeSxe(message))))).toEqual(message);
  });

  it('writes what it reads of what was missed', () => {
    const seen = [{ sender: 'a@b/c', id: 'site0000a.1' }];
    const contents: SxeContent[] = [
      { kind: 'connect' },
      { kind: 'connect', seen: [] },
      { kind: 'connect', seen },
      { kind: 'have', seen },
      { kind: 'want', seen: [] },
      { kind: 'missed', messages: [], isLast: true },
      {
        kind: 'missed',
        messages: [{ sender: 'x', id: 'site0000x.1', edits: [{ kind: 'remove', target: 'a' }] }],
        isLast: false,
      },
    ];
    for (const content of contents) {
      const message = { session: 's', id: '1', content };
      expect(decodeSxe(parseXml(serialize(encodeSxe(message))))).toEqual(message);
    }
  });

  it('leaves numbers that are none to the engine', () => {
    const { content } = decodeSxe(
      parseXml(`<sxe ${NS}><state><new rid='a' type='text' primary-weight='NaN'/><new rid='b' type='text' primary-weight='INF'/>
        <set target='a' version='-1'/><set target='a' version='1e9'/><new/></state></sxe>`),
    );
    expect(content).toMatchObject({
      items: [{ weight: NaN }, { weight: NaN }, { version: NaN }, { version: NaN }, { rid: '', type: '' }],
    });
  });

  it('reads the hosts of a transport', () => {
    const transport = parseXml(
      "<transport xmlns='urn:xmpp:jingle:transports:sxe'><host>kingclaudius@shakespeare.lit</host></transport>",
    );
    expect(SxeTransport.decode(transport)).toEqual({ hosts: ['kingclaudius@shakespeare.lit'] });
  });
});

describe('prologs', () => {
  it('come back from their URI', () => {
    const prolog =
      '<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/a.dtd">\n';
    expect(decodeProlog(encodeProlog(prolog))).toBe(prolog);
    expect(decodeProlog(`data:text/xml;base64,${Buffer.from(prolog).toString('base64')}`)).toBe(prolog);
    expect(decodeProlog(`data:text/xml,${prolog}`)).toBe(prolog);
  });

  it.each([
    ['entities', '<!DOCTYPE a [<!ENTITY b "c">]>'],
    ['an element', '<?xml version="1.0"?><a>'],
    ['too much', `<!DOCTYPE ${'a'.repeat(5000)}>`],
    ['no data URI', 'http://example.org/'],
  ])('with %s are not kept', (_, prolog) => {
    expect(decodeProlog(prolog.startsWith('http') ? prolog : encodeProlog(prolog))).toBe('');
  });
});

describe("Psi's dialect", () => {
  it('reads a snapshot inside of a negotiation', () => {
    const source = parseXml(`<sxe xmlns='http://jabber.org/protocol/sxe' session='s'><negotiation>
      <document-begin prolog='data:text/xml,&lt;?xml version="1.0"?>' available-uuid-prefix='1'/>
      <new rid='0.1' type='element' name='svg' parent='' ns='http://www.w3.org/2000/svg' primary-weight='0'/>
      <set rid='0.1' version='1' name='g'/>
      <document-end used-sxe-ids='3;4'/></negotiation></sxe>`);
    const message = decodePsiSxe(source);
    expect(message).toEqual({
      session: 's',
      id: '',
      negotiation: [
        { kind: 'document-begin', prolog: '<?xml version="1.0"?>', prefix: '1' },
        {
          kind: 'new',
          rid: '0.1',
          type: 'element',
          name: 'svg',
          parent: '',
          ns: 'http://www.w3.org/2000/svg',
          weight: 0,
        },
        { kind: 'set', target: '0.1', version: 1, name: 'g' },
        { kind: 'document-end', usedIds: ['3', '4'] },
      ],
      edits: [],
    });
    expect(decodePsiSxe(encodePsiSxe(message))).toEqual(message);
  });

  it('reads edits with white space between them, and the steps of a negotiation', () => {
    const edits = parseXml(
      "<sxe xmlns='http://jabber.org/protocol/sxe' session='s' id='7'> <set rid='0.a' version='2' chdata='x'/> <remove rid='0.b'/></sxe>",
    );
    expect(decodePsiSxe(edits).edits).toEqual([
      { kind: 'set', target: '0.a', version: 2, chdata: 'x' },
      { kind: 'remove', target: '0.b' },
    ]);
    const steps = {
      session: 's',
      id: '',
      negotiation: [
        { kind: 'invitation' as const, features: ['http://www.w3.org/2000/svg'] },
        { kind: 'decline-invitation' as const, alternativeSessions: ['t'] },
        { kind: 'left-session' as const },
      ],
      edits: [],
    };
    expect(decodePsiSxe(encodePsiSxe(steps))).toEqual(steps);
  });
});
