/** One report with hostile text in every place that a server can fill, in every format. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../../../src/lib/sandbox/certificates.js';
import { plainStyle } from '../../../src/lib/output/style.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { gradeFindings } from '../../../src/lib/probe/grades.js';
import { catalogue } from '../../../src/lib/probe/checks/catalogue.js';
import type { Finding } from '../../../src/lib/probe/model.js';
import { makeReport, type ProbeReport } from '../../../src/lib/probe/report/report.js';
import { diffReports } from '../../../src/lib/probe/report/diff-reports.js';
import { readReport } from '../../../src/lib/probe/report/read-report.js';
import { renderReport, reportFormats } from '../../../src/lib/probe/report/render.js';
import { startProbedServer } from '../../support/probed-server.js';
import { at, probeEndpoints } from '../../support/probe-run.js';

const domain = 'fake.test';
const authority = createAuthority('Fake authority');
const good = authority.issue({
  commonName: domain,
  names: [domain, '<script>alert(1)</script>', '\u001b]0;owned\u0007'],
});
const hostile = '</pre><script>alert(1)</script>\u001b[2J\u202e"\'`[x](javascript:alert(1))|\u0000';

const head = {
  id: '1',
  version: '0.0.0',
  domain,
  ascii: domain,
  started: new Date('2026-11-27T00:00:00Z'),
  durationMs: 1234,
};
const options = { style: plainStyle, columns: 80, isComplete: true, isStrict: false };

async function realReport(): Promise<ProbeReport> {
  await using server = await startProbedServer({
    domain,
    tls: { cert: good.cert, key: good.key },
    features: '<x xmlns="urn:&lt;script&gt;alert(1)&lt;/script&gt;"/>',
    plainMechanisms: ['PLAIN', '&lt;script&gt;'],
    registration: 'open',
  });
  const result = await probeEndpoints(domain, [at('xmpp-client', server)], { extraRoots: [authority.cert] });
  return makeReport(result, { ...head, grades: result.grades });
}

/** Every status, with hostile text as what was observed, and as evidence. */
function hostileReport(): ProbeReport {
  const findings = catalogue.slice(0, 40).map((check, index): Finding => ({
    check,
    status: (['fail', 'warn', 'info', 'pass', 'skip'] as const)[index % 5] ?? 'pass',
    observed: hostile,
    endpoint: `xmpp-client ${hostile}`,
    evidence: { sent: hostile, received: hostile },
  }));
  const facts = { domain, now: new Date(), endpoints: [] };
  return makeReport(
    { facts, findings, connectionsUsed: 0 },
    { ...head, domain: hostile, grades: gradeFindings(findings) },
  );
}

// eslint-disable-next-line no-control-regex -- what no terminal may see
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('a report', () => {
  it('is what its schema says', async () => {
    const file = path.join(import.meta.dirname, '../../../docs/probe-1.schema.json');
    const validate = new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(file, 'utf8')) as object);
    for (const report of [await realReport(), hostileReport()]) {
      validate(JSON.parse(JSON.stringify(report)));
      expect(validate.errors).toBeNull();
    }
  });

  it.each(reportFormats.filter((format) => format !== 'json'))(
    'holds nothing that harms, as %s',
    async (format) => {
      for (const report of [await realReport(), hostileReport()]) {
        const text = renderReport(report, format, options);
        expect(text).not.toMatch(dangerous);
        if (format === 'html' || format === 'junit' || format === 'markdown')
          expect(text).not.toContain('<script');
        if (format === 'markdown') expect(text).not.toContain('](javascript');
      }
    },
  );

  it('is XML as JUnit, with a case for each verdict', () => {
    const report = hostileReport();
    const text = renderReport(report, 'junit', options);
    const suites = parseXml(text.replace(/^<\?xml[^>]*\?>/, ''));
    const cases = suites.getChildren('testsuite').flatMap((suite) => suite.getChildren('testcase'));
    expect(cases).toHaveLength(report.checks.length + report.skipped.length);
    expect(cases.filter((one) => one.getChild('failure'))).toHaveLength(
      report.checks.filter(({ status }) => status === 'fail').length,
    );
    expect(cases.filter((one) => one.getChild('skipped'))).toHaveLength(report.skipped.length);
    const strict = parseXml(
      renderReport(report, 'junit', { ...options, isStrict: true }).replace(/^<\?xml[^>]*\?>/, ''),
    );
    expect(Number(strict.attrs['failures'])).toBe(
      report.checks.filter(({ status }) => status === 'fail' || status === 'warn').length,
    );
  });

  it('says the same verdicts in every format', async () => {
    const report = await realReport();
    const wrong = report.checks.filter(({ status }) => status === 'fail' || status === 'warn');
    expect(wrong.length).toBeGreaterThan(2);
    for (const format of reportFormats) {
      const text = renderReport(report, format, options);
      for (const { id } of wrong) expect(text, format).toContain(id);
      expect(text, format).toMatch(format === 'prometheus' ? /axis="overall",grade="F"} 0/ : /\bF\b/);
    }
  });

  it('is metrics that Prometheus can read', () => {
    for (const line of renderReport(hostileReport(), 'prometheus', options).split('\n')) {
      expect(line).toMatch(/^($|# (HELP|TYPE) |[a-z_]+\{([a-z]+="([^"\\]|\\.)*",?)*\} -?[\d.e+]+$)/);
    }
  });

  it('shows what is right only when it is asked for', () => {
    const report = hostileReport();
    const brief = renderReport(report, 'text', { ...options, isComplete: false });
    expect(brief).not.toContain('✓');
    expect(brief).not.toContain('Not measured');
    expect(renderReport(report, 'text', options)).toContain('✓');
  });
});

describe('two reports', () => {
  it('are compared by check and place', async () => {
    const before = await realReport();
    const after: ProbeReport = {
      ...before,
      grades: { ...before.grades, overall: 'A' },
      checks: before.checks.map((check) =>
        check.id === 'sasl.pretls'
          ? { ...check, status: 'pass', observed: 'none' }
          : check.id === 'stream.id'
            ? { ...check, status: 'fail' }
            : check,
      ),
    };
    expect(diffReports(before, before)).toMatchObject({ grades: [], checks: [] });
    const diff = diffReports(before, after);
    expect(diff.grades).toEqual([{ axis: 'overall', before: 'F', after: 'A' }]);
    expect(diff.checks.map(({ id, kind }) => [id, kind])).toEqual([
      ['stream.id', 'worse'],
      ['sasl.pretls', 'better'],
    ]);
  });

  it('are read from files of anybody', async () => {
    const report = await realReport();
    expect(readReport(JSON.stringify(report), 'a')).toEqual(JSON.parse(JSON.stringify(report)));
    for (const bad of [
      '',
      '{',
      '[]',
      '{}',
      'null',
      '{"schema":"xmppctl.probe/1"}',
      JSON.stringify({ ...report, checks: [{ id: 1 }] }),
    ]) {
      expect(() => readReport(bad, 'bad.json')).toThrow(/bad\.json is (not JSON|no report)/);
    }
  });
});
