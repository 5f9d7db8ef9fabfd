/** The report as one page that needs nothing else: no scripts, no pictures, nothing from the network. */
import { safeText } from '../../output/safe-text.js';
import type { ProbeReport, ReportCheck, ReportEndpoint } from './report.js';
import { describeAxes, fixLines, groupChecks, statusTitles, summarize, type CheckEntry } from './summary.js';

const css = `
:root { color-scheme: light dark; --line: #8884; --good: #18794e; --warn: #ad5700; --bad: #c62a2f; --dim: #8889; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { display: flex; justify-content: space-between; align-items: center; overflow-wrap: anywhere; }
.grade { display: inline-block; min-width: 1.6em; padding: 0 .3em; text-align: center; border-radius: .25em; color: #fff; background: var(--dim); font-weight: 700; }
.grade.good { background: var(--good); } .grade.warn { background: var(--warn); } .grade.bad { background: var(--bad); }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-left-width: .3rem; border-radius: .25rem; margin: .4rem 0; padding: .3rem .7rem; }
details.fail { border-left-color: var(--bad); } details.warn { border-left-color: var(--warn); } details.pass { border-left-color: var(--good); }
summary { cursor: pointer; } code, pre { font: 13px/1.4 ui-monospace, monospace; } pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 2px solid var(--line); padding-left: .6rem; }
.dim { opacity: .7; font-size: .9em; }
`;

export function renderHtml(report: ProbeReport): string {
  const { target, grades, run, tool } = report;
  const sections = (['fail', 'warn', 'info', 'pass'] as const).flatMap((status) => {
    const entries = groupChecks(report.checks.filter((check) => check.status === status));
    if (entries.length === 0) return [];
    return [
      `<h2>${statusTitles[status]} (${entries.length})</h2>`,
      ...entries.map((entry) => renderEntry(entry, status)),
    ];
  });
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escape(`${target.domain}: ${grades.overall}`)}</title><style>${css}</style></head><body>`,
    `<h1><span>${escape(target.domain)}</span>${renderGrade(grades.overall)}</h1>`,
    `<table>${describeAxes(report)
      .map(
        ({ title, grade, remark }) =>
          `<tr><th>${title}</th><td>${renderGrade(grade)}</td><td>${escape(remark)}</td></tr>`,
      )
      .join('')}</table>`,
    `<p class="dim">${escape(summarize(report))}. Probed ${escape(run.started)} by ${escape(`${tool.name} ${tool.version}`)}.</p>`,
    ...sections,
    '<h2>Endpoints</h2>',
    `<table><tr><th>endpoint</th><th>host</th><th>TLS</th><th>certificate until</th></tr>${report.endpoints.map(renderEndpoint).join('')}</table>`,
    ...renderSkipped(report),
    '</body></html>',
    '',
  ].join('\n');
}

function renderEntry({ check, places }: CheckEntry, status: ReportCheck['status']): string {
  const isOpen = status === 'fail' ? ' open' : '';
  return [
    `<details class="${status}"${isOpen}><summary>${escape(check.title)} <span class="dim">${check.id}, ${check.severity}</span></summary>`,
    ...places.map(
      ({ observed, endpoints, evidence }) =>
        `<p>${escape(observed)}${endpoints.length === 0 ? '' : ` <span class="dim">${escape(endpoints.join(', '))}</span>`}</p>${renderEvidence(evidence)}`,
    ),
    `<p class="dim">Expected: ${escape(check.expected)}. ${escape(check.why)}</p>`,
    ...(status === 'fail' || status === 'warn'
      ? fixLines(check).map((fix) => `<p><code>${escape(fix)}</code></p>`)
      : []),
    `<p class="dim">${escape(check.ref.join(', '))}</p></details>`,
  ].join('');
}

function renderEvidence(evidence: ReportCheck['evidence']): string {
  if (!evidence) return '';
  const part = (title: string, text: string | undefined): string =>
    text === undefined ? '' : `<p class="dim">${title}</p><pre>${escape(text, false)}</pre>`;
  return part('sent', evidence.sent) + part('received', evidence.received);
}

function renderEndpoint({ id, host, error, tls, certificate }: ReportEndpoint): string {
  const cells =
    error === undefined
      ? [tls?.versions.join(', ') ?? '', certificate?.notAfter.slice(0, 10) ?? '']
      : [error, ''];
  return `<tr><td>${escape(id)}</td><td>${escape(host)}</td>${cells.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`;
}

function renderSkipped({ skipped }: ProbeReport): string[] {
  if (skipped.length === 0) return [];
  const rows = skipped.map(
    ({ id, endpoint = '', reason }) =>
      `<tr><td>${escape(id)}</td><td>${escape(endpoint)}</td><td>${escape(reason)}</td></tr>`,
  );
  return [
    `<details><summary>Not measured (${skipped.length})</summary><table>${rows.join('')}</table></details>`,
  ];
}

function renderGrade(grade: string): string {
  const kind = grade.startsWith('A')
    ? 'good'
    : grade === 'B' || grade === 'C'
      ? 'warn'
      : grade === '?'
        ? ''
        : 'bad';
  return `<span class="grade ${kind}">${escape(grade)}</span>`;
}

function escape(text: string, singleLine = true): string {
  return safeText(text, { singleLine }).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
