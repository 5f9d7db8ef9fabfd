/**
 * XEP-0059: Result Set Management, version 1.0.
 */
import { element, type Infer, type InferInput } from '../xml/codec.js';
import { attr, child, childText, optional, text } from '../xml/fields.js';
import { int, str, uint } from '../xml/scalars.js';

export const NS_RSM = 'http://jabber.org/protocol/rsm';

/** Which page is wanted. `before: ''` asks for the last one. */
export const PageRequest = element(NS_RSM, 'set', {
  max: optional(childText('max', uint)),
  after: optional(childText('after', str)),
  before: optional(childText('before', str)),
  index: optional(childText('index', uint)),
});
export type PageRequest = InferInput<typeof PageRequest>;

/**
 * Which page it is: the ids of its first and last item, and how many items there are in all.
 *
 * COMPAT(ejabberd 23.01): the place of the first is negative where `max_items` asks for more than there are.
 */
export const PageInfo = element(NS_RSM, 'set', {
  first: optional(child(element(NS_RSM, 'first', { index: optional(attr('index', int)), id: text() }))),
  last: optional(childText('last')),
  count: optional(childText('count', uint)),
});
export type PageInfo = Infer<typeof PageInfo>;
