/** One account compared with what was published for it. */
import { createHash } from 'node:crypto';
import type { WaitOptions } from '../../session/session.js';
import { canonicalXml } from '../../xml/canonical.js';
import { parseXml } from '../../xml/parse.js';
import { decodeBase64 } from '../convert/base64.js';
import { readPublished, type AccountHandle } from './account-state.js';
import type { JournalAccount } from './journal.js';

/**
 * @returns what differs; nothing when all is as it was published
 * @throws StanzaError @throws TimeoutError
 */
export async function verifyAccount(
  handle: AccountHandle,
  planned: NonNullable<JournalAccount['planned']>,
  options: WaitOptions,
): Promise<string[]> {
  const avatar = planned.avatar ?? undefined;
  const wanted = { card: planned.card !== null, avatar };
  const found = await readPublished(handle, wanted, options);
  const differences: string[] = [];
  if (planned.card !== null) {
    if (!found.card) differences.push('the card is not there');
    else if (canonicalXml(found.card) !== canonicalXml(parseXml(planned.card)))
      differences.push('the card is another one');
  }
  if (avatar === undefined) return differences;
  if (found.avatarId === undefined) differences.push('the picture is not there');
  else if (found.avatarId !== avatar) differences.push('the picture is another one');
  else if (!isPicture(found.picture, avatar))
    differences.push('the picture is announced, and its data is not there');
  return differences;
}

/** XEP-0084 §4.2.2: its id is the SHA-1 of the data. */
function isPicture(base64: string | undefined, id: string): boolean {
  const data = base64 === undefined ? undefined : decodeBase64(base64);
  return data !== undefined && createHash('sha1').update(data).digest('hex') === id;
}
