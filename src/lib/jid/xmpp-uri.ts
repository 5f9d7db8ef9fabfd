/** Addresses as people copy them: `xmpp:` URIs (RFC 5122) beside plain ones. */
import { UsageError } from '../errors.js';
import { JID } from './jid.js';

/**
 * The address in `xmpp:room@chat.example?join`, or the plain address. The query says what a client should do with it,
 * which the command decides here; an account to act as (`xmpp://me@…/them`) is left out as well.
 * @throws UsageError it is not an address
 */
export function parseAddress(text: string): JID {
  const uri = /^xmpp:(?:\/\/[^/?#]*\/)?([^?#]*)/i.exec(text);
  if (!uri) return JID.parse(text);
  try {
    return JID.parse(decodeURIComponent(uri[1] ?? ''));
  } catch (error) {
    if (error instanceof URIError) throw new UsageError(`not a valid URI: ${text}`, { cause: error });
    throw error;
  }
}
