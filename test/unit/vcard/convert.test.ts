import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NS_VCARD4_XML, NS_VCARD_TEMP, type Conversion } from '../../../src/lib/vcard/card.js';
import { vcard4ToVcardTemp } from '../../../src/lib/vcard/convert/to-vcard-temp.js';
import { vcardTempToVcard4, type ToVcard4Options } from '../../../src/lib/vcard/convert/to-vcard4.js';
import { childElements, xml, type Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { serialize } from '../../../src/lib/xml/serialize.js';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../fixtures/vcard');

interface Case {
  name: string;
  attributes: Record<string, string | undefined>;
  temp: Element | undefined;
  vcard4: Element | undefined;
  warnings: { code: string; element: string; value: string }[];
}

async function readCases(file: string): Promise<Case[]> {
  const text = await readFile(path.join(folder, file), 'utf8');
  return childElements(parseXml(text.replace(/<vcard(?=[/>])/g, `<vcard xmlns="${NS_VCARD4_XML}"`))).map(
    (element) => ({
      name: String(element.attrs['name']),
      attributes: element.attrs,
      temp: element.getChild('vCard', NS_VCARD_TEMP),
      vcard4: element.getChild('vcard', NS_VCARD4_XML),
      warnings: element
        .getChildren('warning')
        .map(({ attrs }) => ({ ...(attrs as { code: string; element: string; value: string }) })),
    }),
  );
}

const optionsOf = ({ attributes: { dates, photo, localpart } }: Case): ToVcard4Options =>
  ({ ...(dates && { dates }), ...(photo && { photo }), ...(localpart && { localpart }) }) as ToVcard4Options;

const shown = ({ card, avatar, warnings }: Conversion) => ({
  card: card?.toString(),
  avatar: avatar?.id,
  warnings,
});

/** Against RFC 6351's schema. */
async function expectValid(cards: readonly Element[]): Promise<void> {
  const place = await mkdtemp(path.join(tmpdir(), 'xmppctl-test-'));
  onTestFinished(() => rm(place, { recursive: true }));
  const file = path.join(place, 'cards.xml');
  await writeFile(file, `<vcards xmlns="${NS_VCARD4_XML}">\n${cards.map(serialize).join('\n')}</vcards>`);
  const schema = path.join(folder, 'rfc6351.rng');
  await promisify(execFile)('xmllint', ['--nonet', '--noout', '--relaxng', schema, file]);
}

const forward = await readCases('to-vcard4.xml');
const reverse = await readCases('to-vcard-temp.xml');

describe('vcard-temp becomes vCard4', () => {
  test.each(forward)('$name', (one) => {
    const { temp, vcard4, warnings, attributes } = one;
    expect(temp).toBeDefined();
    expect(shown(vcardTempToVcard4(temp ?? xml('vCard'), optionsOf(one)))).toEqual({
      card: vcard4?.toString(),
      avatar: attributes['avatar'],
      warnings,
    });
  });

  test('and all of it is what the schema of RFC 6351 takes', async () => {
    await expectValid(
      forward.flatMap((one) => {
        const options = { ...optionsOf(one), dates: 'rfc' as const };
        const { card } = one.temp ? vcardTempToVcard4(one.temp, options) : {};
        return card ? [card] : [];
      }),
    );
  });

  test('also of values that nobody has thought of', async () => {
    const signs = fc.string({
      unit: fc.constantFrom(
        ...'a b 1 : / ? # [ ] @ % 2 f é . - + ; = & < " { } | \\ ^ ` x T'.split(' '),
        ' ',
        '//',
        'http://',
        ':80',
        '1966-08-06',
      ),
      maxLength: 12,
    });
    const names = ['URL', 'UID', 'JABBERID', 'TZ', 'BDAY', 'REV', 'NICKNAME'];
    const inner = [
      ['PHOTO', 'EXTVAL'],
      ['TEL', 'NUMBER'],
      ['KEY', 'CRED'],
      ['LABEL', 'LINE'],
      ['ORG', 'ORGUNIT'],
    ];
    const texts = fc.array(signs, {
      minLength: names.length + inner.length,
      maxLength: names.length + inner.length,
    });
    const cards = fc.sample(texts, 500).flatMap((values) => {
      const [plain, nested] = [values.slice(0, names.length), values.slice(names.length)];
      const temp = xml(
        'vCard',
        { xmlns: NS_VCARD_TEMP },
        ...names.map((name, index) => xml(name, {}, plain[index])),
        ...inner.map(([name = '', part = ''], index) => xml(name, {}, xml(part, {}, nested[index]))),
      );
      return vcardTempToVcard4(temp, { dates: 'rfc', localpart: 'juliet' }).card ?? [];
    });
    await expectValid(cards);
  });
});

describe('vCard4 becomes vcard-temp', () => {
  test.each(reverse)('$name', ({ temp, vcard4, warnings, attributes: { avatar, target } }) => {
    const options = target === 'ejabberd' ? { target } : {};
    expect(shown(vcard4ToVcardTemp(vcard4 ?? xml('vcard'), options as { target?: 'ejabberd' }))).toEqual({
      card: temp?.toString(),
      avatar,
      warnings,
    });
  });
});

/** There and back. */
function roundTrip(temp: Element): Element | undefined {
  const { card, avatar } = vcardTempToVcard4(temp);
  return card && vcard4ToVcardTemp(card, { avatar }).card;
}

describe('there and back', () => {
  test.each(forward.filter(({ vcard4 }) => vcard4))('keeps all that has a home: $name', ({ temp }) => {
    const once = vcardTempToVcard4(temp ?? xml('vCard'));
    const back = once.card && vcard4ToVcardTemp(once.card, { avatar: once.avatar });
    expect(back?.warnings).toEqual([]);
    const again = vcardTempToVcard4(back?.card ?? xml('vCard'));
    expect(again.card?.toString()).toBe(once.card?.toString());
    expect(again.avatar?.id).toBe(once.avatar?.id);
  });

  const words = fc.stringMatching(/^[A-Za-zäß+@:;,.()/<&"' -]{0,12}$/);
  const names = [
    ...['FN', 'N', 'NICKNAME', 'PHOTO', 'BDAY', 'ADR', 'LABEL', 'TEL', 'EMAIL', 'JABBERID', 'TZ', 'GEO'],
    ...['TITLE', 'ROLE', 'LOGO', 'AGENT', 'ORG', 'CATEGORIES', 'NOTE', 'DESC', 'REV', 'SOUND', 'UID', 'URL'],
    ...['KEY', 'CLASS', 'SORT-STRING', 'fn', 'constructor', '__proto__', 'X-1'],
  ];
  const parts = [
    ...['FAMILY', 'GIVEN', 'TYPE', 'BINVAL', 'EXTVAL', 'HOME', 'WORK', 'PREF', 'STREET', 'LINE', 'NUMBER'],
    ...['USERID', 'LAT', 'LON', 'ORGNAME', 'ORGUNIT', 'KEYWORD', 'CRED', 'PHONETIC', 'vCard', 'toString'],
  ];
  const leaf = fc.record({ name: fc.constantFrom(...parts), text: words });
  const node = fc.record({
    name: fc.constantFrom(...names),
    text: words,
    children: fc.array(leaf, { maxLength: 4 }),
  });
  const card = fc
    .array(node, { maxLength: 8 })
    .map((nodes) =>
      xml(
        'vCard',
        { xmlns: NS_VCARD_TEMP },
        ...nodes.map(({ name, text, children }) =>
          xml(name, {}, text, ...children.map((part) => xml(part.name, {}, part.text))),
        ),
      ),
    );

  test('whatever is in a card: nothing breaks, and twice is as good as once', () => {
    fc.assert(
      fc.property(card, (temp) => {
        const once = roundTrip(temp);
        if (!once) return;
        const first = vcardTempToVcard4(once);
        const again = roundTrip(once);
        expect(again && vcardTempToVcard4(again).card?.toString()).toBe(first.card?.toString());
      }),
      { numRuns: 500 },
    );
  });

  test('random elements break neither way', () => {
    const tree = fc.letrec((tie) => ({
      element: fc.record({
        name: fc.constantFrom(...names, ...parts, 'fn', 'tel', 'parameters', 'pref', 'uri', 'group', 'photo'),
        xmlns: fc.constantFrom(undefined, NS_VCARD4_XML, NS_VCARD_TEMP, 'urn:x'),
        children: fc.array(fc.oneof(words, tie('element')), { maxLength: 3 }),
      }),
    })).element as fc.Arbitrary<Tree>;
    const build = ({ name, xmlns, children }: Tree): Element =>
      xml(name, { xmlns }, ...children.map((part) => (typeof part === 'string' ? part : build(part))));
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 5 }), (trees) => {
        vcardTempToVcard4(xml('vCard', { xmlns: NS_VCARD_TEMP }, ...trees.map(build)));
        vcard4ToVcardTemp(xml('vcard', { xmlns: NS_VCARD4_XML }, ...trees.map(build)));
      }),
    );
  });
});

/** Each of these took minutes, or ended in a stack that was too small. */
describe('a card made to keep a migration busy', () => {
  const temp = (...children: Element[]) => {
    const card = xml('vCard', { xmlns: NS_VCARD_TEMP });
    for (const child of children) card.cnode(child);
    return card;
  };
  const many = (count: number, make: (index: number) => Element) =>
    Array.from({ length: count }, (_, index) => make(index));

  test('a telephone number of white space', () => {
    const number = `1${' '.repeat(200_000)}x`;
    const { warnings } = vcardTempToVcard4(temp(xml('TEL', {}, xml('NUMBER', {}, number))));
    expect(warnings.map(({ code }) => code)).toContain('tel-text');
  });

  test('a picture of padding', () => {
    const binval = `${'='.repeat(4_000_000)}x`;
    const { warnings } = vcardTempToVcard4(temp(xml('PHOTO', {}, xml('BINVAL', {}, binval))));
    expect(warnings.map(({ code }) => code)).toEqual(['bad-base64']);
  });

  test('more properties than a function takes arguments, there and back', () => {
    const card = temp(...many(100_000, (index) => xml('NOTE', {}, String(index))))
      .cnode(xml('FN', {}, 'J'))
      .root();
    card.append(...many(50_000, () => xml('TITLE', {}, 'Miss')));
    const there = vcardTempToVcard4(card).card;
    expect(there?.children).toHaveLength(150_001);
    // NOTE, DESC of the first, TITLE and FN.
    expect(there && vcard4ToVcardTemp(there).card?.children).toHaveLength(150_002);
  });

  test('one property with more parts than a function takes arguments, there and back', () => {
    const keywords = many(150_000, (index) => xml('KEYWORD', {}, String(index)));
    const units = many(150_000, (index) => xml('ORGUNIT', {}, String(index)));
    const lines = many(150_000, (index) => xml('LINE', {}, String(index)));
    const names = many(150_000, (index) => xml('GIVEN', {}, String(index)));
    const card = temp(
      xml('CATEGORIES', {}, keywords),
      xml('ORG', {}, units),
      xml('LABEL', {}, lines),
      xml('N', {}, names),
    );
    const there = vcardTempToVcard4(card).card;
    const back = there && vcard4ToVcardTemp(there).card;
    const counts = ['CATEGORIES', 'ORG', 'LABEL'].map((name) => back?.getChild(name)?.children.length);
    expect(counts).toEqual([150_000, 150_000, 150_000]);
  });

  test('labels that belong to none of many addresses', () => {
    const labels = many(20_000, () => xml('LABEL', {}, xml('WORK'), xml('LINE', {}, 'Verona')));
    const addresses = many(20_000, () => xml('ADR', {}, xml('HOME'), xml('LOCALITY', {}, 'Verona')));
    expect(vcardTempToVcard4(temp(...labels, ...addresses)).card?.children).toHaveLength(40_001);
  });
});

interface Tree {
  name: string;
  xmlns: string | undefined;
  children: (string | Tree)[];
}
