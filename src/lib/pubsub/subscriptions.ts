/** Who is told of what (XEP-0060 §5.6, §6.1, §6.2, §8.8), and who may do what (§5.7, §8.9). */
import type { Answers } from '../forms/answers.js';
import { DataForm } from '../forms/stanzas.js';
import type { JID } from '../jid/jid.js';
import type { WaitOptions } from '../session/session.js';
import { xml } from '../xml/element.js';
import { fullFieldNames } from './nodes.js';
import type { IqRequester, NodeAddress } from './requester.js';
import {
  NodeAffiliations,
  NodeSubscriptions,
  NS_PUBSUB,
  NS_PUBSUB_OWNER,
  NS_SUBSCRIBE_OPTIONS,
  PubsubAffiliations,
  PubsubSubscription,
  PubsubSubscriptions,
} from './stanzas.js';

export interface Subscription {
  node: string;
  jid: JID;
  /** `subscribed`, `pending`, `unconfigured` or `none`. */
  state: string;
  subid?: string;
}

export interface Affiliation {
  /** Of one's own affiliations: where. */
  node?: string;
  /** Of the affiliations of a node: whose. */
  jid?: JID;
  /** `owner`, `publisher`, `publish-only`, `member`, `none` or `outcast`. */
  affiliation: string;
}

export const affiliationNames = ['owner', 'publisher', 'publish-only', 'member', 'none', 'outcast'] as const;

/**
 * @param settings how (§6.3.7), by field name without `pubsub#`
 * @throws StanzaError
 */
export async function subscribe(
  requester: IqRequester,
  { service, node, settings = {} }: NodeAddress & { settings?: Answers },
  jid: JID,
  options?: WaitOptions,
): Promise<Subscription> {
  const fields = Object.entries(fullFieldNames(settings));
  const payload = xml(
    'pubsub',
    { xmlns: NS_PUBSUB },
    xml('subscribe', { node, jid: jid.toString() }),
    fields.length === 0
      ? undefined
      : xml(
          'options',
          { node, jid: jid.toString() },
          DataForm.encode({
            type: 'submit',
            fields: [
              { name: 'FORM_TYPE', type: 'hidden', values: [NS_SUBSCRIBE_OPTIONS] },
              ...fields.map(([name, values]) => ({ name, values: [...values] })),
            ],
          }),
        ),
  );
  const reply = await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
  const found = PubsubSubscription.find(reply)?.subscription;
  // §6.1.1: an answer without a subscription says that it was made.
  return found ? subscriptionOf(found, node) : { node, jid, state: 'subscribed' };
}

/** @param subid where there are several. @throws StanzaError */
export async function unsubscribe(
  requester: IqRequester,
  { service, node }: NodeAddress,
  jid: JID,
  subid?: string,
  options?: WaitOptions,
): Promise<void> {
  const payload = xml(
    'pubsub',
    { xmlns: NS_PUBSUB },
    xml('unsubscribe', { node, jid: jid.toString(), subid }),
  );
  await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
}

/** Of one's own, at a service. @param node only at this one. @throws StanzaError */
export async function fetchSubscriptions(
  requester: IqRequester,
  service: NodeAddress['service'],
  node?: string,
  options?: WaitOptions,
): Promise<Subscription[]> {
  const payload = xml('pubsub', { xmlns: NS_PUBSUB }, xml('subscriptions', { node }));
  const reply = await requester.request({ type: 'get', ...(service && { to: service }), payload }, options);
  const all = PubsubSubscriptions.find(reply)?.subscriptions?.subscriptions ?? [];
  return all.map((found) => subscriptionOf(found, node ?? ''));
}

/** Of everybody, at a node of one's own. @throws StanzaError */
export async function fetchNodeSubscriptions(
  requester: IqRequester,
  { service, node }: NodeAddress,
  options?: WaitOptions,
): Promise<Subscription[]> {
  const payload = xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, xml('subscriptions', { node }));
  const reply = await requester.request({ type: 'get', ...(service && { to: service }), payload }, options);
  const all = NodeSubscriptions.find(reply)?.subscriptions?.subscriptions ?? [];
  return all.map((found) => subscriptionOf(found, node));
}

/** One's own, at a service. @throws StanzaError */
export async function fetchAffiliations(
  requester: IqRequester,
  service: NodeAddress['service'],
  options?: WaitOptions,
): Promise<Affiliation[]> {
  const payload = xml('pubsub', { xmlns: NS_PUBSUB }, xml('affiliations'));
  const reply = await requester.request({ type: 'get', ...(service && { to: service }), payload }, options);
  return PubsubAffiliations.find(reply)?.affiliations?.affiliations ?? [];
}

/** Everybody's, at a node of one's own. @throws StanzaError */
export async function fetchNodeAffiliations(
  requester: IqRequester,
  { service, node }: NodeAddress,
  options?: WaitOptions,
): Promise<Affiliation[]> {
  const payload = xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, xml('affiliations', { node }));
  const reply = await requester.request({ type: 'get', ...(service && { to: service }), payload }, options);
  return NodeAffiliations.find(reply)?.affiliations?.affiliations ?? [];
}

/** Changes those that are named; `none` takes one away. @throws StanzaError */
export async function changeAffiliations(
  requester: IqRequester,
  { service, node }: NodeAddress,
  changes: readonly { jid: JID; affiliation: string }[],
  options?: WaitOptions,
): Promise<void> {
  const payload = xml(
    'pubsub',
    { xmlns: NS_PUBSUB_OWNER },
    xml(
      'affiliations',
      { node },
      changes.map(({ jid, affiliation }) => xml('affiliation', { jid: jid.toString(), affiliation })),
    ),
  );
  await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
}

/**
 * Says yes or no to whoever waits for the approval of an owner (§8.8.2): `subscribed` or `none`.
 *
 * @throws StanzaError
 */
export async function changeSubscriptions(
  requester: IqRequester,
  { service, node }: NodeAddress,
  changes: readonly { jid: JID; state: 'subscribed' | 'none' }[],
  options?: WaitOptions,
): Promise<void> {
  const payload = xml(
    'pubsub',
    { xmlns: NS_PUBSUB_OWNER },
    xml(
      'subscriptions',
      { node },
      changes.map(({ jid, state }) => xml('subscription', { jid: jid.toString(), subscription: state })),
    ),
  );
  await requester.request({ type: 'set', ...(service && { to: service }), payload }, options);
}

interface DecodedSubscription {
  node?: string | undefined;
  jid: JID;
  subscription: string;
  subid?: string | undefined;
}

function subscriptionOf(
  { node, jid, subscription, subid }: DecodedSubscription,
  asked: string,
): Subscription {
  return { node: node ?? asked, jid, state: subscription, ...(subid !== undefined && { subid }) };
}
