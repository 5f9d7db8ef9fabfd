/** The report as Markdown, for tickets and wikis. */
import { safeText } from '../../output/safe-text.js';
import type { ProbeReport } from './report.js';
import { describeAxes, fixLines, groupChecks, statusTitles, summarize } from './summary.js';

export function renderMarkdown(report: ProbeReport): string {
  const lines = [
    `# ${escape(report.target.domain)}: ${report.grades.overall}`,
    '',
    '| axis | grade | |',
    '| --- | --- | --- |',
    ...describeAxes(report).map(
      ({ title, grade, remark }) => `| ${title} | **${grade}** | ${escape(remark)} |`,
    ),
    '',
    `${escape(summarize(report))}. Probed ${report.run.started} by ${report.tool.name} ${report.tool.version}.`,
  ];
  for (const status of ['fail', 'warn', 'info', 'pass'] as const) {
    const entries = groupChecks(report.checks.filter((check) => check.status === status));
    if (entries.length === 0) continue;
    lines.push('', `## ${statusTitles[status]}`, '');
    for (const { check, places } of entries) {
      const seen = places.map(
        ({ observed, endpoints }) =>
          `${escape(observed)}${endpoints.length === 0 ? '' : ` (${escape(endpoints.join(', '))})`}`,
      );
      lines.push(`- **${escape(check.title)}** (\`${check.id}\`, ${check.severity}): ${seen.join('; ')}`);
      if (status !== 'fail' && status !== 'warn') continue;
      lines.push(`  - ${escape(check.why)}`, `  - expected: ${escape(check.expected)}`);
      for (const fix of fixLines(check)) lines.push(`  - ${escape(fix)}`);
      lines.push(`  - ${escape(check.ref.join(', '))}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Text from the network begins no link, no image, no table cell and no HTML. */
function escape(text: string): string {
  return safeText(text, { singleLine: true })
    .replace(/[\\`*_{}[\]()#+!|~]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
