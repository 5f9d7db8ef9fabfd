import { JID } from '../jid/jid.js';
import type { Scalar } from './scalars.js';

/** An address (RFC 7622). */
export const jid: Scalar<JID> = {
  what: 'an address',
  read: (text) => {
    try {
      return JID.parse(text);
    } catch {
      return undefined;
    }
  },
  write: String,
};
