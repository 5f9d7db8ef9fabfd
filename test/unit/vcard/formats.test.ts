import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/lib/errors.js';
import { NS_VCARD4_XML } from '../../../src/lib/vcard/card.js';
import { readCards, writeCard, type CardFormat } from '../../../src/lib/vcard/formats/card-formats.js';
import { parseContentLines } from '../../../src/lib/vcard/formats/content-lines.js';
import { childElements, xml, type Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';

const only = (text: string): Element => {
  const [first, ...others] = readCards(text);
  expect(others).toEqual([]);
  return first?.card ?? xml('none');
};
/** What is in the card, without the card around it. */
const inside = (card: Element): string => childElements(card).map(String).join('');
const vcf = (version: string, ...lines: string[]): string =>
  ['BEGIN:VCARD', `VERSION:${version}`, ...lines, 'END:VCARD', ''].join('\r\n');
const written = (card: Element, to: CardFormat): string => {
  const { content } = writeCard(card, to);
  if (!content) return '';
  if (content.kind === 'xml') return content.element.toString();
  return content.kind === 'text' ? content.text : JSON.stringify(content.value);
};

describe('vCard 4.0 in text', () => {
  test.each([
    ['FN:Juliet', '<fn><text>Juliet</text></fn>'],
    [
      'N:Capulet;Juliet;;Lady,Miss;',
      '<n><surname>Capulet</surname><given>Juliet</given><additional/><prefix>Lady</prefix><prefix>Miss</prefix><suffix/></n>',
    ],
    ['NICKNAME:a\\,b,c', '<nickname><text>a,b</text><text>c</text></nickname>'],
    ['NOTE:one\\ntwo\\; three\\\\', '<note><text>one\ntwo; three\\</text></note>'],
    ['ORG:A\\;B;C', '<org><text>A;B</text><text>C</text></org>'],
    ['GENDER:F;girl', '<gender><sex>F</sex><identity>girl</identity></gender>'],
    [
      'TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+39-045;ext=5',
      '<tel><parameters><pref><integer>1</integer></pref><type><text>voice</text><text>home</text></type></parameters><uri>tel:+39-045;ext=5</uri></tel>',
    ],
    ['BDAY:19660806', '<bday><date>1966-08-06</date></bday>'],
    ['BDAY:--0806', '<bday><date>--08-06</date></bday>'],
    ['BDAY;VALUE=text:circa 1800', '<bday><text>circa 1800</text></bday>'],
    ['BDAY:19531015T231000Z', '<bday><date-time>1953-10-15T23:10:00Z</date-time></bday>'],
    [
      'LANG;PREF=1:it',
      '<lang><parameters><pref><integer>1</integer></pref></parameters><language-tag>it</language-tag></lang>',
    ],
    [
      'ADR;LABEL="1 Balcony^nVerona ^\'IT^\'";GEO="geo:45,10":;;1 Balcony;Verona;;;',
      '<adr><parameters><geo><uri>geo:45,10</uri></geo><label><text>1 Balcony\nVerona &quot;IT&quot;</text></label></parameters><pobox/><ext/><street>1 Balcony</street><locality>Verona</locality><region/><code/><country/></adr>',
    ],
    [
      'item1.URL:https://example.org/?a,b;c',
      '<group name="item1"><url><uri>https://example.org/?a,b;c</uri></url></group>',
    ],
    ['X-FOO;X-P=1:bar', '<x-foo><parameters><x-p><text>1</text></x-p></parameters><text>bar</text></x-foo>'],
    [
      'CLIENTPIDMAP:1;urn:uuid:3df4',
      '<clientpidmap><sourceid>1</sourceid><uri>urn:uuid:3df4</uri></clientpidmap>',
    ],
  ])('%s', (line, expected) => {
    const card = only(vcf('4.0', line));
    expect(inside(card)).toBe(parsedInside(expected));
    // And back: the same card comes out of what is written.
    for (const format of ['vcf', 'jcard'] as const)
      expect(inside(only(written(card, format)))).toBe(inside(card));
  });

  test('a line is folded at 75 octets, never within a character', () => {
    const note = 'ä€😀'.repeat(60);
    const text = written(only(vcf('4.0', 'FN:J', `NOTE:${note}`)), 'vcf');
    for (const line of text.split('\r\n')) {
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
      expect(line).not.toContain('\ufffd');
    }
    expect(inside(only(text))).toContain(note);
  });

  test('line ends of all kinds, a byte order mark and white space at the beginning', () => {
    const text = vcf('4.0', 'FN:Jul', ' iet');
    for (const other of [
      text,
      text.replaceAll('\r\n', '\n'),
      text.replaceAll('\r\n', '\r'),
      `\ufeff${text}`,
      `\n\n${text}`,
    ])
      expect(inside(only(other))).toBe('<fn><text>Juliet</text></fn>');
  });

  test('several in one file', () => {
    expect(readCards(vcf('4.0', 'FN:A') + vcf('3.0', 'FN:B')).map(({ format }) => format)).toEqual([
      'vcf',
      'vcf3',
    ]);
  });
});

describe('vCard 3.0 and 2.1 in text', () => {
  test.each([
    [
      '3.0',
      'TEL;TYPE=home,pref,msg:+39 045',
      '<tel><parameters><pref><integer>1</integer></pref><type><text>home</text></type></parameters><uri>tel:+39-045</uri></tel>',
      ['dropped-type'],
    ],
    ['3.0', 'TEL:ask the porter', '<tel><text>ask the porter</text></tel>', ['tel-text']],
    ['3.0', 'EMAIL;TYPE=INTERNET:a@b.example', '<email><text>a@b.example</text></email>', []],
    ['3.0', 'GEO:45.44;10.99', '<geo><uri>geo:45.44,10.99</uri></geo>', []],
    ['3.0', 'TZ:-05:00', '<tz><utc-offset>-0500</utc-offset></tz>', []],
    [
      '3.0',
      'LABEL;TYPE=home:1 Balcony\\nVerona',
      '<adr><parameters><type><text>home</text></type><label><text>1 Balcony\nVerona</text></label></parameters><pobox/><ext/><street/><locality/><region/><code/><country/></adr>',
      [],
    ],
    ['3.0', 'X-JABBER:juliet@example.org', '<impp><uri>xmpp:juliet@example.org</uri></impp>', []],
    ['3.0', 'CLASS:PUBLIC', '', ['dropped']],
    [
      '3.0',
      'PHOTO;ENCODING=b;TYPE=JPEG:R0lGODlhAQABAAAAACw=',
      '<photo><uri>data:image/gif;base64,R0lGODlhAQABAAAAACw=</uri></photo>',
      [],
    ],
    [
      '3.0',
      'PHOTO;VALUE=uri:https://example.org/a.png',
      '<photo><uri>https://example.org/a.png</uri></photo>',
      [],
    ],
    ['3.0', 'KEY;ENCODING=b:????', '', ['bad-base64']],
    [
      '2.1',
      'TEL;HOME;VOICE;PREF:12',
      '<tel><parameters><pref><integer>1</integer></pref><type><text>home</text><text>voice</text></type></parameters><uri>tel:12</uri></tel>',
      [],
    ],
    [
      '2.1',
      'NOTE;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:caf=E9=0D=0Abar=\r\n tail',
      '<note><text>café\nbar tail</text></note>',
      [],
    ],
    ['2.1', 'FN;QUOTED-PRINTABLE:J=C3=BCliet', '<fn><text>Jüliet</text></fn>', []],
  ])('%s %s', (version, line, expected, codes) => {
    const [read] = readCards(vcf(version, line));
    expect(read && inside(read.card)).toBe(parsedInside(expected));
    expect(read?.warnings.map(({ code }) => code)).toEqual(codes);
  });

  test('SORT-STRING is a parameter of the name', () => {
    expect(inside(only(vcf('3.0', 'N:de Capulet', 'SORT-STRING:Capulet')))).toContain(
      '<sort-as><text>Capulet</text></sort-as>',
    );
  });

  test('what 3.0 has no place for is told', () => {
    const card = only(
      vcf(
        '4.0',
        'FN:J',
        'GENDER:F',
        'TEL;VALUE=uri;PREF=1:tel:+1-2',
        'BDAY:19660806',
        'REV:20051107T100000Z',
      ),
    );
    const { content, warnings } = writeCard(card, 'vcf3');
    expect(warnings).toEqual([{ code: 'dropped', element: 'gender', value: 'F' }]);
    expect(content).toMatchObject({
      text: vcf('3.0', 'FN:J', 'TEL;TYPE=pref:+1-2', 'BDAY:1966-08-06', 'REV:2005-11-07T10:00:00Z'),
    });
  });
});

describe('what is no card', () => {
  test.each([
    ['', 'the input is empty'],
    ['hello', 'neither XML'],
    ['FN:J', 'neither XML'],
    ['BEGIN:VCARD\nVERSION:4.0\nFN:J', 'END:VCARD is missing'],
    ['BEGIN:VCARD\nnonsense\nEND:VCARD', 'line 2'],
    ['BEGIN:VCARD\nVERSION:9.0\nEND:VCARD', '9.0'],
    ['BEGIN:VCARD\nFN:\u001b[2J\nEND:VCARD', 'U+001B'],
    ['[1]', 'not a jCard'],
    ['["vcard"', 'not JSON'],
    ['["vcard",[["fn",{},"text"]]]', 'property 1'],
    ['<vcard', 'not well-formed'],
    [`<vcard xmlns='${NS_VCARD4_XML}'><fn></vcard>`, 'not well-formed'],
    ['<a/>', 'there is no card in it'],
    [`<!DOCTYPE a [<!ENTITY x "y">]><vCard xmlns='vcard-temp'><FN>&x;</FN></vCard>`, 'not well-formed'],
  ])('%j', (text, message) => {
    expect(() => readCards(text)).toThrow(UsageError);
    expect(() => readCards(text)).toThrow(message);
  });

  test('whatever comes ends in a UsageError or in cards', () => {
    const lines = fc.array(fc.stringMatching(/^[A-Z;=":,.\\a-z0-9^ -]{0,20}$/), { maxLength: 8 });
    fc.assert(
      fc.property(lines, (some) => {
        try {
          for (const { card } of readCards(vcf('4.0', ...some)))
            for (const to of ['vcf', 'vcf3', 'jcard'] as const) written(card, to);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
    expect(() => parseContentLines('BEGIN:VCARD\n__PROTO__;__PROTO__=1:x\nEND:VCARD')).toThrow(UsageError);
  });
});

test.each([
  [
    'vCard4',
    `<vcard xmlns="${NS_VCARD4_XML}"><fn><parameters><constructor><text>a</text></constructor></parameters><text>J</text></fn><constructor><text>b</text></constructor></vcard>`,
  ],
  ['text', 'BEGIN:VCARD\nVERSION:4.0\nFN;CONSTRUCTOR=a:J\nCONSTRUCTOR:b\nEND:VCARD\n'],
  [
    'jCard',
    '["vcard",[["version",{},"text","4.0"],["fn",{"constructor":"a"},"text","J"],["constructor",{},"text","b"]]]',
  ],
])('names that every object has, in %s, are names like others', (_, text) => {
  const [read] = readCards(text);
  const card = read?.card ?? xml('vcard');
  for (const to of ['vcf', 'jcard'] as const) {
    const { content } = writeCard(card, to);
    const written =
      content?.kind === 'text' ? content.text : JSON.stringify(content?.kind === 'json' && content.value);
    expect(readCards(written)[0]?.card.toString()).toBe(card.toString());
  }
  expect(card.getChild('constructor')?.getChildText('text')).toBe('b');
});

test('lists in lists without end are no jCard', () => {
  const nested = `${'['.repeat(50_000)}"a"${']'.repeat(50_000)}`;
  const text = `["vcard",[["version",{},"text","4.0"],["fn",{},"text","J"],["note",{},"text",${nested}]]]`;
  expect(() => readCards(text)).toThrow(UsageError);
});

test('a line with very many parameters is read as fast as a long one', () => {
  const line = `NOTE${';X=1'.repeat(150_000)}:a`;
  const [card] = readCards(`BEGIN:VCARD\r\nVERSION:4.0\r\nFN:J\r\n${line}\r\nEND:VCARD\r\n`);
  expect(card?.card.getChild('note')?.getChildText('text')).toBe('a');
});

describe('all ways round', () => {
  test('what is in the fixtures comes through text and JSON unchanged', async () => {
    const file = path.join(
      path.dirname(fileURLToPath(import.meta.url)),
      '../../fixtures/vcard/to-vcard4.xml',
    );
    const text = (await readFile(file, 'utf8')).replace(/<vcard(?=[/>])/g, `<vcard xmlns="${NS_VCARD4_XML}"`);
    const cards = childElements(parseXml(text)).flatMap((one) => one.getChildren('vcard', NS_VCARD4_XML));
    expect(cards.length).toBeGreaterThan(30);
    for (const card of cards) {
      const model = writeCard(card, 'vcard4', { dates: 'extended' }).content;
      const expected = model?.kind === 'xml' ? inside(model.element) : '';
      for (const to of ['vcf', 'jcard'] as const) expect(inside(only(written(card, to)))).toBe(expected);
    }
  });
});

function parsedInside(expected: string): string {
  return inside(parseXml(`<vcard xmlns="${NS_VCARD4_XML}">${expected}</vcard>`));
}
