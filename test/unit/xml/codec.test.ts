import { describe, expect, expectTypeOf, it } from 'vitest';
import type { DecodeError } from '../../../src/lib/errors.js';
import { canonicalXml } from '../../../src/lib/xml/canonical.js';
import { element, emptyElement, type Infer, type InferInput } from '../../../src/lib/xml/codec.js';
import {
  attr,
  child,
  childText,
  childTexts,
  children,
  flag,
  langText,
  optional,
  rawChild,
  rawChildren,
  text,
  withDefault,
} from '../../../src/lib/xml/fields.js';
import { jid } from '../../../src/lib/xml/jid-scalar.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import {
  base64,
  bool,
  dateTime,
  enumOf,
  int,
  intBetween,
  token,
  uint,
} from '../../../src/lib/xml/scalars.js';

const NS = 'urn:xmpp:http:upload:0';
const Header = element(NS, 'header', { name: attr('name'), value: text() });
const Put = element(NS, 'put', { url: attr('url'), headers: children(Header) });
const Slot = element(NS, 'slot', { put: child(Put), size: optional(attr('size', uint)) });

describe('element', () => {
  it('infers the type of what it reads and of what it writes', () => {
    expectTypeOf<Infer<typeof Slot>>().toEqualTypeOf<{
      put: { url: string; headers: { name: string; value: string }[] };
      size?: number | undefined;
    }>();
    expectTypeOf<InferInput<typeof Put>>().toEqualTypeOf<{
      url: string;
      headers?: readonly { name: string; value: string }[] | undefined;
    }>();
  });

  it('reads what it writes', () => {
    const value = { put: { url: 'https://a.test/1', headers: [{ name: 'Cookie', value: 'a=b' }] }, size: 3 };
    const written = Slot.encode(value);
    expect(written.toString()).toBe(
      `<slot xmlns="${NS}" size="3"><put url="https://a.test/1"><header name="Cookie">a=b</header></put></slot>`,
    );
    expect(Slot.decode(written)).toEqual(value);
  });

  it('leaves out what has a default', () => {
    expect(Put.encode({ url: 'u' }).toString()).toBe(`<put xmlns="${NS}" url="u"/>`);
    expect(Put.decode(Put.encode({ url: 'u' }))).toEqual({ url: 'u', headers: [] });
  });

  it('ignores attributes and children it does not know', () => {
    const xml = parseXml(
      `<slot xmlns='${NS}' new='1'><x xmlns='urn:x'/><put url='u' y='2'>text</put></slot>`,
    );
    expect(Slot.decode(xml)).toEqual({ put: { url: 'u', headers: [] } });
  });

  it('does not take a child of the same name in another namespace', () => {
    const xml = parseXml(`<slot xmlns='${NS}'><put xmlns='urn:x' url='evil'/><put url='u'/></slot>`);
    expect(Slot.decode(xml).put.url).toBe('u');
  });

  it('names the place of what is missing', () => {
    const xml = parseXml(`<iq xmlns='jabber:client'><slot xmlns='${NS}'><put/></slot></iq>`);
    expect(() => Slot.find(xml)).toThrow(
      expect.objectContaining({
        name: 'DecodeError',
        path: 'iq/slot/put@url',
        message: 'unexpected XML at iq/slot/put@url: it is missing',
      }) as DecodeError,
    );
    expect(() => Slot.decode(parseXml(`<slot xmlns='${NS}'/>`))).toThrow(/at slot\/put: it is missing/);
  });

  it('counts among siblings of the same name', () => {
    const xml = parseXml(`<put xmlns='${NS}' url='u'><header name='a'/><header/></put>`);
    expect(() => Put.decode(xml)).toThrow(/at put\/header\[2\]@name: it is missing/);
  });

  it('quotes what is of the wrong kind, shortened', () => {
    const xml = parseXml(`<slot xmlns='${NS}' size='${'9'.repeat(100)}'><put url='u'/></slot>`);
    expect(() => Slot.decode(xml)).toThrow(/at slot@size: "9{60}…" is not a whole number of 0 or more/);
  });

  it('refuses another element', () => {
    expect(() => Slot.decode(parseXml(`<slot xmlns='urn:x'/>`))).toThrow(
      /at slot: expected <slot\/> in urn:xmpp/,
    );
  });

  it('takes a stanza in whatever namespace when it has none of its own', () => {
    const Message = element(undefined, 'message', { body: optional(childText('body')) });
    for (const namespace of ['jabber:client', 'jabber:component:accept']) {
      const xml = parseXml(
        `<message xmlns='${namespace}'><body xmlns='urn:x'>no</body><body>yes</body></message>`,
      );
      expect(Message.decode(xml)).toEqual({ body: 'yes' });
    }
    expect(Message.encode({ body: 'a & b' }).toString()).toBe('<message><body>a &amp; b</body></message>');
  });
});

describe('fields', () => {
  const Everything = element('urn:e', 'e', {
    kind: attr('kind', enumOf('a', 'b')),
    count: withDefault(attr('count', int), 0),
    on: withDefault(attr('on', bool), true),
    when: optional(childText('when', dateTime)),
    who: optional(childText('who', jid, 'urn:who')),
    data: optional(childText('data', base64)),
    titles: langText('title'),
    values: childTexts('value'),
    numbers: childTexts('number', int),
    isRequired: flag('required'),
    isOther: flag('other', 'urn:other'),
    payload: optional(rawChild({ namespace: 'urn:payload' })),
  });
  const xml = `<e xmlns="urn:e" kind="a" count="-7" on="false"><when>2026-01-02T03:04:05Z</when><who xmlns="urn:who">a@b.test/r</who><data>aGk=</data><title>Hello</title><title xml:lang="de">Hallo</title><value>1</value><value/><number>5</number><required/><other xmlns="urn:other"/><p xmlns="urn:payload"/></e>`;

  it('read and write every kind', () => {
    const value = Everything.decode(parseXml(xml));
    expect(value).toMatchObject({
      kind: 'a',
      count: -7,
      on: false,
      when: new Date('2026-01-02T03:04:05Z'),
      titles: { '': 'Hello', de: 'Hallo' },
      values: ['1', ''],
      numbers: [5],
      isRequired: true,
      isOther: true,
    });
    expect(String(value.who)).toBe('a@b.test/r');
    expect(Buffer.from(value.data ?? []).toString()).toBe('hi');
    expect(canonicalXml(Everything.encode(value))).toBe(canonicalXml(parseXml(xml)));
  });

  it('have defaults', () => {
    expect(Everything.decode(Everything.encode({ kind: 'b' }))).toEqual({
      kind: 'b',
      count: 0,
      on: true,
      titles: {},
      values: [],
      numbers: [],
      isRequired: false,
      isOther: false,
    });
    expect(Everything.encode({ kind: 'b', count: 0, on: true, isRequired: false }).toString()).toBe(
      '<e xmlns="urn:e" kind="b"/>',
    );
  });

  it('refuse a value of the wrong kind with its place', () => {
    expect(() => Everything.decode(parseXml(`<e xmlns='urn:e' kind='c'/>`))).toThrow(
      /at e@kind: "c" is not one of a, b/,
    );
    expect(() => Everything.decode(parseXml(`<e xmlns='urn:e' kind='a'><when>soon</when></e>`))).toThrow(
      /at e\/when: "soon" is not a date and time/,
    );
  });

  it('hand on payloads untouched', () => {
    const Forwarded = element('urn:f', 'f', { all: rawChildren(), one: rawChild({ name: 'message' }) });
    const value = Forwarded.decode(
      parseXml(`<f xmlns='urn:f'><a/><message xmlns='jabber:client'><body>x</body></message></f>`),
    );
    expect(value.all.map((one) => one.getName())).toEqual(['a', 'message']);
    expect(value.one.getChildText('body')).toBe('x');
    expect(() => Forwarded.decode(parseXml(`<f xmlns='urn:f'/>`))).toThrow(/at f\/message: it is missing/);
  });

  it('knows an element without content', () => {
    const Active = emptyElement('urn:a', 'active');
    expect(Active.encode({}).toString()).toBe('<active xmlns="urn:a"/>');
    expect(Active.find(parseXml(`<m><active xmlns='urn:a'/></m>`))).toEqual({});
    expect(Active.find(parseXml(`<m/>`))).toBeUndefined();
  });
});

describe('scalars', () => {
  it.each([
    [int, '12', 12],
    [int, ' -3 ', -3],
    [int, '1.5', undefined],
    [int, '0x10', undefined],
    [int, '99999999999999999', undefined],
    [uint, '-1', undefined],
    [intBetween(1, 9), '10', undefined],
    [bool, '1', true],
    [bool, 'yes', undefined],
    [token, '  ', undefined],
    [token, ' a ', 'a'],
    [dateTime, '2002-09-10T23:08:25.123+02:00', new Date('2002-09-10T21:08:25.123Z')],
    [dateTime, '2002-09-10', undefined],
    [dateTime, '2002-13-10T23:08:25Z', undefined],
    [base64, 'aGk', undefined],
    [base64, 'a-k=', undefined],
    [base64, '', Buffer.alloc(0)],
    [base64, 'aG\n k=', Buffer.from('hi')],
  ])('%# reads %o', (scalar, raw, expected) => {
    expect(scalar.read(raw)).toEqual(expected);
  });

  it('writes dates without needless fractions, and bytes of a view only', () => {
    expect(dateTime.write(new Date('2026-01-02T03:04:05Z'))).toBe('2026-01-02T03:04:05Z');
    expect(dateTime.write(new Date('2026-01-02T03:04:05.5Z'))).toBe('2026-01-02T03:04:05.500Z');
    expect(base64.write(new Uint8Array([0, 104, 105]).subarray(1))).toBe('aGk=');
  });
});
