import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { formatNodeUri } from '../../lib/jid/xmpp-uri.js';
import { MarkFile } from '../../lib/messaging/mark.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { SeenItems } from '../../lib/pubsub/seen-items.js';
import { parseFeed, postUri } from '../../lib/social/feed.js';
import { followPosts, type FollowEvent } from '../../lib/social/follow.js';
import type { Session } from '../../lib/session/session.js';
import { printedPost, renderPost } from './blog-flags.js';

export interface FollowCommandOptions {
  feeds: readonly NodeAddress[];
  count: number | undefined;
  markFile: string | undefined;
}

export const command = defineCommand({
  path: 'blog follow',
  summary: 'print posts as they are published',
  description: [
    'Prints what is posted in the feeds that are named, or without names by all contacts, until it is interrupted, or --count of them were printed. Posts that are changed are printed again; of a post that is deleted its URI is.',
    'With --mark, what was seen is kept in a file: posts that came while nobody looked are printed first, and nothing is printed twice. With a new file all that is there comes first. It wants feeds that are named.',
  ].join('\n\n'),
  examples: [
    { does: 'what contacts post', line: 'xmppctl blog follow' },
    {
      does: 'people and communities, missing nothing',
      line: "xmppctl blog follow romeo@example.org 'xmpp:news.example.org?;node=verona' --mark ~/.cache/blogs",
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: event (post or deleted), and of a post what xmppctl blog list prints, of a deleted one id and uri.',
    },
  ],
  exitCodes: {
    0: '--count was reached, or the reader of the output has gone',
    5: 'a feed is not there, or may not be read',
    130: 'interrupted; what had been printed is complete',
  },
  completes: { feeds: 'jid', '--count': 'none', '--mark': 'file' },
  build: (command) =>
    command
      .argument('[feeds...]', 'accounts, or URIs of nodes; all contacts when left out')
      .option('-c, --count <n>', 'end after n posts')
      .option('--mark <file>', 'keep what was seen in this file, and begin with what was not'),
  parse: ([feeds], flags): FollowCommandOptions => {
    if (flags.count !== undefined && !/^[1-9]\d{0,8}$/.test(flags.count))
      throw new UsageError(`--count takes a number of 1 or more, not ${flags.count}`);
    if (flags.mark !== undefined && feeds.length === 0)
      throw new UsageError('--mark wants feeds that are named');
    return {
      feeds: feeds.map(parseFeed),
      count: flags.count === undefined ? undefined : Number(flags.count),
      markFile: flags.mark,
    };
  },
  run: runFollow,
});

/** @throws StanzaError @throws UsageError the file of --mark is something else */
export async function runFollow(
  { feeds, count, markFile }: FollowCommandOptions,
  context: Context,
): Promise<void> {
  const { output, signal, clock } = context;
  const mark = markFile === undefined ? undefined : new MarkFile(markFile, () => clock.now());
  const known = mark && readMark(await mark.load(), markFile ?? '');
  await using session = await context.connect({ resume: true });
  output.detail(`following as ${session.jid.toString()}`);
  const nameOf = (feed: NodeAddress): string =>
    formatNodeUri({ service: feed.service ?? session.jid.bare, node: feed.node });
  const seen = known && feeds.map((feed) => known.get(nameOf(feed)) ?? SeenItems.empty());
  const state = (): string | undefined =>
    seen &&
    JSON.stringify(
      Object.fromEntries(feeds.map((feed, index) => [nameOf(feed), seen[index]?.toString() ?? ''])),
    );
  let printed = 0;
  try {
    for await (const event of followPosts(session, {
      feeds,
      seen,
      signal,
      warn: (text) => output.warn(text),
    })) {
      await output.item(printedEvent(event, session), (shown) => render(event, session, context, shown.uri));
      if (mark) await output.flush();
      await mark?.move(state());
      printed += 1;
      if (printed === count) break;
    }
    signal.throwIfAborted();
  } finally {
    await output.flush();
    await mark?.save(state());
  }
}

/** @throws UsageError */
function readMark(text: string | undefined, file: string): Map<string, SeenItems> {
  const notOurs = new UsageError(`${file} was not written by --mark of xmppctl blog follow`);
  if (text === undefined) return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notOurs;
  }
  if (typeof value !== 'object' || value === null) throw notOurs;
  return new Map(
    Object.entries(value).map(([feed, seen]) => {
      const items = typeof seen === 'string' ? SeenItems.parse(seen) : undefined;
      if (!items) throw notOurs;
      return [feed, items];
    }),
  );
}

function printedEvent(event: FollowEvent, session: Session) {
  if (event.kind === 'post') return { event: event.kind, ...printedPost(event.stored) };
  return { event: event.kind, id: event.id, uri: postUri(session, event) };
}

function render(event: FollowEvent, session: Session, { output }: Context, uri: string): string {
  if (event.kind === 'post') return `${renderPost(event.stored, session.jid.bare, output)}\n`;
  return `${output.style.dim(`deleted: ${safeText(uri, { singleLine: true })}`)}\n`;
}
