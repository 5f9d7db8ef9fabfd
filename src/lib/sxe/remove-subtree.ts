/**
 * Removing a node with everything in it, the innermost first, as XEP-0284 §10.5.2 wants it.
 */
import { attributeKey } from './namespaces.js';
import type { RemoveEdit } from './edits.js';
import type { SharedDocument } from './shared-document.js';

/**
 * The edits that remove a record: everything below it too, shown or not, and when it is an attribute, those that it hides.
 *
 * @param except records that have gone elsewhere, with what is below them
 */
export function removalsOf(
  document: SharedDocument,
  rid: string,
  except: ReadonlySet<string> = new Set(),
): RemoveEdit[] {
  const record = document.record(rid);
  if (!record) return [];
  const order = [rid];
  const seen = new Set(order);
  if (record.type === 'attr') {
    // Else the one below it would show instead.
    for (const twin of document.container(record.placedIn)?.attributeTwins(attributeKey(record.fields)) ??
      []) {
      if (!seen.has(twin.rid)) order.unshift(twin.rid);
    }
  }
  // It grows while it is gone through.
  for (const parent of order) {
    for (const child of document.container(parent)?.all() ?? []) {
      if (except.has(child.rid) || seen.has(child.rid)) continue;
      seen.add(child.rid);
      order.push(child.rid);
    }
  }
  return order.reverse().map((target): RemoveEdit => ({ kind: 'remove', target }));
}
