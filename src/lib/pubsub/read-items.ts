/** All items of a node, however many there are (XEP-0060 §6.5, XEP-0059). */
import { readPages } from '../rsm/pages.js';
import type { WaitOptions } from '../session/session.js';
import { fetchItemsPage, type PubsubItem } from './items.js';
import type { IqRequester, NodeAddress } from './requester.js';

/** Pages are small, so that large items do not make a stanza that is refused. */
const PAGE_SIZE = 50;

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
  const seen = new Set<string>();
  const fetchPage = (request: { max?: number | undefined; after?: string | undefined }) =>
    fetchItemsPage(requester, address, request, options);
  for await (const item of readPages(fetchPage, { pageSize: PAGE_SIZE })) {
    if (seen.has(item.id)) continue;
    seen.add(item.id);
    yield item;
  }
}
