import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { formatNodeUri } from '../../lib/jid/xmpp-uri.js';
import { fetchItems } from '../../lib/pubsub/items.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import type { Session } from '../../lib/session/session.js';
import { parseFeed } from '../../lib/social/feed.js';
import { atomFeed, rssFeed, type FeedFacts } from '../../lib/social/feed-file.js';
import { readPosts } from '../../lib/social/read-posts.js';
import {
  blogAtOption,
  blogNodeOption,
  draftsOption,
  feedCompletes,
  feedOf,
  printedPost,
  renderPost,
  renderPostLine,
} from './blog-flags.js';

export const listFormats = ['lines', 'text', 'atom', 'rss'] as const;

export interface ListOptions {
  feed: NodeAddress;
  limit: number | undefined;
  tags: readonly string[];
  format: (typeof listFormats)[number];
}

export const command = defineCommand({
  path: 'blog list',
  summary: 'list the posts of a feed, or write it as Atom or RSS',
  description: [
    'Prints the latest posts, the newest first: time (UTC), id and title, with tabs between them. --as text prints them whole, for reading; --as atom and --as rss write the feed as readers of the web take it.',
    'The feed is the blog of the own account, or that of the account that is named, or a node that is named by its URI or by --at and --node.',
  ].join('\n\n'),
  examples: [
    { does: 'the own posts', line: 'xmppctl blog list' },
    { does: 'read the blog of somebody', line: 'xmppctl blog list romeo@example.org --as text' },
    { does: 'a feed for the web', line: 'xmppctl blog list --all --as atom > feed.xml' },
    {
      does: 'a community',
      line: "xmppctl blog list 'xmpp:news.example.org?;node=montague-family'",
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: id, uri, title, text, xhtml, summary, language, published, updated, authors (name, uri, email), publisher, isAuthorVerified, tags, links (rel, href, type, title, lengthBytes), comments (a URI), inReplyTo, isDraft. What a post does not say is left out. XHTML has nothing in it but text, markup and links.',
    },
  ],
  exitCodes: { 5: 'there is no such feed, or it may not be read' },
  completes: { ...feedCompletes, feed: 'jid', '--limit': 'none', '--tag': 'none', '--as': listFormats },
  build: (command) =>
    command
      .argument('[feed]', 'an account, or the URI of a node')
      .addOption(blogAtOption)
      .addOption(blogNodeOption)
      .addOption(draftsOption)
      .option('-n, --limit <n>', 'only the latest n posts', '20')
      .option('--all', 'all posts')
      .option(
        '--tag <tag>',
        'only posts about this (repeatable)',
        (tag: string, all: string[]) => [...all, tag],
        [],
      )
      .addOption(
        new Option('--as <format>', 'how they are printed').choices(listFormats).default('lines' as const),
      ),
  parse: ([name], flags): ListOptions => {
    if (!/^[1-9]\d{0,8}$/.test(flags.limit))
      throw new UsageError(`--limit takes a number of 1 or more, not ${flags.limit}`);
    return {
      feed: name === undefined ? feedOf(flags) : feedNamed(name, flags),
      limit: flags.all === true ? undefined : Number(flags.limit),
      tags: flags.tag,
      format: flags.as,
    };
  },
  run: runList,
});

/** @throws UsageError */
export function feedNamed(name: string, flags: { at?: string; node?: string; drafts?: true }): NodeAddress {
  if (flags.at !== undefined || flags.drafts === true)
    throw new UsageError('the feed is named twice: leave out --at, --drafts or the argument');
  return flags.node === undefined ? parseFeed(name) : feedOf({ at: name, node: flags.node });
}

/** @throws StanzaError */
export async function runList({ feed, limit, tags, format }: ListOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const all = await readPosts(session, feed, { limit, signal });
  const posts = all.filter(({ post }) => tags.every((tag) => post.tags.includes(tag)));
  if (output.isJson || format === 'lines') {
    for (const stored of posts) await output.item(printedPost(stored), renderPostLine);
    await output.flush();
  } else if (format === 'text') {
    const rule = `\n${output.style.dim('─'.repeat(Math.min(output.columns, 40)))}\n`;
    for (const [index, stored] of posts.entries()) {
      const text = renderPost(stored, session.jid.bare, output);
      await output.item(undefined, () => (index === 0 ? text : `${rule}\n${text}`));
    }
    await output.flush();
  } else {
    const facts = await factsOf(session, feed, context);
    await output.bytes(Buffer.from(format === 'atom' ? atomFeed(posts, facts) : rssFeed(posts, facts)));
  }
}

async function factsOf(
  session: Session,
  feed: NodeAddress,
  { signal, clock }: Pick<Context, 'signal' | 'clock'>,
): Promise<FeedFacts> {
  const service = feed.service ?? session.jid.bare;
  // XEP-0277 §5: what a feed is called is its item 0.
  const [meta] = await fetchItems(session, { ...feed, ids: ['0'] }, { signal }).catch(() => []);
  const title = meta?.payload?.getName() === 'feed' ? meta.payload.getChildText('title') : undefined;
  return {
    title: title ?? service.toString(),
    uri: formatNodeUri({ service, node: feed.node }),
    author: service.toString(),
    now: new Date(clock.now()),
  };
}
