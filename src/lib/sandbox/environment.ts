/** What a sandbox tells the programs that use it: environment variables, and profiles for xmppctl. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SandboxFacts } from './sandbox.js';

/** The facts as `XMPPCTL_SANDBOX_…`, in the order in which they are printed. */
export function sandboxVariables(facts: SandboxFacts): Record<string, string> {
  const { addresses, ports } = facts;
  const variables: Record<string, string | number> = {
    SERVER: facts.server,
    DOMAIN: facts.domain,
    HOST: facts.host,
    PORT: ports.c2s,
    TLS_PORT: ports.c2sTls,
    S2S_PORT: ports.s2s,
    S2S_TLS_PORT: ports.s2sTls,
    HTTP_PORT: ports.http,
    HTTPS_PORT: ports.https,
    WEBSOCKET_URL: facts.services.websocket,
    BOSH_URL: facts.services.bosh,
    ...(facts.services.api !== undefined && { API_URL: facts.services.api }),
    CA_FILE: facts.caFile,
    MUC: addresses.muc,
    PUBSUB: addresses.pubsub,
    UPLOAD: addresses.upload,
    PROXY: addresses.proxy,
    PROXY_PORT: ports.proxy,
    ANONYMOUS: addresses.anonymous,
    COMPONENT_PORT: ports.component,
    COMPONENT: addresses.component,
    PRIVILEGED: addresses.privileged,
    COMPONENT_SECRET: facts.componentSecret,
    LOG_FILE: facts.logFile,
    ACCOUNTS: Object.keys(facts.accounts).join(' '),
  };
  for (const [name, { jid, password }] of Object.entries(facts.accounts)) {
    const suffix = name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
    variables[`JID_${suffix}`] = jid;
    variables[`PASSWORD_${suffix}`] = password;
  }
  return {
    XMPPCTL_CONFIG_DIR: configDir(facts),
    ...Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [`XMPPCTL_SANDBOX_${name}`, String(value)]),
    ),
  };
}

function configDir({ dir }: SandboxFacts): string {
  return path.join(dir, 'client');
}

/**
 * Writes the profiles that `XMPPCTL_CONFIG_DIR` points to: the accounts, the first of them the default, and beside
 * them `component`, `privileged` and `anonymous`. Their format is that of xmppctl-config(5).
 */
export async function writeProfiles(facts: SandboxFacts): Promise<void> {
  const directory = configDir(facts);
  await mkdir(directory, { mode: 0o700 });
  const profiles: Record<string, Record<string, string | boolean>> = {};
  const secret = async (name: string, text: string): Promise<string> => {
    await writeFile(path.join(directory, `${name}.password`), `${text}\n`, { mode: 0o600 });
    return `${name}.password`;
  };
  const component = async (name: string, jid: string) => ({
    jid,
    component: true,
    service: `xmpp://${facts.host}:${facts.ports.component}`,
    password_file: await secret(name, facts.componentSecret),
  });
  const client = { service: facts.services.starttls, ca: facts.caFile };
  for (const [name, { jid, password }] of Object.entries(facts.accounts)) {
    profiles[name] = { jid, ...client, password_file: await secret(name, password) };
  }
  // An account of such a name is what the user asked for.
  profiles['component'] ??= await component('component', facts.addresses.component);
  profiles['privileged'] ??= await component('privileged', facts.addresses.privileged);
  profiles['anonymous'] ??= { jid: facts.addresses.anonymous, anonymous: true, ...client };
  const [first] = Object.keys(facts.accounts);
  const text = [
    ...(first === undefined ? [] : [`default_account = ${tomlString(first)}\n`]),
    ...Object.entries(profiles).map(([name, profile]) => tomlTable(name, profile)),
  ].join('\n');
  await writeFile(path.join(directory, 'config.toml'), text, { mode: 0o600 });
}

function tomlTable(name: string, profile: Record<string, string | boolean>): string {
  const pairs = Object.entries(profile).map(
    ([key, value]) => `${key} = ${typeof value === 'string' ? tomlString(value) : value}\n`,
  );
  const key = /^[\w-]+$/.test(name) ? name : tomlString(name);
  return `[accounts.${key}]\n${pairs.join('')}`;
}

/** JSON's strings are TOML's basic strings, except for one character. */
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f');
}

/** One word for any POSIX shell. */
export function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
