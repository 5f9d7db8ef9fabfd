import { describe, expect, it } from 'vitest';
import { JID } from '../../../src/lib/jid/jid.js';
import { formatNodeUri, parseNodeUri } from '../../../src/lib/jid/xmpp-uri.js';
import { parseFeed } from '../../../src/lib/social/feed.js';
import { atomFeed, rssFeed } from '../../../src/lib/social/feed-file.js';
import { readFeed } from '../../../src/lib/social/import-posts.js';
import { formatPost, parsePost, type WrittenPost } from '../../../src/lib/social/markdown.js';
import { bodyOf, commentsOf, linksOf, makeEntry, readEntry } from '../../../src/lib/social/post.js';
import { isByPublisher, storedPost, type StoredPost } from '../../../src/lib/social/read-posts.js';
import { repost } from '../../../src/lib/social/repost.js';
import { changedEntry, composePost, writtenPost } from '../../../src/lib/social/write-post.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { serialize } from '../../../src/lib/xml/serialize.js';

const jid = JID.parse('alice@example.org');
const session = { jid: JID.parse('alice@example.org/x') };
const now = new Date('2026-05-08T18:30:02.500Z');
const address = { feed: { node: 'urn:xmpp:microblog:0' }, id: 'first' };
const compose = (written: WrittenPost) =>
  composePost(session, written, { address, author: { jid, name: 'Alice' }, now });
const stored = (entry: Element, publisher?: string): StoredPost => {
  const found = storedPost(session, address.feed, { id: 'first', payload: entry, publisher });
  if (!found) throw new Error('no post');
  return found;
};
const atom = (content: string): Element =>
  parseXml(`<entry xmlns="http://www.w3.org/2005/Atom">${content}</entry>`);

describe('writing a post', () => {
  it('makes a short text the title, as microblogs have it', () => {
    expect(serialize(makeEntry(compose({ body: 'hanging out\nat the Café' })))).toBe(
      '<entry xmlns="http://www.w3.org/2005/Atom"><title type="text">hanging out at the Café</title>' +
        '<author><name>Alice</name><uri>xmpp:alice@example.org</uri></author>' +
        '<id>tag:example.org,2026-05-08:posts-first</id><published>2026-05-08T18:30:02Z</published>' +
        '<updated>2026-05-08T18:30:02Z</updated>' +
        '<link rel="alternate" href="xmpp:alice@example.org?;node=urn%3Axmpp%3Amicroblog%3A0;item=first"/></entry>',
    );
  });

  it('has the content as it was written, and as XHTML', () => {
    const entry = makeEntry(compose({ title: 'T', tags: ['a', 'b'], language: 'de', body: '**x**' }));
    expect(serialize(entry)).toContain(
      '<category term="a"/><category term="b"/><content type="text">**x**</content>' +
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p><strong>x</strong></p>\n</div></content>',
    );
    expect(entry.attrs['xml:lang']).toBe('de');
  });

  it('gives a long text without a title its beginning', () => {
    const { title, content } = compose({ body: `${'word '.repeat(60)}\n\nmore` });
    expect(title.text).toMatch(/^(word )+word…$/);
    expect(title.text.length).toBeLessThanOrEqual(140);
    expect(content?.text).toContain('more');
    expect(compose({ body: '😀'.repeat(200) }).title.text).toMatch(/^(😀)+…$/u);
    expect(compose({ body: 'So **pretty**!' }).title.text).toBe('So pretty!');
  });

  it('comes back as it was written', () => {
    const written = { title: 'T: "x"', tags: ['a'], language: 'en', body: '# not a title\n\ntext' };
    const again = writtenPost(stored(makeEntry(compose(written))));
    expect(again).toEqual({ ...written, isDraft: false });
    expect(parsePost(formatPost(again), 'x')).toEqual(written);
  });

  it('is changed without losing what is not known here', () => {
    const entry = atom(
      `<title>old</title><content type="text">old</content><id>tag:x,2020:1</id><published>2020-01-01T00:00:00Z</published>` +
        `<updated>2020-01-01T00:00:00Z</updated><link rel="replies" title="comments" href="xmpp:c.example?;node=n"/>` +
        `<x xmlns="urn:x">y</x><category term="old"/>`,
    );
    const changed = changedEntry(stored(entry), { title: 'new', tags: ['t'], body: 'text' }, now);
    expect(readEntry(changed)).toMatchObject({
      atomId: 'tag:x,2020:1',
      title: { text: 'new' },
      content: { text: 'text' },
      tags: ['t'],
      published: new Date('2020-01-01T00:00:00Z'),
      updated: new Date('2026-05-08T18:30:02Z'),
    });
    expect(serialize(changed)).toContain('<x xmlns="urn:x">y</x>');
    expect(serialize(changed)).toContain('rel="replies"');
    expect(serialize(changed)).not.toContain('old');
  });

  it('repeats a post of somebody else', () => {
    const original: StoredPost = {
      ...stored(
        makeEntry({
          ...compose({ title: 'T', body: 'x' }),
          links: [{ rel: 'replies', title: 'comments', href: 'xmpp:c.example?;node=n' }],
        }),
      ),
      uri: 'xmpp:romeo@example.net?;node=n;item=1',
    };
    const options = { address, author: { jid, name: 'Alice' }, now };
    const plain = repost(session, original, undefined, options);
    expect(plain).toMatchObject({
      title: { text: 'T' },
      content: { text: 'x' },
      authors: [{ name: 'Alice' }],
    });
    expect(linksOf(plain, 'via')).toEqual([
      { rel: 'via', href: original.uri, ref: 'tag:example.org,2026-05-08:posts-first' },
    ]);
    expect(commentsOf(plain)?.node).toBe('n');
    const quoting = repost(session, original, { body: 'He is right' }, options);
    expect(quoting.content?.text).toBe('> x\n\nHe is right');
    expect(serialize(makeEntry(quoting))).toContain('<blockquote><p>x</p>');
    expect(quoting.title.text).toBe('He is right');
  });
});

describe('what stands before the text', () => {
  it.each([
    ['---\ntitle: T\ntags: a, b\n---\nx', { title: 'T', tags: ['a', 'b'], body: 'x' }],
    [
      '---\ntags:\n - a\n - 1\ndraft: true\nlang: de\n---\n\nx',
      { tags: ['a', '1'], isDraft: true, language: 'de', body: 'x' },
    ],
    [
      '---\r\ndate: 2020-01-02\r\nid: first\r\n---\r\nx',
      { published: new Date('2020-01-02'), id: 'first', body: 'x' },
    ],
    ['\ufeff# T #\n\nx', { title: 'T', body: 'x' }],
    ['---\n---\nx', { body: 'x' }],
    ['x\n---\ny', { body: 'x\n---\ny' }],
    ['', { body: '' }],
  ])('%j', (text, post) => {
    expect(parsePost(text, 'a.md')).toEqual(post);
  });

  it.each([
    ['---\ntitel: T\n---\nx', 'a.md says "titel" before its text'],
    ['---\n- a\n---\nx', 'what stands before the text of a.md is not name: value'],
    ['---\na: [\n---\nx', /^what stands before the text of a.md is not YAML: /],
    ['---\ndate: soon\n---\nx', 'the date of a.md is none'],
    ['---\na: &x [1]\nb: *x\n---\nx', /is not YAML/],
  ])('%j is refused', (text, message) => {
    expect(() => parsePost(text, 'a.md')).toThrow(message);
  });
});

describe('reading entries', () => {
  it('takes those of Movim: both contents, links without a type, the node as it is', () => {
    const post = readEntry(
      atom(
        `<title>T</title><id>0a1b</id><author><name>Bob</name><uri>xmpp:bob@example.org</uri></author>` +
          `<link rel="alternate" href="xmpp:bob@example.org?;node=urn:xmpp:microblog:0;item=0a1b"/>` +
          `<link rel="replies" title="comments" href="xmpp:comments.example.org?;node=urn:xmpp:microblog:0:comments/0a1b"/>` +
          `<link rel="enclosure" href="https://e.example/a.jpg" type="image/jpeg" title="a.jpg"/>` +
          `<content type="text">x</content><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p onclick="y">x</p></div></content>` +
          `<published>2026-01-01T00:00:00+00:00</published><category term="t"/><updated>2026-01-01T00:00:00+00:00</updated>`,
      ),
    );
    expect(post && commentsOf(post)).toMatchObject({ node: 'urn:xmpp:microblog:0:comments/0a1b' });
    expect(post).toMatchObject({
      title: { text: 'T' },
      tags: ['t'],
      authors: [{ name: 'Bob', uri: 'xmpp:bob@example.org' }],
    });
    expect(post?.content?.xhtml && serialize(post.content.xhtml)).toBe(
      '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>',
    );
  });

  it('takes those of Libervia: a title as XHTML, a reply, a language', () => {
    const post = readEntry(
      parseXml(
        `<entry xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0" xml:lang="fr">` +
          `<title type="text">T</title><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>T</p></div></title>` +
          `<thr:in-reply-to ref="tag:x" href="xmpp:a@example.org?;node=n;item=1"/></entry>`,
      ),
    );
    expect(post).toMatchObject({ title: { text: 'T' }, language: 'fr', inReplyTo: [{ ref: 'tag:x' }] });
  });

  it('takes what is hardly one', () => {
    expect(readEntry(atom(''))).toEqual({
      title: { text: '' },
      authors: [],
      tags: [],
      links: [],
      inReplyTo: [],
      isDraft: false,
    });
    expect(
      readEntry(atom('<published>never</published><link href="javascript:x"/><link/><category/>')),
    ).toMatchObject({ links: [], tags: [] });
    expect(readEntry(parseXml('<feed xmlns="http://www.w3.org/2005/Atom"/>'))).toBeUndefined();
    expect(readEntry(parseXml('<entry xmlns="urn:x"/>'))).toBeUndefined();
  });

  it('knows an author who is not the publisher', () => {
    const entry = makeEntry(compose({ body: 'x' }));
    expect(isByPublisher(stored(entry, 'alice@example.org'))).toBe(true);
    expect(isByPublisher(stored(entry, 'alice@example.org/phone'))).toBe(true);
    expect(isByPublisher(stored(entry, 'mallory@example.org'))).toBe(false);
    expect(isByPublisher(stored(entry))).toBeUndefined();
  });
});

describe('addresses of posts', () => {
  it.each([
    [
      'xmpp:romeo@example.org?;node=urn%3Axmpp%3Amicroblog%3A0;item=a%20b',
      'romeo@example.org',
      'urn:xmpp:microblog:0',
      'a b',
    ],
    ['xmpp:news.example.org?;node=a/b', 'news.example.org', 'a/b', undefined],
    ['XMPP:n.example?pubsub;action=retrieve;node=n;item=1', 'n.example', 'n', '1'],
  ])('%s', (uri, service, node, item) => {
    const found = parseNodeUri(uri);
    expect([found?.service.toString(), found?.node, found?.item]).toEqual([service, node, item]);
    expect(found && parseNodeUri(formatNodeUri(found))).toEqual(found);
  });

  it.each([
    'xmpp:a@b',
    'https://a.example/?;node=n',
    'xmpp:a@b?;node=',
    'xmpp:@?;node=n',
    'xmpp:a@b?;node=%',
    'x',
  ])('%s is none', (uri) => expect(parseNodeUri(uri)).toBeUndefined());

  it('names feeds', () => {
    expect(parseFeed('romeo@example.org').node).toBe('urn:xmpp:microblog:0');
    expect(parseFeed('xmpp:n.example?;node=n').node).toBe('n');
    expect(() => parseFeed('n.example')).toThrow('n.example is a service, and not one feed');
  });
});

describe('feeds for the web', () => {
  const facts = { title: 'A & B', uri: 'xmpp:alice@example.org?;node=n', author: 'alice@example.org', now };
  const posts = [
    stored(makeEntry(compose({ title: 'T <1>', tags: ['t'], body: '**x** & y' }))),
    stored(atom('<title>bare</title><content type="html">&lt;p>h&lt;/p></content><id>not a uri</id>')),
    stored(
      atom('<id>tag:x,2020:2</id><author><name>Mallory</name><uri>xmpp:m@x.example</uri></author>'),
      'alice@example.org',
    ),
  ];

  it('are valid Atom, whatever the posts lack', () => {
    const text = atomFeed(posts, facts);
    const feed = parseXml(text.replace(/^<\?xml[^>]*\?>\n/, ''));
    checkAtom(feed);
    expect(text).not.toContain('Mallory');
  });

  it('are read again as the same posts', () => {
    for (const text of [atomFeed(posts, facts), rssFeed(posts, facts)]) {
      const again = readFeed(text, 'x');
      expect(again.map(({ post }) => post.title.text)).toEqual(['T <1>', 'bare', '']);
      expect(again[0]?.post).toMatchObject({
        tags: ['t'],
        content: { text: 'x & y' },
        published: new Date('2026-05-08T18:30:02Z'),
      });
      expect(readFeed(text, 'x').map(({ id }) => id)).toEqual(again.map(({ id }) => id));
    }
  });

  it('come from elsewhere in all shapes', () => {
    const rss = `<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><!-- c --><rss version="2.0"><channel><title>F</title>
      <item><title>One</title><link>https://e.example/1</link><description>&lt;p&gt;a &lt;script&gt;x&lt;/script&gt;&lt;b onclick=x&gt;b&lt;/b&gt;</description>
      <pubDate>Wed, 02 Oct 2002 15:00:00 +0200</pubDate><category>t</category><enclosure url="https://e.example/a.mp3" length="12" type="audio/mpeg"/></item>
      <item><description>no title here</description></item></channel></rss>`;
    const [one, two] = readFeed(rss, 'x');
    expect(one?.post).toMatchObject({
      title: { text: 'One' },
      content: { text: 'a b' },
      published: new Date('2002-10-02T13:00:00Z'),
      tags: ['t'],
    });
    expect(one && linksOf(one.post, 'enclosure')).toEqual([
      { rel: 'enclosure', href: 'https://e.example/a.mp3', type: 'audio/mpeg', lengthBytes: 12 },
    ]);
    expect(two?.post.title.text).toBe('no title here');
    expect(bodyOf(two?.post ?? { title: { text: '' } }).text).toBe('no title here');
    const rdf = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><item><title>R</title></item></rdf:RDF>`;
    expect(readFeed(rdf, 'x').map(({ post }) => post.title.text)).toEqual(['R']);
  });

  it.each(['', 'hello', '<html/>', '<rss', '<!DOCTYPE x [<!ENTITY a "b">]><rss/>'])('%j is none', (text) => {
    expect(() => readFeed(text, 'a.xml')).toThrow(/^a.xml is no feed/);
  });
});

/** RFC 4287 §4.1.1, §4.1.2: what has to be there, once. */
function checkAtom(feed: Element): void {
  const one = (element: Element, name: string): string => {
    const found = element.getChildren(name);
    expect(found, `${name} of ${element.getName()}`).toHaveLength(1);
    return found[0]?.getText() ?? '';
  };
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
  expect(feed.getNS()).toBe('http://www.w3.org/2005/Atom');
  expect(URL.canParse(one(feed, 'id'))).toBe(true);
  expect(one(feed, 'title')).not.toBe('');
  expect(one(feed, 'updated')).toMatch(time);
  expect(feed.getChildren('author')).toHaveLength(1);
  const ids = new Set<string>();
  for (const entry of feed.getChildren('entry')) {
    const id = one(entry, 'id');
    expect(URL.canParse(id)).toBe(true);
    expect(ids.has(id)).toBe(false);
    ids.add(id);
    one(entry, 'title');
    expect(one(entry, 'updated')).toMatch(time);
    expect(entry.getChildren('content').length).toBeLessThanOrEqual(1);
    expect(entry.getChildren('link').filter(({ attrs }) => attrs['rel'] === 'alternate')).toHaveLength(1);
    const content = entry.getChild('content');
    if (content?.attrs['type'] === 'xhtml') expect(content.children).toHaveLength(1);
    for (const author of entry.getChildren('author')) expect(one(author, 'name')).not.toBe('');
  }
}
