/** The report of a probe: the document that `--json` prints, and that every other format is made from. */
import type { TlsScan } from '../../tls-scan/scan.js';
import type { Grades } from '../grades.js';
import type { Finding, Fixes, Severity, Status, CheckGroup } from '../model.js';
import type { Endpoint, EndpointFacts, ProbeFacts } from '../facts/facts.js';
import type { DnsFacts } from '../facts/dns.js';
import type { ProbeOutcome } from '../probe-server.js';
import type { Evidence } from '../wire/transcript.js';

export const REPORT_SCHEMA = 'xmppctl.probe/1';

export interface ReportCheck {
  id: string;
  group: CheckGroup;
  status: Exclude<Status, 'skip'>;
  severity: Severity;
  title: string;
  endpoint?: string;
  expected: string;
  observed: string;
  evidence?: Evidence;
  ref: readonly string[];
  why: string;
  fix?: Fixes;
}

/** A check that was not made, and why. */
export interface SkippedCheck {
  id: string;
  group: CheckGroup;
  endpoint?: string;
  reason: string;
}

export interface ReportEndpoint {
  id: string;
  service: Endpoint['service'];
  transport: 'starttls' | 'direct';
  host: string;
  ip: string;
  port: number;
  origin: Endpoint['origin'];
  tcpMs?: number;
  error?: string;
  connections: number;
  tls?: {
    versions: readonly string[];
    suites: Readonly<Record<string, readonly string[]>>;
    groups: readonly string[];
  };
  certificate?: {
    fingerprints: readonly string[];
    names: { dns: readonly string[]; srv: readonly string[]; xmppAddr: readonly string[] };
    notAfter: string;
    trusted: boolean;
  };
  features?: {
    preTls?: readonly string[];
    postTls?: readonly string[];
    mechanisms: Readonly<Record<string, readonly string[]>>;
  };
}

export interface ProbeReport {
  schema: typeof REPORT_SCHEMA;
  tool: { name: string; version: string };
  target: { domain: string; ascii: string };
  run: {
    id: string;
    started: string;
    durationMs: number;
    /** `account` and `server` where these identities were given. */
    identities: readonly ('account' | 'server')[];
    connectionsUsed: number;
    resolver?: string;
  };
  grades: Grades;
  dns?: ReportDns;
  endpoints: readonly ReportEndpoint[];
  checks: readonly ReportCheck[];
  skipped: readonly SkippedCheck[];
}

export interface ReportDns {
  srv: readonly {
    service: string;
    priority: number;
    weight: number;
    port: number;
    target: string;
    security: string;
  }[];
  tlsa: readonly {
    name: string;
    usage: number;
    selector: number;
    matchingType: number;
    data: string;
    security: string;
  }[];
  caa: readonly { tag: string; value: string }[];
}

/** Failures first, then warnings; the more severe before the less; then in the order of the catalogue. */
const statusOrder: readonly Status[] = ['fail', 'warn', 'info', 'pass', 'skip'];
const severityOrder: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

function sortFindings<T extends { status: Status; severity: Severity }>(findings: readonly T[]): T[] {
  return [...findings].sort(
    (one, other) =>
      statusOrder.indexOf(one.status) - statusOrder.indexOf(other.status) ||
      severityOrder.indexOf(one.severity) - severityOrder.indexOf(other.severity),
  );
}

function reportChecks(findings: readonly Finding[]): Pick<ProbeReport, 'checks' | 'skipped'> {
  const checks: ReportCheck[] = [];
  const skipped: SkippedCheck[] = [];
  for (const { check, status, observed, endpoint, evidence } of findings) {
    const place = endpoint === undefined ? {} : { endpoint };
    if (status === 'skip') {
      skipped.push({ id: check.id, group: check.group, ...place, reason: observed });
      continue;
    }
    checks.push({
      id: check.id,
      group: check.group,
      status,
      severity: check.severity,
      title: check.title,
      ...place,
      expected: check.expected,
      observed,
      ...(evidence && Object.keys(evidence).length > 0 && { evidence }),
      ref: check.references,
      why: check.why,
      ...(check.fix && { fix: check.fix }),
    });
  }
  return { checks: sortFindings(checks), skipped };
}

function reportEndpoint(facts: EndpointFacts): ReportEndpoint {
  const { endpoint, tcp, plain, handshakes, certificate, scan, connectionsUsed } = facts;
  const inside = handshakes?.['1.3']?.value ?? handshakes?.['1.2']?.value;
  const versions = handshakes ?? {};
  return {
    id: endpoint.id,
    service: endpoint.service,
    transport: endpoint.service.startsWith('xmpps') ? 'direct' : 'starttls',
    host: endpoint.host,
    ip: endpoint.address,
    port: endpoint.port,
    origin: endpoint.origin,
    ...(tcp.value ? { tcpMs: Math.round(tcp.value.elapsedMs * 10) / 10 } : { error: tcp.reason }),
    connections: connectionsUsed,
    ...(scan?.value && { tls: reportTls(scan.value) }),
    ...(certificate?.value && {
      certificate: {
        fingerprints: certificate.value.fingerprints,
        names: {
          dns: certificate.value.leaf.subjectAltName.dns,
          srv: certificate.value.leaf.subjectAltName.srv,
          xmppAddr: certificate.value.leaf.subjectAltName.xmppAddr,
        },
        notAfter: certificate.value.leaf.notAfter.toISOString(),
        trusted: certificate.value.chain.trusted,
      },
    }),
    ...((plain?.value ?? inside) && {
      features: {
        ...(plain?.value && { preTls: plain.value.features }),
        ...(inside && { postTls: inside.stream.features }),
        mechanisms: Object.fromEntries(
          Object.entries(versions).flatMap(([version, part]) =>
            part.value ? [[version, part.value.stream.mechanisms]] : [],
          ),
        ),
      },
    }),
  };
}

function reportTls({ versions, groups }: TlsScan): NonNullable<ReportEndpoint['tls']> {
  const spoken = Object.entries(versions).flatMap(([version, scan]) =>
    scan.isSupported ? [{ version, scan }] : [],
  );
  return {
    versions: spoken.map(({ version }) => version),
    suites: Object.fromEntries(
      spoken.map(({ version, scan }) => [version, scan.suites.map(({ name }) => name)]),
    ),
    groups: [...new Set([...groups.tls13, ...groups.tls12])],
  };
}

function identitiesOf(facts: ProbeFacts): ProbeReport['run']['identities'] {
  return [
    ...(facts.account?.value ? (['account'] as const) : []),
    ...(facts.endpoints.some(({ federation }) => federation?.value) ? (['server'] as const) : []),
  ];
}

/** What a report says besides what was found. */
export interface ReportHead {
  id: string;
  version: string;
  domain: string;
  ascii: string;
  started: Date;
  durationMs: number;
  grades: Grades;
}

export function makeReport(
  { facts, findings, connectionsUsed }: ProbeOutcome,
  head: ReportHead,
): ProbeReport {
  const dns = facts.dns?.value;
  return {
    schema: REPORT_SCHEMA,
    tool: { name: 'xmppctl', version: head.version },
    target: { domain: head.domain, ascii: head.ascii },
    run: {
      id: head.id,
      started: head.started.toISOString(),
      durationMs: head.durationMs,
      identities: identitiesOf(facts),
      connectionsUsed,
      ...(dns && { resolver: dns.resolver }),
    },
    grades: head.grades,
    ...(dns && { dns: reportDns(dns) }),
    endpoints: facts.endpoints.map(reportEndpoint),
    ...reportChecks(findings),
  };
}

function reportDns({ srv, tlsa, caa }: DnsFacts): ReportDns {
  return {
    srv: Object.entries(srv).flatMap(([service, { lookup }]) =>
      lookup.records.slice(0, 50).map(({ priority, weight, port, target }) => ({
        service,
        priority,
        weight,
        port,
        target,
        security: lookup.security,
      })),
    ),
    tlsa: tlsa.flatMap(({ lookup }) =>
      lookup.records.slice(0, 50).map(({ usage, selector, matchingType, data }) => ({
        name: lookup.name,
        usage,
        selector,
        matchingType,
        data: data.toString('hex').slice(0, 256),
        security: lookup.security,
      })),
    ),
    caa: caa.lookup.records.slice(0, 50).map(({ tag, value }) => ({ tag, value })),
  };
}
