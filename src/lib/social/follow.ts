/** Posts as they are published. */
import { JID } from '../jid/jid.js';
import { fetchItems } from '../pubsub/items.js';
import type { NodeAddress } from '../pubsub/requester.js';
import type { SeenItems } from '../pubsub/seen-items.js';
import { watchNodes } from '../pubsub/watch-nodes.js';
import type { Session } from '../session/session.js';
import { merge } from './merge.js';
import { MICROBLOG } from './feed.js';
import { storedPost, type StoredPost } from './read-posts.js';

export interface FollowOptions {
  /** The blogs of all contacts when empty. */
  feeds: readonly NodeAddress[];
  /** For each feed, in the same order: what was seen before. Undefined: only what comes from now on. */
  seen: readonly SeenItems[] | undefined;
  signal: AbortSignal;
  warn: (text: string) => void;
}

export type FollowEvent =
  | { kind: 'post'; stored: StoredPost; isCatchUp: boolean }
  | { kind: 'deleted'; feed: NodeAddress; id: string };

/** @throws StanzaError a feed is not there, or may not be read @throws ConnectionLostError */
export async function* followPosts(
  session: Session,
  { feeds, seen, signal, warn }: FollowOptions,
): AsyncGenerator<FollowEvent, void, undefined> {
  const watched = feeds.length === 0 ? [undefined] : feeds;
  const starts = watched.map(
    (feed, index) => (either: AbortSignal) =>
      followOne(session, feed, { seen: seen?.[index], signal: either, warn }),
  );
  yield* merge(starts, signal);
}

async function* followOne(
  session: Session,
  feed: NodeAddress | undefined,
  options: { seen: SeenItems | undefined; signal: AbortSignal; warn: (text: string) => void },
): AsyncGenerator<FollowEvent, void, undefined> {
  const node = feed?.node ?? MICROBLOG;
  const service = feed ? feed.service : 'contacts';
  for await (const event of watchNodes(session, { service, nodes: [node], ...options })) {
    if (event.kind !== 'item' && event.kind !== 'retract') continue;
    const from = { node, service: JID.fromServer(event.service) };
    if (event.kind === 'retract') {
      yield { kind: 'deleted', feed: from, id: event.id };
      continue;
    }
    // XEP-0472 §5.1.1: posts may be told of without their content.
    const item = event.payload
      ? event
      : (await fetchItems(session, { ...from, ids: [event.id] }, { signal: options.signal }))[0];
    const stored = item && storedPost(session, from, item);
    if (stored) yield { kind: 'post', stored, isCatchUp: event.isCatchUp };
  }
}
