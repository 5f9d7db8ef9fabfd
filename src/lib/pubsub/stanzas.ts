/**
 * XEP-0060: Publish-Subscribe, version 1.30.0 and its profile for accounts, XEP-0163: Personal Eventing Protocol, version 1.2.2:
 * what goes over the wire.
 *
 * Not here: the tree of collections as events (it is read by service discovery), leases, several subscriptions of one
 * address to a node.
 */
import { element, type Infer } from '../xml/codec.js';
import { attr, child, children, optional, rawChildren } from '../xml/fields.js';
import { DataForm } from '../forms/stanzas.js';
import { PageInfo } from '../rsm/stanzas.js';
import { jid } from '../xml/jid-scalar.js';

export const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';
export const NS_PUBSUB_OWNER = 'http://jabber.org/protocol/pubsub#owner';
export const NS_PUBSUB_ERRORS = 'http://jabber.org/protocol/pubsub#errors';
export const NS_PUBLISH_OPTIONS = 'http://jabber.org/protocol/pubsub#publish-options';
export const NS_SUBSCRIBE_OPTIONS = 'http://jabber.org/protocol/pubsub#subscribe_options';
export const NS_META_DATA = 'http://jabber.org/protocol/pubsub#meta-data';
export const NS_NODE_CONFIG = 'http://jabber.org/protocol/pubsub#node_config';

export const PubsubItemElement = element(NS_PUBSUB, 'item', {
  id: optional(attr('id')),
  publisher: optional(attr('publisher')),
  payloads: rawChildren(),
});

const Items = element(NS_PUBSUB, 'items', { node: attr('node'), items: children(PubsubItemElement) });
/** The answer to a request for items. */
export const PubsubItems = element(NS_PUBSUB, 'pubsub', {
  items: optional(child(Items)),
  set: optional(child(PageInfo)),
});

const Published = element(NS_PUBSUB, 'publish', { node: attr('node'), items: children(PubsubItemElement) });
/** The answer to publishing, which may say what id the item got. */
export const PubsubPublished = element(NS_PUBSUB, 'pubsub', { publish: optional(child(Published)) });

const Configure = element(NS_PUBSUB_OWNER, 'configure', {
  node: optional(attr('node')),
  form: optional(child(DataForm)),
});
export const PubsubConfiguration = element(NS_PUBSUB_OWNER, 'pubsub', { configure: child(Configure) });
export type PubsubConfiguration = Infer<typeof PubsubConfiguration>;

export const PubsubDefault = element(NS_PUBSUB_OWNER, 'pubsub', {
  default: child(element(NS_PUBSUB_OWNER, 'default', { form: optional(child(DataForm)) })),
});

const subscriptionAttributes = {
  node: optional(attr('node')),
  jid: attr('jid', jid),
  subscription: attr('subscription'),
  subid: optional(attr('subid')),
};
/** One subscription: the answer to subscribing. */
export const PubsubSubscription = element(NS_PUBSUB, 'pubsub', {
  subscription: optional(child(element(NS_PUBSUB, 'subscription', subscriptionAttributes))),
});

const ownSubscriptions = element(NS_PUBSUB, 'subscriptions', {
  subscriptions: children(element(NS_PUBSUB, 'subscription', subscriptionAttributes)),
});
export const PubsubSubscriptions = element(NS_PUBSUB, 'pubsub', {
  subscriptions: optional(child(ownSubscriptions)),
});

const nodeSubscriptions = element(NS_PUBSUB_OWNER, 'subscriptions', {
  subscriptions: children(element(NS_PUBSUB_OWNER, 'subscription', subscriptionAttributes)),
});
/** Of a node, as its owner sees them. */
export const NodeSubscriptions = element(NS_PUBSUB_OWNER, 'pubsub', {
  subscriptions: optional(child(nodeSubscriptions)),
});

const ownAffiliations = element(NS_PUBSUB, 'affiliations', {
  affiliations: children(
    element(NS_PUBSUB, 'affiliation', { node: attr('node'), affiliation: attr('affiliation') }),
  ),
});
export const PubsubAffiliations = element(NS_PUBSUB, 'pubsub', {
  affiliations: optional(child(ownAffiliations)),
});

const nodeAffiliations = element(NS_PUBSUB_OWNER, 'affiliations', {
  affiliations: children(
    element(NS_PUBSUB_OWNER, 'affiliation', { jid: attr('jid', jid), affiliation: attr('affiliation') }),
  ),
});
/** Of a node, as its owner sees them. */
export const NodeAffiliations = element(NS_PUBSUB_OWNER, 'pubsub', {
  affiliations: optional(child(nodeAffiliations)),
});
