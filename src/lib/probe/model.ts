/** The words of a probe: checks, what they find, and the grades that come of it. */
import type { Evidence } from './wire/transcript.js';

/** In the order of a report. */
export const checkGroups = {
  dns: 'DNS',
  dnssec: 'DNSSEC, DANE and POSH',
  tcp: 'Reachability',
  starttls: 'STARTTLS',
  tls: 'TLS',
  cert: 'Certificates',
  stream: 'Streams',
  sasl: 'Authentication',
  s2s: 'Federation',
  conformance: 'RFC 6120 conformance',
  web: 'Web: host-meta, WebSocket, BOSH',
  stun: 'STUN and TURN',
  service: 'Services and contacts',
  compliance: 'Compliance suites (XEP-0479)',
  abuse: 'Abuse and denial of service',
} as const;
export type CheckGroup = keyof typeof checkGroups;

/** From best to worst. `T`: nothing is wrong but the trust in the certificate. `?`: nothing could be measured. */
export const gradeOrder = ['A+', 'A', 'B', 'C', 'D', 'T', 'F'] as const;
export type Grade = (typeof gradeOrder)[number];

export const axes = ['security', 'federation', 'compliance', 'abuse'] as const;
export type Axis = (typeof axes)[number];

/** `skip`: not measured, with the reason; never a failure. */
export type Status = 'pass' | 'info' | 'warn' | 'fail' | 'skip';
export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** The best grade that is left on an axis. */
export type Caps = Readonly<Partial<Record<Axis, Grade>>>;

/** How it is mended. */
export interface Fixes {
  prosody?: string;
  ejabberd?: string;
  /** In the zone, in the certificate: where the server's configuration is not the place. */
  elsewhere?: string;
}

/** What does not depend on the server that is probed. */
export interface CheckTexts {
  id: string;
  group: CheckGroup;
  severity: Severity;
  /** What is right when it passes: `STARTTLS is required`. */
  title: string;
  expected: string;
  /** Sections of specifications: `RFC 6120 §5.3.1`. */
  references: readonly string[];
  /** Why it matters, for somebody who runs a server. */
  why: string;
  fix?: Fixes;
  /** The grade that is left when it fails. */
  caps?: Caps;
}

/** What a check has seen in one place. */
export interface Verdict {
  status: Status;
  /** What was seen; for `skip`, why nothing was. */
  observed: string;
  /** The id of an endpoint; undefined for the domain as a whole. */
  endpoint?: string | undefined;
  evidence?: Evidence | undefined;
  /** Instead of the check's own; counts for `warn`, too. */
  caps?: Caps | undefined;
}

export interface Finding extends Verdict {
  check: CheckTexts;
}
