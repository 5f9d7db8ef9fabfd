import { defineCommand } from '../../lib/command/definition.js';
import { readTextFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import type { Style } from '../../lib/output/output.js';
import { safeText } from '../../lib/output/safe-text.js';
import { axisTitles } from '../../lib/probe/report/summary.js';
import { diffReports, type CheckChange, type ReportDiff } from '../../lib/probe/report/diff-reports.js';
import { readReport } from '../../lib/probe/report/read-report.js';

export interface DiffOptions {
  before: string;
  after: string;
}

export const command = defineCommand({
  path: 'probe diff',
  summary: 'compare two reports of probe: what became better, what became worse',
  needs: 'nothing',
  description:
    'Reads two documents that probe --json printed. What was not measured in one of them is told, and is no difference for the exit code unless it fails in the other.',
  examples: [
    {
      does: 'see whether a change of the configuration helped',
      line: 'xmppctl probe example.org --json >after.json; xmppctl probe diff before.json after.json',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object: domain, grades (axis, before, after) and checks (id, endpoint, before, after, observedBefore, observedAfter, kind: better, worse or changed).',
    },
  ],
  exitCodes: { 0: 'nothing became worse', 1: 'something did' },
  completes: { before: 'file', after: 'file' },
  build: (command) =>
    command.argument('<before>', 'a report').argument('<after>', 'another; - reads it from stdin'),
  parse: ([before, after]): DiffOptions => {
    if (before === '-' && after === '-') throw new UsageError('only one of the two can come from stdin');
    return { before, after };
  },
  run: runDiff,
});

/** @throws NegativeError something became worse */
export async function runDiff({ before, after }: DiffOptions, context: Context): Promise<void> {
  const { output } = context;
  const diff = diffReports(await read(before, context), await read(after, context));
  await output.result(diff, (shown) => renderDiff(shown, output.style));
  const worse = diff.checks.filter(({ kind }) => kind === 'worse').length;
  if (worse > 0) {
    throw new NegativeError(`${worse} ${worse === 1 ? 'check' : 'checks'} became worse`, {
      details: { count: worse },
    });
  }
}

async function read(file: string, { stdin }: Context) {
  if (file !== '-') return readReport(await readTextFile(file, 'the report'), file);
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(chunk as Buffer);
  return readReport(Buffer.concat(chunks).toString('utf8'), 'standard input');
}

function renderDiff({ grades, checks, domain }: ReportDiff, style: Style): string {
  const title = domain.before === domain.after ? domain.after : `${domain.before} and ${domain.after}`;
  if (grades.length === 0 && checks.length === 0)
    return `${safeText(title, { singleLine: true })}: no difference`;
  return [
    style.strong(safeText(title, { singleLine: true })),
    ...grades.map(
      ({ axis, before, after }) =>
        `  ${(axis === 'overall' ? 'Overall' : axisTitles[axis]).padEnd(11)} ${before} → ${after}`,
    ),
    ...checks.map((change) => renderChange(change, style)),
  ].join('\n');
}

function renderChange(
  { id, endpoint, before, after, observedAfter, observedBefore, kind }: CheckChange,
  style: Style,
): string {
  const marks = { worse: style.bad('✗'), better: style.good('✓'), changed: style.dim('·') };
  const place = endpoint === undefined ? '' : ` (${endpoint})`;
  const observed = observedAfter ?? observedBefore ?? '';
  return `  ${marks[kind]} ${safeText(`${id}${place}: ${before} → ${after}: ${observed}`, { singleLine: true })}`;
}
