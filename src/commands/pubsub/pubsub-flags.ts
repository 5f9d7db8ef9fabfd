/** What the commands about nodes have in common. */
import { Option } from '@commander-js/extra-typings';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import type { JID } from '../../lib/jid/jid.js';
import type { PubsubItem } from '../../lib/pubsub/items.js';
import { safeText } from '../../lib/output/safe-text.js';
import { serialize } from '../../lib/xml/serialize.js';

/** `--service` is where to connect to, everywhere. */
export const atOption = new Option(
  '--at <jid>',
  'the service, or the account, that has the node; the own account (PEP) when left out',
);

export const atCompletes = { '--at': 'jid', node: 'none' } as const;

export function addressOf(node: string, at: string | undefined): NodeAddress {
  return { node, ...(at !== undefined && { service: serviceOf(at) }) };
}

/** A service has no resource. @throws UsageError */
export function serviceOf(at: string): JID {
  return parseAddress(at).bare;
}

export const collect = (value: string, list: string[]): string[] => [...list, value];

/** An item as it is printed with `--json`. */
export interface PrintedItem {
  id: string;
  publisher?: string;
  name?: string;
  namespace?: string;
  /** XML text. */
  payload?: string;
}

export function printedItem({ id, publisher, payload }: PubsubItem): PrintedItem {
  return {
    id,
    ...(publisher !== undefined && { publisher }),
    ...(payload && {
      name: payload.getName(),
      namespace: payload.getNS() ?? '',
      payload: serialize(payload),
    }),
  };
}

/** `id`, a tab, and the payload on one line. */
export function renderItem({ id, payload = '' }: PrintedItem): string {
  const oneLine = (text: string): string => safeText(text, { singleLine: true });
  return `${oneLine(id)}\t${oneLine(payload)}`;
}
