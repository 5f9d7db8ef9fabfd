/** Answering the questions of a new room (XEP-0045 §10.1). */
import { DataForm } from '../forms/stanzas.js';
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { xml } from '../xml/element.js';
import { NS_MUC_OWNER } from './stanzas.js';

/** By the names of XEP-0045 §15.5.3: `muc#roomconfig_whois`. */
export type RoomSettings = Readonly<Record<string, readonly string[]>>;

/**
 * Opens a new room: as it is by default (§10.1.2), or with these settings, as far as the service knows them (§10.1.3).
 * @throws StanzaError @throws TimeoutError @throws DecodeError
 */
export async function configureRoom(
  session: Session,
  room: JID,
  settings: RoomSettings | undefined,
  wait: WaitOptions,
): Promise<void> {
  const form = settings && (await requestForm(session, room, wait));
  const fields = (form?.fields ?? []).flatMap(({ name, type, values }) => {
    if (name === undefined || type === 'fixed') return [];
    // Owners and the like, which a service would take for a wish when they come back empty.
    const chosen = settings?.[name] ?? values;
    return chosen.length === 0 ? [] : [{ name, ...(type === 'hidden' && { type }), values: [...chosen] }];
  });
  const payload = xml('query', { xmlns: NS_MUC_OWNER }, DataForm.encode({ type: 'submit', fields }));
  await session.request({ type: 'set', to: room, payload }, wait);
}

async function requestForm(session: Session, room: JID, wait: WaitOptions): Promise<DataForm | undefined> {
  const payload = xml('query', { xmlns: NS_MUC_OWNER });
  const reply = await session.request({ type: 'get', to: room, payload }, wait);
  const query = reply.getChild('query', NS_MUC_OWNER);
  return query && DataForm.find(query);
}
