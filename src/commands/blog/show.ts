import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { PostAddress } from '../../lib/social/feed.js';
import { formatPost } from '../../lib/social/markdown.js';
import { makeEntry } from '../../lib/social/post.js';
import { readPost, type StoredPost } from '../../lib/social/read-posts.js';
import { writtenPost } from '../../lib/social/write-post.js';
import { serialize } from '../../lib/xml/serialize.js';
import type { Output } from '../../lib/output/output.js';
import type { JID } from '../../lib/jid/jid.js';
import {
  blogAtOption,
  blogNodeOption,
  draftsOption,
  feedCompletes,
  postOf,
  printedPost,
  renderPost,
} from './blog-flags.js';

export const showFormats = ['text', 'markdown', 'xhtml', 'atom'] as const;

export interface ShowOptions {
  address: PostAddress;
  format: (typeof showFormats)[number];
}

export const command = defineCommand({
  path: 'blog show',
  summary: 'read a post',
  description:
    'Prints a post for reading. --as markdown prints it as xmppctl blog edit opens it, --as xhtml its content without anything that could do harm, --as atom the entry.',
  examples: [
    { does: 'a post of somebody', line: 'xmppctl blog show first --at romeo@example.org' },
    {
      does: 'by its URI',
      line: "xmppctl blog show 'xmpp:romeo@example.org?;node=urn%3Axmpp%3Amicroblog%3A0;item=first'",
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object, as of xmppctl blog list.' }],
  exitCodes: { 1: 'there is no such post', 5: 'there is no such feed, or it may not be read' },
  completes: { ...feedCompletes, post: 'none', '--as': showFormats },
  build: (command) =>
    command
      .argument('<post>', 'its id, or its URI')
      .addOption(blogAtOption)
      .addOption(blogNodeOption)
      .addOption(draftsOption)
      .addOption(
        new Option('--as <format>', 'how it is printed').choices(showFormats).default('text' as const),
      ),
  parse: ([post], flags): ShowOptions => ({ address: postOf(post, flags), format: flags.as }),
  run: runShow,
});

/** @throws NegativeError @throws StanzaError */
export async function runShow({ address, format }: ShowOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const stored = await readPost(session, address, { signal });
  await output.result(printedPost(stored), () => render(stored, format, session.jid.bare, output));
}

function render(stored: StoredPost, format: ShowOptions['format'], own: JID, output: Output): string {
  const { post } = stored;
  const clean = (text: string): string => (output.isTerminal ? safeText(text) : text);
  switch (format) {
    case 'text':
      return renderPost(stored, own, output);
    case 'markdown':
      return clean(formatPost(writtenPost(stored)).replace(/\n$/, ''));
    case 'xhtml':
      return clean(serialize((post.content ?? post.title).xhtml ?? makeEntry(post)));
    case 'atom':
      return clean(serialize(stored.entry));
  }
}
