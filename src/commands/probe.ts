import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import { defineCommand } from '../lib/command/definition.js';
import { readTextFile } from '../lib/config/private-file.js';
import { readClientCertificate, readPem } from '../lib/config/read-certificates.js';
import type { Context } from '../lib/context.js';
import { parseTrustAnchors } from '../lib/dns/dnssec/trust-anchors.js';
import { parseResolver, systemResolvers, type DnsServer } from '../lib/dns/servers.js';
import { NegativeError, UsageError } from '../lib/errors.js';
import { JID } from '../lib/jid/jid.js';
import type { Session } from '../lib/session/session.js';
import { catalogue, selectChecks, type Selection } from '../lib/probe/checks/catalogue.js';
import type { Check } from '../lib/probe/checks/check.js';
import { isPublicAddress } from '../lib/probe/facts/addresses.js';
import { gradeFindings, isWorse } from '../lib/probe/grades.js';
import { gradeOrder, type Grade } from '../lib/probe/model.js';
import {
  assertReached,
  probeServer,
  type ProbeOutcome,
  type ProbeTarget,
} from '../lib/probe/probe-server.js';
import { makeReport, type ProbeReport } from '../lib/probe/report/report.js';
import { reportFormats, renderReport, type ReportFormat } from '../lib/probe/report/render.js';
import type { BudgetLimits } from '../lib/probe/wire/budget.js';
import { parseAddresses, parseBudget, parseEndpoints } from './probe/parse-target.js';

export interface ProbeOptions {
  /** Undefined: the checks are listed. */
  domain: JID | undefined;
  target: Omit<ProbeTarget, 'domain'>;
  selection: Selection;
  /** Undefined: those of the system, unless the endpoints were given. */
  resolvers: readonly DnsServer[] | undefined;
  trustAnchorFile: string | undefined;
  allowsPrivate: boolean;
  identity: { domain: string; certFile: string; keyFile: string } | undefined;
  limits: BudgetLimits;
  failUnder: Grade;
  format: ReportFormat;
  isComplete: boolean;
  isStrict: boolean;
}

const collect = (value: string, list: string[]): string[] => [
  ...list,
  ...value.split(',').filter((word) => word !== ''),
];
const collectWhole = (value: string, list: string[]): string[] => [...list, value];

export const command = defineCommand({
  path: 'probe',
  summary: 'validate a server: DNS, TLS, certificates, authentication, federation, abuse',
  description: [
    'Looks at a domain as clients and other servers see it, and says what is wrong, why it matters, and how it is mended on Prosody and on ejabberd. It needs no account: it finds the endpoints by DNS (validating DNSSEC itself), tries every version and cipher of TLS, reads the certificates, and sends what a careful client, and a careless one, would send.',
    'With an account of the domain (--account or --jid) it also looks at what only those see who have logged in: the compliance suites of XEP-0479, uploads, publish-options, TURN credentials. With the certificate of a domain of yours (--s2s-identity) it talks to the server as another server.',
    'It registers nobody, joins no room, guesses no password, and keeps to a budget of connections, bytes and time for each endpoint.',
  ].join('\n\n'),
  examples: [
    { does: 'look at a server before it goes live', line: 'xmppctl probe example.org' },
    { does: 'with an account, everything', line: 'xmppctl probe example.org --jid me@example.org --all' },
    { does: 'only TLS and certificates, as JSON', line: 'xmppctl probe example.org --only tls,cert --json' },
    {
      does: 'a server that is not in the DNS yet',
      line: 'xmppctl probe example.org --endpoint xmpp-client=192.0.2.7:5222 --endpoint xmpp-server=192.0.2.7:5269',
    },
    {
      does: 'in a pipeline: fail below an A, and keep the results',
      line: 'xmppctl probe example.org --fail-under A --format junit >probe.xml',
    },
    {
      does: 'as another server',
      line: 'xmppctl probe example.org --s2s-identity ours.example,cert.pem,key.pem',
    },
  ],
  sections: [
    {
      title: 'GRADES',
      text: [
        'Four axes are graded by themselves, and nothing is averaged: an axis begins with an A, and each fault leaves a best grade that is still possible. The worst endpoint counts. Security is about TLS, certificates and authentication; federation about what other servers meet; compliance about XEP-0479, by suite; abuse about what strangers can do. The overall grade is the worse of security and federation. An A+ takes more than nothing being wrong.',
        'T stands for a certificate that is not trusted while all else is well. What could not be measured has a question mark and is no failure.',
      ].join('\n\n'),
    },
    {
      title: 'ENDPOINTS',
      text: '--endpoint takes xmpp-client, xmpps-client, xmpp-server or xmpps-server (xmpps has TLS from the first byte), web (where host-meta is served), stun or turn, an equals sign, and HOST:PORT. With it the DNS is not asked, unless --resolver says whom. --address NAME=ADDRESS says where a name is.',
    },
    {
      title: 'BUDGET',
      text: 'For each endpoint: connections (150), rate (new connections in a second: 15; none on this machine and in private networks), concurrency (5), bytes (read from one connection: 262144), time (seconds altogether: 30). --budget connections=300,rate=50 changes them. --timeout is for one step: 5 seconds unless it is given.',
    },
    {
      title: 'JSON OUTPUT',
      text: 'One document of the schema xmppctl.probe/1: target, run, grades, dns, endpoints, checks (id, group, status, severity, endpoint, expected, observed, evidence, ref, why, fix) and skipped. The JSON Schema is docs/probe-1.schema.json of the package.',
    },
  ],
  exitCodes: {
    0: 'no grade below --fail-under',
    1: 'the overall grade is below --fail-under (B unless told)',
    3: 'no endpoint could be found or connected to',
  },
  completes: {
    domain: 'none',
    '--only': 'none',
    '--skip': 'none',
    '--endpoint': 'none',
    '--resolver': 'none',
    '--trust-anchor': 'file',
    '--address': 'none',
    '--s2s-identity': 'none',
    '--budget': 'none',
    '--fail-under': gradeOrder,
    '--format': reportFormats,
  },
  build: (command) =>
    command
      .argument('[domain]', 'the domain, as in user@domain')
      .option('--only <checks>', 'only these groups or checks, separated by commas (repeatable)', collect, [])
      .option('--skip <checks>', 'not these groups or checks', collect, [])
      .option(
        '--endpoint <service=place>',
        'look here instead of asking the DNS (repeatable)',
        collectWhole,
        [],
      )
      .option(
        '--resolver <address>',
        'the resolver to ask, with its port where it is not 53 (repeatable)',
        collectWhole,
        [],
      )
      .option(
        '--trust-anchor <file>',
        'DS or DNSKEY records to validate DNSSEC from, instead of those of the root',
      )
      .option(
        '--address <name=address>',
        'the address of a name, instead of looking it up (repeatable)',
        collectWhole,
        [],
      )
      .option('--allow-private', 'connect to private and loopback addresses that the DNS leads to')
      .option(
        '--s2s-identity <domain,cert,key>',
        'talk to the server as this domain: PEM files of its certificate and key',
      )
      .option(
        '--budget <name=number>',
        'connections, rate, concurrency, bytes or time for each endpoint',
        collect,
        [],
      )
      .option('--fail-under <grade>', 'exit with 1 below this grade', parseGrade, 'B' as Grade)
      .option('--format <format>', `how the report is printed: ${reportFormats.join(', ')}`, parseFormat)
      .option('--strict', 'in JUnit, warnings are failures')
      .option('-a, --all', 'also show what is right, and what was not measured')
      .option('--list-checks', 'list the checks instead of making them'),
  parse: ([domain], flags, { global }): ProbeOptions => {
    const listsChecks = flags.listChecks === true;
    if (domain === undefined && !listsChecks) {
      throw new UsageError('which domain shall be probed?', { hint: 'xmppctl probe example.org' });
    }
    const selection = { only: flags.only, skip: flags.skip };
    selectChecks(selection);
    const target = { ...parseEndpoints(flags.endpoint), addresses: parseAddresses(flags.address) };
    const resolvers = flags.resolver.map(parseResolver);
    const isByHand = target.endpoints.length > 0;
    return {
      domain: domain === undefined || listsChecks ? undefined : parseDomain(domain),
      target,
      selection,
      resolvers: resolvers.length > 0 ? resolvers : isByHand ? undefined : [],
      trustAnchorFile: flags.trustAnchor,
      allowsPrivate:
        flags.allowPrivate === true ||
        [...target.endpoints.map(({ host }) => host), ...resolvers.map(({ address }) => address)].some(
          isPrivateAddress,
        ),
      identity: flags.s2sIdentity === undefined ? undefined : parseIdentity(flags.s2sIdentity),
      limits: parseBudget(flags.budget, global.timeout),
      failUnder: flags.failUnder,
      format: flags.format ?? 'text',
      isComplete: flags.all === true,
      isStrict: flags.strict === true,
    };
  },
  run: runProbe,
});

/** @throws NegativeError the grade is below what was asked for @throws ConnectError nothing could be connected to */
export async function runProbe(options: ProbeOptions, context: Context): Promise<void> {
  const { domain, selection, failUnder } = options;
  const checks = selectChecks(selection);
  if (!domain) {
    for (const check of checks) await context.output.item(describeCheck(check), renderCheckLine);
    return;
  }
  const started = new Date(context.clock.now());
  const startedAt = performance.now();
  const outcome = await probe(options, domain, checks, started, context);
  const report = makeReport(outcome, {
    id: randomUUID(),
    version: XMPPCTL_VERSION,
    domain: domain.domain,
    ascii: domain.asciiDomain,
    started,
    durationMs: Math.round(performance.now() - startedAt),
    grades: gradeFindings(outcome.findings),
  });
  await printReport(report, options, context);
  assertReached(outcome.facts.endpoints, domain.domain);
  const { overall } = report.grades;
  if (overall !== '?' && isWorse(overall, failUnder)) {
    throw new NegativeError(`${domain.domain} is graded ${overall}, which is below ${failUnder}`, {
      details: { grade: overall },
    });
  }
}

async function probe(
  options: ProbeOptions,
  domain: JID,
  checks: readonly Check[],
  now: Date,
  context: Context,
): Promise<ProbeOutcome> {
  const { global, env, output, signal } = context;
  const { identity, trustAnchorFile, limits, allowsPrivate } = options;
  const anchors =
    trustAnchorFile === undefined
      ? undefined
      : parseTrustAnchors(await readTextFile(trustAnchorFile, 'the trust anchors'));
  const ca = global.ca ?? (env['XMPPCTL_CA'] === '' ? undefined : env['XMPPCTL_CA']);
  const extraRoots = ca === undefined ? [] : [await readPem(ca, 'the CA file', 'CERTIFICATE')];
  const certificate = identity && (await readClientCertificate(identity.certFile, identity.keyFile));
  const tracer = await context.tracer();
  const session = await openSession(domain, context);
  try {
    using _busy = output.activity(`probing ${domain.domain}`);
    return await probeServer({ ...options.target, domain: domain.asciiDomain }, checks, {
      resolvers: options.resolvers?.length === 0 ? systemResolvers() : options.resolvers,
      trustAnchors: anchors,
      limits,
      allowsPrivate,
      extraRoots,
      identity: identity && certificate && { domain: identity.domain, ...certificate },
      session,
      trust: session && ((await context.connectOptions()).tls ?? {}),
      tracer,
      signal,
      now,
    });
  } finally {
    await session?.close();
  }
}

/** Only where an account was named: a default account has nothing to do with the domain. */
async function openSession(domain: JID, context: Context): Promise<Session | undefined> {
  const { global } = context;
  if (global.account === undefined && global.jid === undefined) return undefined;
  const { jid } = await context.connectOptions();
  if (jid.domain !== domain.domain) {
    throw new UsageError(`${jid.bare.toString()} is no account of ${domain.domain}`, {
      hint: 'a server is looked at with an account of its own',
    });
  }
  return context.connect();
}

async function printReport(
  report: ProbeReport,
  { format, isComplete, isStrict }: ProbeOptions,
  { output }: Context,
): Promise<void> {
  if (format === 'text' || format === 'json' || output.isJson) {
    const render = (): string =>
      renderReport(report, output.isJson || format === 'text' ? 'text' : format, {
        style: output.style,
        columns: output.columns,
        isComplete,
        isStrict,
      });
    await output.result(report, render);
    return;
  }
  await output.bytes(
    Buffer.from(
      renderReport(report, format, { style: output.style, columns: output.columns, isComplete, isStrict }),
    ),
  );
}

function describeCheck({ id, group, severity, title, references, reads }: Check) {
  return {
    id,
    group,
    severity,
    title,
    references,
    needsAccount: reads.includes('account') && !reads.includes('web'),
    needsIdentity: reads.includes('federation'),
  };
}

function renderCheckLine({ id, title }: ReturnType<typeof describeCheck>): string {
  return `${id.padEnd(longestId)}  ${title}`;
}

const longestId = Math.max(...catalogue.map(({ id }) => id.length));

function parseDomain(text: string): JID {
  const jid = JID.parse(text);
  if (jid.local !== undefined || jid.resource !== undefined) {
    throw new UsageError(`a domain is probed, not ${text}`, { hint: `xmppctl probe ${jid.domain}` });
  }
  return jid;
}

function parseIdentity(text: string): NonNullable<ProbeOptions['identity']> {
  const [domain, certFile, keyFile, ...rest] = text.split(',');
  if (!domain || !certFile || !keyFile || rest.length > 0) {
    throw new UsageError('--s2s-identity takes a domain, a certificate and a key', {
      hint: 'write them as example.net,cert.pem,key.pem',
    });
  }
  return { domain: parseDomain(domain).asciiDomain, certFile, keyFile };
}

function isPrivateAddress(host: string): boolean {
  return /^[\d.]+$|:/.test(host) && !isPublicAddress(host);
}

function parseGrade(text: string): Grade {
  const grade = gradeOrder.find((one) => one === text.toUpperCase());
  if (!grade) throw new InvalidArgumentError(`a grade is one of ${gradeOrder.join(', ')}`);
  return grade;
}

function parseFormat(text: string): ReportFormat {
  const format = reportFormats.find((one) => one === text);
  if (!format) throw new InvalidArgumentError(`the formats are ${reportFormats.join(', ')}`);
  return format;
}
