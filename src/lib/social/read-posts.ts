/** Posts as they are stored. */
import { NegativeError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { fetchItems, type PubsubItem } from '../pubsub/items.js';
import { readItems } from '../pubsub/read-items.js';
import type { NodeAddress } from '../pubsub/requester.js';
import type { Session, WaitOptions } from '../session/session.js';
import type { Element } from '../xml/element.js';
import { postUri, type PostAddress } from './feed.js';
import { readEntry, type Post } from './post.js';

export interface StoredPost extends PostAddress {
  uri: string;
  post: Post;
  /** Who the service says published it. */
  publisher?: string;
  /** As it came, with what is not known here. */
  entry: Element;
}

/** @returns undefined for an item that is no post: metadata of the feed (XEP-0277 §5), or something else */
export function storedPost(
  session: Pick<Session, 'jid'>,
  feed: NodeAddress,
  { id, publisher, payload }: PubsubItem,
): StoredPost | undefined {
  const post = payload && readEntry(payload);
  if (!post) return undefined;
  return {
    feed,
    id,
    uri: postUri(session, { feed, id }),
    post,
    entry: payload,
    ...(publisher !== undefined && { publisher }),
  };
}

/**
 * The newest first.
 * @param limit only so many
 * @throws StanzaError see `isNothingThere`
 */
export async function readPosts(
  session: Session,
  feed: NodeAddress,
  { limit, ...wait }: WaitOptions & { limit?: number | undefined } = {},
): Promise<StoredPost[]> {
  const posts: StoredPost[] = [];
  const add = (item: PubsubItem): void => {
    const post = storedPost(session, feed, item);
    if (post) posts.push(post);
  };
  if (limit === undefined) for await (const item of readItems(session, feed, wait)) add(item);
  else (await fetchItems(session, { ...feed, max: limit }, wait)).forEach(add);
  return posts.sort((a, b) => timeOf(b) - timeOf(a));
}

function timeOf({ post: { published, updated } }: StoredPost): number {
  return (published ?? updated)?.getTime() ?? 0;
}

/** @throws NegativeError it is not there, or is no post @throws StanzaError */
export async function readPost(
  session: Session,
  { feed, id }: PostAddress,
  wait?: WaitOptions,
): Promise<StoredPost> {
  const items = await fetchItems(session, { ...feed, ids: [id] }, wait);
  const item = items.find((one) => one.id === id);
  if (!item) throw new NegativeError(`there is no post ${id} in ${feed.node}`);
  const post = storedPost(session, feed, item);
  if (!post) throw new NegativeError(`${id} in ${feed.node} is no post`);
  return post;
}

/**
 * Whether the author of a post is who published it (XEP-0277 §9.1). Undefined when the service does not say who that
 * was, or the post names nobody.
 */
export function isByPublisher({ post: { authors }, publisher }: StoredPost): boolean | undefined {
  const [author] = authors;
  if (publisher === undefined || author?.uri === undefined) return undefined;
  const bare = (text: string): string =>
    text
      .replace(/^xmpp:/, '')
      .replace(/\/.*$/, '')
      .toLowerCase();
  return bare(author.uri) === bare(publisher);
}

/** The blog of an account is written by the account. */
export function authorNameOf({ post: { authors }, publisher, feed }: StoredPost, own: JID): string {
  const [author] = authors;
  return author?.name ?? author?.uri?.replace(/^xmpp:/, '') ?? publisher ?? (feed.service ?? own).toString();
}
