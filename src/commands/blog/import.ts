import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import { readTextFile, reasonOf } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { FileError, NegativeError } from '../../lib/errors.js';
import { readText } from '../../lib/input/stdin.js';
import { safeText } from '../../lib/output/safe-text.js';
import { accessModels, type AccessModel } from '../../lib/pubsub/nodes.js';
import { publishItems, type OutgoingItem } from '../../lib/pubsub/publish-items.js';
import { readItems } from '../../lib/pubsub/read-items.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import type { Session } from '../../lib/session/session.js';
import { ensureFeed, postUri } from '../../lib/social/feed.js';
import { readFeed } from '../../lib/social/import-posts.js';
import { parsePost, type WrittenPost } from '../../lib/social/markdown.js';
import { makeEntry, type Author, type Post } from '../../lib/social/post.js';
import { composePost } from '../../lib/social/write-post.js';
import type { JID } from '../../lib/jid/jid.js';
import { authorOf, blogAtOption, blogNodeOption, feedCompletes, feedOf } from './blog-flags.js';

export interface ImportOptions {
  feed: NodeAddress;
  /** A feed, a folder of Markdown, or a file of it; `-` is a feed on stdin. */
  source: string;
  authorName: string | undefined;
  overwrites: boolean;
  access: AccessModel;
}

const maxFeedBytes = 16 * 1024 * 1024;

export const command = defineCommand({
  path: 'blog import',
  summary: 'publish the posts of an Atom or RSS feed, or of a folder of Markdown',
  description: [
    'Publishes each post with its own date, the oldest first, and prints its URI. A file is a feed in Atom or RSS, or with the ending .md a post; of a folder every file with the ending .md is a post, also in its subfolders, as xmppctl blog post reads it.',
    'A post has the same id each time: run again, only what is new is published; --overwrite publishes all of it again. What is marked as a draft is left out. Markup in feeds is cleaned of all that could do harm.',
  ].join('\n\n'),
  examples: [
    { does: 'move a blog', line: 'curl -s https://example.org/feed.xml | xmppctl blog import -' },
    { does: 'a folder of Markdown', line: 'xmppctl blog import ~/blog/content' },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line: id, uri, title.' }],
  exitCodes: {
    0: 'all is there',
    1: 'some posts were refused; each is named on standard error',
    2: 'the file is no feed, or what stands before a text is not understood: nothing was published',
    7: 'a file cannot be read',
  },
  completes: { ...feedCompletes, source: 'file', '--author': 'none', '--access': accessModels },
  build: (command) =>
    command
      .argument('<source>', 'a feed, a file of Markdown or a folder of them; a feed on standard input for -')
      .addOption(blogAtOption)
      .addOption(blogNodeOption)
      .option('--author <name>', 'the name of the author where a post names none')
      .option('--overwrite', 'publish also what is there already')
      .addOption(
        new Option('--access <model>', 'who may read the blog, when it is made')
          .choices(accessModels)
          .default('open' as const),
      ),
  parse: ([source], flags): ImportOptions => ({
    feed: feedOf(flags),
    source,
    authorName: flags.author,
    overwrites: flags.overwrite === true,
    access: flags.access,
  }),
  run: runImport,
});

/** Made into a post when it is known who imports. */
type Source = { id: string; written: WrittenPost } | { id: string; post: Post };

/** @throws NegativeError some were refused @throws UsageError @throws FileError @throws StanzaError */
export async function runImport(
  { feed, source, authorName, overwrites, access }: ImportOptions,
  context: Context,
): Promise<void> {
  const { output, signal, clock } = context;
  output.goesOnUnread = true;
  // What is wrong with it costs nothing.
  const sources = (await readSource(source, context)).filter((one) => !isDraft(one));
  await using session = await context.connect({ resume: true });
  const author = await authorOf(session, authorName, { signal });
  await ensureFeed(session, feed, { access, signal, warn: (text) => output.detail(text) });
  const there = new Set<string>();
  if (!overwrites) for await (const { id } of readItems(session, feed, { signal })) there.add(id);
  const posts = sources
    .filter(({ id }) => !there.has(id))
    .map((one) => ({
      id: one.id,
      post: postOfSource(session, one, { feed, author, now: new Date(clock.now()) }),
    }))
    .sort((a, b) => (a.post.published?.getTime() ?? 0) - (b.post.published?.getTime() ?? 0));
  const titles = new Map(posts.map(({ id, post }) => [id, post.title.text]));
  const items: OutgoingItem[] = posts.map(({ id, post }) => ({ id, payload: makeEntry(post) }));
  const publishing = publishItems(session, items, {
    address: feed,
    publishOptions: undefined,
    creates: false,
    reconfigures: false,
    retries: 5,
  });
  let refused = 0;
  for await (const { item, id, error } of publishing) {
    const title = titles.get(item.id) ?? '';
    if (error) {
      refused += 1;
      output.warn(`"${safeText(title, { singleLine: true })}" was refused: ${error.message}`);
      continue;
    }
    await output.item({ id, uri: postUri(session, { feed, id }), title }, (shown) =>
      safeText(shown.uri, { singleLine: true }),
    );
  }
  await output.flush();
  output.note(`${items.length - refused} published, ${sources.length - items.length} were there already`);
  if (refused > 0)
    throw new NegativeError(`${refused} of ${items.length} posts were refused`, { details: { refused } });
}

function isDraft(source: Source): boolean {
  return 'post' in source ? source.post.isDraft : source.written.isDraft === true;
}

function postOfSource(
  session: Session,
  source: Source,
  { feed, author, now }: { feed: NodeAddress; author: Author & { jid: JID }; now: Date },
): Post {
  const address = { feed, id: source.id };
  if ('written' in source) return composePost(session, source.written, { address, author, now });
  const { post } = source;
  const { jid, ...own } = author;
  return {
    ...post,
    authors: post.authors.length > 0 ? post.authors : [{ uri: `xmpp:${jid.toString()}`, ...own }],
    links: [...post.links, { rel: 'alternate', href: postUri(session, address) }],
  };
}

async function readSource(source: string, context: Context): Promise<Source[]> {
  if (source === '-')
    return readFeed(
      await readText(context.stdin, { signal: context.signal, limit: maxFeedBytes }),
      'standard input',
    );
  let isFolder: boolean;
  try {
    isFolder = (await stat(source)).isDirectory();
  } catch (error) {
    throw new FileError(`cannot read ${source}: ${reasonOf(error)}`, { cause: error });
  }
  if (!isFolder && !source.endsWith('.md'))
    return readFeed(await readTextFile(source, 'the feed'), path.basename(source));
  const files = isFolder ? await markdownFiles(source) : [path.basename(source)];
  const folder = isFolder ? source : path.dirname(source);
  const posts: Source[] = [];
  for (const file of files) {
    const written = parsePost(await readTextFile(path.join(folder, file), 'the post'), file);
    posts.push({
      id: written.id ?? idOf(file),
      written: { ...written, title: written.title ?? titleOf(file) },
    });
  }
  return posts;
}

async function markdownFiles(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true });
  return all.filter((file) => file.endsWith('.md')).sort();
}

/** Of the name of the file, which is what stays when its text changes. */
function idOf(file: string): string {
  return createHash('sha256').update(file.split(path.sep).join('/')).digest('hex').slice(0, 32);
}

function titleOf(file: string): string {
  return path
    .basename(file, '.md')
    .replace(/^\d{4}-\d{2}-\d{2}-/, '')
    .replace(/[-_]+/g, ' ');
}
