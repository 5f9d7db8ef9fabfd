/** The report as JUnit XML, which build servers read: a suite for each group, a case for each check and place. */
import { safeText } from '../../output/safe-text.js';
import { checkGroups, type CheckGroup } from '../model.js';
import type { ProbeReport, ReportCheck } from './report.js';
import { countStatuses } from './summary.js';

/** @param isStrict warnings count as failures, too */
export function renderJunit(report: ProbeReport, isStrict: boolean): string {
  const groups = Object.keys(checkGroups) as CheckGroup[];
  const isFailure = ({ status }: ReportCheck): boolean =>
    status === 'fail' || (isStrict && status === 'warn');
  const suites = groups.flatMap((group) => {
    const checks = report.checks.filter((check) => check.group === group);
    const skipped = report.skipped.filter((check) => check.group === group);
    if (checks.length + skipped.length === 0) return [];
    const attributes = `name=${quote(checkGroups[group])} tests="${checks.length + skipped.length}" failures="${checks.filter(isFailure).length}" errors="0" skipped="${skipped.length}"`;
    return [
      `  <testsuite ${attributes} timestamp=${quote(report.run.started.replace(/Z$/, ''))}>`,
      ...checks.map((check) => renderCase(check, isFailure(check), report.target.ascii)),
      ...skipped.map(
        ({ id, endpoint, reason }) =>
          `    <testcase name=${quote(id)} classname=${quote(endpoint ?? report.target.ascii)}><skipped message=${quote(reason)}/></testcase>`,
      ),
      '  </testsuite>',
    ];
  });
  const { skip } = countStatuses(report);
  const failures = report.checks.filter(isFailure).length;
  const tests = report.checks.length + skip;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${quote(`xmppctl probe ${report.target.ascii}: ${report.grades.overall}`)} tests="${tests}" failures="${failures}" errors="0" skipped="${skip}" time="${(report.run.durationMs / 1000).toFixed(3)}">`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function renderCase(check: ReportCheck, isFailure: boolean, domain: string): string {
  const open = `    <testcase name=${quote(check.id)} classname=${quote(check.endpoint ?? domain)}`;
  if (check.status === 'pass') return `${open}/>`;
  const text = [
    `${check.title}: ${check.observed}`,
    `expected: ${check.expected}`,
    check.why,
    `reference: ${check.ref.join(', ')}`,
  ].join('\n');
  const body = isFailure
    ? `<failure type=${quote(check.severity)} message=${quote(check.observed)}>${escape(text)}</failure>`
    : `<system-out>${escape(text)}</system-out>`;
  return `${open}>${body}</testcase>`;
}

const quote = (text: string): string => `"${escape(text)}"`;

/** Markup characters escaped, and what no XML document may hold made visible. */
function escape(text: string): string {
  return safeText(text)
    .replace(/[\ud800-\udfff\ufffe\uffff]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;');
}
