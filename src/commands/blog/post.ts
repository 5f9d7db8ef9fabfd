import { randomUUID } from 'node:crypto';
import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { formatNodeUri } from '../../lib/jid/xmpp-uri.js';
import { safeText } from '../../lib/output/safe-text.js';
import { accessModels, type AccessModel } from '../../lib/pubsub/nodes.js';
import { retractItem } from '../../lib/pubsub/items.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import type { Session } from '../../lib/session/session.js';
import { makeCommentsNode } from '../../lib/social/comments.js';
import { DRAFTS, ensureFeed, postUri } from '../../lib/social/feed.js';
import type { WrittenPost } from '../../lib/social/markdown.js';
import { commentsLink, makeEntry } from '../../lib/social/post.js';
import { readPost } from '../../lib/social/read-posts.js';
import { composePost, publishPost, writtenPost } from '../../lib/social/write-post.js';
import { serialize } from '../../lib/xml/serialize.js';
import { collect, serviceOf } from '../pubsub/pubsub-flags.js';
import { uploadAttachments } from './attachments.js';
import { authorOf, blogAtOption, blogNodeOption, feedCompletes, feedOf, refuseEmpty } from './blog-flags.js';
import { readWritten, type PostInput, type ToldPost } from './post-input.js';

export interface PostOptions {
  feed: NodeAddress;
  input: PostInput;
  told: ToldPost;
  /** The draft that it is made of. */
  draft: string | undefined;
  authorName: string | undefined;
  attachments: readonly string[];
  /** A node for comments is made. */
  hasComments: boolean;
  commentsAt: JID | undefined;
  access: AccessModel;
  /** Only shown. */
  isDry: boolean;
}

export const command = defineCommand({
  path: 'blog post',
  summary: 'publish a post',
  description: [
    'Publishes what is written in Markdown, in a file, on standard input or in -m, as a post (XEP-0277, XEP-0472), and prints its URI. At a terminal, without any of them, an editor is opened (VISUAL, EDITOR).',
    'What is said about the post may stand before the text, between two lines of three dashes: title, tags, language, draft, date, id, in YAML; options go before that. A first line "# Title" is the title. A short text without a title is the title, as microblogs have it.',
    'Readers get the text as it was written, and as XHTML. The blog of the account is made when it is not there: everybody may read it, unless --access says otherwise. One that is there keeps its configuration.',
    '--draft keeps the post where only the account sees it (xmppctl blog list --drafts); --from-draft publishes it.',
  ].join('\n\n'),
  examples: [
    { does: 'a short post', line: "xmppctl blog post -m 'Hanging out at the Café Napolitano'" },
    {
      does: 'an article with a picture and comments',
      line: 'xmppctl blog post article.md --tag verona --attach balcony.jpg --comments',
    },
    {
      does: 'into the feed of a community',
      line: 'xmppctl blog post article.md --at news.example.org --node montague-family',
    },
    { does: 'see what would be published', line: 'xmppctl blog post article.md --dry-run' },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object: id, node, service, uri, and comments (a URI) with --comments.',
    },
  ],
  exitCodes: {
    1: 'there is nothing to post',
    2: 'what stands before the text is not understood',
    5: 'the server does not take it',
    7: 'a file cannot be read',
  },
  completes: {
    ...feedCompletes,
    file: 'file',
    '--message': 'none',
    '--title': 'none',
    '--tag': 'none',
    '--language': 'none',
    '--id': 'none',
    '--from-draft': 'none',
    '--author': 'none',
    '--attach': 'file',
    '--comments-at': 'jid',
    '--access': accessModels,
  },
  build: (command) =>
    command
      .argument('[file]', 'the post in Markdown; standard input for -')
      .addOption(blogAtOption)
      .addOption(blogNodeOption)
      .option('-m, --message <text>', 'the post itself')
      .option('--title <title>', 'its title')
      .option('--tag <tag>', 'what it is about (repeatable)', collect, [])
      .option('--language <code>', 'its language, as in en')
      .option('--id <id>', 'the id of the item; a random one when left out')
      .option('--author <name>', 'the name of the author; the nickname of the account when left out')
      .option('--attach <file>', 'upload this and lead to it (repeatable)', collect, [])
      .option('--comments', 'let people comment on it')
      .option('--comments-at <jid>', 'where the comments are; at the service of the server when left out')
      .addOption(
        new Option('--access <model>', 'who may read the blog, when it is made')
          .choices(accessModels)
          .default('open' as const),
      )
      .option('--draft', 'keep it for oneself')
      .option('--from-draft <id>', 'publish this draft')
      .option('--dry-run', 'print the entry as XML, and publish nothing'),
  parse: ([file], flags): PostOptions => {
    if (file !== undefined && flags.message !== undefined)
      throw new UsageError('a file and -m are two posts: give one of them');
    const isDraft = flags.draft === true;
    if (isDraft && (flags.comments === true || flags.fromDraft !== undefined))
      throw new UsageError(
        `--draft does not go with ${flags.comments === true ? '--comments' : '--from-draft'}`,
      );
    if (flags.commentsAt !== undefined && flags.comments !== true)
      throw new UsageError('--comments-at goes with --comments');
    return {
      feed: feedOf(flags),
      input: { file, message: flags.message },
      told: { title: flags.title, tags: flags.tag, language: flags.language, isDraft, id: flags.id },
      draft: flags.fromDraft,
      authorName: flags.author,
      attachments: flags.attach,
      hasComments: flags.comments === true,
      commentsAt: flags.commentsAt === undefined ? undefined : serviceOf(flags.commentsAt),
      access: flags.access,
      isDry: flags.dryRun === true,
    };
  },
  run: runPost,
});

/** @throws NegativeError there is nothing to post @throws StanzaError @throws UsageError */
export async function runPost(options: PostOptions, context: Context): Promise<void> {
  const { input, draft, told } = options;
  const isRead = draft === undefined || input.file !== undefined || input.message !== undefined;
  // What is wrong with it costs nothing.
  const written = isRead ? await readWritten(input, told, context) : undefined;
  if (written) refuseEmpty(written.body, written.title);
  await using session = await context.connect();
  const { output, signal } = context;
  const result = await post(
    session,
    written ?? (await draftOf(session, draft ?? '', told, context)),
    options,
    context,
  );
  if (draft !== undefined && !options.isDry)
    await retractItem(session, { node: DRAFTS, id: draft }, { signal });
  await output.result(result, (shown) =>
    'xml' in shown ? shown.xml : safeText(shown.uri, { singleLine: true }),
  );
}

async function draftOf(
  session: Session,
  id: string,
  told: ToldPost,
  { signal }: Pick<Context, 'signal'>,
): Promise<WrittenPost> {
  const stored = await readPost(session, { feed: { node: DRAFTS }, id }, { signal });
  const { isDraft: _, ...written } = writtenPost(stored);
  return {
    ...written,
    ...(told.title !== undefined && { title: told.title }),
    ...(told.tags.length > 0 && { tags: [...told.tags] }),
  };
}

async function post(
  session: Session,
  written: WrittenPost,
  { feed: named, authorName, attachments, hasComments, commentsAt, access, isDry }: PostOptions,
  context: Context,
): Promise<{ xml: string } | { id: string; node: string; service: string; uri: string; comments?: string }> {
  const { output, signal, clock } = context;
  const isDraft = written.isDraft === true;
  const feed = isDraft ? { node: DRAFTS } : named;
  const id = written.id ?? randomUUID();
  const address = { feed, id };
  const author = await authorOf(session, authorName, { signal });
  const links = isDry ? [] : await uploadAttachments(session, attachments, context);
  const composed = composePost(session, written, { address, author, now: new Date(clock.now()), links });
  if (isDry) return { xml: serialize(makeEntry(composed)) };
  const warn = (text: string): void => output.detail(text);
  await ensureFeed(session, feed, { access: isDraft ? 'whitelist' : access, signal, warn });
  const comments = hasComments
    ? await makeCommentsNode(session, id, { service: commentsAt, signal, warn: (text) => output.warn(text) })
    : undefined;
  const commented = comments ? { ...composed, links: [...composed.links, commentsLink(comments)] } : composed;
  const published = await publishPost(session, address, commented, { signal });
  return {
    id: published,
    node: feed.node,
    service: (feed.service ?? session.jid.bare).toString(),
    uri: postUri(session, { feed, id: published }),
    ...(comments && { comments: formatNodeUri(comments) }),
  };
}
