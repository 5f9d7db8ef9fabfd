/**
 * The element tree of the live stream: ltx's, which @xmpp/client speaks too. Every room imports it from here.
 */
import Element from 'ltx/lib/Element.js';

export { Element };

export type Attributes = Readonly<Record<string, string | number | undefined>>;
export type Child = Element | string | undefined;

/**
 * Builds an element. A namespace is given as the `xmlns` attribute; `undefined` attributes and children are left out.
 *
 *     xml('query', { xmlns: NS_DISCO_INFO, node })
 *
 * Children that somebody else has counted go in as a list: a function takes only so many arguments.
 */
export function xml(
  name: string,
  attributes: Attributes = {},
  ...children: readonly (Child | readonly Child[])[]
): Element {
  const element = new Element(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) element.attrs[key] = String(value);
  }
  for (const child of children) {
    if (isList(child)) for (const one of child) add(element, one);
    else add(element, child);
  }
  return element;
}

const isList = (child: Child | readonly Child[]): child is readonly Child[] => Array.isArray(child);

function add(element: Element, child: Child): void {
  if (child === undefined) return;
  if (typeof child === 'string') element.t(child);
  else element.cnode(child);
}

/** The child elements, without text. */
export function childElements(element: Element): Element[] {
  return element.children.filter((child): child is Element => typeof child !== 'string');
}

/** The children in order: elements and text. */
export function childNodes(element: Element): (Element | string)[] {
  return element.children;
}

/** All the text in it, also that of the elements in it. */
export function textContent(element: Element): string {
  return childNodes(element)
    .map((child) => (typeof child === 'string' ? child : textContent(child)))
    .join('');
}
