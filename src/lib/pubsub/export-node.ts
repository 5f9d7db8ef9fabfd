/** A whole node, as what `import-node.ts` makes a node of. */
import type { DataForm } from '../forms/stanzas.js';
import type { Session, WaitOptions } from '../session/session.js';
import { serialize } from '../xml/serialize.js';
import { NODE_FILE_FORMAT, type NodeHeader, type NodeLine } from './node-file.js';
import { fetchConfiguration } from './nodes.js';
import { readItemsOldestFirst } from './read-items.js';
import { isNotForUs, isNothingThere, type NodeAddress } from './requester.js';
import { fetchNodeAffiliations, fetchNodeSubscriptions } from './subscriptions.js';

export interface ExportOptions extends WaitOptions {
  now: Date;
  warn: (text: string) => void;
}

/** @throws StanzaError see `isNothingThere` @throws ProtocolError the service sends the same page again and again */
export async function* exportNode(
  session: Session,
  address: NodeAddress,
  options: ExportOptions,
): AsyncGenerator<NodeLine, void, undefined> {
  // The items come first on the wire: a node that is not there is not half a file.
  const { warn: _warn, now: _now, ...wait } = options;
  const items = readItemsOldestFirst(session, address, wait);
  let next = await items.next();
  yield await describeNode(session, address, options);
  let count = 0;
  for (; next.done !== true; next = await items.next()) {
    const { id, publisher, payload } = next.value;
    count += 1;
    yield {
      id,
      ...(publisher !== undefined && { publisher }),
      ...(payload && { payload: serialize(payload) }),
    };
  }
  yield { items: count };
}

/** What only an owner may know is left out for others. @throws StanzaError */
export async function describeNode(
  session: Session,
  address: NodeAddress,
  { now, warn, ...wait }: ExportOptions,
): Promise<NodeHeader> {
  const [form, affiliations, subscriptions] = await Promise.all([
    ownersOnly('the configuration', fetchConfiguration(session, address, wait), warn),
    ownersOnly('the affiliations', fetchNodeAffiliations(session, address, wait), warn),
    ownersOnly('the subscriptions', fetchNodeSubscriptions(session, address, wait), warn),
  ]);
  return {
    format: NODE_FILE_FORMAT,
    service: (address.service ?? session.jid.bare).toString(),
    node: address.node,
    time: now.toISOString(),
    ...(form && { configuration: valuesOf(form) }),
    ...(affiliations && {
      affiliations: affiliations.flatMap(({ jid, affiliation }) =>
        jid ? [{ jid: jid.toString(), affiliation }] : [],
      ),
    }),
    ...(subscriptions && {
      subscriptions: subscriptions.map(({ jid, state }) => ({ jid: jid.toString(), state })),
    }),
  };
}

async function ownersOnly<T>(
  what: string,
  answer: Promise<T>,
  warn: (text: string) => void,
): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (!isNotForUs(error) && !isNothingThere(error)) throw error;
    warn(`left out: ${what}, which this account may not read`);
    return undefined;
  }
}

function valuesOf({ fields }: DataForm): Record<string, readonly string[]> {
  return Object.fromEntries(
    fields.flatMap(({ name, type, values }) =>
      name === undefined || type === 'hidden' || type === 'fixed'
        ? []
        : [[name.replace(/^pubsub#/, ''), values]],
    ),
  );
}
