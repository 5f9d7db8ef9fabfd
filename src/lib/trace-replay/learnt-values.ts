/**
 * What was named otherwise when it was recorded: ids, resources and tokens that the other side chose, learnt from
 * stanzas that stand for each other, and put in where the recording names them again.
 */
import { idAttributes, jidAttributes } from '../trace-analysis/diff/normalise.js';
import { attributeOf, elementsOf, type TraceElement } from '../trace/trace-element.js';

/** The oldest are forgotten first. */
const maxValues = 100_000;

export class LearntValues {
  readonly #values = new Map<string, string>();

  /** The live value for a recorded one. */
  get(recorded: string): string | undefined {
    return this.#values.get(recorded);
  }

  /** @param recorded as it stands in the recording */
  learn(recorded: TraceElement, live: TraceElement): void {
    for (const [key, value] of Object.entries(recorded.attributes)) {
      const other = attributeOf(live, key);
      if (other === undefined || key === 'xmlns' || key.startsWith('xmlns:')) continue;
      if (idAttributes.has(key) || isFullJid(key, value) || isToken(value)) this.#note(value, other);
    }
    const [text, otherText] = [ownText(recorded), ownText(live)];
    if (isToken(text) && otherText !== '') this.#note(text, otherText);
    // The first of a name stands for the first of that name, and so on.
    const partners = new Map<string, TraceElement[]>();
    for (const child of elementsOf(live).reverse()) {
      const list = partners.get(keyOf(child));
      if (list) list.push(child);
      else partners.set(keyOf(child), [child]);
    }
    for (const child of elementsOf(recorded)) {
      const partner = partners.get(keyOf(child))?.pop();
      if (partner) this.learn(child, partner);
    }
  }

  #note(recorded: string, live: string): void {
    if (recorded === live || recorded === '') return;
    this.#values.delete(recorded);
    this.#values.set(recorded, live);
    const [oldest] = this.#values.keys();
    if (this.#values.size > maxValues && oldest !== undefined) this.#values.delete(oldest);
  }
}

function isFullJid(key: string, value: string): boolean {
  return jidAttributes.has(key) && value.includes('/');
}

/** What no person writes and no specification names: without spaces, with a digit, and of some length. */
function isToken(value: string): boolean {
  if (value.length < 8 || value.length > 2048) return false;
  return /^[^\s:]*\d[^\s:]*$/.test(value) || (/^https?:\/\/\S+$/.test(value) && hasRandomPart(value));
}

/** Whether two values are one thing under two random names: the address of an uploaded file, a UUID. */
export function isRenaming(recorded: string, live: string): boolean {
  return maskRandomParts(recorded) === maskRandomParts(live);
}

const uuid = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi;
const randomPart = /[\w-]{16,}/g;

function hasRandomPart(url: string): boolean {
  return maskRandomParts(url) !== url;
}

function maskRandomParts(value: string): string {
  const masked = value.replace(uuid, '{uuid}');
  return /https?:\/\//.test(masked) ? masked.replace(randomPart, '{random}') : masked;
}

function keyOf({ namespace, name }: TraceElement): string {
  return `${namespace} ${name}`;
}

function ownText(element: TraceElement): string {
  return element.children
    .filter((child) => typeof child === 'string')
    .join('')
    .trim();
}
