/**
 * Two cards of the same format as one: what is in the first stays, and what only the second knows is added.
 */
import { childElements, type Element } from '../../xml/element.js';

export function mergeCards(first: Element, second: Element): Element {
  const has = new Set(childElements(first).map((child) => child.getName()));
  for (const child of childElements(second)) {
    if (!has.has(child.getName())) first.cnode(child);
  }
  return first;
}
