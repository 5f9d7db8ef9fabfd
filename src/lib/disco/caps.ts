/**
 * XEP-0115: Entity Capabilities, version 1.6.0, with the forms of XEP-0128: Service Discovery Extensions, version 1.0.1.
 *
 * Pure: from what an entity offers to the string that stands for it. Not here: the legacy format of 2007, and XEP-0390.
 */
import { createHash } from 'node:crypto';
import { element, type Infer } from '../xml/codec.js';
import { attr, optional } from '../xml/fields.js';
import { token } from '../xml/scalars.js';

export const NS_CAPS = 'http://jabber.org/protocol/caps';

/** `<c/>` in a presence (XEP-0115 §4). Without `hash` it is of the legacy format. */
export const Caps = element(NS_CAPS, 'c', {
  hash: optional(attr('hash', token)),
  node: attr('node', token),
  ver: attr('ver', token),
});
export type Caps = Infer<typeof Caps>;

/** What the string is made from: a `DiscoInfo` is one. */
export interface CapsSource {
  readonly identities: readonly {
    readonly category: string;
    readonly type: string;
    readonly lang?: string | undefined;
    readonly name?: string | undefined;
  }[];
  readonly features: readonly string[];
  readonly forms: readonly {
    readonly fields: readonly {
      readonly name?: string | undefined;
      readonly type?: string | undefined;
      readonly values: readonly string[];
    }[];
  }[];
}

/** The hash functions of XEP-0300 that may be used, by their name in the `hash` attribute. */
const algorithms: ReadonlyMap<string, string> = new Map([
  ['sha-1', 'sha1'],
  ['sha-224', 'sha224'],
  ['sha-256', 'sha256'],
  ['sha-384', 'sha384'],
  ['sha-512', 'sha512'],
]);

/**
 * The verification string (XEP-0115 §5.1), in base64.
 *
 * @returns `undefined` when the hash function is unknown, or when the source is ill-formed (§5.4): it holds something
 *   twice, or a `<`, with which a poisoned answer could take the place of a good one
 */
export function capsVerification(source: CapsSource, hash = 'sha-1'): string | undefined {
  const algorithm = algorithms.get(hash);
  const text = capsText(source);
  if (algorithm === undefined || text === undefined) return undefined;
  return createHash(algorithm).update(text, 'utf8').digest('base64');
}

/** Whether what an entity answered is what its presence promised; `undefined` when the promise cannot be checked. */
export function verifyCaps(caps: Caps, source: CapsSource): boolean | undefined {
  if (caps.hash === undefined || !algorithms.has(caps.hash)) return undefined;
  return capsVerification(source, caps.hash) === caps.ver;
}

/** `S` of XEP-0115 §5.1. */
function capsText({ identities, features, forms }: CapsSource): string | undefined {
  const parts: string[] = [];
  const identityTexts = identities.map(({ category, type, lang = '', name = '' }) => ({
    key: [category, type, lang],
    text: `${category}/${type}/${lang}/${name}`,
  }));
  identityTexts.sort((a, b) => compareLists(a.key, b.key));
  parts.push(...identityTexts.map(({ text }) => text), ...sortOctets(features));
  if (hasTwins(identityTexts.map(({ text }) => text)) || hasTwins(features)) return undefined;

  const typed: { formType: string; lines: string[] }[] = [];
  for (const { fields } of forms) {
    const formType = fields.find((field) => field.name === 'FORM_TYPE');
    // §5.4: a form whose FORM_TYPE is missing or not hidden does not count.
    if (formType?.type !== 'hidden' || formType.values[0] === undefined) continue;
    if (new Set(formType.values).size > 1) return undefined;
    const named = fields
      .filter((field) => field !== formType && field.name !== undefined)
      .sort((a, b) => compareOctets(a.name ?? '', b.name ?? ''));
    typed.push({
      formType: formType.values[0],
      lines: named.flatMap((field) => [field.name ?? '', ...sortOctets(field.values)]),
    });
  }
  if (hasTwins(typed.map(({ formType }) => formType))) return undefined;
  typed.sort((a, b) => compareOctets(a.formType, b.formType));
  for (const { formType, lines } of typed) parts.push(formType, ...lines);
  return parts.some((part) => part.includes('<')) ? undefined : parts.map((part) => `${part}<`).join('');
}

function hasTwins(texts: readonly string[]): boolean {
  return new Set(texts).size !== texts.length;
}

function sortOctets(texts: readonly string[]): string[] {
  return [...texts].sort(compareOctets);
}

/** i;octet collation (RFC 4790 §9.3): by UTF-8 bytes, which differs from JavaScript's order beyond U+FFFF. */
function compareOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (const [index, text] of a.entries()) {
    const order = compareOctets(text, b[index] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}
