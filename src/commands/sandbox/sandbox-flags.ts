/** The options that `sandbox start` and `sandbox run` share. */
import { Option } from '@commander-js/extra-typings';
import { UsageError } from '../../lib/errors.js';
import type { SandboxOptions } from '../../lib/sandbox/options.js';

export const serverOption = new Option(
  '--server <name>',
  'which server (default: prosody where it is installed, else ejabberd)',
).choices(['prosody', 'ejabberd'] as const);

export const domainOption = new Option('--domain <domain>', 'the domain of the accounts').default(
  'sandbox.localhost' as const,
);

export const accountsOption = new Option('--accounts <names>', 'the accounts, separated by commas').default(
  'alice,bob,carol' as const,
);

export const storageOption = new Option(
  '--storage <where>',
  'memory forgets everything when the server restarts',
)
  .choices(['memory', 'disk'] as const)
  .default('memory' as const);

export const nameOption = new Option('--name <name>', 'the name of the sandbox, where several are running');

export const sandboxCompletes = {
  '--server': ['prosody', 'ejabberd'],
  '--storage': ['memory', 'disk'],
} as const;

/** What a sandbox offers: a section of both manual pages. */
export const servicesText = [
  'The server listens on the loopback addresses 127.0.0.1 and ::1 only, on free ports, and reaches no other server. Its certificate is signed by an authority that is made for it and forgotten with it; verification stays on.',
  'It has multi-user chat (conference.DOMAIN), publish-subscribe (pubsub.DOMAIN) and PEP, HTTP upload (upload.DOMAIN), a SOCKS5 bytestreams proxy (proxy.DOMAIN), message archives for accounts and rooms, carbons, stream management, blocking, vCards, bookmarks, registration of further accounts, direct TLS, WebSocket, BOSH, a server-to-server port, an anonymous virtual host (anon.DOMAIN), and a port for external components, which can connect as component.DOMAIN or, with the privileges of XEP-0356, as privileged.DOMAIN. The first account is an administrator.',
  'As an ordinary user the server runs as that user; started by root it runs as the user of its package.',
].join('\n\n');

export const variablesText = [
  'XMPPCTL_SANDBOX_SERVER, _DOMAIN, _HOST, _PORT (STARTTLS), _TLS_PORT (direct TLS), _S2S_PORT, _S2S_TLS_PORT, _HTTP_PORT, _HTTPS_PORT, _WEBSOCKET_URL, _BOSH_URL, _API_URL (ejabberd only: its commands, for the first account as administrator), _CA_FILE (certificate of the authority), _MUC, _PUBSUB, _UPLOAD, _PROXY, _PROXY_PORT, _ANONYMOUS, _COMPONENT_PORT, _COMPONENT, _PRIVILEGED, _COMPONENT_SECRET, _LOG_FILE, _ACCOUNTS (names, separated by spaces), and for each account _JID_NAME and _PASSWORD_NAME, as in XMPPCTL_SANDBOX_PASSWORD_ALICE.',
  'XMPPCTL_CONFIG_DIR names a directory in which the accounts are profiles, the first of them the default, and so are component, privileged and anonymous.',
].join('\n\n');

export const missingServerCodes = { 3: 'no server is installed, or it did not start' } as const;

/** @throws UsageError no accounts */
export function toSandboxOptions(flags: {
  server?: SandboxOptions['server'];
  domain: string;
  accounts: string;
  storage: NonNullable<SandboxOptions['storage']>;
}): SandboxOptions {
  const accounts = flags.accounts
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (accounts.length === 0) {
    throw new UsageError('--accounts needs at least one name', { hint: 'for example --accounts alice,bob' });
  }
  return {
    ...(flags.server && { server: flags.server }),
    domain: flags.domain,
    accounts,
    storage: flags.storage,
  };
}
