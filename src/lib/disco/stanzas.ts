/**
 * XEP-0030: Service Discovery, version 2.5.0: what goes over the wire.
 */
import { DataForm } from '../forms/stanzas.js';
import { element, type Infer, type InferInput } from '../xml/codec.js';
import { attr, children, optional } from '../xml/fields.js';
import { jid } from '../xml/jid-scalar.js';

export const NS_DISCO_INFO = 'http://jabber.org/protocol/disco#info';
export const NS_DISCO_ITEMS = 'http://jabber.org/protocol/disco#items';

const Identity = element(NS_DISCO_INFO, 'identity', {
  category: attr('category'),
  type: attr('type'),
  lang: optional(attr('xml:lang')),
  name: optional(attr('name')),
});
export type Identity = Infer<typeof Identity>;

/** The answer as it is written: features as elements. `info.ts` gives it its handier form. */
export const DiscoInfoQuery = element(NS_DISCO_INFO, 'query', {
  node: optional(attr('node')),
  identities: children(Identity),
  features: children(element(NS_DISCO_INFO, 'feature', { var: attr('var') })),
  /** XEP-0128. */
  forms: children(DataForm),
});
export type DiscoInfoQuery = InferInput<typeof DiscoInfoQuery>;

const DiscoItem = element(NS_DISCO_ITEMS, 'item', {
  jid: attr('jid', jid),
  node: optional(attr('node')),
  name: optional(attr('name')),
});
export type DiscoItem = Infer<typeof DiscoItem>;

export const DiscoItemsQuery = element(NS_DISCO_ITEMS, 'query', {
  node: optional(attr('node')),
  items: children(DiscoItem),
});
