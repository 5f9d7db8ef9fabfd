/** Comments on posts: a node for each post (XEP-0277 §3). */
import { NegativeError, StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { NodeUri } from '../jid/xmpp-uri.js';
import { findPubsubService } from '../pubsub/find-service.js';
import { prepareNode } from '../pubsub/prepare-node.js';
import type { Session, WaitOptions } from '../session/session.js';
import { feedSettings, MICROBLOG } from './feed.js';
import { commentsOf, linksOf } from './post.js';
import type { StoredPost } from './read-posts.js';

/** COMPAT(Movim, Libervia): both look for the node under this name where a post does not say. */
export function commentsNodeOf(id: string): string {
  return `${MICROBLOG}:comments/${id}`;
}

export interface MakeCommentsOptions extends WaitOptions {
  /** The publish-subscribe service of the server, and where it has none the account itself, when undefined. */
  service: JID | undefined;
  warn: (text: string) => void;
}

/**
 * Makes the node for the comments on a post: anybody may read and write there.
 *
 * @throws StanzaError neither the service nor the account takes it
 */
export async function makeCommentsNode(
  session: Session,
  id: string,
  { service, warn, ...wait }: MakeCommentsOptions,
): Promise<NodeUri> {
  const node = commentsNodeOf(id);
  const settings = { ...feedSettings, access_model: ['open'], publish_model: ['open'] };
  const found = service ?? (await findPubsubService(session, wait));
  if (found) {
    try {
      await prepareNode(session, { service: found, node }, settings, { reconfigures: false, warn, ...wait });
      return { service: found, node };
    } catch (error) {
      if (service || !(error instanceof StanzaError)) throw error;
      warn(`${found.toString()} does not take comments (${error.condition}): they are kept at the account`);
    }
  }
  await prepareNode(session, { node }, settings, { reconfigures: false, warn, ...wait });
  return { service: session.jid.bare, node };
}

/** @throws NegativeError the post has none */
export function commentsNode(stored: StoredPost): NodeUri {
  const comments = commentsOf(stored.post);
  if (comments) return comments;
  throw new NegativeError(`nobody can comment on ${stored.id}: it says nothing of comments`, {
    hint: linksOf(stored.post, 'replies').length > 0 ? 'its comments are not on XMPP' : '',
  });
}

/** What a comment says that it is about. */
export function replyTo(stored: StoredPost): { ref?: string; href: string } {
  return { ...(stored.post.atomId !== undefined && { ref: stored.post.atomId }), href: stored.uri };
}
