/** Cards in all the notations there are, read by what they look like and written as they are wanted. */
import { ProtocolError, UsageError } from '../../errors.js';
import { findForbiddenCharacter } from '../../xml/characters.js';
import { childElements, xml, type Element } from '../../xml/element.js';
import { parseXmlFragments } from '../../xml/parse.js';
import { NS_VCARD4_XML, NS_VCARD_TEMP, type Avatar, type CardWarning } from '../card.js';
import type { DateStyle } from '../convert/dates.js';
import { photoProperty, type PhotoStyle } from '../convert/photos.js';
import { vcard4ToVcardTemp } from '../convert/to-vcard-temp.js';
import { vcardTempToVcard4 } from '../convert/to-vcard4.js';
import { readJcards, writeJcard } from './jcard.js';
import { readVcf } from './read-vcf.js';
import { writeVcf } from './write-vcf.js';
import { propertiesOfXcard, xcardOfProperties } from './xcard.js';

export const cardFormats = ['vcard4', 'vcard-temp', 'vcf', 'vcf3', 'jcard'] as const;
export type CardFormat = (typeof cardFormats)[number];

/** As read: in XML one way or the other, whatever notation it came in. */
export interface ReadCard {
  format: CardFormat;
  card: Element;
  warnings: CardWarning[];
}

/** By its first character, and what it begins with. @returns undefined when it is nothing that is known here */
export function detectFormat(text: string): 'xml' | 'vcf' | 'jcard' | undefined {
  const start = text
    .slice(0, 1000)
    .replace(/^\ufeff/, '')
    .trimStart();
  if (start.startsWith('<')) return 'xml';
  if (start.startsWith('[')) return 'jcard';
  return /^(?:[a-z0-9-]+\.)?begin\s*:/i.test(start) ? 'vcf' : undefined;
}

export interface ReadCardsOptions {
  from?: CardFormat | undefined;
  dates?: DateStyle;
}

/**
 * All cards of a text.
 * @throws UsageError it is no card, or not the kind that `from` says
 */
export function readCards(text: string, { from, dates = 'extended' }: ReadCardsOptions = {}): ReadCard[] {
  const forbidden = findForbiddenCharacter(text);
  if (forbidden)
    throw new UsageError(`the input holds the control character ${forbidden.codePoint}, which no card can`);
  const kind = from === undefined ? detectFormat(text) : notationOf(from);
  switch (kind) {
    case 'xml':
      return readXml(text).map((card) => {
        const format = card.getNS() === NS_VCARD_TEMP ? 'vcard-temp' : 'vcard4';
        if (from !== undefined && from !== format)
          throw new UsageError(`the input is ${format}, not ${from}`);
        return { format, card, warnings: [] };
      });
    case 'vcf':
      return readVcf(text).map(({ version, properties, warnings }) => ({
        format: version === '4.0' ? 'vcf' : 'vcf3',
        card: xcardOfProperties(properties, dates),
        warnings,
      }));
    case 'jcard':
      return readJcards(parseJson(text)).map((properties) => ({
        format: 'jcard',
        card: xcardOfProperties(properties, dates),
        warnings: [],
      }));
    case undefined:
      throw new UsageError(
        text.trim() === ''
          ? 'the input is empty'
          : 'the input is no card: neither XML, nor BEGIN:VCARD, nor a jCard',
      );
  }
}

function notationOf(format: CardFormat): 'xml' | 'vcf' | 'jcard' {
  if (format === 'vcard4' || format === 'vcard-temp') return 'xml';
  return format === 'jcard' ? 'jcard' : 'vcf';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, '')) as unknown;
  } catch (cause) {
    throw new UsageError(`not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** RFC 6351 §5 has `<vcards/>` around several; what came in an item or an IQ is taken out of it. */
function readXml(text: string): Element[] {
  let tops: Element[];
  try {
    tops = parseXmlFragments(text.replace(/^\ufeff?\s*<\?xml[^>]*\?>/, ''));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
  const cards = tops.flatMap(cardsIn);
  const [first] = tops;
  if (cards.length === 0)
    throw new UsageError(`there is no card in it: <${first?.getName() ?? ''}/> holds none`, {
      hint: `a card is <vcard xmlns='${NS_VCARD4_XML}'/> or <vCard xmlns='${NS_VCARD_TEMP}'/>`,
    });
  return cards;
}

function cardsIn(element: Element): Element[] {
  const namespace = element.getNS();
  const isCard =
    (element.getName() === 'vcard' && namespace === NS_VCARD4_XML) ||
    (element.getName() === 'vCard' && namespace === NS_VCARD_TEMP);
  return isCard ? [element] : childElements(element).flatMap(cardsIn);
}

export interface WriteCardOptions {
  dates?: DateStyle;
  photo?: PhotoStyle;
  /** The picture that goes with the card. */
  avatar?: Avatar | undefined;
  localpart?: string | undefined;
}

export interface WrittenCard {
  /** `undefined`: there is nothing in the card. */
  content:
    | { kind: 'xml'; element: Element }
    | { kind: 'text'; text: string }
    | { kind: 'json'; value: unknown }
    | undefined;
  warnings: CardWarning[];
}

/** One card in another notation. */
export function writeCard(card: Element, to: CardFormat, options: WriteCardOptions = {}): WrittenCard {
  const isTemp = card.getNS() === NS_VCARD_TEMP;
  if (to === 'vcard-temp') {
    const { card: temp, warnings } = isTemp
      ? { card, warnings: [] }
      : vcard4ToVcardTemp(card, { avatar: options.avatar });
    return { content: temp && { kind: 'xml', element: temp }, warnings };
  }
  const { vcard4, warnings } = toVcard4(card, options);
  if (!vcard4) return { content: undefined, warnings };
  switch (to) {
    case 'vcard4':
      return { content: { kind: 'xml', element: vcard4 }, warnings };
    case 'vcf':
    case 'vcf3': {
      const written = writeVcf(propertiesOfXcard(vcard4), to === 'vcf' ? '4.0' : '3.0');
      return { content: { kind: 'text', text: written.text }, warnings: [...warnings, ...written.warnings] };
    }
    case 'jcard':
      return { content: { kind: 'json', value: writeJcard(propertiesOfXcard(vcard4)) }, warnings };
  }
}

/** A card of its own has its picture in it; on the wire it is beside it, as the avatar. */
function toVcard4(
  card: Element,
  { dates, photo = 'property', avatar, localpart }: WriteCardOptions,
): { vcard4: Element | undefined; warnings: CardWarning[] } {
  if (card.getNS() === NS_VCARD_TEMP) {
    const { card: vcard4, warnings } = vcardTempToVcard4(card, { ...(dates && { dates }), photo, localpart });
    return { vcard4, warnings };
  }
  const added = avatar && photo !== 'avatar' && !card.getChild('photo') ? [photoProperty(avatar)] : [];
  if (dates === undefined && added.length === 0) return { vcard4: notEmpty(card), warnings: [] };
  // Through the model, so that dates are written as they are wanted.
  const vcard4 =
    dates === undefined
      ? xml('vcard', { xmlns: NS_VCARD4_XML })
      : xcardOfProperties(propertiesOfXcard(card), dates);
  if (dates === undefined) vcard4.children = [...card.children];
  for (const element of added) vcard4.cnode(element);
  return { vcard4: notEmpty(vcard4), warnings: [] };
}

function notEmpty(card: Element): Element | undefined {
  return childElements(card).length === 0 ? undefined : card;
}
