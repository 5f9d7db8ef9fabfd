/** Probes of a test's own servers, and what changed between two of them. */
import type { ProbedServer } from './probed-server.js';
import { selectChecks } from '../../src/lib/probe/checks/catalogue.js';
import type { Service } from '../../src/lib/probe/facts/facts.js';
import { gradeFindings, type Grades } from '../../src/lib/probe/grades.js';
import type { Finding } from '../../src/lib/probe/model.js';
import {
  probeServer,
  type GivenEndpoint,
  type ProbeMeans,
  type ProbeOutcome,
  type ProbeTarget,
} from '../../src/lib/probe/probe-server.js';
import { defaultLimits } from '../../src/lib/probe/wire/budget.js';

export interface TestProbe extends ProbeOutcome {
  grades: Grades;
}

export async function probeEndpoints(
  domain: string,
  endpoints: readonly GivenEndpoint[],
  {
    only = [],
    skip = [],
    target = {},
    ...means
  }: Partial<ProbeMeans> & {
    only?: readonly string[];
    skip?: readonly string[];
    target?: Partial<ProbeTarget>;
  } = {},
): Promise<TestProbe> {
  const outcome = await probeServer(
    { domain, endpoints, webServer: undefined, stunServers: [], addresses: new Map(), ...target },
    selectChecks({ only, skip }),
    {
      resolvers: undefined,
      trustAnchors: undefined,
      limits: defaultLimits,
      allowsPrivate: true,
      extraRoots: [],
      identity: undefined,
      session: undefined,
      trust: undefined,
      tracer: undefined,
      signal: undefined,
      now: new Date(),
      ...means,
    },
  );
  return { ...outcome, grades: gradeFindings(outcome.findings) };
}

export const at = (service: Service, { port }: Pick<ProbedServer, 'port'>): GivenEndpoint => ({
  service,
  host: '127.0.0.1',
  port,
});

/** What is not right, by check and place: `starttls.required xmpp-client fail`. */
export function troubles({ findings }: ProbeOutcome): string[] {
  return wordsOf(findings.filter(({ status }) => status === 'fail' || status === 'warn'));
}

/** Every verdict, without the ports, which differ from run to run. */
export function verdicts({ findings }: ProbeOutcome): string[] {
  return wordsOf(findings);
}

function wordsOf(findings: readonly Finding[]): string[] {
  return [
    ...new Set(
      findings.map(({ check, endpoint, status }) =>
        [check.id, endpoint?.split(' ')[0] ?? '', status].filter((word) => word !== '').join(' '),
      ),
    ),
  ].sort();
}
