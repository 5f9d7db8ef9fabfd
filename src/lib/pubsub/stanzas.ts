/**
 * XEP-0060: Publish-Subscribe, version 1.30.0 and its profile for accounts, XEP-0163: Personal Eventing Protocol, version 1.2.2:
 * what goes over the wire.
 *
 * Here is what publishing, reading and configuring need. Not here: subscriptions, affiliations, events, collections.
 */
import { element, type Infer } from '../xml/codec.js';
import { attr, child, children, optional, rawChildren } from '../xml/fields.js';
import { DataForm } from '../forms/stanzas.js';

export const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';
export const NS_PUBSUB_OWNER = 'http://jabber.org/protocol/pubsub#owner';
export const NS_PUBSUB_ERRORS = 'http://jabber.org/protocol/pubsub#errors';
export const NS_PUBLISH_OPTIONS = 'http://jabber.org/protocol/pubsub#publish-options';
export const NS_NODE_CONFIG = 'http://jabber.org/protocol/pubsub#node_config';

export const PubsubItemElement = element(NS_PUBSUB, 'item', {
  id: optional(attr('id')),
  payloads: rawChildren(),
});

const Items = element(NS_PUBSUB, 'items', { node: attr('node'), items: children(PubsubItemElement) });
/** The answer to a request for items. */
export const PubsubItems = element(NS_PUBSUB, 'pubsub', { items: optional(child(Items)) });

const Published = element(NS_PUBSUB, 'publish', { node: attr('node'), items: children(PubsubItemElement) });
/** The answer to publishing, which may say what id the item got. */
export const PubsubPublished = element(NS_PUBSUB, 'pubsub', { publish: optional(child(Published)) });

const Configure = element(NS_PUBSUB_OWNER, 'configure', {
  node: optional(attr('node')),
  form: optional(child(DataForm)),
});
export const PubsubConfiguration = element(NS_PUBSUB_OWNER, 'pubsub', { configure: child(Configure) });
export type PubsubConfiguration = Infer<typeof PubsubConfiguration>;
