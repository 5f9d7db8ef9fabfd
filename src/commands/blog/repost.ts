import { randomUUID } from 'node:crypto';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { safeText } from '../../lib/output/safe-text.js';
import { ensureFeed, MICROBLOG, postUri, type PostAddress } from '../../lib/social/feed.js';
import { readPost } from '../../lib/social/read-posts.js';
import { repost } from '../../lib/social/repost.js';
import { publishPost } from '../../lib/social/write-post.js';
import { authorOf, blogAtOption, blogNodeOption, feedCompletes, postOf } from './blog-flags.js';

export interface RepostOptions {
  address: PostAddress;
  remark: string | undefined;
}

export const command = defineCommand({
  path: 'blog repost',
  summary: "publish somebody else's post in the own blog",
  description:
    'The repost names the author, leads to the post that it repeats, and shares its comments. With -m it is a post of your own that quotes the other.',
  examples: [
    { does: 'repeat a post', line: 'xmppctl blog repost first --at romeo@example.org' },
    { does: 'with a remark', line: "xmppctl blog repost first --at romeo@example.org -m 'He is right.'" },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object: id, node, service, uri.' }],
  exitCodes: { 1: 'there is no such post', 5: 'it may not be read, or the server does not take the repost' },
  completes: { ...feedCompletes, post: 'none', '--message': 'none' },
  build: (command) =>
    command
      .argument('<post>', 'its id, or its URI')
      .addOption(blogAtOption)
      .addOption(blogNodeOption)
      .option('-m, --message <text>', 'what to say about it'),
  parse: ([post], flags): RepostOptions => ({ address: postOf(post, flags), remark: flags.message }),
  run: runRepost,
});

/** @throws NegativeError @throws StanzaError */
export async function runRepost({ address, remark }: RepostOptions, context: Context): Promise<void> {
  const { output, signal, clock } = context;
  await using session = await context.connect();
  const original = await readPost(session, address, { signal });
  const own = { feed: { node: MICROBLOG }, id: randomUUID() };
  const post = repost(session, original, remark === undefined ? undefined : { body: remark }, {
    address: own,
    author: await authorOf(session, undefined, { signal }),
    now: new Date(clock.now()),
  });
  await ensureFeed(session, own.feed, { access: 'open', signal, warn: (text) => output.detail(text) });
  const id = await publishPost(session, own, post, { signal });
  await output.result(
    {
      id,
      node: MICROBLOG,
      service: session.jid.bare.toString(),
      uri: postUri(session, { feed: own.feed, id }),
    },
    (shown) => safeText(shown.uri, { singleLine: true }),
  );
}
