import { JID } from '../jid/jid.js';
import type { Scalar } from './scalars.js';

/**
 * An address (RFC 7622). One that a server let through although it is none by the letter is kept as it came: a list of
 * a thousand entries must not fail for it.
 */
export const jid: Scalar<JID> = {
  what: 'an address',
  read: (text) => {
    const address = JID.fromServer(text);
    return address.domain === '' ? undefined : address;
  },
  write: String,
};
