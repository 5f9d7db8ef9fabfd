import { describe, expect, it } from 'vitest';
import { ProtocolError, UsageError } from '../../../src/lib/errors.js';
import { canonicalXml, prettyXml } from '../../../src/lib/xml/canonical.js';
import { findForbiddenCharacter } from '../../../src/lib/xml/characters.js';
import { parseTypedXml, parseXml, parseXmlFragments } from '../../../src/lib/xml/parse.js';

describe('parseXml', () => {
  it('resolves prefixes', () => {
    const element = parseXml(`<a:x xmlns:a='urn:a' xmlns='urn:d'><y/><a:z xml:lang='de' a:q='1'/></a:x>`);
    expect(element.toString()).toBe(
      `<x xmlns="urn:a"><y xmlns="urn:d"/><z xml:lang="de" xmlns:a="urn:a" a:q="1"/></x>`,
    );
  });

  it('takes text, CDATA and the five entities', () => {
    expect(parseXml('<a>1 &lt; <![CDATA[2 & ]]>&#x33;</a>').getText()).toBe('1 < 2 & 3');
  });

  it('reads several elements, in the default namespace it is told', () => {
    const [first, second] = parseXmlFragments(`<iq/>\n <message xmlns='urn:x'/>\n`, {
      defaultNamespace: 'jabber:client',
    });
    expect(first?.getNS()).toBe('jabber:client');
    expect(second?.getNS()).toBe('urn:x');
  });

  it.each([
    ['nothing', ''],
    ['two elements', '<a/><b/>'],
    ['text beside the element', '<a/>x'],
    ['an element that is not closed', '<a><b></a>'],
    ['an element that is cut off', '<a><b>'],
    ['an end without a start', '</a>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['an unbound prefix', '<x:a/>'],
    ['an attribute twice', `<a b='1' b='2'/>`],
    ['a control character', '<a>\u0001</a>'],
    ['a reference to a control character', '<a>&#1;</a>'],
    ['a document type', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['an external entity', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'],
    ['a processing instruction', '<a><?php x?></a>'],
  ])('refuses %s', (_, text) => {
    expect(() => parseXml(text)).toThrow(ProtocolError);
  });

  it('is bounded in depth, size and attributes', () => {
    const deep = '<a>'.repeat(201) + '</a>'.repeat(201);
    expect(() => parseXml(deep)).toThrow(/deeper than 200/);
    expect(() => parseXml('<a></a>', { maxLength: 5 })).toThrow(/longer than 5/);
    expect(() => parseXml(`<a b='' c='' d=''/>`, { maxAttributes: 2 })).toThrow(/more than 2 attributes/);
  });

  it('blames the user for what the user typed', () => {
    expect(() => parseTypedXml('<a>')).toThrow(UsageError);
  });
});

describe('canonicalXml', () => {
  it('is the same for all ways to write an element', () => {
    const plain = parseXml(
      `<a xmlns='urn:a' b='1' c='&quot;'><d xmlns='urn:d' x:y='1' xmlns:x='urn:x'/></a>`,
    );
    const prefixed = parseXml(
      `<p:a c='"' xmlns:p='urn:a' b="1">\n  <q:d xmlns:q='urn:d' z:y='1' xmlns:z='urn:x'></q:d>\n</p:a>`,
    );
    expect(canonicalXml(prefixed, { ignoreIndentation: true })).toBe(canonicalXml(plain));
    expect(canonicalXml(plain)).toBe(
      '<a xmlns="urn:a" b="1" c="&quot;"><d xmlns="urn:d" {urn:x}y="1"></d></a>',
    );
  });

  it('differs where the element differs', () => {
    const base = canonicalXml(parseXml(`<a><b/></a>`));
    for (const other of [`<a><c/></a>`, `<a><b x='1'/></a>`, `<a> <b/></a>`, `<a xmlns='urn:a'><b/></a>`]) {
      expect(canonicalXml(parseXml(other))).not.toBe(base);
    }
  });
});

describe('prettyXml', () => {
  it('indents elements and leaves mixed content alone', () => {
    const element = parseXml(`<a x="&lt;&quot;"><b><c/></b><d>te <e/> xt &amp;</d><f>1</f></a>`);
    expect(prettyXml(element)).toBe(
      [
        '<a x="&lt;&quot;">',
        '  <b>',
        '    <c/>',
        '  </b>',
        '  <d>te <e/> xt &amp;</d>',
        '  <f>1</f>',
        '</a>',
      ].join('\n'),
    );
  });

  it('paints its parts', () => {
    const paint = (mark: string) => (text: string) => `${mark}${text}${mark}`;
    expect(
      prettyXml(parseXml('<a b="c">d</a>'), {
        name: paint('*'),
        attribute: paint('_'),
        value: paint('-'),
        text: paint('~'),
      }),
    ).toBe('<*a* _b_="-c-">~d~</*a*>');
  });
});

describe('findForbiddenCharacter', () => {
  it.each([
    ['plain text\t\r\n é 😀', undefined],
    ['a\u001b[2J', { codePoint: 'U+001B', index: 1 }],
    ['\u0000', { codePoint: 'U+0000', index: 0 }],
    ['a\ud83d', { codePoint: 'U+D83D', index: 1 }],
    ['\ude00', { codePoint: 'U+DE00', index: 0 }],
    ['\uffff', { codePoint: 'U+FFFF', index: 0 }],
  ])('%j', (text, expected) => {
    expect(findForbiddenCharacter(text)).toEqual(expected);
  });
});
