/** Elements of what came from others: made one by one, of nothing but what is known to be harmless. */
import { isAllowedAttribute, isAllowedElement, NS_SVG } from '../allowed-svg.js';

/** @returns a group without anything for what may not be shown */
export function buildElement(name: string): SVGElement {
  return document.createElementNS(NS_SVG, isAllowedElement(name) ? name : 'g');
}

/** An element has these attributes afterwards, and no others. */
export function setAttributes(
  element: SVGElement,
  name: string,
  attributes: Iterable<readonly [string, string]>,
): void {
  const wanted = new Map<string, string>();
  for (const [key, value] of attributes) if (isAllowedAttribute(name, key, value)) wanted.set(key, value);
  for (const { name: key } of [...element.attributes]) if (!wanted.has(key)) element.removeAttribute(key);
  for (const [key, value] of wanted)
    if (element.getAttribute(key) !== value) element.setAttribute(key, value);
}
