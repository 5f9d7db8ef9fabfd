import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { safeText } from '../../lib/output/safe-text.js';
import { publishItem } from '../../lib/pubsub/items.js';
import type { PostAddress } from '../../lib/social/feed.js';
import { readPost } from '../../lib/social/read-posts.js';
import { changedEntry, writtenPost } from '../../lib/social/write-post.js';
import { collect } from '../pubsub/pubsub-flags.js';
import {
  blogAtOption,
  blogNodeOption,
  draftsOption,
  feedCompletes,
  postOf,
  refuseEmpty,
} from './blog-flags.js';
import { readWritten, type PostInput, type ToldPost } from './post-input.js';

export interface EditOptions {
  address: PostAddress;
  input: PostInput;
  told: ToldPost;
}

export const command = defineCommand({
  path: 'blog edit',
  summary: 'change a post',
  description: [
    'Publishes the post again under its id, with another text, title, tags or language. Its date, its comments, its attachments and whatever else is in it stay.',
    'Without a file, -m or another change, the post is opened in an editor (VISUAL, EDITOR), as it was written.',
  ].join('\n\n'),
  examples: [
    { does: 'change it in an editor', line: 'xmppctl blog edit 1cb57d9c-1c46-11dd-838c-001143d5d5db' },
    { does: 'another title', line: "xmppctl blog edit first --title 'At the Café'" },
    { does: 'another text', line: 'xmppctl blog edit first article.md' },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object: id, node, uri.' }],
  exitCodes: {
    1: 'there is no such post, or nothing is left of it',
    5: 'it may not be changed',
  },
  completes: {
    ...feedCompletes,
    post: 'none',
    file: 'file',
    '--message': 'none',
    '--title': 'none',
    '--tag': 'none',
    '--language': 'none',
  },
  build: (command) =>
    command
      .argument('<post>', 'its id, or its URI')
      .argument('[file]', 'the new text in Markdown; standard input for -')
      .addOption(blogAtOption)
      .addOption(blogNodeOption)
      .addOption(draftsOption)
      .option('-m, --message <text>', 'the new text itself')
      .option('--title <title>', 'another title')
      .option('--tag <tag>', 'other tags (repeatable)', collect, [])
      .option('--language <code>', 'another language'),
  parse: ([post, file], flags): EditOptions => ({
    address: postOf(post, flags),
    input: { file, message: flags.message },
    told: {
      title: flags.title,
      tags: flags.tag,
      language: flags.language,
      isDraft: flags.drafts === true,
      id: undefined,
    },
  }),
  run: runEdit,
});

/** @throws NegativeError @throws StanzaError @throws UsageError */
export async function runEdit({ address, input, told }: EditOptions, context: Context): Promise<void> {
  const { output, signal, clock } = context;
  await using session = await context.connect();
  const stored = await readPost(session, address, { signal });
  const before = writtenPost(stored);
  const isTextNew = input.file !== undefined || input.message !== undefined;
  const isOnlyTold =
    !isTextNew && (told.title !== undefined || told.tags.length > 0 || told.language !== undefined);
  const written = isOnlyTold
    ? { ...before, ...withoutUndefined(told) }
    : { ...(isTextNew ? before : {}), ...(await readWritten(input, told, context, before)) };
  refuseEmpty(written.body, written.title);
  const payload = changedEntry(stored, written, new Date(clock.now()));
  const id = await publishItem(session, { ...address.feed, id: address.id, payload }, { signal });
  await output.result({ id, node: address.feed.node, uri: stored.uri }, (shown) =>
    safeText(shown.uri, { singleLine: true }),
  );
}

function withoutUndefined({ title, tags, language }: ToldPost): {
  title?: string;
  tags?: string[];
  language?: string;
} {
  return {
    ...(title !== undefined && { title }),
    ...(tags.length > 0 && { tags: [...tags] }),
    ...(language !== undefined && { language }),
  };
}
