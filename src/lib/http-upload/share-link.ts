/**
 * The message that says where a file is: for clients that know files (XEP-0447) and for those that know links
 * (XEP-0066), and for people the link itself. XEP-0334: Message Processing Hints, version 0.4.1, of which only `store` is used.
 */
import { randomUUID } from 'node:crypto';
import { safeFileName } from '../file-transfer/storing/file-name.js';
import type { JID } from '../jid/jid.js';
import { NS_FALLBACK, NS_STANZA_ID, OutOfBand } from '../messaging/stanzas.js';
import type { Session, WaitOptions } from '../session/session.js';
import { xml, type Element } from '../xml/element.js';
import { FileSharing, NS_FILE_SHARING, metadataFromFacts } from './sharing-stanzas.js';
import type { UploadedFile } from './upload-file.js';

const NS_HINTS = 'urn:xmpp:hints';

export interface ShareOptions extends WaitOptions {
  /** `groupchat` for a room that was entered. */
  type?: 'chat' | 'groupchat';
}

/**
 * Tells somebody, who may be offline, where a file is. Resolves when the server has the message.
 * @returns the id of the message
 */
export async function shareLink(
  session: Session,
  to: JID,
  file: UploadedFile,
  options: ShareOptions = {},
): Promise<string> {
  const id = randomUUID();
  await session.send(sharingMessage(to, id, file, options.type ?? 'chat'), options);
  await session.flush(options);
  return id;
}

export function sharingMessage(
  to: JID,
  id: string,
  { url, facts }: UploadedFile,
  type: 'chat' | 'groupchat',
): Element {
  const description = facts.description?.trim() === '' ? undefined : facts.description;
  // The name of a local file may hold what XML cannot.
  const file = metadataFromFacts({ ...facts, description, name: safeFileName(facts.name) });
  return xml(
    'message',
    { to: to.toString(), id, type },
    xml('body', {}, url.href),
    OutOfBand.encode({ url: url.href, description }),
    FileSharing.encode({ file, sources: { urls: [{ target: url.href }] } }),
    xml('fallback', { xmlns: NS_FALLBACK, for: NS_FILE_SHARING }, xml('body')),
    xml('store', { xmlns: NS_HINTS }),
    type === 'groupchat' ? xml('origin-id', { xmlns: NS_STANZA_ID, id }) : undefined,
  );
}
