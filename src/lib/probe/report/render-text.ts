/** The report for people at a terminal: grades first, then what is wrong and how to mend it. */
import type { Style } from '../../output/output.js';
import { safeText } from '../../output/safe-text.js';
import type { ProbeReport, ReportCheck } from './report.js';
import { describeAxes, fixLines, groupChecks, statusTitles, summarize, type CheckEntry } from './summary.js';

export interface TextOptions {
  style: Style;
  columns: number;
  /** Also what is right, and what was not measured. */
  isComplete: boolean;
}

const oneLine = (text: string): string => safeText(text, { singleLine: true });
const marks = { fail: '✗', warn: '!', info: '·', pass: '✓' } as const;

export function renderText(report: ProbeReport, options: TextOptions): string {
  const { style } = options;
  const { target, grades, checks, skipped } = report;
  const lines: string[] = [
    `${style.strong(oneLine(target.domain))}  ${paintGrade(grades.overall, style)}`,
    '',
    ...describeAxes(report).map(
      ({ title, grade, remark }) =>
        `  ${title.padEnd(11)} ${paintGrade(grade, style)}${' '.repeat(3 - grade.length)}${style.dim(oneLine(remark))}`,
    ),
    '',
    style.dim(summarize(report)),
  ];
  const dead = report.endpoints.filter(({ error }) => error !== undefined).length;
  if (report.endpoints.length === 0) lines.push('', style.warning('no endpoint was found'));
  else if (dead === report.endpoints.length) lines.push('', style.bad('no endpoint could be connected to'));
  for (const status of ['fail', 'warn', 'info', 'pass'] as const) {
    if (status === 'pass' && !options.isComplete) continue;
    const entries = groupChecks(checks.filter((check) => check.status === status));
    if (entries.length === 0) continue;
    lines.push('', style.strong(statusTitles[status]));
    for (const entry of entries) {
      lines.push(
        ...(status === 'fail' || status === 'warn'
          ? renderFully(entry, options)
          : renderBriefly(entry, options)),
      );
    }
  }
  if (options.isComplete && skipped.length > 0) {
    lines.push('', style.strong('Not measured'));
    for (const [reason, ids] of groupReasons(skipped))
      lines.push(...wrap(`${ids.join(', ')}: ${reason}`, 2, options.columns).map((line) => style.dim(line)));
  }
  return `${lines.join('\n')}\n`;
}

function renderFully({ check, places }: CheckEntry, { style, columns }: TextOptions): string[] {
  return [
    `  ${paintMark(check, style)} ${style.strong(oneLine(check.title))} ${style.dim(`[${check.id}, ${check.severity}]`)}`,
    ...places.flatMap((place) => wrap(describePlace(place), 6, columns)),
    ...wrap(`expected: ${check.expected}`, 6, columns).map((line) => style.dim(line)),
    ...wrap(check.why, 6, columns).map((line) => style.dim(line)),
    ...fixLines(check).flatMap((line) => wrap(`→ ${line}`, 6, columns)),
    ...wrap(check.ref.join(', '), 6, columns).map((line) => style.dim(line)),
  ];
}

function renderBriefly({ check, places }: CheckEntry, { style, columns }: TextOptions): string[] {
  const seen = places.map(describePlace).join('; ');
  const [first = '', ...rest] = wrap(`${check.title}: ${seen}`, 4, columns);
  return [
    `  ${paintMark(check, style)} ${first.trimStart()} ${rest.length === 0 ? style.dim(`[${check.id}]`) : ''}`.trimEnd(),
    ...rest,
  ];
}

function describePlace({ observed, endpoints }: CheckEntry['places'][number]): string {
  return endpoints.length === 0 ? observed : `${observed} (${endpoints.join(', ')})`;
}

function paintMark({ status }: ReportCheck, style: Style): string {
  const mark = marks[status];
  if (status === 'fail') return style.bad(mark);
  if (status === 'warn') return style.warning(mark);
  return status === 'pass' ? style.good(mark) : style.dim(mark);
}

function paintGrade(grade: string, style: Style): string {
  if (grade.startsWith('A')) return style.good(grade);
  if (grade === '?') return style.dim(grade);
  return grade === 'B' || grade === 'C' ? style.warning(grade) : style.bad(grade);
}

function groupReasons(skipped: ProbeReport['skipped']): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { id, reason } of skipped) {
    const ids = groups.get(reason) ?? [];
    if (!ids.includes(id)) ids.push(id);
    groups.set(reason, ids);
  }
  return groups;
}

/** Words on lines of at most `columns`, each behind `indent` blanks. Made harmless on the way. */
function wrap(text: string, indent: number, columns: number): string[] {
  const width = Math.max(30, columns - indent - 1);
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines.map((one) => ' '.repeat(indent) + one);
}
