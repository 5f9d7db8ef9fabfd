/** What the commands about posts have in common. */
import { Option } from '@commander-js/extra-typings';
import { NegativeError, UsageError } from '../../lib/errors.js';
import type { Output } from '../../lib/output/output.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { fetchNick } from '../../lib/user-state/nick.js';
import type { Session, WaitOptions } from '../../lib/session/session.js';
import { DRAFTS, MICROBLOG, parsePostAddress, type PostAddress } from '../../lib/social/feed.js';
import { bodyOf, commentsOf, linksOf, type Author } from '../../lib/social/post.js';
import { authorNameOf, isByPublisher, type StoredPost } from '../../lib/social/read-posts.js';
import { xhtmlToText, type TextStyle } from '../../lib/social/xhtml.js';
import { formatNodeUri } from '../../lib/jid/xmpp-uri.js';
import type { JID } from '../../lib/jid/jid.js';
import { serialize } from '../../lib/xml/serialize.js';
import { serviceOf } from '../pubsub/pubsub-flags.js';

export const blogAtOption = new Option(
  '--at <jid>',
  'the account, or the service, that has the feed; the own account when left out',
);
export const blogNodeOption = new Option(
  '--node <node>',
  `the node of the feed; the blog of the account (${MICROBLOG}) when left out`,
);
export const draftsOption = new Option('--drafts', 'the drafts of the own account');

export const feedCompletes = { '--at': 'jid', '--node': 'none' } as const;

export interface FeedFlags {
  at?: string | undefined;
  node?: string | undefined;
  drafts?: true | undefined;
}

/** @throws UsageError --drafts with another place */
export function feedOf({ at, node, drafts }: FeedFlags): NodeAddress {
  if (drafts === true) {
    if (at !== undefined || node !== undefined) throw new UsageError('--drafts are those of the own account');
    return { node: DRAFTS };
  }
  if (at !== undefined && node === undefined && serviceOf(at).local === undefined)
    throw new UsageError(`${at} is a service, and not one feed`, { hint: 'name its node with --node' });
  return { node: node ?? MICROBLOG, ...(at !== undefined && { service: serviceOf(at) }) };
}

/** An id in the feed that the flags name, or the URI of a post. */
export function postOf(text: string, flags: FeedFlags): PostAddress {
  return parsePostAddress(text, feedOf(flags));
}

/** Who writes: by the name that was given, or the nickname of the account, or its local part. */
export async function authorOf(
  session: Session,
  name: string | undefined,
  wait: WaitOptions,
): Promise<Author & { jid: JID }> {
  const jid = session.jid.bare;
  return { jid, name: name ?? (await fetchNick(session, undefined, wait)) ?? jid.local ?? jid.domain };
}

export interface PrintedPost {
  id: string;
  uri: string;
  title: string;
  text: string;
  xhtml?: string;
  summary?: string;
  language?: string;
  published?: string;
  updated?: string;
  authors: readonly Author[];
  publisher?: string;
  /** The author is who published it; left out where that cannot be known. */
  isAuthorVerified?: boolean;
  tags: readonly string[];
  links: StoredPost['post']['links'];
  /** The URI of the node with the comments. */
  comments?: string;
  inReplyTo: StoredPost['post']['inReplyTo'];
  isDraft: boolean;
}

export function printedPost(stored: StoredPost): PrintedPost {
  const { id, uri, post, publisher } = stored;
  const { title, summary, language, published, updated, authors, tags, links, inReplyTo, isDraft } = post;
  const body = bodyOf(post);
  const comments = commentsOf(post);
  const isVerified = isByPublisher(stored);
  return {
    id,
    uri,
    title: title.text,
    text: body.text,
    ...(body.xhtml && { xhtml: serialize(body.xhtml) }),
    ...(summary && { summary: summary.text }),
    ...(language !== undefined && { language }),
    ...(published && { published: published.toISOString() }),
    ...(updated && { updated: updated.toISOString() }),
    authors,
    ...(publisher !== undefined && { publisher }),
    ...(isVerified !== undefined && { isAuthorVerified: isVerified }),
    tags,
    links,
    ...(comments && { comments: formatNodeUri(comments) }),
    inReplyTo,
    isDraft,
  };
}

/** A line: time, id and title. */
export function renderPostLine({ id, title, published, updated }: PrintedPost): string {
  const time = (published ?? updated ?? '').slice(0, 16).replace('T', ' ');
  return [time, id, title].map((text) => safeText(text, { singleLine: true })).join('\t');
}

/** As somebody reads it at a terminal. */
export function renderPost(stored: StoredPost, own: JID, { style }: Pick<Output, 'style'>): string {
  const { post, uri } = stored;
  const line = (text: string): string => safeText(text, { singleLine: true });
  const textStyle: TextStyle = {
    strong: (text) => style.strong(text),
    dim: (text) => style.dim(text),
    clean: (text) => safeText(text),
  };
  const { xhtml, text } = bodyOf(post);
  const content = xhtml ? xhtmlToText(xhtml, textStyle) : safeText(text);
  const byLine = [
    `${line(authorNameOf(stored, own))}${isByPublisher(stored) === false ? ' (not the one who published it)' : ''}`,
    (post.published ?? post.updated)?.toISOString().slice(0, 16).replace('T', ' '),
    ...(post.tags.length > 0 ? [line(post.tags.map((tag) => `#${tag}`).join(' '))] : []),
  ].filter((part) => part !== undefined);
  const via = linksOf(post, 'via').map(({ href }) => style.dim(`via ${line(href)}`));
  const attached = linksOf(post, 'enclosure').map(({ href, title }) =>
    style.dim(`attached: ${title === undefined ? '' : `${line(title)} `}<${line(href)}>`),
  );
  const isTitleAll = post.title.text === text;
  return [
    ...(isTitleAll ? [] : [style.strong(line(post.title.text))]),
    style.dim(byLine.join(' · ')),
    ...via,
    '',
    content,
    ...(attached.length > 0 ? ['', ...attached] : []),
    '',
    style.dim(line(uri)),
  ].join('\n');
}

/** @throws NegativeError */
export function refuseEmpty(body: string, title: string | undefined): void {
  if (body.trim() === '' && (title ?? '').trim() === '') throw new NegativeError('there is nothing to post');
}
