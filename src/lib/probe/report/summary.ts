/** What every format says: the sentences about grades, and checks put together that found the same in several places. */
import { suites } from '../checks/compliance.js';
import type { AxisGrade } from '../grades.js';
import { axes, type Axis, type Status } from '../model.js';
import type { ProbeReport, ReportCheck } from './report.js';

export const axisTitles: Readonly<Record<Axis, string>> = {
  security: 'Security',
  federation: 'Federation',
  compliance: 'Compliance',
  abuse: 'Abuse',
};

export const statusTitles: Readonly<Record<Exclude<Status, 'skip'>, string>> = {
  fail: 'Failures',
  warn: 'Warnings',
  info: 'Remarks',
  pass: 'Right',
};

export interface AxisLine {
  axis: Axis;
  title: string;
  grade: string;
  /** What keeps it from being better, or how it came about. */
  remark: string;
}

export function describeAxes({ grades, checks }: ProbeReport): AxisLine[] {
  const titleOf = new Map(checks.map(({ id, title }) => [id, title]));
  const capped = ({ caps }: AxisGrade): string => {
    const [first, ...rest] = [...new Map(caps.map((cap) => [cap.check, cap])).values()];
    if (!first) return '';
    const more = rest.length > 0 ? `, and ${rest.length} more` : '';
    return `at best ${first.to}: not so that ${titleOf.get(first.check) ?? first.check}${more}`;
  };
  return axes.map((axis) => {
    const { grade } = grades[axis];
    return { axis, title: axisTitles[axis], grade, remark: remarkOn(axis, grades, capped(grades[axis])) };
  });
}

function remarkOn(axis: Axis, grades: ProbeReport['grades'], capped: string): string {
  switch (axis) {
    case 'security':
    case 'federation': {
      const { grade, ifTrusted } = grades[axis];
      if (grade === '?') return 'nothing of it could be measured';
      return ifTrusted === undefined ? capped : `${ifTrusted} if the certificate were trusted; ${capped}`;
    }
    case 'compliance': {
      const { grade, suites: scores } = grades.compliance;
      if (grade === '?') return 'needs an account (--account)';
      return suites
        .filter((suite) => scores[suite].server.total > 0)
        .map(
          (suite) =>
            `${suite} ${scores[suite].server.passed}/${scores[suite].server.total}, advanced ${scores[suite].advanced.passed}/${scores[suite].advanced.total}`,
        )
        .join('; ');
    }
    case 'abuse': {
      const { score } = grades.abuse;
      return score === undefined ? 'nothing of it could be measured' : `${score} of 100 points`;
    }
  }
}

/** The same check with the same observation at several endpoints is one entry. */
export interface CheckEntry {
  check: ReportCheck;
  /** By observation: where it was seen. Empty for the domain as a whole. */
  places: readonly { observed: string; endpoints: readonly string[]; evidence: ReportCheck['evidence'] }[];
}

export function groupChecks(checks: readonly ReportCheck[]): CheckEntry[] {
  const byId = new Map<string, ReportCheck[]>();
  for (const check of checks) byId.set(check.id, [...(byId.get(check.id) ?? []), check]);
  return [...byId.values()].flatMap((same) => {
    const [check] = same;
    if (!check) return [];
    const byObservation = new Map<string, ReportCheck[]>();
    for (const one of same)
      byObservation.set(one.observed, [...(byObservation.get(one.observed) ?? []), one]);
    const places = [...byObservation].map(([observed, all]) => ({
      observed,
      endpoints: all.flatMap(({ endpoint }) => endpoint ?? []),
      evidence: all[0]?.evidence,
    }));
    return [{ check, places }];
  });
}

export function countStatuses({ checks, skipped }: ProbeReport): Record<Status, number> {
  const count = (status: Status): number => checks.filter((check) => check.status === status).length;
  return {
    fail: count('fail'),
    warn: count('warn'),
    info: count('info'),
    pass: count('pass'),
    skip: skipped.length,
  };
}

export function summarize(report: ProbeReport): string {
  const { fail, warn, info, pass, skip } = countStatuses(report);
  const words = [
    countOf(fail, 'failure'),
    countOf(warn, 'warning'),
    countOf(info, 'remark'),
    `${pass} right`,
    `${skip} not measured`,
  ];
  const { endpoints, run } = report;
  return `${words.join(', ')}; ${countOf(endpoints.length, 'endpoint')}, ${countOf(run.connectionsUsed, 'connection')}, ${(run.durationMs / 1000).toFixed(1)} s`;
}

const countOf = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** How it is mended, one line for each place. */
export function fixLines({ fix }: ReportCheck): string[] {
  return [
    ...(fix?.prosody === undefined ? [] : [`Prosody: ${fix.prosody}`]),
    ...(fix?.ejabberd === undefined ? [] : [`ejabberd: ${fix.ejabberd}`]),
    ...(fix?.elsewhere === undefined ? [] : [fix.elsewhere]),
  ];
}
