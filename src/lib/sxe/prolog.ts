/**
 * The prolog of a document on its way: a `data:` URI (RFC 2397).
 */

/** An XML declaration and a document type that declares nothing itself; whatever else comes as a prolog is not kept. */
const PROLOG = /^\s*(<\?xml\s[^?<>]*\?>)?\s*(<!DOCTYPE\s(?:[^<>[\]"']|"[^"<]*"|'[^'<]*')*>)?\s*$/;
const MAX_PROLOG_LENGTH = 4096;

export function encodeProlog(prolog: string): string {
  return `data:text/xml,${encodeURIComponent(prolog)}`;
}

/** The text of a prolog; empty when there is none, or one that could change what the document means. */
export function decodeProlog(uri: string): string {
  const match = /^data:([^,]*),([^]*)$/.exec(uri);
  if (!match) return '';
  const [, mediaType = '', data = ''] = match;
  const text = /;\s*base64\s*$/i.test(mediaType)
    ? Buffer.from(decodePercent(data), 'base64').toString('utf8')
    : decodePercent(data);
  return text.length <= MAX_PROLOG_LENGTH && PROLOG.test(text) ? text : '';
}

/** COMPAT(Psi+ 1.4): the prolog comes as it is, with nothing encoded. */
function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
