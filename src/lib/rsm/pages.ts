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
 * All items from a place on, in order. While the reader is at one page, the next is on its way.
 *
 * @param request.after the id of the last item that is known already
 * @throws ProtocolError the responder gives the same page again and again
 */
export async function* readPages<T>(
  fetchPage: (request: PageRequest) => Promise<Page<T>>,
  request: { pageSize: number; after?: string | undefined },
): AsyncGenerator<T, void, undefined> {
  const { pageSize, after } = request;
  const seen = new Set<string>(after === undefined ? [] : [after]);
  const fetchAfter = (id: string | undefined): Promise<Page<T>> =>
    fetchPage({ max: pageSize, ...(id !== undefined && { after: id }) });
  let coming: Promise<Page<T>> | undefined = fetchAfter(after);
  while (coming) {
    const page: Page<T> = await coming;
    const { items, set, isLast } = page;
    const last: string | undefined = set?.last;
    if (last !== undefined && seen.has(last)) {
      // It gives all it has, whatever is asked for: then it has been read.
      if (isEnd(set, items.length)) return;
      throw new ProtocolError(`the same page was sent twice: it ends with ${last}`);
    }
    const isOver =
      isLast === true ||
      last === undefined ||
      items.length === 0 ||
      (isLast === undefined && items.length < pageSize && isEnd(set, items.length));
    coming = isOver ? undefined : fetchAfter(last);
    // A reader who stops is not interested in its failure.
    coming?.catch(() => undefined);
    if (last !== undefined) seen.add(last);
    yield* items;
  }
}

/** Without `complete`, the position of the page in the whole tells; without a position a short page is not the end. */
function isEnd(set: PageInfo | undefined, size: number): boolean {
  const index = set?.first?.index;
  return index !== undefined && set?.count !== undefined && index + size >= set.count;
}
