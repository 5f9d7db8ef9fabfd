/** Recorded elements as XML text again, for a stream that may be in another namespace. */
import type { TraceElement } from '../trace/trace-element.js';
import { escapeText, escapeValue } from '../xml/escape.js';

const qualified = /^[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?$/;

/**
 * Text of an element. Prefixes of elements become namespaces of their own; attributes keep theirs where they are
 * declared inside of the element, and go where they are not.
 *
 * @param outer the namespace that is in force around it
 */
export function writeElement(element: TraceElement, outer: string): string {
  return write(element, outer, new Set(['xml']));
}

function write(
  { name, namespace, attributes, children }: TraceElement,
  outer: string,
  outerPrefixes: ReadonlySet<string>,
): string {
  let prefixes = outerPrefixes;
  for (const key of Object.keys(attributes))
    if (key.startsWith('xmlns:')) prefixes = new Set([...prefixes, key.slice(6)]);
  let text = `<${name}`;
  if (namespace !== outer) text += ` xmlns="${escapeValue(namespace)}"`;
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'xmlns' || !qualified.test(key)) continue;
    const colon = key.indexOf(':');
    if (colon > 0 && !key.startsWith('xmlns:') && !prefixes.has(key.slice(0, colon))) continue;
    text += ` ${key}="${escapeValue(value)}"`;
  }
  if (children.length === 0) return `${text}/>`;
  const inner = children.map((child) =>
    typeof child === 'string' ? escapeText(child) : write(child, namespace, prefixes),
  );
  return `${text}>${inner.join('')}</${name}>`;
}

export interface Rewriting {
  attribute(name: string, value: string, element: TraceElement): string;
  text(text: string, element: TraceElement): string;
}

/** A copy with other values. Declarations of namespaces are never asked for. */
export function rewriteElement(element: TraceElement, rewriting: Rewriting): TraceElement {
  const attributes: Record<string, string> = {};
  for (const [key, value] of Object.entries(element.attributes))
    attributes[key] =
      key === 'xmlns' || key.startsWith('xmlns:') ? value : rewriting.attribute(key, value, element);
  return {
    ...element,
    attributes,
    children: element.children.map((child) =>
      typeof child === 'string' ? rewriting.text(child, element) : rewriteElement(child, rewriting),
    ),
  };
}
