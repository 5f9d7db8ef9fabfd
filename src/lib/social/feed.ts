/** Where posts are: the blog of an account (XEP-0277 §2.1), or a node of a service (XEP-0472 §4.1). */
import { UsageError } from '../errors.js';
import type { Answers } from '../forms/answers.js';
import { formatNodeUri, parseAddress, parseNodeUri } from '../jid/xmpp-uri.js';
import { prepareNode } from '../pubsub/prepare-node.js';
import type { NodeAddress } from '../pubsub/requester.js';
import type { AccessModel } from '../pubsub/nodes.js';
import type { Session, WaitOptions } from '../session/session.js';

export const MICROBLOG = 'urn:xmpp:microblog:0';
const SOCIAL_FEED = 'urn:xmpp:pubsub-social-feed:1';
/** Seen by nobody but the account. */
export const DRAFTS = 'xmppctl:drafts';

/**
 * The feed that somebody names: an account, or the URI of a node.
 *
 * @throws UsageError it is neither
 */
export function parseFeed(text: string): NodeAddress {
  const uri = parseNodeUri(text);
  if (uri) return { service: uri.service, node: uri.node };
  const jid = parseAddress(text).bare;
  if (jid.local === undefined) {
    throw new UsageError(`${text} is a service, and not one feed`, {
      hint: `name its node: xmpp:${text}?;node=NODE`,
    });
  }
  return { service: jid, node: MICROBLOG };
}

export interface PostAddress {
  feed: NodeAddress;
  id: string;
}

/** A post by its id in a feed, or by its own URI. */
export function parsePostAddress(text: string, feed: NodeAddress): PostAddress {
  const uri = parseNodeUri(text);
  if (uri?.item === undefined) return { feed, id: text };
  return { feed: { service: uri.service, node: uri.node }, id: uri.item };
}

export function postUri(session: Pick<Session, 'jid'>, { feed, id }: PostAddress): string {
  return formatNodeUri({ service: feed.service ?? session.jid.bare, node: feed.node, item: id });
}

export interface EnsureOptions extends WaitOptions {
  access: AccessModel;
  warn: (text: string) => void;
}

/** Makes the node of a feed where it is not there, as the specifications recommend (XEP-0277 §4.1, XEP-0472 §5.1.1). */
export function ensureFeed(
  session: Session,
  feed: NodeAddress,
  { access, ...options }: EnsureOptions,
): Promise<boolean> {
  const isPersonal = feed.node === MICROBLOG || feed.node === DRAFTS;
  return prepareNode(
    session,
    feed,
    { ...feedSettings, access_model: [access], type: [isPersonal ? MICROBLOG : SOCIAL_FEED] },
    { ...options, reconfigures: false },
  );
}

export const feedSettings: Answers = {
  notify_retract: ['1'],
  persist_items: ['1'],
  max_items: ['max'],
  send_last_published_item: ['never'],
};
