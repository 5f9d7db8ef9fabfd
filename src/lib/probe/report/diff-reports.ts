/** What changed between two reports. */
import { axes, type Axis } from '../model.js';
import type { ProbeReport, ReportCheck } from './report.js';

export interface GradeChange {
  axis: Axis | 'overall';
  before: string;
  after: string;
}

export interface CheckChange {
  id: string;
  endpoint: string | undefined;
  /** `absent`: the check, or the endpoint, was not there. */
  before: ReportCheck['status'] | 'skip' | 'absent';
  after: ReportCheck['status'] | 'skip' | 'absent';
  observedBefore: string | undefined;
  observedAfter: string | undefined;
  kind: 'better' | 'worse' | 'changed';
}

export interface ReportDiff {
  domain: { before: string; after: string };
  grades: readonly GradeChange[];
  checks: readonly CheckChange[];
}

export function diffReports(before: ProbeReport, after: ProbeReport): ReportDiff {
  const old = outcomes(before);
  const current = outcomes(after);
  const checks: CheckChange[] = [];
  for (const key of new Set([...old.keys(), ...current.keys()])) {
    const one = old.get(key);
    const other = current.get(key);
    const statusBefore = one?.status ?? 'absent';
    const statusAfter = other?.status ?? 'absent';
    if (statusBefore === statusAfter) continue;
    const { id, endpoint } = one ?? other ?? { id: key, endpoint: undefined };
    checks.push({
      id,
      endpoint,
      before: statusBefore,
      after: statusAfter,
      observedBefore: one?.observed,
      observedAfter: other?.observed,
      kind: kindOf(statusBefore, statusAfter),
    });
  }
  const order = { worse: 0, better: 1, changed: 2 } as const;
  return {
    domain: { before: before.target.domain, after: after.target.domain },
    grades: [
      { axis: 'overall' as const, before: before.grades.overall, after: after.grades.overall },
      ...axes.map((axis) => ({ axis, before: before.grades[axis].grade, after: after.grades[axis].grade })),
    ].filter((change) => change.before !== change.after),
    checks: checks.sort((a, b) => order[a.kind] - order[b.kind]),
  };
}

interface CheckOutcome {
  id: string;
  endpoint: string | undefined;
  status: ReportCheck['status'] | 'skip';
  observed: string;
}

const rank = { pass: 0, info: 1, warn: 2, fail: 3 } as const;

/** By check and place; where a check says several things about one place, the worst of them. */
function outcomes(report: ProbeReport): Map<string, CheckOutcome> {
  const found = new Map<string, CheckOutcome>();
  for (const { id, endpoint, reason } of report.skipped)
    found.set(`${id} ${endpoint ?? ''}`, { id, endpoint, status: 'skip', observed: reason });
  for (const { id, endpoint, status, observed } of report.checks) {
    const key = `${id} ${endpoint ?? ''}`;
    const known = found.get(key);
    if (known && known.status !== 'skip' && rank[known.status] >= rank[status]) continue;
    found.set(key, { id, endpoint, status, observed });
  }
  return found;
}

function kindOf(before: CheckChange['before'], after: CheckChange['after']): CheckChange['kind'] {
  if (before === 'skip' || after === 'skip' || before === 'absent' || after === 'absent') {
    return after === 'fail' ? 'worse' : before === 'fail' ? 'better' : 'changed';
  }
  return rank[after] > rank[before] ? 'worse' : 'better';
}
