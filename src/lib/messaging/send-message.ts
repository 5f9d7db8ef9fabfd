/**
 * The one place through which every message leaves.
 */
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { Element, xml } from '../xml/element.js';
import { NS_RECEIPTS, NS_STANZA_ID } from './stanzas.js';
import type { MessageType } from './message.js';

export interface OutgoingMessage {
  to: JID;
  id: string;
  type: Exclude<MessageType, 'error'>;
  body?: string | undefined;
  subject?: string | undefined;
  thread?: string | undefined;
  lang?: string | undefined;
  /** Ask for a delivery receipt (XEP-0184). Not in a room (§5.5). */
  wantsReceipt?: boolean;
}

/** Builds the stanza. In a room it carries an origin id, because some rooms give the copy they reflect an id of their own. */
export function messageElement(message: OutgoingMessage): Element {
  const { to, id, type, body, subject, thread, lang, wantsReceipt } = message;
  const text = (name: string, content: string | undefined): Element | undefined =>
    content === undefined ? undefined : new Element(name).t(content);
  return xml(
    'message',
    { to: to.toString(), id, type: type === 'normal' ? undefined : type, 'xml:lang': lang },
    text('subject', subject),
    text('body', body),
    text('thread', thread),
    wantsReceipt === true ? xml('request', { xmlns: NS_RECEIPTS }) : undefined,
    type === 'groupchat' ? xml('origin-id', { xmlns: NS_STANZA_ID, id }) : undefined,
  );
}

/** Hands a message to the stream; `session.flush` says when the server has it. */
export async function sendMessage(
  session: Session,
  message: OutgoingMessage,
  options?: WaitOptions,
): Promise<void> {
  await session.send(messageElement(message), options);
}

/** Says that a message arrived (XEP-0184 §5). */
export async function sendReceipt(
  session: Session,
  received: { from: string; id: string; type: MessageType },
) {
  await session.send(
    xml(
      'message',
      { to: received.from, type: received.type === 'normal' ? undefined : received.type },
      xml('received', { xmlns: NS_RECEIPTS, id: received.id }),
      // XEP-0334: a receipt is not worth keeping offline, but belongs into the archive with its message.
      xml('store', { xmlns: 'urn:xmpp:hints' }),
    ),
  );
}
