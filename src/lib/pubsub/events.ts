/** What a service tells its subscribers (XEP-0060 §7.1.2.1, §7.2.2.1, §8). */
import { childElements, type Element } from '../xml/element.js';

export const NS_PUBSUB_EVENT = 'http://jabber.org/protocol/pubsub#event';

export type PubsubEvent = { node: string } & (
  | { kind: 'item'; id: string; publisher?: string; payload: Element | undefined }
  | { kind: 'retract'; id: string }
  | { kind: 'purge' }
  | { kind: 'delete' }
  | { kind: 'configuration' }
  | { kind: 'subscription'; jid: string; state: string }
);

/** What a message reports; none for a message without events, or with what is not known here. */
export function readEvents(message: Element): PubsubEvent[] {
  const event = message.getChild('event', NS_PUBSUB_EVENT);
  return event ? childElements(event).flatMap(readChild) : [];
}

function readChild(child: Element): PubsubEvent[] {
  const node = attribute(child, 'node') ?? '';
  switch (child.getName()) {
    case 'items':
      return childElements(child).flatMap((item) => readItem(node, item));
    case 'purge':
      return [{ kind: 'purge', node }];
    case 'delete':
      return [{ kind: 'delete', node }];
    case 'configuration':
      return [{ kind: 'configuration', node }];
    case 'subscription':
      return [
        {
          kind: 'subscription',
          node,
          jid: attribute(child, 'jid') ?? '',
          state: attribute(child, 'subscription') ?? '',
        },
      ];
    default:
      return [];
  }
}

function readItem(node: string, item: Element): PubsubEvent[] {
  const id = attribute(item, 'id') ?? '';
  if (item.getName() === 'retract') return [{ kind: 'retract', node, id }];
  if (item.getName() !== 'item') return [];
  const publisher = attribute(item, 'publisher');
  const [payload] = childElements(item);
  return [{ kind: 'item', node, id, ...(publisher !== undefined && { publisher }), payload }];
}

function attribute(element: Element, name: string): string | undefined {
  const value: unknown = element.attrs[name];
  return typeof value === 'string' ? value : undefined;
}
