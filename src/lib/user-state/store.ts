/** Reading and telling such a state. */
import type { JID } from '../jid/jid.js';
import { fetchItems, publishItem } from '../pubsub/items.js';
import { prepareNode } from '../pubsub/prepare-node.js';
import type { AccessModel } from '../pubsub/nodes.js';
import { isNothingThere } from '../pubsub/requester.js';
import type { Session, WaitOptions } from '../session/session.js';
import type { StateFields, UserState } from './states.js';

/** There is only one of each (XEP-0163 §6: a singleton). */
const ITEM_ID = 'current';

/**
 * @param of whose; the own one when undefined
 * @returns undefined when nothing is told
 * @throws StanzaError it is not for us
 */
export async function fetchState(
  session: Session,
  { node, read }: UserState,
  of: JID | undefined,
  wait?: WaitOptions,
): Promise<StateFields | undefined> {
  try {
    const items = await fetchItems(session, { node, max: 1, ...(of && { service: of }) }, wait);
    const payload = items.at(-1)?.payload;
    const fields = payload && read(payload);
    return fields && Object.keys(fields).length > 0 ? fields : undefined;
  } catch (error) {
    if (isNothingThere(error)) return undefined;
    throw error;
  }
}

export interface TellOptions extends WaitOptions {
  /** Who is told; as the node has it when undefined. */
  access: AccessModel | undefined;
  warn: (text: string) => void;
}

/** Without fields it is taken back: an empty element tells everybody (XEP-0107 §2.2, XEP-0118 §3). @throws StanzaError @throws UsageError */
export async function tellState(
  session: Session,
  { node, make }: UserState,
  fields: StateFields,
  { access, warn, ...wait }: TellOptions,
): Promise<void> {
  const payload = make(fields);
  if (access) {
    await prepareNode(session, { node }, { access_model: [access] }, { reconfigures: true, warn, ...wait });
  }
  await publishItem(session, { node, id: ITEM_ID, payload }, wait);
}
