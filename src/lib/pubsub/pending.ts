/** Who waits for an owner to approve a subscription (XEP-0060 §8.6, §8.7). */
import { StanzaError } from '../errors.js';
import { queryInfo } from '../disco/query.js';
import { DataForm } from '../forms/stanzas.js';
import { formTypeOf, formValue } from '../forms/values.js';
import { JID } from '../jid/jid.js';
import { sendPresence } from '../roster/send-presence.js';
import type { Session, WaitOptions } from '../session/session.js';
import { xml } from '../xml/element.js';
import type { NodeAddress } from './requester.js';
import { fetchNodeSubscriptions } from './subscriptions.js';

const NS_COMMANDS = 'http://jabber.org/protocol/commands';
const GET_PENDING = 'http://jabber.org/protocol/pubsub#get-pending';
const SUBSCRIBE_AUTHORIZATION = 'http://jabber.org/protocol/pubsub#subscribe_authorization';

/**
 * From the list of subscriptions, and where that does not have them by asking for the requests once more.
 *
 * @throws StanzaError the node is not there, or is not ours
 */
export async function fetchPending(
  session: Session,
  address: NodeAddress,
  options?: WaitOptions,
): Promise<JID[]> {
  const all = await fetchNodeSubscriptions(session, address, options);
  const listed = all.filter(({ state }) => state === 'pending').map(({ jid }) => jid);
  // COMPAT(ejabberd 23.01): its list leaves out who waits.
  return listed.length > 0 ? listed : await requestPending(session, address, options);
}

/** The service sends each request again, as a message with a form. */
async function requestPending(
  session: Session,
  { service, node }: NodeAddress,
  options?: WaitOptions,
): Promise<JID[]> {
  const to = service ?? session.jid.bare;
  const found = new Map<string, JID>();
  using _requests = session.handle({ name: 'message', from: to }, (message) => {
    const form = DataForm.find(message);
    if (!form || formTypeOf(form) !== SUBSCRIBE_AUTHORIZATION || formValue(form, 'pubsub#node') !== node)
      return;
    const jid = JID.tryParse(formValue(form, 'pubsub#subscriber_jid') ?? '');
    if (jid) found.set(jid.toString(), jid);
  });
  // They go to the account, and only those who are there get them.
  await sendPresence(session, options);
  try {
    await command(session, to, node, options);
  } catch (error) {
    if (error instanceof StanzaError) return [];
    throw error;
  }
  // What was sent before this answer has come with it.
  await queryInfo(session, to, undefined, options);
  return [...found.values()];
}

async function command(session: Session, to: JID, node: string, options?: WaitOptions): Promise<void> {
  const form = DataForm.encode({
    type: 'submit',
    fields: [
      { name: 'FORM_TYPE', type: 'hidden', values: [SUBSCRIBE_AUTHORIZATION] },
      { name: 'pubsub#node', values: [node] },
    ],
  });
  const payload = xml('command', { xmlns: NS_COMMANDS, node: GET_PENDING, action: 'execute' }, form);
  await session.request({ type: 'set', to, payload }, options);
}
