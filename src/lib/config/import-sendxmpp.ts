/**
 * Reads the configuration of go-sendxmpp and of sendxmpp: `key: value` lines, or the older single line
 * `user@server[;host][:port] password [component]`.
 */
import { UsageError } from '../errors.js';
import { JID } from '../jid/jid.js';
import type { AccountProfile } from './keys.js';

export interface ImportedAccount {
  profile: AccountProfile;
  /** A password that stands in the file. */
  secret: string | undefined;
  /** Lines that say nothing to us. */
  ignored: string[];
}

const knownKeys = ['username', 'jserver', 'port', 'password', 'eval_password', 'component', 'resource'];
const defaultPort = '5222';
const directTlsPort = '5223';

/**
 * @param file only for messages
 * @throws UsageError a line that is neither; no user name. What a line says is not shown: it may be the password
 */
export function parseSendxmppConfig(text: string, file: string): ImportedAccount {
  const found: Partial<Record<string, string>> = {};
  const ignored: string[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const pair = /^([a-z_-]+):\s*(.*)$/.exec(line);
    const [, key = '', value = ''] = pair ?? [];
    if (pair && knownKeys.includes(key)) found[key] = value === '' ? undefined : value;
    else if (pair) ignored.push(key);
    else Object.assign(found, parseOldLine(line, `${file}:${index + 1}`));
  }
  const jid = jidOf(found, file);
  return {
    profile: {
      jid: jid.toString(),
      ...serviceOf(found, jid.domain),
      ...(found['eval_password'] && { password_command: found['eval_password'] }),
    },
    secret: found['eval_password'] ? undefined : found['password'],
    ignored,
  };
}

function parseOldLine(line: string, where: string): Partial<Record<string, string>> {
  const match = /^([^\s@]+)@([^\s;:]+)(?:;([^\s:]+))?(?::(\d+))?\s+(\S+)(?:\s+(\S+))?$/.exec(line);
  if (!match) throw new UsageError(`${where}: this line is not understood`);
  const [, user = '', server = '', host, port, password = '', component] = match;
  return {
    username: `${user}@${component ?? server}`,
    password,
    ...((host ?? (component !== undefined ? server : undefined)) !== undefined && {
      jserver: host ?? server,
    }),
    ...(port !== undefined && { port }),
  };
}

function jidOf(found: Partial<Record<string, string>>, file: string): JID {
  const { username, component, jserver, resource } = found;
  if (!username) throw new UsageError(`${file} names no user: there is no line with username:`);
  const domain = component ?? jserver?.split(':')[0];
  const bare = username.includes('@') ? username : domain ? `${username}@${domain}` : undefined;
  if (bare === undefined) {
    throw new UsageError(`${file} names the user ${username}, but no server`);
  }
  return JID.parse(resource && !bare.includes('/') ? `${bare}/${resource}` : bare);
}

/** What DNS would find as well is left to DNS. */
function serviceOf(found: Partial<Record<string, string>>, domain: string): Pick<AccountProfile, 'service'> {
  const [host = '', attachedPort] = (found['jserver'] ?? '').split(':');
  const port = found['port'] ?? attachedPort;
  const isElsewhere = host !== '' && host.toLowerCase() !== domain;
  const hasOwnPort = port !== undefined && port !== '0' && port !== defaultPort;
  if (!isElsewhere && !hasOwnPort) return {};
  const scheme = port === directTlsPort ? 'xmpps' : 'xmpp';
  return { service: `${scheme}://${isElsewhere ? host : domain}:${hasOwnPort ? port : defaultPort}` };
}
