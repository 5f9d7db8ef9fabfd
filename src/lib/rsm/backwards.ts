/** Walking through a result set from its end (XEP-0059 §2.3), page by page. */
import { ProtocolError } from '../errors.js';
import type { Page } from './pages.js';
import type { PageRequest } from './stanzas.js';

/**
 * All items, the last one first.
 *
 * @throws ProtocolError the responder gives the same page again and again, or another one than the last at first
 */
export async function* readPagesBackwards<T>(
  fetchPage: (request: PageRequest) => Promise<Page<T>>,
  { pageSize }: { pageSize: number },
): AsyncGenerator<T, void, undefined> {
  let before = '';
  const seen = new Set<string>();
  for (;;) {
    const { items, set } = await fetchPage({ max: pageSize, before });
    const { index } = set?.first ?? {};
    if (before === '' && index !== undefined && set?.count !== undefined && index + items.length < set.count)
      throw new ProtocolError('the last page was asked for, and another one came');
    yield* items.toReversed();
    const first = set?.first?.id;
    if (first === undefined || items.length === 0 || index === 0) return;
    if (seen.has(first)) throw new ProtocolError(`the same page was sent twice: it begins with ${first}`);
    seen.add(first);
    before = first;
  }
}
