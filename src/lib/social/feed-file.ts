/** Posts as a feed that readers of the web take: Atom (RFC 4287) and RSS 2.0. */
import { childNodes, xml, type Element } from '../xml/element.js';
import { serialize } from '../xml/serialize.js';
import { formatTime, makeAuthor, makeLink, NS_ATOM, type Post, type RichText } from './post.js';
import { isByPublisher, type StoredPost } from './read-posts.js';

export interface FeedFacts {
  title: string;
  /** Where the feed is, as a URI. */
  uri: string;
  /** Who is named when a post names nobody. */
  author: string;
  now: Date;
}

const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n';

export function atomFeed(posts: readonly StoredPost[], facts: FeedFacts): string {
  const updated = posts
    .map(({ post }) => post.updated ?? post.published)
    .filter((time) => time !== undefined);
  const latest = new Date(Math.max(0, ...updated.map((time) => time.getTime())) || facts.now.getTime());
  const feed = xml(
    'feed',
    { xmlns: NS_ATOM, 'xmlns:thr': 'http://purl.org/syndication/thread/1.0' },
    xml('title', {}, facts.title),
    xml('id', {}, facts.uri),
    xml('updated', {}, formatTime(latest)),
    makeAuthor({ name: facts.author }),
    xml('link', { rel: 'alternate', href: facts.uri }),
    posts.map((stored) => atomEntry(stored, facts)),
  );
  return `${DECLARATION}${serialize(feed)}\n`;
}

/** RFC 4287 §4.1.2: one title, one content, and an id, a time and a link whatever the post has. */
function atomEntry(stored: StoredPost, { now }: FeedFacts): Element {
  const { post, uri } = stored;
  const links = post.links.some(({ rel }) => rel === 'alternate')
    ? post.links
    : [{ rel: 'alternate', href: uri }, ...post.links];
  const published = post.published ?? post.updated;
  const isAttributable = isByPublisher(stored) !== false || post.links.some(({ rel }) => rel === 'via');
  return xml(
    'entry',
    post.language === undefined ? {} : { 'xml:lang': post.language },
    atomText('title', { text: post.title.text }),
    xml('id', {}, isUri(post.atomId) ? post.atomId : uri),
    xml('updated', {}, formatTime(post.updated ?? post.published ?? now)),
    published && xml('published', {}, formatTime(published)),
    isAttributable ? post.authors.map(makeAuthor) : [],
    uniqueLinks(links).map(({ ref: _, ...link }) => makeLink(link)),
    post.inReplyTo
      .filter(({ ref, href }) => (ref ?? href) !== undefined)
      .map(({ ref, href }) => xml('thr:in-reply-to', { ref: ref ?? href, href })),
    post.tags.map((term) => xml('category', { term })),
    post.summary && atomText('summary', post.summary),
    post.content && atomText('content', post.content),
  );
}

/** RFC 4287 §4.1.2: no two alternate links of the same type and language. */
function uniqueLinks(links: Post['links']): Post['links'] {
  const seen = new Set<string>();
  return links.filter(({ rel, type = '' }) => {
    if (rel !== 'alternate') return true;
    if (seen.has(type)) return false;
    seen.add(type);
    return true;
  });
}

function atomText(name: string, { text, xhtml, html }: RichText): Element {
  if (xhtml) return xml(name, { type: 'xhtml' }, xhtml);
  if (html !== undefined) return xml(name, { type: 'html' }, html);
  return xml(name, { type: 'text' }, text);
}

function isUri(text: string | undefined): text is string {
  return text !== undefined && URL.canParse(text);
}

const NS_DC = 'http://purl.org/dc/elements/1.1/';
const NS_CONTENT = 'http://purl.org/rss/1.0/modules/content/';

export function rssFeed(posts: readonly StoredPost[], facts: FeedFacts): string {
  const rss = xml(
    'rss',
    { version: '2.0', 'xmlns:dc': NS_DC, 'xmlns:content': NS_CONTENT },
    xml(
      'channel',
      {},
      xml('title', {}, facts.title),
      xml('link', {}, facts.uri),
      xml('description', {}, facts.title),
      posts.map(rssItem),
    ),
  );
  return `${DECLARATION}${serialize(rss)}\n`;
}

function rssItem({ post, uri }: StoredPost): Element {
  const { title, summary, content, published, authors, tags, links } = post;
  const page = links.find(({ rel, type }) => rel === 'alternate' && type === 'text/html')?.href ?? uri;
  const [enclosure] = links.filter(({ rel }) => rel === 'enclosure');
  const rich = content ?? summary;
  return xml(
    'item',
    {},
    xml('title', {}, title.text),
    xml('link', {}, page),
    xml('guid', { isPermaLink: 'false' }, post.atomId ?? uri),
    published && xml('pubDate', {}, published.toUTCString()),
    authors.slice(0, 1).map(({ name = '' }) => xml('dc:creator', {}, name)),
    tags.map((tag) => xml('category', {}, tag)),
    enclosure &&
      xml('enclosure', {
        url: enclosure.href,
        type: enclosure.type ?? 'application/octet-stream',
        length: enclosure.lengthBytes ?? 0,
      }),
    rich && xml('description', {}, (summary ?? rich).text),
    rich?.xhtml && xml('content:encoded', {}, childNodes(rich.xhtml).map(markup).join('')),
  );
}

function markup(child: Element | string): string {
  return typeof child === 'string' ? serialize(xml('a', {}, child)).slice(3, -4) : serialize(child);
}
