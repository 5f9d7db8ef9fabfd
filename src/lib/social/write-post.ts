/** Publishing, changing and deleting posts. */
import { StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { publishItem, retractItem } from '../pubsub/items.js';
import { deleteNode } from '../pubsub/nodes.js';
import { isNotForUs, isNothingThere } from '../pubsub/requester.js';
import type { Session, WaitOptions } from '../session/session.js';
import { childElements, textContent, type Element } from '../xml/element.js';
import { postUri, type PostAddress } from './feed.js';
import { isPlainParagraph, markdownToXhtml, type WrittenPost } from './markdown.js';
import {
  commentsOf,
  formatTime,
  makeEntry,
  readEntry,
  type Author,
  type Post,
  type PostLink,
  type RichText,
} from './post.js';
import type { StoredPost } from './read-posts.js';

/** As long as a title that was made of a text gets. */
const MAX_TITLE = 140;

export interface ComposeOptions {
  address: PostAddress;
  author: Author & { jid: JID };
  now: Date;
  links?: readonly PostLink[];
  inReplyTo?: Post['inReplyTo'];
}

/** The post that somebody wrote, with all that has to be said about it. */
export function composePost(
  session: Pick<Session, 'jid'>,
  written: WrittenPost,
  { address, author, now, links = [], inReplyTo = [] }: ComposeOptions,
): Post {
  const { jid, ...shownAuthor } = author;
  const published = written.published ?? now;
  return {
    ...textsOf(written),
    atomId: `tag:${jid.domain},${formatTime(published).slice(0, 10)}:posts-${encodeURIComponent(address.id)}`,
    ...(written.language !== undefined && { language: written.language }),
    published,
    updated: now,
    authors: [{ uri: `xmpp:${jid.bare.toString()}`, ...shownAuthor }],
    tags: written.tags ?? [],
    links: [{ rel: 'alternate', href: postUri(session, address) }, ...links],
    inReplyTo: [...inReplyTo],
    isDraft: written.isDraft === true,
  };
}

/**
 * Title and content. A short text without a title is the title, as microblogs have it; of a longer one the beginning is.
 * The content is there as it was written, and as XHTML.
 */
function textsOf({ title, body }: WrittenPost): Pick<Post, 'title' | 'content'> {
  const xhtml = markdownToXhtml(body);
  const isPlain = isPlainParagraph(xhtml);
  if (title !== undefined)
    return { title: { text: title }, ...(body !== '' && { content: content(body, xhtml) }) };
  if (isPlain && body.length <= MAX_TITLE)
    return { title: { text: textContent(xhtml).trim().replace(/\s+/g, ' ') } };
  const [first = ''] = textContent(xhtml).trim().split('\n');
  return {
    title: { text: first.length <= MAX_TITLE ? first : `${beginning(first)}…` },
    content: content(body, xhtml),
  };
}

/** Up to a space, so that no word and no character is cut. */
function beginning(text: string): string {
  const cut = text.slice(0, MAX_TITLE - 1);
  const space = cut.lastIndexOf(' ');
  return (space > 0 ? cut.slice(0, space) : cut.replace(/[\ud800-\udbff]$/, '')).trimEnd();
}

function content(body: string, xhtml: Element): RichText {
  return { text: body, xhtml };
}

/** @returns the id of the item @throws StanzaError */
export async function publishPost(
  session: Session,
  { feed, id }: PostAddress,
  post: Post,
  wait?: WaitOptions,
): Promise<string> {
  return publishItem(session, { ...feed, id, payload: makeEntry(post) }, wait);
}

/** What a post was written as, to be changed. Content that was never text is taken from what is there to read. */
export function writtenPost({ post }: StoredPost): WrittenPost {
  const { title, content: body, tags, language, isDraft } = post;
  return {
    ...(body && { title: title.text }),
    tags,
    ...(language !== undefined && { language }),
    isDraft,
    body: body?.text ?? title.text,
  };
}

/** The elements of an entry that a change makes anew; all others stay as they are. */
const rewritten = new Set(['title', 'content', 'category', 'updated', 'control']);

/**
 * The entry with another text; what is not known here, the id, the time of publishing and the links stay.
 */
export function changedEntry({ entry }: Pick<StoredPost, 'entry'>, written: WrittenPost, now: Date): Element {
  const old = readEntry(entry);
  const fresh = makeEntry({
    ...textsOf(written),
    ...(written.language !== undefined && { language: written.language }),
    updated: now,
    authors: old?.authors ?? [],
    tags: written.tags ?? [],
    links: [],
    inReplyTo: old?.inReplyTo ?? [],
    isDraft: written.isDraft === true,
  });
  const kept = childElements(entry).filter((child) => !rewritten.has(child.getName()));
  const isKept = (child: Element): boolean => rewritten.has(child.getName());
  fresh.children = [...childElements(fresh).filter(isKept), ...kept];
  for (const child of kept) child.parent = fresh;
  for (const [name, value] of Object.entries(entry.attrs)) {
    if (name.startsWith('xmlns:') && typeof value === 'string') fresh.attrs[name] ??= value;
  }
  return fresh;
}

/**
 * Takes a post back, and with it its comments where they are ours.
 *
 * @throws StanzaError
 */
export async function deletePost(
  session: Session,
  { feed, id, post }: StoredPost,
  { keepsComments, ...wait }: WaitOptions & { keepsComments: boolean },
): Promise<void> {
  await retractItem(session, { ...feed, id }, wait);
  const comments = commentsOf(post);
  // A repost leads to the comments of somebody else's post.
  if (keepsComments || !comments || post.links.some(({ rel }) => rel === 'via')) return;
  try {
    await deleteNode(session, comments, wait);
  } catch (error) {
    if (!(error instanceof StanzaError) || !(isNotForUs(error) || isNothingThere(error))) throw error;
  }
}
