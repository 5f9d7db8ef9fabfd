/** The two ways of replaying: a login as the client, and a listener as the server. */
import path from 'node:path';
import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { replayAsServer } from '../../lib/trace-replay/serving/as-server.js';
import type { ReplaySummary } from '../../lib/trace-replay/events.js';
import { replayToServer, type ToServerOptions } from '../../lib/trace-replay/to-server.js';
import { servedMechanisms } from '../../lib/trace-replay/serving/mechanisms.js';
import { waitForClient } from '../../lib/trace-replay/serving/wait-for-client.js';
import { isLoopbackAddress } from '../../lib/trace-proxy/server-leg.js';
import type { Selector } from '../../lib/trace/selector.js';
import { parseTarget } from './proxy-addresses.js';
import type { ReplayOptions } from './replay.js';

type Shared = Pick<
  ToServerOptions,
  'conversation' | 'pairs' | 'isMeant' | 'speed' | 'report' | 'now' | 'signal'
>;

/** What nobody asked for is waited for less long than an answer. Milliseconds. */
const unaskedMs = 5000;

/** @throws UsageError the account is of another kind, or of another server */
export async function playToServer(
  to: string,
  only: Selector | undefined,
  shared: Shared,
  context: Context,
): Promise<ReplaySummary> {
  const { output } = context;
  const chosen = await context.connectOptions();
  const { kind = 'client', jid, timeoutMs } = chosen;
  if (kind !== shared.conversation.kind)
    throw new UsageError(`the recording is of a ${shared.conversation.kind}, and the account is a ${kind}`, {
      hint: 'choose another account with --account',
    });
  const service = serviceOf(to, jid.domain);
  const options = service === undefined ? chosen : { ...chosen, service };
  const { openStream } = await import('../../lib/session/open-stream.js');
  output.detail(`connecting to ${options.service ?? jid.domain} as ${jid.toString()}`);
  await using stream = await openStream(options);
  if (output.isJson) await output.item({ event: 'connected', jid: stream.jid.toString() }, () => '');
  output.detail(`connected to ${stream.info.endpoint}: ${stream.jid.toString()}`);
  return await replayToServer({
    ...shared,
    isSelected: only,
    stream,
    replyTimeoutMs: timeoutMs,
    otherTimeoutMs: context.global.timeout === undefined ? Math.min(unaskedMs, timeoutMs) : timeoutMs,
  });
}

/** @returns undefined for the domain of the account, which is found as always @throws UsageError */
function serviceOf(to: string, domain: string): string | undefined {
  const isPlace = /[:/]/.test(to) || isIP(to) !== 0;
  if (isPlace) return parseTarget(to, domain).service;
  if (to.toLowerCase() === domain.toLowerCase()) return undefined;
  throw new UsageError(`the account is one of ${domain}, not of ${to}`, {
    hint: `choose another account with --account, or say where ${domain} is: --to host:port`,
  });
}

/** @throws UsageError there is no password to serve with @throws AuthError @throws ConnectError @throws FileError */
export async function playAsServer(
  { listen, domain: wanted, isPlain, isScram }: ReplayOptions,
  shared: Shared,
  context: Context,
): Promise<ReplaySummary> {
  const { output, signal, clock, global, env } = context;
  const { conversation } = shared;
  const domain = wanted ?? conversation.domain ?? 'localhost';
  const timeoutMs = (global.timeout ?? 30) * 1000;
  const mechanisms = await servedMechanisms(isScram ? await passwordOfClients(context) : undefined);
  const [{ openProxyAuthority }, { openRecorder }, { configPaths }] = await Promise.all([
    import('../../lib/trace-proxy/authority.js'),
    import('../../lib/trace-proxy/recorder.js'),
    import('../../lib/config/paths.js'),
  ]);
  const authority = await openProxyAuthority(path.join(configPaths(env).stateDir, 'trace-proxy'));
  const issued = new Map<string, SecureContext>();
  const recorder = await openRecorder({
    tracer: await context.tracer(),
    redact: global.traceSecrets !== true,
    startedAt: new Date(clock.now()),
    warn: (message) => output.warn(message),
  });
  const { client, finish } = await waitForClient({
    ...listen,
    domain,
    secureContext: (name) => {
      const known = issued.get(name) ?? authority.issue(name, ['localhost', '127.0.0.1', '::1']);
      // Whoever connects says which name; they are not kept without end.
      if (issued.size < 100) issued.set(name, known);
      return known;
    },
    isPlain,
    allowsPlainComponents: isLoopbackAddress(listen.host),
    mechanisms,
    sasl2: conversation.sasl2,
    features: conversation.features,
    timeoutMs,
    signal,
    record: (label) => recorder.record(label),
    onListening: async (address, port) => {
      const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
      if (output.isJson)
        await output.item({ event: 'listening', address, port, domain, ca: authority.caFile }, () => '');
      await output.flush();
      const trusting = isPlain ? '' : `; clients have to trust the authority in ${authority.caFile}`;
      const scram = isScram ? "SCRAM (the account's password), " : '';
      output.note(
        `listening on ${place} for ${domain}, logins with ${scram}PLAIN (any password) or ANONYMOUS${trusting}`,
      );
    },
    onFailure: (error) => output.warn(`a client: ${error instanceof Error ? error.message : String(error)}`),
  });
  if (output.isJson)
    await output.item({ event: 'connected', jid: client.jid, mechanism: client.mechanism }, () => '');
  output.detail(`${client.jid} has logged in with ${client.mechanism}`);
  const summary = await replayAsServer({
    ...shared,
    client,
    replyTimeoutMs: timeoutMs,
    otherTimeoutMs: timeoutMs,
  });
  await finish(undefined);
  await recorder.close();
  return summary;
}

/** The one that clients prove to know, and that is proved to be known to them. */
async function passwordOfClients(context: Context): Promise<string> {
  const { credentials } = await context.connectOptions();
  if (credentials.password === undefined)
    throw new UsageError('--scram needs the password that the client has', {
      hint: 'choose an account that has it with --account, or give --jid and --password-file',
    });
  return await credentials.password();
}
