import { Option } from '@commander-js/extra-typings';
import path from 'node:path';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { Interceptor } from '../../lib/trace-proxy/intercept.js';
import { parseFault, type Fault } from '../../lib/trace-proxy/faults.js';
import type { RunningProxy } from '../../lib/trace-proxy/proxy.js';
import { isLoopbackAddress } from '../../lib/trace-proxy/server-leg.js';
import { parseSelector, type Selector } from '../../lib/trace/selector.js';
import { parseListen, parseTarget, type Target } from './proxy-addresses.js';
import { openView } from './proxy-view.js';

export interface ProxyCommandOptions {
  listen: { host: string; port: number };
  target: Target;
  plain: 'never' | 'allowed' | 'always';
  stripsChannelBinding: boolean;
  mechanisms: ReadonlySet<string> | undefined;
  faults: Fault[];
  rulesFile: string | undefined;
  scriptFile: string | undefined;
  breakAt: Selector | undefined;
  filter: Selector | undefined;
  isShown: boolean;
  folder: string | undefined;
  maxConnections: number | undefined;
}

const collect = (value: string, list: string[]): string[] => [...list, value];

export const command = defineCommand({
  path: 'trace proxy',
  summary: 'a man in the middle: record, watch, break and change what a client and a server say',
  description: [
    'Listens for clients, servers and components, and passes what they say on to a server and back, byte for byte. Clients start TLS (STARTTLS, or from the first byte) with a certificate for the domain, signed by an authority that is made the first time and kept in the state folder; the proxy says where it is, and a client has to trust it. The server is found and its certificate verified as everywhere. A client that comes by WebSocket needs a server of one: --to wss://…',
    'What crosses is shown as xmppctl trace show does it, and recorded with --trace=FILE, or with -o in a file for each connection, as the client sees it. Secrets are taken out of both.',
    'Channel binding ties a login to one TLS connection, and here there are two: a client that uses a -PLUS mechanism fails to log in. --strip-channel-binding takes these mechanisms out of what the server offers, which some servers and clients notice, as they should; --mechanisms PLAIN leaves nothing that could be bound.',
  ].join('\n\n'),
  examples: [
    {
      does: 'look at what a client does with a server',
      line: 'xmppctl trace proxy --to example.org --listen 127.0.0.1:5222 --trace=client.trace',
    },
    {
      does: 'a slow line that breaks after 20 kB from the server, once',
      line: 'xmppctl trace proxy --to example.org --fault latency=300ms --fault in:cut-after=20k --once',
    },
    {
      does: 'only messages, as JSON, with a file for each connection',
      line: 'xmppctl trace proxy --to example.org --filter message --json -o recordings',
    },
  ],
  sections: [
    {
      title: 'RULES',
      text: [
        'The file of --rules is a list in YAML or JSON. Each rule has match (a selector, see xmppctl trace show) and action, and may have direction (out is from the client, in is from the server). The first rule that matches decides; a stanza that none matches passes byte for byte.',
        'drop lets it vanish; delay holds it, and everything behind it, for ms milliseconds; duplicate passes it twice; replace passes the XML in with instead; reply drops it and gives the XML in with to its sender. In with, {id}, {from}, {to} and {type} stand for the attributes of the stanza that matched. Stream management counts what arrives: a stanza that is dropped or added makes the counters differ.',
        'For example: - {match: "message > body", direction: in, action: delay, ms: 500}',
      ].join('\n\n'),
    },
    {
      title: 'SCRIPTS',
      text: 'The module of --script exports onStanza(stanza, api), which may be async. stanza has direction, xml and element (name, namespace, attributes, children); api has drop(), replace(xml), duplicate(), reply(xml) and delay(ms). Nothing called passes the stanza.',
    },
    {
      title: 'FAULTS',
      text: 'latency=50ms delays everything; bandwidth=64k passes so many bytes a second; split=7 cuts what is sent into packets of so many bytes; cut-after=1000 resets the connection behind so many bytes; stall-after=1000 passes nothing more and keeps the connection. With in: or out: before it a fault is for one direction. They count the bytes inside TLS. On a WebSocket messages stay whole: split does nothing there.',
    },
    {
      title: 'JSON OUTPUT',
      text: 'The first line is an object with address, port, domain and ca (the file of the authority); then come the objects of xmppctl trace show --json. Without --json the first line is the address.',
    },
  ],
  exitCodes: {
    0: 'stopped with Ctrl-C, or all the connections that were asked for have ended',
    3: 'the address cannot be listened on',
  },
  completes: { '--rules': 'file', '--script': 'file', '--output': 'directory' },
  needs: 'connection',
  build: (command) =>
    command
      .requiredOption(
        '--to <server>',
        'a domain, host:port, xmpp://host:port, xmpps://host:port or wss://host/path',
      )
      .option('--listen <address>', 'where clients connect to; port 0 takes a free one', '127.0.0.1:5222')
      .option('--domain <domain>', 'the domain that is served, when --to does not say it')
      .option('--plain', 'clients without TLS; on a loopback address only')
      .option('--allow-plain', 'clients may do without TLS; on a loopback address only')
      .option('--strip-channel-binding', 'take -PLUS mechanisms out of what the server offers')
      .option('--mechanisms <names>', 'offer clients only these SASL mechanisms, separated by commas')
      .option('--filter <selector>', 'show only what this selects; everything is recorded')
      .option('--no-show', 'show nothing')
      .option('-o, --output <folder>', 'record each connection in a file of its own')
      .addOption(
        new Option(
          '--fault <fault>',
          'latency=50ms, bandwidth=64k, split=7, cut-after=N or stall-after=N (repeatable)',
        )
          .argParser(collect)
          .default([] as string[]),
      )
      .option('--rules <file>', 'what is done with which stanzas')
      .option('--script <file>', 'a module that decides on stanzas')
      .option('--break <selector>', 'ask what to do with the stanzas that this selects')
      .addOption(new Option('--once', 'end after the first connection').conflicts('count'))
      .option('--count <number>', 'end after so many connections'),
  parse: (_args, flags, context): ProxyCommandOptions => {
    const listen = parseListen(flags.listen);
    const isPlain = flags.plain === true;
    if ((isPlain || flags.allowPlain === true) && !isLoopbackAddress(listen.host)) {
      throw new UsageError(
        `clients without TLS are served on a loopback address only, not on ${listen.host}`,
      );
    }
    if (flags.break !== undefined && !context.prompt.isAvailable)
      throw new UsageError('--break asks its questions at a terminal, and there is none');
    return {
      listen,
      target: parseTarget(flags.to, flags.domain),
      plain: isPlain ? 'always' : flags.allowPlain === true ? 'allowed' : 'never',
      stripsChannelBinding: flags.stripChannelBinding === true,
      mechanisms: flags.mechanisms === undefined ? undefined : new Set(flags.mechanisms.split(',')),
      faults: flags.fault.map(parseFault),
      rulesFile: flags.rules,
      scriptFile: flags.script,
      breakAt: flags.break === undefined ? undefined : parseSelector(flags.break),
      filter: flags.filter === undefined ? undefined : parseSelector(flags.filter),
      isShown: flags.show,
      folder: flags.output,
      maxConnections: flags.once === true ? 1 : parseCount(flags.count),
    };
  },
  run: runProxy,
});

function parseCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`--count takes a number of connections, not ${text}`);
  return count;
}

/** @throws ConnectError @throws FileError @throws UsageError */
export async function runProxy(options: ProxyCommandOptions, context: Context): Promise<void> {
  const { output, signal, clock } = context;
  const { target, listen } = options;
  const [{ openProxyAuthority }, { startProxy }, { openRecorder }, { Server }, { configPaths }] =
    await Promise.all([
      import('../../lib/trace-proxy/authority.js'),
      import('../../lib/trace-proxy/proxy.js'),
      import('../../lib/trace-proxy/recorder.js'),
      import('../../lib/trace-proxy/server-leg.js'),
      import('../../lib/config/paths.js'),
    ]);
  const interceptors = await openInterceptors(options, context);
  const timeoutMs = (context.global.timeout ?? 30) * 1000;
  const server = new Server({
    ...target,
    ...(await trust(context)),
    timeoutMs,
    warn: (message) => output.warn(message),
  });
  const authority = await openProxyAuthority(path.join(configPaths(context.env).stateDir, 'trace-proxy'));
  let secureContext: ReturnType<typeof authority.issue> | undefined;
  const recorder = await openRecorder({
    tracer: await context.tracer(),
    view: options.isShown ? await openView(options.filter, context) : undefined,
    folder: options.folder,
    redact: context.global.traceSecrets !== true,
    startedAt: new Date(clock.now()),
    warn: (message) => output.warn(message),
  });
  const proxy = await startProxy({
    ...listen,
    server,
    domain: target.domain,
    secureContext: () => (secureContext ??= authority.issue(target.domain, addressesOf(listen.host))),
    plain: options.plain,
    allowsPlainComponents: isLoopbackAddress(listen.host),
    stripsChannelBinding: options.stripsChannelBinding,
    mechanisms: options.mechanisms,
    faults: options.faults,
    interceptors,
    timeoutMs,
    maxConnections: options.maxConnections,
    now: () => performance.now(),
    record: (label) => recorder.record(label),
    onPlusOffered: sayOncePlus(options, context),
    onFailure: (message) => output.warn(message),
  });
  await announce(proxy, authority.caFile, options, context);
  await Promise.race([proxy.finished, aborted(signal)]);
  await proxy.close();
  await recorder.close();
  await output.flush();
}

async function announce(
  { address, port }: RunningProxy,
  ca: string,
  { target, plain }: ProxyCommandOptions,
  { output }: Context,
): Promise<void> {
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  await output.item({ address, port, domain: target.domain, ca }, () => place);
  await output.flush();
  const trusting = plain === 'always' ? '' : `; clients have to trust the authority in ${ca}`;
  output.note(`listening on ${place} for ${target.domain}${trusting}`);
}

function sayOncePlus(
  { stripsChannelBinding }: ProxyCommandOptions,
  { output }: Context,
): (mechanisms: readonly string[]) => void {
  let wasSaid = false;
  return (mechanisms) => {
    if (wasSaid || stripsChannelBinding) return;
    wasSaid = true;
    output.note(
      `the server offers ${mechanisms.join(', ')}: channel binding cannot survive a proxy, and a client that uses it fails to log in; see --strip-channel-binding`,
    );
  };
}

/** The certificates that the server is trusted by, and the one that it may ask for. */
async function trust({ global, env }: Context) {
  const { readClientCertificate, readPem } = await import('../../lib/config/read-certificates.js');
  const file = global.ca ?? (env['XMPPCTL_CA'] === '' ? undefined : env['XMPPCTL_CA']);
  return {
    tls: {
      ...(file !== undefined && { ca: await readPem(file, 'the CA file', 'CERTIFICATE') }),
      pins: global.tlsPin ?? [],
      isInsecure: global.insecure === true,
    },
    ...(global.clientCert !== undefined && {
      clientCertificate: await readClientCertificate(global.clientCert, global.clientKey),
    }),
  };
}

async function openInterceptors(
  { rulesFile, scriptFile, breakAt }: ProxyCommandOptions,
  context: Context,
): Promise<Interceptor[]> {
  const interceptors: Interceptor[] = [];
  if (rulesFile !== undefined) {
    const [{ applyRules, parseRules }, { readTextFile }] = await Promise.all([
      import('../../lib/trace-proxy/rules.js'),
      import('../../lib/config/private-file.js'),
    ]);
    interceptors.push(applyRules(await parseRules(await readTextFile(rulesFile, 'the rules'))));
  }
  if (scriptFile !== undefined) {
    const { loadScript } = await import('../../lib/trace-proxy/script.js');
    interceptors.push(await loadScript(scriptFile));
  }
  if (breakAt) {
    const { breakPoint } = await import('./proxy-break.js');
    interceptors.push(breakPoint(breakAt, context));
  }
  return interceptors;
}

/** What clients may verify instead of the domain: the address of a WebSocket's URL. */
function addressesOf(host: string): string[] {
  return isLoopbackAddress(host) ? ['localhost', '127.0.0.1', '::1'] : [host];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}
