/**
 * Grades: four axes that say nothing about each other. An axis begins with an A and is left with the worst of its caps;
 * nothing is averaged, so one bad endpoint cannot hide behind good ones.
 */
import { suiteRows, suites, idOf, type Level, type Suite } from './checks/compliance.js';
import { axes, gradeOrder, type Axis, type Finding, type Grade } from './model.js';

export interface Cap {
  to: Grade;
  /** The check that set it. */
  check: string;
  endpoint: string | undefined;
}

export interface AxisGrade {
  /** `?`: nothing of it could be measured. */
  grade: Grade | '?';
  /** What keeps it from being better, worst first. */
  caps: readonly Cap[];
}

export interface SuiteScore {
  passed: number;
  /** Of those that could be seen. */
  total: number;
  missing: readonly string[];
  /** How many could not be seen. */
  unseen: number;
}

export interface Grades {
  /** The worse of security and federation. */
  overall: Grade | '?';
  security: AxisGrade & {
    /** Where only trust in the certificate is missing: the grade with it. */ ifTrusted?: Grade;
  };
  federation: AxisGrade & { ifTrusted?: Grade };
  compliance: AxisGrade & { suites: Readonly<Record<Suite, Readonly<Record<Level, SuiteScore>>>> };
  abuse: AxisGrade & {
    /** 0 to 100; undefined where nothing could be measured. */ score: number | undefined;
  };
}

export const isWorse = (one: Grade, other: Grade): boolean =>
  gradeOrder.indexOf(one) > gradeOrder.indexOf(other);
const worst = (grades: readonly Grade[]): Grade =>
  grades.reduce((found, grade) => (isWorse(grade, found) ? grade : found), 'A+');

/** An axis is measured when one of these has an answer. */
const evidenceOf: Readonly<Record<'security' | 'federation', readonly string[]>> = {
  security: ['starttls.offered', 'stream.open'],
  federation: ['s2s.reachable'],
};

/** All of these have to pass for an A+. */
const excellence: Readonly<Record<'security' | 'federation', readonly string[]>> = {
  security: [
    'tls.proto.1.3',
    'sasl.plus',
    'sasl.binding.list',
    'dns.srv.clients',
    'dns.caa.binding',
    'tls.forward-secrecy',
    'tls.aead',
  ],
  federation: ['dnssec.srv', 'dane.tlsa.match', 'dane.tlsa.end-entity', 's2s.bidi', 's2s.external'],
};

/** What each of these is worth, of what could be measured. */
const abuseWeights: Readonly<Record<string, number>> = {
  'abuse.registration': 30,
  'sasl.anonymous': 20,
  'abuse.stanza.size': 10,
  'conformance.stanza.early': 10,
  'abuse.blocking': 10,
  'abuse.reporting': 5,
  'abuse.contact': 10,
  'sasl.harvest': 10,
  'stream.limits': 5,
};
const abuseLetters: readonly (readonly [least: number, grade: Grade])[] = [
  [85, 'A'],
  [65, 'B'],
  [45, 'C'],
  [25, 'D'],
  [0, 'F'],
];

export function gradeFindings(findings: readonly Finding[]): Grades {
  const caps = Object.fromEntries(axes.map((axis) => [axis, capsOn(axis, findings)])) as Record<Axis, Cap[]>;
  const security = letterOf('security', findings, caps.security);
  const federation = letterOf('federation', findings, caps.federation);
  const known = [security.grade, federation.grade].filter((grade) => grade !== '?');
  return {
    overall: known.length === 0 ? '?' : worst(known),
    security,
    federation,
    compliance: complianceOf(findings, caps.compliance),
    abuse: abuseOf(findings, caps.abuse),
  };
}

function capsOn(axis: Axis, findings: readonly Finding[]): Cap[] {
  const caps = findings.flatMap(({ check, status, endpoint, caps: own }): Cap[] => {
    if (status !== 'fail' && own === undefined) return [];
    const to = (own ?? check.caps)?.[axis];
    return to === undefined ? [] : [{ to, check: check.id, endpoint }];
  });
  return caps.sort((one, other) => gradeOrder.indexOf(other.to) - gradeOrder.indexOf(one.to));
}

function letterOf(
  axis: 'security' | 'federation',
  findings: readonly Finding[],
  caps: readonly Cap[],
): AxisGrade & { ifTrusted?: Grade } {
  const isMeasured = findings.some(
    ({ check, status }) => evidenceOf[axis].includes(check.id) && status !== 'skip',
  );
  if (!isMeasured) return { grade: '?', caps };
  const passed = (id: string): boolean => {
    const all = findings.filter(({ check }) => check.id === id);
    return all.length > 0 && all.every(({ status }) => status === 'pass');
  };
  const best: Grade = caps.length === 0 && excellence[axis].every(passed) ? 'A+' : 'A';
  const grade = worst([best, ...caps.map(({ to }) => to)]);
  if (grade !== 'T') return { grade, caps };
  return {
    grade,
    caps,
    ifTrusted: worst([best, ...caps.filter(({ to }) => to !== 'T').map(({ to }) => to)]),
  };
}

function complianceOf(findings: readonly Finding[], caps: readonly Cap[]): Grades['compliance'] {
  const statusOf = new Map(findings.map(({ check, status }) => [check.id, status]));
  const score = (suite: Suite, level: Level): SuiteScore => {
    const rows = suiteRows.filter(
      (row) => row.suite === suite && (level === 'advanced' || row.level === 'server'),
    );
    const seen = rows.filter((row) => !['skip', undefined].includes(statusOf.get(idOf(row))));
    const missing = seen.filter((row) => statusOf.get(idOf(row)) !== 'pass');
    return {
      passed: seen.length - missing.length,
      total: seen.length,
      missing: missing.map(({ xep, feature }) => `${feature} (${xep})`),
      unseen: rows.length - seen.length,
    };
  };
  const scores = Object.fromEntries(
    suites.map((suite) => [suite, { server: score(suite, 'server'), advanced: score(suite, 'advanced') }]),
  ) as Record<Suite, Record<Level, SuiteScore>>;
  // Two suites are about accounts only: without one there is no grade.
  const isMeasured = scores.im.server.total > 0 && scores.mobile.server.total > 0;
  return { grade: isMeasured ? worst(['A', ...caps.map(({ to }) => to)]) : '?', caps, suites: scores };
}

function abuseOf(findings: readonly Finding[], caps: readonly Cap[]): Grades['abuse'] {
  let possible = 0;
  let earned = 0;
  for (const [id, weight] of Object.entries(abuseWeights)) {
    const statuses = findings
      .filter(({ check, status }) => check.id === id && status !== 'skip')
      .map(({ status }) => status);
    if (statuses.length === 0) continue;
    possible += weight;
    if (statuses.every((status) => status === 'pass')) earned += weight;
    else if (!statuses.includes('fail')) earned += weight / 2;
  }
  if (possible === 0) return { grade: '?', caps, score: undefined };
  const score = Math.round((100 * earned) / possible);
  const letter = abuseLetters.find(([least]) => score >= least)?.[1] ?? 'F';
  return { grade: worst([letter, ...caps.map(({ to }) => to)]), caps, score };
}
