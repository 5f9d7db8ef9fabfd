/** `probe` as a process. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { startDnsLab } from '../support/dns-lab.js';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const schema = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../docs/probe-1.schema.json'), 'utf8'),
) as object;

/** The document as Chromium has it when everything has been loaded. */
async function lookAt(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `--user-data-dir=${file}.profile`,
      '--dump-dom',
      `file://${file}`,
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout;
}

interface Report {
  grades: { overall: string; security: { grade: string } };
  checks: { id: string; status: string; endpoint?: string }[];
  skipped: { id: string }[];
}

const argumentsFor = ({ domain, caFile, ports }: Sandbox): string[] => [
  'probe',
  domain,
  '--ca',
  caFile,
  ...Object.entries({
    'xmpp-client': ports.c2s,
    'xmpps-client': ports.c2sTls,
    'xmpp-server': ports.s2s,
    'xmpps-server': ports.s2sTls,
    web: ports.https,
  }).flatMap(([service, port]) => ['--endpoint', `${service}=127.0.0.1:${port}`]),
];

describeOnEachServer('xmppctl probe', (server) => {
  const home = useTemporaryHome();

  it('prints a report for people, grades first', async () => {
    const { code, stdout, stderr } = await runXmppctl([...argumentsFor(server.sandbox), '--fail-under', 'C']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sandbox\.localhost {2}[AB]\n\n {2}Security {4}[AB]/);
    expect(stdout).toContain(
      'names that do not exist cannot be told from those that do [sasl.harvest, medium]',
    );
    expect(stdout).not.toContain('\u001b');
  });

  it('prints a document of its schema, whose verdicts the other formats repeat', async () => {
    const args = [...argumentsFor(server.sandbox), '--fail-under', 'F'];
    const { stdout } = await runXmppctl([...args, '--json']);
    const report = JSON.parse(stdout) as Report;
    const validate = new Ajv().compile(schema);
    validate(report);
    expect(validate.errors).toBeNull();
    const wrong = [...new Set(report.checks.filter(({ status }) => status === 'fail').map(({ id }) => id))];
    expect(wrong).toContain('abuse.registration');
    for (const format of ['junit', 'html', 'markdown', 'prometheus', 'json']) {
      const { stdout: text, code } = await runXmppctl([...args, '--format', format]);
      expect(code, format).toBe(0);
      for (const id of wrong) expect(text, format).toContain(id);
    }
  });

  it('prints a page that a browser shows, by itself', async () => {
    const args = [...argumentsFor(server.sandbox), '--fail-under', 'F', '--format', 'html'];
    const { stdout } = await runXmppctl(args);
    const page = await lookAt(await home.write('report.html', stdout));
    expect(page).toContain('<h1><span>sandbox.localhost</span><span class="grade');
    expect(page).toMatch(/<details class="fail" open=""><summary>not everybody can register by machine/);
    expect(page).not.toMatch(/<script|src=|href=/);
    // A page with a script of a server in it would have changed its title.
    const hostile = stdout.replaceAll(
      '</details>',
      '&lt;script&gt;document.title="owned"&lt;/script&gt;<script>document.title="owned"</script></details>',
    );
    expect(await lookAt(await home.write('hostile.html', hostile))).toContain('<title>sandbox.localhost: ');
  });

  it('fails below the grade that was asked for, with one line', async () => {
    const { code, stdout, stderr } = await runXmppctl([
      ...argumentsFor(server.sandbox),
      '--fail-under',
      'A+',
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain('Security');
    expect(stderr).toMatch(/^xmppctl: sandbox\.localhost is graded [AB], which is below A\+\n$/);
  });

  it('makes only the checks that were chosen', async () => {
    const { stdout } = await runXmppctl([
      ...argumentsFor(server.sandbox),
      '--only',
      'tls.proto,cert',
      '--skip',
      'cert.transparency',
      '--json',
    ]);
    const { checks, skipped } = JSON.parse(stdout) as Report;
    const ids = new Set([...checks, ...skipped].map(({ id }) => id));
    expect([...ids].every((id) => id.startsWith('tls.proto.') || id.startsWith('cert.'))).toBe(true);
    expect(ids.has('cert.transparency')).toBe(false);
    expect(ids.has('cert.name')).toBe(true);
  });

  it('sees more with an account, and never shows its password', async () => {
    const { sandbox } = server;
    const file = await home.write('trace.ndjson', '');
    const { code, stdout } = await runXmppctl(
      [
        ...argumentsFor(sandbox),
        '--jid',
        sandbox.accounts['alice']?.jid ?? '',
        '--service',
        sandbox.services.starttls,
        '--only',
        'compliance,service',
        `--trace=${file}`,
        '--json',
      ],
      {
        env: environmentOf(sandbox, 'alice'),
      },
    );
    expect(code).toBe(0);
    const { checks } = JSON.parse(stdout) as Report;
    expect(checks.find(({ id }) => id === 'service.upload.works')?.status).toBe('pass');
    const trace = readFileSync(file, 'utf8');
    expect(trace).toContain('probe xmpp-client');
    for (const text of [trace, stdout])
      expect(text).not.toContain(sandbox.accounts['alice']?.password ?? 'none');
  });

  it('says what became worse', async () => {
    const args = [...argumentsFor(server.sandbox), '--only', 'sasl,starttls', '--json'];
    const before = await home.write('before.json', (await runXmppctl(args)).stdout);
    const same = await runXmppctl(['probe', 'diff', before, '-'], { input: (await runXmppctl(args)).stdout });
    expect(same).toMatchObject({ code: 0, stdout: 'sandbox.localhost: no difference\n', stderr: '' });
    const changed = readFileSync(before, 'utf8').replace(
      /("id": "starttls.required",\s*"group": "starttls",\s*"status": )"pass"/,
      '$1"fail"',
    );
    const worse = await runXmppctl(['probe', 'diff', before, await home.write('after.json', changed)]);
    expect(worse).toMatchObject({ code: 1, stderr: 'xmppctl: 1 check became worse\n' });
    expect(worse.stdout).toContain('starttls.required');
  });
});

describe('xmppctl probe', () => {
  it('lists its checks, and explains each', async () => {
    const { stdout, code } = await runXmppctl(['probe', '--list-checks', '--only', 'starttls']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^starttls\.offered {2,}STARTTLS is offered\n/);
    const explained = await runXmppctl(['probe', 'explain', 'starttls.required']);
    expect(explained.stdout).toMatch(
      /^STARTTLS is required\nstarttls\.required, STARTTLS, high\n\n[\s\S]*RFC 6120 §5\.3\.1/,
    );
    expect(await runXmppctl(['probe', 'explain', 'starttls.requird'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'xmppctl: there is no check called "starttls.requird" (did you mean starttls.required?)\n',
    });
  });

  it.each([
    [[], /which domain shall be probed/],
    [['alice@example.org'], /a domain is probed, not alice@example\.org/],
    [['example.org', '--only', 'tsl'], /no check and no group of checks called "tsl"/],
    [['example.org', '--endpoint', 'smtp=a:25'], /no service that can be probed/],
    [['example.org', '--resolver', 'dns.example'], /not the address of a resolver/],
    [['example.org', '--fail-under', 'Z'], /a grade is one of/],
    [['example.org', '--format', 'pdf'], /the formats are/],
    [['example.org', '--budget', 'connections=no'], /not a number above 0/],
    [['example.org', '--s2s-identity', 'a'], /a domain, a certificate and a key/],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stdout, stderr } = await runXmppctl(['probe', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('says that nothing could be connected to', async () => {
    const { code, stdout, stderr } = await runXmppctl([
      'probe',
      'example.test',
      '--endpoint',
      'xmpp-client=127.0.0.1:1',
    ]);
    expect(code).toBe(3);
    expect(stdout).toContain('no endpoint could be connected to');
    expect(stderr).toMatch(/^xmppctl: no endpoint of example\.test could be connected to: .*ECONNREFUSED\n$/);
  });

  it('finds a server by DNS, validated from an anchor of our own, and says nothing else', async () => {
    const domain = 'signed.test';
    await using sandbox = await startSandbox({ server: 'prosody', domain, searchPath: process.env['PATH'] });
    const records = [
      `_xmpp-client._tcp IN SRV 0 0 ${sandbox.ports.c2s} xmpp`,
      `_xmpp-server._tcp IN SRV 0 0 ${sandbox.ports.s2s} xmpp`,
      'xmpp IN A 127.0.0.1',
    ];
    const lab = await startDnsLab({ zones: [{ name: domain, records }] });
    try {
      const { address, port } = lab.resolver;
      const args = [
        'probe',
        domain,
        '--ca',
        sandbox.caFile,
        '--resolver',
        `${address}:${port}`,
        '--trust-anchor',
        lab.trustAnchorFile,
        '--fail-under',
        'F',
        '--json',
      ];
      const { stdout, stderr } = await runXmppctl(args);
      expect(stderr).toBe('');
      const report = JSON.parse(stdout) as Report;
      const validate = new Ajv().compile(schema);
      validate(report);
      expect(validate.errors).toBeNull();
      expect(report.checks.filter(({ id }) => id === 'dnssec.srv').map(({ status }) => status)).toEqual([
        'pass',
      ]);
      expect(report.checks.filter(({ id }) => id === 'dns.srv.private').map(({ status }) => status)).toEqual([
        'fail',
      ]);
    } finally {
      await lab.stop();
    }
  });

  it('ends at Ctrl-C', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const running = startXmppctl(
      ['probe', 'example.test', '--endpoint', `xmpp-client=127.0.0.1:${port}`, '--timeout', '60'],
      { input: '' },
    );
    await once(silent, 'connection');
    running.child.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 130, stdout: '' });
    silent.close();
  });

  it('does not follow the DNS to addresses of its own network unless it is told to', async () => {
    const { code, stderr } = await runXmppctl([
      'probe',
      'example.test',
      '--address',
      'example.test=127.0.0.1',
      '--endpoint',
      'xmpp-client=example.test:1',
    ]);
    expect(code).toBe(3);
    expect(stderr).toContain('ECONNREFUSED');
  });
});
