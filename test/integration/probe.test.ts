/** Probes of real servers, with real DNS and a real TURN server beside them. */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseTrustAnchors } from '../../src/lib/dns/dnssec/trust-anchors.js';
import { services } from '../../src/lib/probe/facts/facts.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import type { SandboxOptions, ServerName } from '../../src/lib/sandbox/options.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { startTurnServer } from '../support/coturn.js';
import { startDnsLab, type LabZone } from '../support/dns-lab.js';
import { probeEndpoints, troubles, type TestProbe } from '../support/probe-run.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

/** What an administrator would do about what a probe says of a sandbox. */
const wellConfigured = (name: ServerName): SandboxOptions =>
  name === 'prosody'
    ? {
        prosody: {
          global: { allow_registration: false },
          host: {
            modules_enabled: ['server_contact_info', 's2s_bidi'],
            contact_info: {
              abuse: ['mailto:abuse@sandbox.localhost'],
              admin: ['xmpp:alice@sandbox.localhost'],
              security: ['mailto:security@sandbox.localhost'],
            },
          },
        },
      }
    : {
        ejabberd: {
          // COMPAT(ejabberd 23.01): channel binding does not work with TLS 1.3.
          disable_sasl_mechanisms: ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-512-PLUS'],
          append_host_config: {
            'sandbox.localhost': { modules: { mod_register: { access: 'none', ip_access: 'loopback' } } },
          },
          modules: {
            mod_disco: {
              server_info: [
                { modules: 'all', name: 'abuse-addresses', urls: ['mailto:abuse@sandbox.localhost'] },
              ],
            },
          },
        },
      };

const endpointsOf = ({ ports }: Sandbox) =>
  [
    { service: 'xmpp-client', host: '127.0.0.1', port: ports.c2s },
    { service: 'xmpps-client', host: '127.0.0.1', port: ports.c2sTls },
    { service: 'xmpp-server', host: '127.0.0.1', port: ports.s2s },
    { service: 'xmpps-server', host: '127.0.0.1', port: ports.s2sTls },
  ] as const;

const webOf = ({ ports }: Sandbox) => ({ webServer: { host: '127.0.0.1', port: ports.https } });

const statusOf = (result: TestProbe, id: string): string[] => [
  ...new Set(result.findings.filter(({ check }) => check.id === id).map(({ status }) => status)),
];
const observed = (result: TestProbe, id: string): string[] =>
  result.findings.filter(({ check }) => check.id === id).map((finding) => finding.observed);

const clients = ['xmpp-client', 'xmpps-client'] as const;

/** What is left to say of each: known faults of the versions in Debian 12, which no setting mends. */
const known: Readonly<Record<ServerName, readonly string[]>> = {
  prosody: [
    ...['xmpp-server', 'xmpps-server'].map((service) => `abuse.stanza.size ${service} warn`),
    ...services.map((service) => `conformance.namespace.content ${service} warn`),
    ...clients.flatMap((service) => [`sasl.harvest ${service} warn`, `sasl.plus ${service} warn`]),
  ].sort(),
  ejabberd: [
    ...['comment', 'encoding', 'instruction'].flatMap((what) =>
      services.map((service) => `conformance.xml.${what} ${service} warn`),
    ),
    ...clients.flatMap((service) => [`sasl.harvest ${service} warn`, `sasl.plus ${service} warn`]),
  ].sort(),
};

describeOnEachServer(
  'a probe of a well-configured server',
  (server) => {
    it('gives it an A, and fails nothing', async () => {
      const { sandbox } = server;
      const result = await probeEndpoints(sandbox.domain, endpointsOf(sandbox), {
        extraRoots: [sandbox.ca],
        target: webOf(sandbox),
      });
      expect(troubles(result)).toEqual(known[server.name]);
      expect(result.grades).toMatchObject({
        overall: 'A',
        security: { grade: 'A' },
        federation: { grade: 'A' },
      });
      expect(statusOf(result, 'web.websocket')).toEqual(['pass']);
      expect(statusOf(result, 'web.bosh')).toEqual(['pass']);
      // COMPAT(ejabberd 23.01): the form is sent also where nobody may register.
      expect(statusOf(result, 'abuse.registration')).toEqual([server.name === 'prosody' ? 'pass' : 'info']);
      for (const { connectionsUsed } of result.facts.endpoints)
        expect(connectionsUsed).toBeLessThanOrEqual(150);
    });

    it('sees more with an account', async () => {
      const { sandbox } = server;
      await using session = await connectAccount(sandbox, 'alice');
      const result = await probeEndpoints(sandbox.domain, endpointsOf(sandbox), {
        extraRoots: [sandbox.ca],
        target: webOf(sandbox),
        session,
        trust: { ca: sandbox.ca },
        only: ['service', 'compliance', 'abuse'],
      });
      for (const id of [
        'service.disco',
        'service.software',
        'service.upload',
        'service.upload.works',
        'service.publish-options',
        'service.proxy',
        'abuse.blocking',
        'abuse.contact',
      ]) {
        expect(statusOf(result, id), id).toEqual(['pass']);
      }
      expect(observed(result, 'abuse.contact')).toEqual(['mailto:abuse@sandbox.localhost']);
      const { suites } = result.grades.compliance;
      expect(suites.core.server).toMatchObject({ passed: 3, total: 3 });
      expect(suites.im.server).toMatchObject({ passed: 4, total: 4 });
      expect(suites.mobile.server).toMatchObject({ passed: 2, total: 2 });
      expect(suites.calls.server).toMatchObject({ passed: 0, total: 1 });
      expect(result.grades.compliance.grade).toBe('B');
    });

    it('talks to it as another server', async () => {
      const { sandbox } = server;
      const identity = { domain: 'ours.test', ...sandbox.issueServerCertificate('ours.test') };
      const [, , s2s] = endpointsOf(sandbox);
      const result = await probeEndpoints(sandbox.domain, [s2s], {
        extraRoots: [sandbox.ca],
        identity,
        only: ['s2s', 'service'],
      });
      expect(statusOf(result, 's2s.external')).toEqual(['pass']);
      expect(statusOf(result, 's2s.dialback.refused')).not.toContain('fail');
      // Only with XEP-0288 do answers come back on the same connection.
      const hasBidi = server.name === 'prosody';
      expect(statusOf(result, 's2s.bidi')).toEqual([hasBidi ? 'pass' : 'info']);
      expect(statusOf(result, 'service.disco')).toEqual([hasBidi ? 'pass' : 'skip']);
      expect(statusOf(result, 'service.contacts')).toEqual([hasBidi ? 'pass' : 'skip']);
      const stranger = { domain: 'other.test', ...sandbox.issueServerCertificate('ours.test') };
      const refused = await probeEndpoints(sandbox.domain, [s2s], {
        extraRoots: [sandbox.ca],
        identity: stranger,
        only: ['s2s.external'],
      });
      expect(statusOf(refused, 's2s.external')).toEqual(['fail']);
    });
  },
  wellConfigured,
);

describe('one setting at a time on Prosody', () => {
  const rows: readonly (readonly [string, SandboxOptions, readonly string[], string])[] = [
    ['an expired certificate', { certificate: 'expired' }, ['cert.expiry fail'], 'F'],
    ['a certificate for another name', { certificate: 'wrong-name' }, ['cert.name fail'], 'T'],
    ['a certificate of somebody else', { certificate: 'self-signed' }, ['cert.trust fail'], 'T'],
    ['no TLS', { encryption: 'none' }, ['starttls.offered fail', 'sasl.pretls fail'], 'F'],
    [
      'TLS that is only offered',
      { encryption: 'optional' },
      ['starttls.required fail', 'starttls.enforced.registration fail', 'sasl.pretls fail'],
      'F',
    ],
    ['only PLAIN', { mechanisms: ['PLAIN'] }, ['sasl.scram fail'], 'B'],
    ['TLS 1.2 only', { tlsVersion: '1.2' }, ['tls.proto.1.3 warn'], 'A'],
    ['TLS 1.3 only', { tlsVersion: '1.3' }, [], 'A'],
  ];

  it.each(rows)('%s', async (_name, options, expected, grade) => {
    await using sandbox = await startSandbox({
      server: 'prosody',
      searchPath: process.env['PATH'],
      ...options,
    });
    const [client] = endpointsOf(sandbox);
    const result = await probeEndpoints(sandbox.domain, [client], {
      extraRoots: [sandbox.ca],
      only: ['starttls', 'tls', 'cert', 'sasl', 'stream'],
    });
    const usual = new Set(
      [...known.prosody, 'sasl.harvest xmpp-client warn'].map((verdict) =>
        verdict.replace(' xmpp-client', ''),
      ),
    );
    const found = troubles(result).map((verdict) => verdict.replace(' xmpp-client', ''));
    expect(found.filter((verdict) => !usual.has(verdict)).sort()).toEqual([...expected].sort());
    expect(result.grades.security.grade).toBe(grade);
  });
});

describe('a probe by DNS', () => {
  const domain = 'signed.test';

  /** A server that the zones lead to, and what a probe of it says. */
  async function probeByDns(
    makeZones: (sandbox: Sandbox, keyHash: string) => readonly LabZone[],
  ): Promise<TestProbe> {
    await using sandbox = await startSandbox({ server: 'prosody', domain, searchPath: process.env['PATH'] });
    const certificate = new X509Certificate(await readFile(`${sandbox.dir}/server.crt`, 'utf8'));
    const spki = createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' })).export({
      type: 'spki',
      format: 'der',
    });
    const lab = await startDnsLab({
      zones: makeZones(sandbox, createHash('sha256').update(spki).digest('hex')),
    });
    try {
      return await probeEndpoints(domain, [], {
        resolvers: [lab.resolver],
        trustAnchors: parseTrustAnchors(await readFile(lab.trustAnchorFile, 'utf8')),
        extraRoots: [sandbox.ca],
        // The zone has an address of the documentation, as the world would see it; the server is here.
        target: { addresses: new Map([[`xmpp.${domain}`, ['127.0.0.1']]]) },
        only: ['dns', 'dnssec', 'tcp', 'cert', 's2s'],
      });
    } finally {
      await lab.stop();
    }
  }

  const records = ({ ports }: Sandbox): string[] => [
    `_xmpp-client._tcp IN SRV 0 0 ${ports.c2s} xmpp`,
    `_xmpps-client._tcp IN SRV 0 0 ${ports.c2sTls} xmpp`,
    `_xmpp-server._tcp IN SRV 0 0 ${ports.s2s} xmpp`,
    'xmpp IN A 192.0.2.7',
    '@ IN CAA 0 issue "letsencrypt.org; accounturi=https://acme.example/1"',
  ];

  it('finds a signed domain with DANE, and believes it', async () => {
    const result = await probeByDns((sandbox, hash) => [
      {
        name: domain,
        records: [
          ...records(sandbox),
          ...[sandbox.ports.c2s, sandbox.ports.c2sTls, sandbox.ports.s2s].map(
            (port) => `_${port}._tcp.xmpp IN TLSA 3 1 1 ${hash}`,
          ),
        ],
      },
    ]);
    for (const id of [
      'dns.srv.client',
      'dns.srv.clients',
      'dns.srv.server',
      'dns.srv.targets',
      'dns.srv.private',
      'dns.caa',
      'dns.caa.binding',
      'dnssec.srv',
      'dnssec.address',
      'dnssec.tlsa',
      'dane.tlsa.present',
      'dane.tlsa.unsigned',
      'dane.tlsa.usable',
      'dane.tlsa.match',
      'dane.tlsa.end-entity',
      'tcp.connect',
      'cert.trust',
      'cert.consistency',
    ]) {
      expect(statusOf(result, id), id).toEqual(['pass']);
    }
    expect(result.facts.endpoints.map(({ endpoint }) => [endpoint.service, endpoint.origin])).toEqual([
      ['xmpp-client', 'srv'],
      ['xmpps-client', 'srv'],
      ['xmpp-server', 'srv'],
    ]);
    expect(result.grades.federation.grade).toBe('A');
  });

  it('fails a domain whose TLSA record is of another key', async () => {
    const result = await probeByDns((sandbox) => [
      {
        name: domain,
        records: [...records(sandbox), `_${sandbox.ports.s2s}._tcp.xmpp IN TLSA 3 1 1 ${'00'.repeat(32)}`],
      },
    ]);
    expect(statusOf(result, 'dane.tlsa.match')).toEqual(['fail']);
    expect(result.grades.federation.grade).toBe('F');
  });

  it('says that TLSA records in a zone without signatures protect nobody', async () => {
    const result = await probeByDns((sandbox, hash) => [
      {
        name: domain,
        security: 'unsigned',
        records: [...records(sandbox), `_${sandbox.ports.s2s}._tcp.xmpp IN TLSA 3 1 1 ${hash}`],
      },
    ]);
    expect(statusOf(result, 'dnssec.srv')).toEqual(['info']);
    expect(statusOf(result, 'dane.tlsa.unsigned')).toEqual(['warn']);
    expect(statusOf(result, 'dane.tlsa.match')).toEqual(['skip']);
    expect(result.grades.federation.grade).toBe('A');
  });

  it('fails a zone whose signatures are too old: those who validate cannot reach it', async () => {
    const result = await probeByDns((sandbox) => [
      { name: domain, isExpired: true, records: records(sandbox) },
    ]);
    expect(statusOf(result, 'dnssec.srv')).toEqual(['fail']);
    expect(result.grades.federation.grade).toBe('F');
  });

  it('finds faults of records', async () => {
    const result = await probeByDns((sandbox) => [
      {
        name: domain,
        records: [
          `_xmpp-client._tcp IN SRV 0 0 ${sandbox.ports.c2s} xmpp`,
          '_xmpp-client._tcp IN SRV 0 0 0 .',
          `_xmpp-server._tcp IN SRV 0 0 ${sandbox.ports.c2s} xmpp`,
          `_xmpp-server._tcp IN SRV 10 0 5269 alias`,
          `_xmpp-server._tcp IN SRV 20 0 5269 gone`,
          `_xmpp-server._tcp IN SRV 30 0 5269 inside`,
          '_jabber._tcp IN SRV 0 0 5269 xmpp',
          'alias IN CNAME xmpp',
          'xmpp IN A 192.0.2.7',
          'inside IN A 10.0.0.7',
        ],
      },
    ]);
    expect(troubles(result).filter((verdict) => verdict.startsWith('dns.'))).toEqual([
      'dns.srv.cname warn',
      'dns.srv.mixed fail',
      'dns.srv.port warn',
      'dns.srv.private fail',
      'dns.srv.targets fail',
    ]);
    expect(statusOf(result, 'dns.legacy')).toEqual(['info']);
    expect(statusOf(result, 'dns.caa')).toEqual(['info']);
  });
});

describe('a probe of a domain that means harm', () => {
  const domain = 'harm.test';

  async function probeZone(records: readonly string[], allowsPrivate: boolean): Promise<TestProbe> {
    const lab = await startDnsLab({ zones: [{ name: domain, records }] });
    try {
      return await probeEndpoints(domain, [], {
        resolvers: [lab.resolver],
        trustAnchors: parseTrustAnchors(await readFile(lab.trustAnchorFile, 'utf8')),
        allowsPrivate,
        only: ['dns', 'tcp'],
      });
    } finally {
      await lab.stop();
    }
  }

  it('is not followed to this machine, or into this network', async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const records = [`_xmpp-client._tcp IN SRV 0 0 ${port} here`, 'here IN A 127.0.0.1'];
    const result = await probeZone(records, false);
    expect(statusOf(result, 'dns.srv.private')).toEqual(['fail']);
    expect(result.facts.endpoints).toEqual([]);
    expect(connections).toBe(0);
    await probeZone(records, true);
    expect(connections).toBeGreaterThan(0);
    listener.close();
  });

  it('has no more than some of its ninety servers looked at', async () => {
    const records = Array.from(
      { length: 90 },
      (_, index) => `_xmpp-client._tcp IN SRV ${index % 7} 0 5222 s${index}`,
    );
    const result = await probeZone(
      [...records, ...Array.from({ length: 90 }, (_, index) => `s${index} IN A 127.0.0.1`)],
      true,
    );
    expect(result.facts.endpoints.length).toBeLessThanOrEqual(24);
    expect(result.facts.dns?.value?.targets.length).toBeLessThanOrEqual(8);
  });
});

describe('a probe of STUN and TURN', () => {
  const secret = 'a secret of the test';

  it('tries the credentials that Prosody hands out at coturn', async () => {
    await using turn = await startTurnServer(['use-auth-secret', `static-auth-secret=${secret}`]);
    await using sandbox = await startSandbox({
      server: 'prosody',
      searchPath: process.env['PATH'],
      prosody: {
        host: {
          modules_enabled: ['turn_external'],
          turn_external_host: '127.0.0.1',
          turn_external_port: turn.port,
          turn_external_secret: secret,
        },
      },
    });
    await using session = await connectAccount(sandbox, 'alice');
    const [client] = endpointsOf(sandbox);
    const result = await probeEndpoints(sandbox.domain, [client], {
      extraRoots: [sandbox.ca],
      session,
      only: ['stun', 'compliance.calls'],
    });
    for (const id of [
      'stun.binding',
      'stun.turn.stranger',
      'stun.turn.allocation',
      'compliance.calls.stun-and-turn-discovery',
    ]) {
      expect(statusOf(result, id), `${id}: ${observed(result, id).join('; ')}`).toEqual(['pass']);
    }
    expect(JSON.stringify(result.findings)).not.toContain(secret);
  });

  it('notices an open relay, and a server that is not there', async () => {
    await using turn = await startTurnServer(['no-auth']);
    const open = await probeEndpoints('example.test', [], {
      only: ['stun'],
      target: { stunServers: [{ kind: 'turn', host: '127.0.0.1', port: turn.port }] },
    });
    expect(statusOf(open, 'stun.turn.stranger')).toEqual(['fail']);
    const gone = await probeEndpoints('example.test', [], {
      only: ['stun'],
      target: { stunServers: [{ kind: 'stun', host: '127.0.0.1', port: 1 }] },
    });
    expect(statusOf(gone, 'stun.binding')).toEqual(['warn']);
  });
});
