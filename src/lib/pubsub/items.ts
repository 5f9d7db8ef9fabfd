/** Publishing, reading and retracting items (XEP-0060 §6.5, §7). */
import { DataForm } from '../forms/stanzas.js';
import type { Page } from '../rsm/pages.js';
import { PageRequest } from '../rsm/stanzas.js';
import type { WaitOptions } from '../session/session.js';
import type { Infer } from '../xml/codec.js';
import { xml, type Element } from '../xml/element.js';
import type { IqRequester, NodeAddress } from './requester.js';
import { NS_PUBLISH_OPTIONS, NS_PUBSUB, PubsubItems, PubsubPublished } from './stanzas.js';

export interface PubsubItem {
  id: string;
  /** Who published it, where the service says so. */
  publisher?: string | undefined;
  payload: Element | undefined;
}

export interface Publication extends NodeAddress {
  /** Chosen by the service when left out. */
  id?: string;
  payload: Element;
  /** How the node has to be configured (§7.1.5), by field name without `pubsub#`. */
  publishOptions?: Readonly<Record<string, string>>;
}

/**
 * @returns the id of the item
 * @throws StanzaError
 */
export async function publishItem(
  requester: IqRequester,
  { service, node, id, payload, publishOptions }: Publication,
  options?: WaitOptions,
): Promise<string> {
  const wanted = publishOptions && Object.entries(publishOptions);
  const request = xml(
    'pubsub',
    { xmlns: NS_PUBSUB },
    xml('publish', { node }, xml('item', { id }, payload)),
    wanted &&
      xml(
        'publish-options',
        {},
        DataForm.encode({
          type: 'submit',
          fields: [
            { name: 'FORM_TYPE', type: 'hidden', values: [NS_PUBLISH_OPTIONS] },
            ...wanted.map(([name, value]) => ({ name: `pubsub#${name}`, values: [value] })),
          ],
        }),
      ),
  );
  const reply = await requester.request({ type: 'set', ...to(service), payload: request }, options);
  return PubsubPublished.find(reply)?.publish?.items[0]?.id ?? id ?? '';
}

export interface ItemsWanted extends NodeAddress {
  /** All, when left out. */
  ids?: readonly string[];
  /** Only the latest. */
  max?: number;
}

/** @throws StanzaError see `isNothingThere` for a node that is not there */
export async function fetchItems(
  requester: IqRequester,
  { service, node, ids = [], max }: ItemsWanted,
  options?: WaitOptions,
): Promise<PubsubItem[]> {
  const payload = xml(
    'pubsub',
    { xmlns: NS_PUBSUB },
    xml('items', { node, max_items: max }, ...ids.map((id) => xml('item', { id }))),
  );
  const reply = await requester.request({ type: 'get', ...to(service), payload }, options);
  return itemsIn(PubsubItems.find(reply));
}

/** A page of items (XEP-0060 §6.5.4). A service that does not page answers with all it gives, and without `set`. */
export async function fetchItemsPage(
  requester: IqRequester,
  { service, node }: NodeAddress,
  request: PageRequest,
  options?: WaitOptions,
): Promise<Page<PubsubItem>> {
  const payload = xml('pubsub', { xmlns: NS_PUBSUB }, xml('items', { node }), PageRequest.encode(request));
  const reply = await requester.request({ type: 'get', ...to(service), payload }, options);
  const answer = PubsubItems.find(reply);
  return { items: itemsIn(answer), set: answer?.set };
}

function itemsIn(answer: Infer<typeof PubsubItems> | undefined): PubsubItem[] {
  return (answer?.items?.items ?? []).map(({ id = '', publisher, payloads }) => ({
    id,
    ...(publisher !== undefined && { publisher }),
    payload: payloads[0],
  }));
}

/** @throws StanzaError */
export async function retractItem(
  requester: IqRequester,
  { service, node, id }: NodeAddress & { id: string },
  options?: WaitOptions,
): Promise<void> {
  const payload = xml(
    'pubsub',
    { xmlns: NS_PUBSUB },
    xml('retract', { node, notify: 'true' }, xml('item', { id })),
  );
  await requester.request({ type: 'set', ...to(service), payload }, options);
}

function to(service: NodeAddress['service']): { to?: NonNullable<NodeAddress['service']> } {
  return service ? { to: service } : {};
}
