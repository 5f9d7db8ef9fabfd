/**
 * A post, as it is in an Atom entry (RFC 4287).
 *
 * XEP-0277: Microblogging over XMPP, version 0.6.5.
 * XEP-0472: Pubsub Social Feed, version 0.2.1.
 *
 * Not here: the gallery profile; aggregators.
 */
import { formatNodeUri, parseNodeUri, type NodeUri } from '../jid/xmpp-uri.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { isSafeLink, NS_XHTML, sanitizeXhtml, xhtmlToText } from './xhtml.js';

export const NS_ATOM = 'http://www.w3.org/2005/Atom';
export const NS_THREAD = 'http://purl.org/syndication/thread/1.0';
/** RFC 5023 §13.1.1: `draft`. */
const NS_APP = 'http://www.w3.org/2007/app';

export interface RichText {
  text: string;
  /** A `div` that can do nothing. */
  xhtml?: Element;
  /** What was escaped in it, as it came (Atom `type="html"`). */
  html?: string;
}

export interface Author {
  name?: string;
  /** As `xmpp:juliet@example.org`. */
  uri?: string;
  email?: string;
}

export interface PostLink {
  rel: string;
  href: string;
  type?: string;
  title?: string;
  lengthBytes?: number;
  /** The Atom id of what it leads to. */
  ref?: string;
}

export interface Post {
  /** The Atom id: a URI. */
  atomId?: string;
  title: RichText;
  summary?: RichText;
  content?: RichText;
  language?: string;
  published?: Date;
  updated?: Date;
  authors: Author[];
  tags: string[];
  links: PostLink[];
  /** What it answers to. */
  inReplyTo: { ref?: string; href?: string }[];
  isDraft: boolean;
}

/** A link of one kind (RFC 4287 §4.2.7.2). */
export function linksOf({ links }: Pick<Post, 'links'>, rel: string): PostLink[] {
  return links.filter((link) => link.rel === rel);
}

/** Where the comments on a post are (XEP-0277 §3.1). */
export function commentsOf(post: Pick<Post, 'links'>): NodeUri | undefined {
  return linksOf(post, 'replies')
    .map(({ href }) => parseNodeUri(href))
    .find((uri) => uri !== undefined);
}

/** What it says: its content, or where it has none its summary, or its title. */
export function bodyOf({ title, summary, content }: Pick<Post, 'title' | 'summary' | 'content'>): RichText {
  return content ?? summary ?? title;
}

/** @returns undefined when it is no entry */
export function readEntry(entry: Element): Post | undefined {
  if (entry.getName() !== 'entry' || entry.getNS() !== NS_ATOM) return undefined;
  const summary = readTexts(entry, 'summary');
  const content = readTexts(entry, 'content');
  const atomId = textOf(entry, 'id');
  const published = dateOf(entry, 'published');
  const updated = dateOf(entry, 'updated');
  const language: unknown = entry.attrs['xml:lang'];
  const control = entry.getChild('control', NS_APP);
  return {
    ...(atomId !== undefined && { atomId }),
    title: readTexts(entry, 'title') ?? { text: '' },
    ...(summary && { summary }),
    ...(content && { content }),
    ...(typeof language === 'string' && language !== '' && { language }),
    ...(published && { published }),
    ...(updated && { updated }),
    authors: entry.getChildren('author', NS_ATOM).map(readAuthor),
    tags: entry.getChildren('category', NS_ATOM).flatMap((category) => attribute(category, 'term') ?? []),
    links: entry.getChildren('link', NS_ATOM).flatMap(readLink),
    inReplyTo: entry.getChildren('in-reply-to', NS_THREAD).map((reply) => ({
      ...optional('ref', attribute(reply, 'ref')),
      ...optional('href', attribute(reply, 'href')),
    })),
    isDraft: control?.getChildText('draft', NS_APP)?.trim() === 'yes',
  };
}

/** XEP-0277 §2.3: the same as text and as XHTML, in two elements. */
function readTexts(entry: Element, name: string): RichText | undefined {
  const found: Partial<RichText> = {};
  for (const element of entry.getChildren(name, NS_ATOM)) {
    const type = attribute(element, 'type') ?? 'text';
    if (type === 'xhtml' || type === 'application/xhtml+xml') {
      const [div] = childElements(element);
      found.xhtml ??= sanitizeXhtml(div?.getNS() === NS_XHTML ? div : element);
    } else if (type === 'html' || type === 'text/html') {
      found.html ??= element.getText();
    } else if (type === 'text' || type === 'text/plain') {
      found.text ??= element.getText().trim();
    }
  }
  const text = found.text ?? (found.xhtml ? xhtmlToText(found.xhtml) : found.html?.replace(/<[^>]*>/g, ''));
  if (text === undefined) return undefined;
  return { ...found, text };
}

function readAuthor(author: Element): Author {
  return {
    ...optional('name', textOf(author, 'name')),
    ...optional('uri', textOf(author, 'uri')),
    ...optional('email', textOf(author, 'email')),
  };
}

function readLink(link: Element): PostLink[] {
  const href = attribute(link, 'href')?.trim() ?? '';
  if (!isSafeLink(href)) return [];
  const length = Number(attribute(link, 'length') ?? NaN);
  return [
    {
      rel: attribute(link, 'rel') ?? 'alternate',
      href,
      ...optional('type', attribute(link, 'type')),
      ...optional('title', attribute(link, 'title')),
      ...optional('ref', attribute(link, 'ref')),
      ...(Number.isSafeInteger(length) && length >= 0 && { lengthBytes: length }),
    },
  ];
}

/** The entry that clients in the field expect: text first, and XHTML beside it where it says more. */
export function makeEntry(post: Post): Element {
  const isReply = post.inReplyTo.length > 0;
  return xml(
    'entry',
    {
      xmlns: NS_ATOM,
      ...(isReply && { 'xmlns:thr': NS_THREAD }),
      ...(post.language !== undefined && { 'xml:lang': post.language }),
    },
    textElements('title', post.title),
    post.authors.map(makeAuthor),
    post.atomId === undefined ? undefined : xml('id', {}, post.atomId),
    post.published && xml('published', {}, formatTime(post.published)),
    post.updated && xml('updated', {}, formatTime(post.updated)),
    post.links.map(makeLink),
    post.inReplyTo.map(({ ref, href }) => xml('thr:in-reply-to', { ref, href })),
    post.tags.map((term) => xml('category', { term })),
    post.summary ? textElements('summary', post.summary) : [],
    post.content ? textElements('content', post.content) : [],
    post.isDraft ? xml('control', { xmlns: NS_APP }, xml('draft', {}, 'yes')) : undefined,
  );
}

export function textElements(name: string, { text, xhtml }: RichText): Element[] {
  return [xml(name, { type: 'text' }, text), ...(xhtml ? [xml(name, { type: 'xhtml' }, xhtml)] : [])];
}

export function makeAuthor({ name, uri, email }: Author): Element {
  return xml(
    'author',
    {},
    xml('name', {}, name ?? uri?.replace(/^xmpp:/, '') ?? ''),
    uri === undefined ? undefined : xml('uri', {}, uri),
    email === undefined ? undefined : xml('email', {}, email),
  );
}

export function makeLink({ rel, href, type, title, lengthBytes, ref }: PostLink): Element {
  return xml('link', { rel, href, type, title, length: lengthBytes, ref });
}

export function commentsLink(comments: NodeUri): PostLink {
  return { rel: 'replies', title: 'comments', href: formatNodeUri(comments) };
}

/** RFC 3339, without fractions of a second. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function textOf(element: Element, name: string): string | undefined {
  const text = element.getChild(name, NS_ATOM)?.getText().trim();
  return text === undefined || text === '' ? undefined : text;
}

function dateOf(element: Element, name: string): Date | undefined {
  const time = Date.parse(textOf(element, name) ?? '');
  return Number.isNaN(time) ? undefined : new Date(time);
}

function attribute(element: Element, name: string): string | undefined {
  const value: unknown = element.attrs[name];
  return typeof value === 'string' ? value : undefined;
}

function optional<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return (value === undefined ? {} : { [name]: value }) as Partial<Record<K, string>>;
}
