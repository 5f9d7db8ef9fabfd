/** XEP-0320: Use of DTLS-SRTP in Jingle Sessions, version 1.0.0. */
import { element, type Infer } from '../../xml/codec.js';
import { attr, optional, text } from '../../xml/fields.js';
import { enumOf, token, type Scalar } from '../../xml/scalars.js';

export const NS_DTLS = 'urn:xmpp:jingle:apps:dtls:0';

/** `02:1A:CC:…` (RFC 8122 §5), in capitals. */
const digest: Scalar<string> = {
  what: 'a fingerprint',
  read: (raw) => {
    const trimmed = raw.trim().toUpperCase();
    return /^[0-9A-F]{2}(:[0-9A-F]{2}){15,63}$/.test(trimmed) ? trimmed : undefined;
  },
  write: (value) => value,
};

export const Fingerprint = element(NS_DTLS, 'fingerprint', {
  hash: attr('hash', token),
  /** COMPAT(clients of before XEP-0320 0.3): without it, whoever is asked chooses. */
  setup: optional(attr('setup', enumOf('actpass', 'active', 'passive', 'holdconn'))),
  value: text(digest),
});
export type Fingerprint = Infer<typeof Fingerprint>;
