/** A node made of what `export-node.ts` wrote. */
import { NegativeError, StanzaError, UsageError } from '../errors.js';
import { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { parseHeader, parseLine, type NodeHeader } from './node-file.js';
import { prepareNode } from './prepare-node.js';
import { publishItems, type OutgoingItem, type PublishOutcome } from './publish-items.js';
import type { NodeAddress } from './requester.js';
import { changeAffiliations, changeSubscriptions } from './subscriptions.js';

export interface ImportOptions extends WaitOptions {
  service: JID | undefined;
  /** As in the file when undefined. */
  node: string | undefined;
  takesAffiliations: boolean;
  takesSubscriptions: boolean;
  reconfigures: boolean;
  retries: number;
  warn: (text: string) => void;
}

export type ImportEvent =
  | { kind: 'node'; address: NodeAddress; isNew: boolean; header: NodeHeader }
  | ({ kind: 'item' } & PublishOutcome);

/**
 * @throws UsageError it is not such a file @throws StanzaError the node may not be made
 * @throws NegativeError the file was cut off: what was in it has been published
 */
export async function* importNode(
  session: Session,
  lines: AsyncIterable<string>,
  options: ImportOptions,
): AsyncGenerator<ImportEvent, void, undefined> {
  const { service, takesAffiliations, takesSubscriptions, reconfigures, retries, warn, ...wait } = options;
  const input = lines[Symbol.asyncIterator]();
  const first = await input.next();
  const header = parseHeader(first.done === true ? '' : first.value);
  const address: NodeAddress = { node: options.node ?? header.node, ...(service && { service }) };
  const { configuration = {}, affiliations = [], subscriptions = [] } = header;
  const isNew = await prepareNode(session, address, configuration, { reconfigures, warn, ...wait });
  yield { kind: 'node', address, isNew, header };
  const publishing = publishItems(session, itemsOf(input, warn), {
    address,
    publishOptions: undefined,
    creates: false,
    reconfigures: false,
    retries,
  });
  for await (const outcome of publishing) yield { kind: 'item', ...outcome };
  if (takesAffiliations) {
    const own = session.jid.bare.toString();
    const changes = affiliations
      .filter(({ jid, affiliation }) => jid !== own && affiliation !== 'none')
      .map(({ jid, affiliation }) => ({ jid: JID.parse(jid), affiliation }));
    await oneByOne(changes, (change) => changeAffiliations(session, address, [change], wait), warn);
  }
  if (takesSubscriptions) {
    const changes = subscriptions
      .filter(({ state }) => state === 'subscribed')
      .map(({ jid }) => ({ jid: JID.parse(jid), state: 'subscribed' as const }));
    await oneByOne(changes, (change) => changeSubscriptions(session, address, [change], wait), warn);
  }
}

/** One that is refused does not keep the others out. */
async function oneByOne<T extends { jid: JID }>(
  changes: readonly T[],
  apply: (change: T) => Promise<void>,
  warn: (text: string) => void,
): Promise<void> {
  for (const change of changes) {
    try {
      await apply(change);
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      warn(`${change.jid.toString()} was not taken over: ${error.message}`);
    }
  }
}

async function* itemsOf(
  lines: AsyncIterator<string>,
  warn: (text: string) => void,
): AsyncGenerator<OutgoingItem> {
  let count = 0;
  for (let number = 2; ; number += 1) {
    const next = await lines.next();
    if (next.done === true) {
      throw new NegativeError(`the file ends early, after ${count} items`, { details: { items: count } });
    }
    if (next.value.trim() === '') continue;
    const line = parseLine(next.value, number);
    if ('items' in line) {
      if (line.items !== count)
        throw new UsageError(`the file says that it has ${line.items} items, and has ${count}`);
      return;
    }
    count += 1;
    if (line.payload) yield { id: line.id, payload: line.payload };
    else warn(`the item ${line.id} has no payload, and is left out`);
  }
}
