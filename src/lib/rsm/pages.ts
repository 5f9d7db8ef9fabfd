/**
 * Walking through a result set (XEP-0059 §2.2), page by page.
 */
import { ProtocolError } from '../errors.js';
import type { PageInfo, PageRequest } from './stanzas.js';

export interface Page<T> {
  items: readonly T[];
  /** Nothing when the responder does not page. */
  set: PageInfo | undefined;
  /** The responder says that this is the last page (XEP-0313 `complete`); found out by the pages themselves when left out. */
  isLast?: boolean;
}

/**
 * All items from a place on, in order, fetching the next page when the reader has read the last.
 *
 * @param request.after the id of the last item that is known already
 * @throws ProtocolError the responder gives the same page again and again
 */
export async function* readPages<T>(
  fetchPage: (request: PageRequest) => Promise<Page<T>>,
  request: { pageSize: number; after?: string | undefined },
): AsyncGenerator<T, void, undefined> {
  let { after } = request;
  const seen = new Set<string>(after === undefined ? [] : [after]);
  for (;;) {
    const { items, set, isLast } = await fetchPage({
      max: request.pageSize,
      ...(after !== undefined && { after }),
    });
    yield* items;
    const last = set?.last;
    if (isLast === true || last === undefined || items.length === 0) return;
    if (isLast === undefined && items.length < request.pageSize && isEnd(set, items.length)) return;
    if (seen.has(last)) throw new ProtocolError(`the same page was sent twice: it ends with ${last}`);
    seen.add(last);
    after = last;
  }
}

/** Without `complete`, the position of the page in the whole tells; without a position a short page is not the end. */
function isEnd(set: PageInfo | undefined, size: number): boolean {
  const index = set?.first?.index;
  return index !== undefined && set?.count !== undefined && index + size >= set.count;
}
