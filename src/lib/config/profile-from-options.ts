/** Connection options as they were typed, as a profile to keep. */
import path from 'node:path';
import type { GlobalOptions } from '../command/global-options.js';
import type { AccountProfile } from './keys.js';

/** Files are named by their full paths, since a profile is used from anywhere. */
export function profileFromOptions(global: GlobalOptions): Omit<AccountProfile, 'jid'> & { jid?: string } {
  const file = (typed: string | undefined): string | undefined =>
    typed === undefined ? undefined : path.resolve(typed);
  const profile = {
    jid: global.component ?? global.jid,
    service: global.service,
    password_file: file(global.passwordFile),
    ca: file(global.ca),
    tls_pin: global.tlsPin,
    insecure: global.insecure,
    client_cert: file(global.clientCert),
    client_key: file(global.clientKey),
    timeout: global.timeout,
    component: global.component === undefined ? undefined : true,
    anonymous: global.anonymous,
  };
  return Object.fromEntries(Object.entries(profile).filter(([, value]) => value !== undefined));
}
