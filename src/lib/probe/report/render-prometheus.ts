/** The report as metrics in the text format of Prometheus, for a file that its node exporter collects. */
import { safeText } from '../../output/safe-text.js';
import { axes, gradeOrder } from '../model.js';
import type { ProbeReport } from './report.js';
import { countStatuses } from './summary.js';

interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

export function renderPrometheus(report: ProbeReport): string {
  const domain = report.target.ascii;
  const counts = countStatuses(report);
  const started = Date.parse(report.run.started) / 1000;
  return [
    metric('xmppctl_probe_grade', 'gauge', 'Grade of an axis: 6 is A+, 0 is F, -1 was not measured.', [
      {
        labels: { domain, axis: 'overall', grade: report.grades.overall },
        value: numberOf(report.grades.overall),
      },
      ...axes.map((axis) => ({
        labels: { domain, axis, grade: report.grades[axis].grade },
        value: numberOf(report.grades[axis].grade),
      })),
    ]),
    metric(
      'xmppctl_probe_checks',
      'gauge',
      'Checks by what came of them.',
      Object.entries(counts).map(([status, value]) => ({ labels: { domain, status }, value })),
    ),
    metric(
      'xmppctl_probe_check_failed',
      'gauge',
      '1 for each check that failed or warned.',
      report.checks
        .filter(({ status }) => status === 'fail' || status === 'warn')
        .map(({ id, status, severity, endpoint = '' }) => ({
          labels: { domain, id, status, severity, endpoint },
          value: 1,
        })),
    ),
    metric(
      'xmppctl_probe_endpoint_up',
      'gauge',
      'Whether an endpoint accepted a connection.',
      report.endpoints.map(({ id, service, error }) => ({
        labels: { domain, endpoint: id, service },
        value: error === undefined ? 1 : 0,
      })),
    ),
    metric(
      'xmppctl_probe_certificate_expiry_timestamp_seconds',
      'gauge',
      'When the certificate of an endpoint expires.',
      report.endpoints.flatMap(({ id, certificate }) =>
        certificate
          ? [{ labels: { domain, endpoint: id }, value: Date.parse(certificate.notAfter) / 1000 }]
          : [],
      ),
    ),
    metric('xmppctl_probe_duration_seconds', 'gauge', 'How long the probe took.', [
      { labels: { domain }, value: report.run.durationMs / 1000 },
    ]),
    metric('xmppctl_probe_timestamp_seconds', 'gauge', 'When the probe began.', [
      { labels: { domain }, value: started },
    ]),
  ].join('');
}

const numberOf = (grade: string): number => {
  const index = (gradeOrder as readonly string[]).indexOf(grade);
  return index < 0 ? -1 : gradeOrder.length - 1 - index;
};

function metric(name: string, type: 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escape(text)}"`);
    return `${name}{${pairs.join(',')}} ${value}`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
}

const escape = (text: string): string =>
  safeText(text, { singleLine: true }).replaceAll('\\', '\\\\').replaceAll('"', '\\"');
