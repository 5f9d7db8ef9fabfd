/**
 * XHTML of posts: what may be in it, and how it reads as text.
 *
 * What comes from others is hostile: only elements and attributes that cannot do anything are kept (the set of XHTML-IM,
 * XEP-0071 §7, and what blogs need beside it), and only links to where a reader would follow one.
 */
import { childElements, childNodes, textContent, xml, type Element } from '../xml/element.js';

export const NS_XHTML = 'http://www.w3.org/1999/xhtml';

/** The elements that are kept, and their attributes. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  a: ['href', 'title'],
  abbr: ['title'],
  b: [],
  blockquote: ['cite'],
  br: [],
  caption: [],
  cite: [],
  code: [],
  dd: [],
  del: [],
  dfn: [],
  div: [],
  dl: [],
  dt: [],
  em: [],
  figcaption: [],
  figure: [],
  h1: [],
  h2: [],
  h3: [],
  h4: [],
  h5: [],
  h6: [],
  hr: [],
  i: [],
  img: ['src', 'alt', 'title', 'width', 'height'],
  ins: [],
  kbd: [],
  li: [],
  ol: ['start'],
  p: [],
  pre: [],
  q: ['cite'],
  s: [],
  samp: [],
  small: [],
  span: [],
  strong: [],
  sub: [],
  sup: [],
  table: [],
  tbody: [],
  td: ['colspan', 'rowspan'],
  tfoot: [],
  th: ['colspan', 'rowspan'],
  thead: [],
  tr: [],
  u: [],
  ul: [],
  var: [],
};
export const allowedElements: readonly string[] = Object.keys(allowed);

/** These go with everything in them; other unknown elements leave their content. */
const dropped = new Set([
  'script',
  'style',
  'iframe',
  'object',
  'embed',
  'applet',
  'template',
  'noscript',
  'svg',
  'math',
  'form',
  'select',
  'textarea',
  'title',
  'head',
]);

const LINK_SCHEMES = new Set(['http:', 'https:', 'xmpp:', 'mailto:', 'geo:', 'tel:']);
const IMAGE_SCHEMES = new Set(['http:', 'https:']);

/** Deeper than this nobody nests, and a terminal or a browser may not cope. */
const MAX_DEPTH = 100;

/** A `div` with what may be kept of an element's content. */
export function sanitizeXhtml(element: Element): Element {
  return xml('div', { xmlns: NS_XHTML }, sanitizeChildren(element, 0));
}

function sanitizeChildren(element: Element, depth: number): (Element | string)[] {
  if (depth > MAX_DEPTH) return [textContent(element)];
  return childNodes(element).flatMap((child) =>
    typeof child === 'string' ? [child] : sanitizeElement(child, depth),
  );
}

function sanitizeElement(element: Element, depth: number): (Element | string)[] {
  const name = element.getName().toLowerCase();
  if (dropped.has(name)) return [];
  const attributes = Object.hasOwn(allowed, name) ? allowed[name] : undefined;
  const children = sanitizeChildren(element, depth + 1);
  if (!attributes || element.getNS() !== NS_XHTML) return children;
  const kept = attributes.flatMap((attribute): [string, string][] => {
    const value: unknown = element.attrs[attribute];
    return typeof value === 'string' && isHarmless(attribute, value) ? [[attribute, value]] : [];
  });
  const language: unknown = element.attrs['xml:lang'] ?? element.attrs['lang'];
  return [
    xml(
      name,
      {
        ...Object.fromEntries(kept),
        ...(typeof language === 'string' &&
          /^[A-Za-z0-9-]{1,35}$/.test(language) && { 'xml:lang': language }),
      },
      children,
    ),
  ];
}

function isHarmless(attribute: string, value: string): boolean {
  switch (attribute) {
    case 'href':
    case 'cite':
      return hasScheme(value, LINK_SCHEMES);
    case 'src':
      return hasScheme(value, IMAGE_SCHEMES);
    case 'width':
    case 'height':
    case 'start':
    case 'colspan':
    case 'rowspan':
      return /^\d{1,5}$/.test(value);
    default:
      return true;
  }
}

/** A link that a reader may be given: absolute, and of a scheme that runs nothing. */
export function isSafeLink(href: string): boolean {
  return hasScheme(href, LINK_SCHEMES);
}

function hasScheme(value: string, schemes: ReadonlySet<string>): boolean {
  return URL.canParse(value) && schemes.has(new URL(value).protocol);
}

export interface TextStyle {
  strong: (text: string) => string;
  dim: (text: string) => string;
  /** On every piece of text, before it is styled. */
  clean: (text: string) => string;
}

const plain: TextStyle = { strong: (text) => text, dim: (text) => text, clean: (text) => text };

const blocks = new Set([
  'p',
  'div',
  'blockquote',
  'pre',
  'ul',
  'ol',
  'dl',
  'table',
  'hr',
  'figure',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
]);

/** As text: paragraphs apart by empty lines, lists with their marks, links followed by where they go. */
export function xhtmlToText(element: Element, style: TextStyle = plain): string {
  return renderBlocks(element, style)
    .join('\n\n')
    .replace(/^\n+|\s+$/g, '');
}

function renderBlocks(element: Element, style: TextStyle): string[] {
  const parts: string[] = [];
  let inline: (Element | string)[] = [];
  const endInline = (): void => {
    const text = renderInline(inline, style).trim();
    if (text !== '') parts.push(text);
    inline = [];
  };
  for (const child of childNodes(element)) {
    if (typeof child === 'string' || !blocks.has(child.getName())) {
      inline.push(child);
      continue;
    }
    endInline();
    const block = renderBlock(child, style);
    if (block !== '') parts.push(block);
  }
  endInline();
  return parts;
}

function renderBlock(element: Element, style: TextStyle): string {
  const name = element.getName();
  switch (name) {
    case 'pre':
      return indent(style.clean(textContent(element).replace(/\n$/, '')), '    ');
    case 'blockquote':
      return indent(renderBlocks(element, style).join('\n\n'), style.dim('> '));
    case 'ul':
    case 'ol':
      return renderList(element, style);
    case 'dl':
      return childElements(element)
        .map((child) => `${child.getName() === 'dd' ? '    ' : ''}${renderInline([child], style).trim()}`)
        .join('\n');
    case 'table':
      return rowsOf(element)
        .map((row) =>
          childElements(row)
            .map((cell) => renderInline([cell], style).trim())
            .join(' | '),
        )
        .join('\n');
    case 'hr':
      return style.dim('----');
    case 'h1':
    case 'h2':
    case 'h3':
    case 'h4':
    case 'h5':
    case 'h6':
      return style.strong(renderInline(childNodes(element), style).trim());
    default:
      return renderBlocks(element, style).join('\n\n');
  }
}

function renderList(element: Element, style: TextStyle): string {
  const start: unknown = element.attrs['start'];
  const first = typeof start === 'string' ? Number(start) : 1;
  return childElements(element)
    .map((item, index) => {
      const mark = element.getName() === 'ol' ? `${first + index}. ` : '- ';
      const rest = ' '.repeat(mark.length);
      return `${mark}${indent(renderBlocks(item, style).join('\n'), rest).slice(rest.length)}`;
    })
    .join('\n');
}

function rowsOf(table: Element): Element[] {
  return childElements(table).flatMap((child) => (child.getName() === 'tr' ? [child] : rowsOf(child)));
}

function renderInline(nodes: readonly (Element | string)[], style: TextStyle): string {
  return nodes
    .map((node) => (typeof node === 'string' ? runText(node, style) : renderSpan(node, style)))
    .join('');
}

const runText = (text: string, { clean }: TextStyle): string => clean(text.replace(/\s+/g, ' '));

function renderSpan(element: Element, style: TextStyle): string {
  const text = renderInline(childNodes(element), style);
  switch (element.getName()) {
    case 'br':
      return '\n';
    case 'strong':
    case 'b':
      return style.strong(text);
    case 'img':
      return renderImage(element, style);
    case 'a': {
      const href: unknown = element.attrs['href'];
      if (typeof href !== 'string' || href === text.trim() || href === `mailto:${text.trim()}`) return text;
      return `${text} ${style.dim(`<${style.clean(href)}>`)}`;
    }
    case 'q':
      return `“${text}”`;
    case 'li':
      return `${text}\n`;
    default:
      return blocks.has(element.getName()) ? `\n${renderBlock(element, style)}\n` : text;
  }
}

function renderImage(element: Element, style: TextStyle): string {
  const source: unknown = element.attrs['src'];
  const alternative: unknown = element.attrs['alt'];
  const name = typeof alternative === 'string' && alternative !== '' ? alternative : 'image';
  return `[${style.clean(name)}]${typeof source === 'string' ? ` ${style.dim(`<${style.clean(source)}>`)}` : ''}`;
}

function indent(text: string, by: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? by.trimEnd() : `${by}${line}`))
    .join('\n');
}
