/**
 * A form in which equal elements are equal texts, and a form for reading.
 */
import { Element } from './element.js';

/**
 * One text for all ways to write the same element: attributes sorted, namespaces declared where they change, prefixes
 * of elements gone. In the spirit of exclusive C14N, but made for comparing and hashing, not for signatures.
 *
 * @param options.ignoreIndentation drop text that is only white space, where there are elements beside it
 */
export function canonicalXml(element: Element, options: { ignoreIndentation?: boolean } = {}): string {
  return write(element, '', options.ignoreIndentation === true);
}

function write(element: Element, inheritedNamespace: string, ignoreIndentation: boolean): string {
  const name = element.getName();
  const namespace = element.getNS() ?? '';
  const declared = namespace === inheritedNamespace ? '' : ` xmlns="${escapeAttribute(namespace)}"`;
  const attributes = attributesOf(element)
    .map(([key, value]) => ` ${key}="${escapeAttribute(value)}"`)
    .sort()
    .join('');
  const content = contentOf(element, ignoreIndentation)
    .map((child) =>
      typeof child === 'string' ? escapeText(child) : write(child, namespace, ignoreIndentation),
    )
    .join('');
  return `<${name}${declared}${attributes}>${content}</${name}>`;
}

/** Attributes without namespace declarations; a prefix (but `xml:`) becomes its namespace. */
function attributesOf(element: Element): [string, string][] {
  return Object.entries(element.attrs as Record<string, unknown>)
    .filter(
      ([key, value]) => key !== 'xmlns' && !key.startsWith('xmlns:') && value !== undefined && value !== null,
    )
    .map(([key, value]) => {
      const colon = key.indexOf(':');
      const prefix = key.slice(0, Math.max(colon, 0));
      const namespace = prefix === '' || prefix === 'xml' ? undefined : element.findNS(prefix);
      return [namespace ? `{${namespace}}${key.slice(colon + 1)}` : key, String(value)];
    });
}

function contentOf(element: Element, ignoreIndentation: boolean): (string | Element)[] {
  const children = element.children.filter((child) => child !== '');
  if (!ignoreIndentation || !children.some((child) => child instanceof Element)) return children;
  return children.filter((child) => child instanceof Element || child.trim() !== '');
}

/** Colours for the parts of the readable form; each is given text that is escaped already. */
export interface XmlPaint {
  name: (text: string) => string;
  attribute: (text: string) => string;
  value: (text: string) => string;
  text: (text: string) => string;
}

const noPaint: XmlPaint = {
  name: (text) => text,
  attribute: (text) => text,
  value: (text) => text,
  text: (text) => text,
};

/**
 * Indented XML for reading. Text beside elements keeps its element on one line, because new white space would change it.
 */
export function prettyXml(element: Element, paint: XmlPaint = noPaint): string {
  return pretty(element, '', paint);
}

function pretty(element: Element, indent: string, paint: XmlPaint): string {
  const attributes = Object.entries(element.attrs as Record<string, unknown>)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => ` ${paint.attribute(key)}="${paint.value(escapeAttribute(String(value)))}"`)
    .join('');
  const open = `${indent}<${paint.name(element.name)}${attributes}`;
  const children = contentOf(element, true);
  if (children.length === 0) return `${open}/>`;
  const close = `</${paint.name(element.name)}>`;
  if (children.every((child) => child instanceof Element)) {
    return [`${open}>`, ...children.map((child) => pretty(child, `${indent}  `, paint)), indent + close].join(
      '\n',
    );
  }
  const inline = element.children
    .map((child) => (typeof child === 'string' ? paint.text(escapeText(child)) : inlineXml(child, paint)))
    .join('');
  return `${open}>${inline}${close}`;
}

function inlineXml(element: Element, paint: XmlPaint): string {
  const attributes = Object.entries(element.attrs as Record<string, unknown>)
    .map(([key, value]) => ` ${paint.attribute(key)}="${paint.value(escapeAttribute(String(value)))}"`)
    .join('');
  const name = paint.name(element.name);
  const content = element.children
    .map((child) => (typeof child === 'string' ? paint.text(escapeText(child)) : inlineXml(child, paint)))
    .join('');
  return content === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

/** As Canonical XML 1.0 §2.3 writes them: texts made with another version must come out the same. */
function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#xD;');
}

function escapeAttribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\t', '&#x9;')
    .replaceAll('\n', '&#xA;')
    .replaceAll('\r', '&#xD;');
}
