/** All items of a node, however many there are (XEP-0060 §6.5, XEP-0059). */
import { readPagesBackwards } from '../rsm/backwards.js';
import { readPages, type Page } from '../rsm/pages.js';
import type { PageRequest } from '../rsm/stanzas.js';
import type { WaitOptions } from '../session/session.js';
import { fetchItems, fetchItemsPage, type PubsubItem } from './items.js';
import type { IqRequester, NodeAddress } from './requester.js';

/** Pages are small, so that large items do not make a stanza that is refused. */
const pages = { pageSize: 50 };

/**
 * In the order of the service, each once: an item that changed place while it was read is not given twice.
 *
 * @throws StanzaError see `isNothingThere` @throws ProtocolError the service sends the same page again and again
 */
export async function* readItems(
  requester: IqRequester,
  address: NodeAddress,
  options?: WaitOptions,
): AsyncGenerator<PubsubItem, void, undefined> {
  yield* once(readPages((request) => fetchItemsPage(requester, address, request, options), pages));
}

/**
 * The oldest first, so that whoever publishes them again ends with the same node.
 *
 * The specification wants this order (XEP-0060 §12.16), and there are services that give the newest first: where the
 * most recent item (§6.5.7) is the first of them, they are read from the end.
 *
 * @throws StanzaError see `isNothingThere` @throws ProtocolError the service sends the same page again and again
 */
export async function* readItemsOldestFirst(
  requester: IqRequester,
  address: NodeAddress,
  options?: WaitOptions,
): AsyncGenerator<PubsubItem, void, undefined> {
  const fetchPage = (request: PageRequest): Promise<Page<PubsubItem>> =>
    fetchItemsPage(requester, address, request, options);
  const [[latest], { items, set }] = await Promise.all([
    fetchItems(requester, { ...address, max: 1 }, options),
    fetchPage({ max: pages.pageSize }),
  ]);
  const isNewestFirst = items.length > 1 && items[0]?.id === latest?.id;
  if (isNewestFirst && set) yield* once(readPagesBackwards(fetchPage, pages));
  // It does not page: these are all of them.
  else if (isNewestFirst) yield* items.toReversed();
  else yield* once(readPages(firstFrom({ items, set }, fetchPage), pages));
}

/** The first page is here already. */
function firstFrom<T>(
  first: Page<T>,
  fetchPage: (request: PageRequest) => Promise<Page<T>>,
): (request: PageRequest) => Promise<Page<T>> {
  return (request) => (request.after === undefined ? Promise.resolve(first) : fetchPage(request));
}

async function* once(items: AsyncIterable<PubsubItem>): AsyncGenerator<PubsubItem, void, undefined> {
  const seen = new Set<string>();
  for await (const item of items) {
    if (seen.has(item.id)) continue;
    seen.add(item.id);
    yield item;
  }
}
