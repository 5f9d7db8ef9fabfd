/** Somebody else's post, in one's own blog (XEP-0277 §2.6). */
import { childNodes, xml, type Element } from '../xml/element.js';
import type { WrittenPost } from './markdown.js';
import { commentsLink, commentsOf, type Post, type RichText } from './post.js';
import type { StoredPost } from './read-posts.js';
import { composePost, type ComposeOptions } from './write-post.js';
import { NS_XHTML } from './xhtml.js';
import type { Session } from '../session/session.js';

/**
 * It names its author, leads to where it comes from, and its comments are those of the original. With words of one's own
 * it is a post of one's own that quotes the other.
 */
export function repost(
  session: Pick<Session, 'jid'>,
  original: StoredPost,
  remark: WrittenPost | undefined,
  options: ComposeOptions,
): Post {
  const { post } = original;
  const via = {
    rel: 'via',
    href: original.uri,
    ...(post.atomId !== undefined && { ref: post.atomId }),
  };
  const comments = commentsOf(post);
  const links = [via, ...(comments ? [commentsLink(comments)] : [])];
  const own = composePost(session, remark ?? { body: '' }, { ...options, links });
  if (!remark) {
    const { title, summary, content, language, published, tags } = post;
    return {
      ...own,
      title,
      ...(summary && { summary }),
      ...(content && { content }),
      ...(language !== undefined && { language }),
      ...(published && { published }),
      tags,
      authors: post.authors.length > 0 ? post.authors : authorOf(original),
    };
  }
  const quoted = post.content ?? post.title;
  const words = own.content ?? own.title;
  const xhtml = xml('div', { xmlns: NS_XHTML }, xml('blockquote', {}, nodesOf(quoted)), nodesOf(words));
  const text = `${quoted.text.replace(/^/gm, '> ')}\n\n${words.text}`;
  return { ...own, content: { text, xhtml } };
}

function nodesOf({ text, xhtml }: RichText): (Element | string)[] {
  return xhtml ? childNodes(xhtml) : [xml('p', {}, text)];
}

function authorOf({ publisher, feed }: StoredPost): Post['authors'] {
  const jid = publisher ?? feed.service?.toString();
  return jid === undefined ? [] : [{ name: jid, uri: `xmpp:${jid}` }];
}
