/** How the chosen account connects: profile, environment and options put together. */
import { UsageError } from '../errors.js';
import { maxTimeoutSeconds, type GlobalOptions } from '../command/global-options.js';
import type { Prompt } from '../context.js';
import type { ConnectOptions, Credentials, TlsOptions } from '../session/options.js';
import { chooseAccount, type ChosenAccount } from './choose-account.js';
import { loadConfig } from './load-config.js';
import { configPaths, resolveConfigured, type ConfigPaths, type Environment } from './paths.js';
import { readClientCertificate, readPem } from './read-certificates.js';

const defaultTimeoutMs = 30_000;

export interface AccountSurroundings {
  global: GlobalOptions;
  env: Environment;
  /** Asks for a password when nothing else gives one, on a terminal only. */
  prompt: Prompt;
  /** Told, on one line, of what is wrong and does not stop the work. */
  warn?: (message: string) => void;
}

/**
 * Puts together how to connect. An option beats the environment, which beats the profile. Secrets are read when the
 * connection asks for them; certificates are read here.
 * @throws UsageError nobody to log in as, or something that contradicts itself
 * @throws FileError a file that was named cannot be read
 */
export async function accountConnectOptions(around: AccountSurroundings): Promise<ConnectOptions> {
  const paths = configPaths(around.env);
  const { config } = await loadConfig(paths);
  return connectOptionsFor(chooseAccount(around.global, around.env, config), around, paths);
}

/** The same for an account that is already chosen: `account test`, `account passwd`. */
export async function connectOptionsFor(
  account: ChosenAccount,
  around: AccountSurroundings,
  paths: ConfigPaths,
): Promise<ConnectOptions> {
  const { global, env } = around;
  const { kind, jid, profile } = account;
  const service = global.service ?? nonEmpty(env['XMPPCTL_SERVICE']) ?? profile?.service;
  return {
    kind,
    jid,
    credentials: await credentialsFor(account, around, paths),
    service,
    tls: await tlsFor(account, around, paths),
    allowPlain: profile?.allow_plain ?? false,
    timeoutMs: timeoutFor(global, env, profile?.timeout),
  };
}

function timeoutFor(global: GlobalOptions, env: Environment, configured: number | undefined): number {
  const fromEnv = nonEmpty(env['XMPPCTL_TIMEOUT']);
  if (global.timeout === undefined && fromEnv !== undefined) {
    const seconds = Number(fromEnv);
    if (!(seconds > 0) || !Number.isFinite(seconds)) {
      throw new UsageError(`XMPPCTL_TIMEOUT must be a number of seconds above 0, not ${fromEnv}`);
    }
    return Math.min(seconds, maxTimeoutSeconds) * 1000;
  }
  const seconds = global.timeout ?? configured;
  return seconds === undefined ? defaultTimeoutMs : Math.min(seconds, maxTimeoutSeconds) * 1000;
}

async function tlsFor(
  { profile }: ChosenAccount,
  { global, env }: AccountSurroundings,
  paths: ConfigPaths,
): Promise<TlsOptions> {
  const ca = pickFile(global.ca ?? nonEmpty(env['XMPPCTL_CA']), profile?.ca, paths);
  const pins = global.tlsPin ?? profile?.tls_pin ?? [];
  for (const pin of pins) checkPin(pin);
  return {
    ...(ca !== undefined && { ca: await readPem(ca, 'the CA file', 'CERTIFICATE') }),
    pins,
    isInsecure: global.insecure ?? profile?.insecure ?? false,
  };
}

async function credentialsFor(
  account: ChosenAccount,
  around: AccountSurroundings,
  paths: ConfigPaths,
): Promise<Credentials> {
  const { global } = around;
  const { profile } = account;
  if (account.isAnonymous) return { isAnonymous: true };
  const certFile = pickFile(global.clientCert, profile?.client_cert, paths);
  const keyFile = pickFile(global.clientKey, profile?.client_key, paths);
  if (certFile === undefined && keyFile !== undefined) {
    throw new UsageError('a client key needs its certificate: --client-cert');
  }
  const { passwordSource } = await import('./account-password.js');
  const source = passwordSource(account, around, paths);
  return {
    // With a certificate the password is not needed, so there is no question about it either.
    ...((source.isConfigured || certFile === undefined) && { password: source.read }),
    ...(certFile !== undefined && { clientCertificate: await readClientCertificate(certFile, keyFile) }),
    ...(account.name !== undefined && { pins: await pinStore(account, around, paths) }),
    ...(profile?.fast === true && { fast: await fastStore(account, paths) }),
  };
}

/** Only an account with a profile is remembered: `--jid` alone leaves nothing behind. */
async function pinStore(
  { jid }: ChosenAccount,
  { warn }: AccountSurroundings,
  paths: ConfigPaths,
): Promise<NonNullable<Credentials['pins']>> {
  const { mechanismPinFile } = await import('./mechanism-pin-store.js');
  return mechanismPinFile(jid.bare.toString(), paths, warn);
}

async function fastStore(
  { jid, profile }: ChosenAccount,
  paths: ConfigPaths,
): Promise<NonNullable<Credentials['fast']>> {
  const { fastTokenFile, fastTokenInKeyring } = await import('./fast-token-store.js');
  const account = jid.bare.toString();
  if (profile?.keyring !== true) return fastTokenFile(account, paths);
  const { openKeyring } = await import('./keyring.js');
  return fastTokenInKeyring(account, openKeyring());
}

/** A file that was typed is relative to where we are; one in the profile, to the configuration. */
function pickFile(
  typed: string | undefined,
  configured: string | undefined,
  paths: ConfigPaths,
): string | undefined {
  if (typed !== undefined) return typed;
  return configured === undefined ? undefined : resolveConfigured(configured, paths);
}

function checkPin(pin: string): void {
  const [, hash = ''] = /^sha256:(.+)$/.exec(pin) ?? [];
  const isHex = /^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i.test(hash);
  const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(hash);
  if (!isHex && !isBase64) {
    throw new UsageError(`not a TLS pin: ${pin}`, {
      hint: 'write sha256: and 64 hex digits, or 44 characters of base64',
    });
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
