/** Reading a vcard-temp (XEP-0054) as it really comes: each child is taken once, and what nobody took is reported. */
import { childElements, type Element } from '../../xml/element.js';
import type { Warnings } from './warnings.js';

/** Said by the card about itself: nothing is lost with them. */
const SILENT: ReadonlySet<string> = new Set(['VERSION']);
/** Known, and without a place in vCard4 (XEP-0292, Mapping). */
const DROPPED: ReadonlySet<string> = new Set(['CLASS', 'MAILER']);

export class TempCard {
  readonly #warnings: Warnings;
  readonly #children = new Map<string, Element[]>();
  readonly #taken = new Set<string>();

  constructor(card: Element, warnings: Warnings) {
    this.#warnings = warnings;
    const namespace = card.getNS();
    for (const child of childElements(card)) {
      const name = child.getName();
      if (child.getNS() !== namespace) {
        warnings.add('foreign-namespace', name, child);
        continue;
      }
      const upper = name.toUpperCase();
      if (upper !== name) warnings.add('lowercase-element', name, child);
      const known = upper === 'JID' ? 'JABBERID' : upper;
      if (known !== upper) warnings.add('nonstandard', name, child);
      const same = this.#children.get(known);
      if (same) same.push(child);
      else this.#children.set(known, [child]);
    }
  }

  /** All of a name, in order. */
  take(name: string): readonly Element[] {
    this.#taken.add(name);
    return this.#children.get(name) ?? [];
  }

  /** The texts of all of a name that have one. */
  takeTexts(name: string): string[] {
    return this.take(name)
      .map((element) => textOf(element))
      .filter((text) => text !== '');
  }

  /** Whether there is one with something in it. */
  has(name: string): boolean {
    return (this.#children.get(name) ?? []).some((element) => !isBlank(element));
  }

  reportRest(): void {
    for (const [name, elements] of this.#children) {
      if (this.#taken.has(name) || SILENT.has(name) || name === 'FN') continue;
      for (const element of elements) {
        if (isBlank(element)) continue;
        this.#warnings.add(DROPPED.has(name) ? 'dropped' : 'unknown-element', element.getName(), element);
      }
    }
  }
}

export function textOf(element: Element): string {
  return element.getText().trim();
}

/** Children are found whatever their case: those of some writers are not in capitals. */
export function child(element: Element, ...names: readonly string[]): Element | undefined {
  return childElements(element).find((candidate) => names.includes(candidate.getName().toUpperCase()));
}

export function childText(element: Element, ...names: readonly string[]): string {
  const found = child(element, ...names);
  return found ? textOf(found) : '';
}

export function childTexts(element: Element, name: string): string[] {
  return childElements(element)
    .filter((candidate) => candidate.getName().toUpperCase() === name)
    .map(textOf)
    .filter((text) => text !== '');
}

/** No text in it at any depth; a `<HOME/>` alone says nothing. */
export function isBlank(element: Element): boolean {
  return element.children.every((part) => (typeof part === 'string' ? part.trim() === '' : isBlank(part)));
}
