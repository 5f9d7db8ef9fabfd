/** Posts from elsewhere: feeds in Atom, RSS 2.0 and RSS 1.0. */
import { createHash } from 'node:crypto';
import { ProtocolError, UsageError } from '../errors.js';
import { childElements, type Element } from '../xml/element.js';
import { parseXml } from '../xml/parse.js';
import { htmlToXhtml } from './html.js';
import { NS_ATOM, readEntry, type Post, type PostLink, type RichText } from './post.js';
import { isSafeLink, xhtmlToText } from './xhtml.js';

const NS_CONTENT = 'http://purl.org/rss/1.0/modules/content/';
const NS_DC = 'http://purl.org/dc/elements/1.1/';

export interface ImportedPost {
  /** The same each time: made of what the feed calls the post. */
  id: string;
  post: Post;
}

/**
 * In the order of the feed.
 * @param name of the input, for errors
 * @throws UsageError it is no feed
 */
export function readFeed(text: string, name: string): ImportedPost[] {
  const root = parseFeedXml(text, name);
  if (root.getName() === 'feed' && root.getNS() === NS_ATOM) {
    const feedAuthors = readEntry(asEntry(root))?.authors ?? [];
    return root.getChildren('entry', NS_ATOM).flatMap((entry) => {
      const post = readEntry(entry);
      if (!post) return [];
      const authors = post.authors.length > 0 ? post.authors : feedAuthors;
      return [imported({ ...withoutHtml(post), authors }, post.atomId ?? post.title.text)];
    });
  }
  if (root.getName() === 'entry' && root.getNS() === NS_ATOM) {
    const post = readEntry(root);
    return post ? [imported(withoutHtml(post), post.atomId ?? post.title.text)] : [];
  }
  if (root.getName() === 'rss' || root.getName() === 'RDF') {
    const channels = childElements(root).filter((child) => child.getName() === 'channel');
    return [root, ...channels]
      .flatMap((parent) => childElements(parent).filter((child) => child.getName() === 'item'))
      .map(readRssItem);
  }
  throw new UsageError(`${name} is no feed: it begins with <${root.getName()}>`);
}

/** What feeds have before their first element is nothing that we need: style sheets, comments, a simple DOCTYPE. */
function parseFeedXml(text: string, name: string): Element {
  const body = text.replace(/^\ufeff/, '').replace(/^(?:\s+|<\?[^]*?\?>|<!--[^]*?-->|<!DOCTYPE[^[>]*>)+/, '');
  try {
    return parseXml(body.replace(/<\?(?!xml\s)[^]*?\?>/g, ''));
  } catch (error) {
    if (error instanceof ProtocolError)
      throw new UsageError(`${name} is no feed: ${error.message}`, { cause: error });
    throw error;
  }
}

function asEntry(feed: Element): Element {
  const entry = parseXml(`<entry xmlns="${NS_ATOM}"/>`);
  for (const author of feed.getChildren('author', NS_ATOM)) entry.cnode(author);
  return entry;
}

function imported(post: Post, key: string): ImportedPost {
  return { id: createHash('sha256').update(key).digest('hex').slice(0, 32), post };
}

function withoutHtml(post: Post): Post {
  return {
    ...post,
    title: {
      text: post.title.html === undefined ? post.title.text : xhtmlToText(htmlToXhtml(post.title.html)),
    },
    ...(post.summary && { summary: asXhtml(post.summary) }),
    ...(post.content && { content: asXhtml(post.content) }),
    updated: post.updated ?? post.published ?? new Date(0),
  };
}

function asXhtml({ text, xhtml, html }: RichText): RichText {
  const rich = xhtml ?? (html === undefined ? undefined : htmlToXhtml(html));
  return rich ? { text: xhtmlToText(rich), xhtml: rich } : { text };
}

function readRssItem(item: Element): ImportedPost {
  const text = (name: string): string | undefined => {
    const found = childElements(item)
      .find((child) => child.getName() === name)
      ?.getText()
      .trim();
    return found === undefined || found === '' ? undefined : found;
  };
  const link = text('link');
  const guid = text('guid');
  const html = item.getChild('encoded', NS_CONTENT)?.getText() ?? text('description');
  const date = Date.parse(text('pubDate') ?? item.getChildText('date', NS_DC) ?? '');
  const published = Number.isNaN(date) ? undefined : new Date(date);
  const creator = item.getChildText('creator', NS_DC) ?? text('author');
  const content = html === undefined ? undefined : asXhtml({ text: '', html });
  const [firstLine = ''] = content?.text.split('\n') ?? [];
  const post: Post = {
    atomId: guid !== undefined && URL.canParse(guid) ? guid : (link ?? ''),
    title: { text: text('title') ?? firstLine.slice(0, 140) },
    ...(content && { content }),
    ...(published && { published }),
    updated: published ?? new Date(0),
    authors: creator === undefined ? [] : [{ name: creator }],
    tags: childElements(item).flatMap((child) => {
      const tag = child.getName() === 'category' ? child.getText().trim() : '';
      return tag === '' ? [] : [tag];
    }),
    links: [
      ...(link !== undefined && isSafeLink(link)
        ? [{ rel: 'alternate', type: 'text/html', href: link }]
        : []),
      ...childElements(item).flatMap(readEnclosure),
    ],
    inReplyTo: [],
    isDraft: false,
  };
  return imported(post, guid ?? link ?? `${post.title.text}\n${content?.text ?? ''}`);
}

function readEnclosure(child: Element): PostLink[] {
  if (child.getName() !== 'enclosure') return [];
  const { url, type, length } = child.attrs as Record<string, unknown>;
  if (typeof url !== 'string' || !isSafeLink(url)) return [];
  return [
    {
      rel: 'enclosure',
      href: url,
      ...(typeof type === 'string' && { type }),
      ...(typeof length === 'string' && /^\d+$/.test(length) && { lengthBytes: Number(length) }),
    },
  ];
}
