/** A good server, and what it is told to do badly: each fault has its verdict, and nothing else changes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAuthority } from '../../../src/lib/sandbox/certificates.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { startProbedServer, type ProbedServerOptions } from '../../support/probed-server.js';
import { at, probeEndpoints, troubles, verdicts } from '../../support/probe-run.js';

const domain = 'fake.test';
const authority = createAuthority('Fake authority');
const day = 86_400_000;
const good = authority.issue({
  commonName: domain,
  names: [domain, '*.fake.test'],
  notAfter: new Date(Date.now() + 60 * day),
});
const tls = {
  cert: good.cert,
  key: good.key,
  minVersion: 'TLSv1.2' as const,
  ciphers: 'ECDHE+AESGCM:ECDHE+CHACHA20',
  honorCipherOrder: true,
};
const skip = ['web', 'posh'];

async function probeFake(options: Partial<ProbedServerOptions>) {
  const { kind = 'client', isDirect = false } = options;
  await using server = await startProbedServer({ domain, tls, ...options });
  const service = `xmpp${isDirect ? 's' : ''}-${kind}` as const;
  return await probeEndpoints(domain, [at(service, server)], { extraRoots: [authority.cert], skip });
}

describe('a good server', () => {
  it.each(['client', 'server'] as const)('for %ss has nothing against it', async (kind) => {
    const result = await probeFake({ kind });
    expect(troubles(result)).toEqual(kind === 'client' ? ['sasl.plus xmpp-client warn'] : []);
    expect(result.grades.overall).toBe('A');
  });

  it('keeps within its budget of connections', async () => {
    await using server = await startProbedServer({ domain, tls });
    const result = await probeEndpoints(domain, [at('xmpp-client', server)], {
      extraRoots: [authority.cert],
      skip,
    });
    expect(server.connections()).toBe(result.connectionsUsed);
    expect(result.connectionsUsed).toBeLessThan(90);
  });
});

describe('one fault at a time', () => {
  const baselines = new Map<string, string[]>();
  beforeAll(async () => {
    baselines.set('client', verdicts(await probeFake({})));
    baselines.set('server', verdicts(await probeFake({ kind: 'server' })));
    baselines.set('direct', verdicts(await probeFake({ isDirect: true })));
  });

  const badCertificate = (request: Parameters<typeof authority.issue>[0], signer = authority) => {
    const { cert, key } = signer.issue({ names: [domain], ...request });
    return { tls: { ...tls, cert, key } };
  };
  /** What the sandbox's authority does not make: by the openssl command, signed by the authority of this test. */
  const oldCertificate = (bits: number, digest: 'sha1' | 'sha256') => {
    const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-old-'));
    try {
      const at = (name: string): string => path.join(folder, name);
      const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
      writeFileSync(at('ca.pem'), authority.cert);
      writeFileSync(at('ca.key'), authority.key);
      writeFileSync(at('ext'), `subjectAltName=DNS:${domain}\n`);
      openssl('genrsa', '-out', at('key'), String(bits));
      openssl('req', '-new', '-key', at('key'), '-subj', `/CN=${domain}`, '-out', at('csr'));
      openssl(
        'x509',
        '-req',
        '-in',
        at('csr'),
        '-CA',
        at('ca.pem'),
        '-CAkey',
        at('ca.key'),
        '-CAcreateserial',
        '-days',
        '60',
        `-${digest}`,
        '-extfile',
        at('ext'),
        '-out',
        at('crt'),
      );
      const read = (name: string): string => readFileSync(at(name), 'utf8');
      return { tls: { ...tls, ciphers: 'ECDHE+AESGCM:@SECLEVEL=0', cert: read('crt'), key: read('key') } };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const other = createAuthority('Somebody else');

  interface Row {
    name: string;
    options: Partial<ProbedServerOptions>;
    /** Verdicts that come, without the service. */
    comes: readonly string[];
    /** Checks whose verdict goes, beside those that come in another form. */
    goes?: readonly string[];
    grade: string;
  }

  const rows: readonly Row[] = [
    {
      name: 'STARTTLS is only offered',
      options: {
        starttls: 'optional',
        plainFeatures: "<register xmlns='http://jabber.org/features/iq-register'/>",
      },
      comes: ['starttls.required fail', 'stream.features.early info'],
      grade: 'B',
    },
    {
      name: 'PLAIN in clear',
      options: { plainMechanisms: ['PLAIN'] },
      comes: ['sasl.pretls fail', 'stream.features.early info'],
      grade: 'F',
    },
    {
      name: 'SCRAM in clear',
      options: { plainMechanisms: ['SCRAM-SHA-1'] },
      comes: ['sasl.pretls fail', 'stream.features.early info'],
      grade: 'D',
    },
    {
      name: 'passwords looked at before TLS',
      options: { plainMechanisms: ['PLAIN'], takesInClear: ['auth'] },
      comes: ['sasl.pretls fail', 'starttls.enforced.auth fail', 'stream.features.early info'],
      grade: 'F',
    },
    {
      name: 'registration before TLS',
      options: { takesInClear: ['registration'] },
      comes: ['starttls.enforced.registration fail', 'abuse.registration info'],
      grade: 'F',
    },
    {
      name: 'messages before TLS',
      options: { takesInClear: ['message'] },
      comes: ['starttls.enforced.stanza fail'],
      grade: 'A',
    },
    {
      name: 'text injected behind STARTTLS',
      options: { isInjectable: true },
      comes: ['starttls.injection fail'],
      grade: 'F',
    },
    {
      name: 'a second STARTTLS',
      options: { answersSecondStarttls: true },
      comes: ['starttls.again fail'],
      grade: 'A',
    },
    { name: 'the same stream id each time', options: { id: 'same' }, comes: ['stream.id fail'], grade: 'A' },
    {
      name: 'no stream id',
      options: { id: 'empty' },
      comes: ['stream.id fail', 'conformance.error.header info'],
      grade: 'A',
    },
    { name: 'a short stream id', options: { id: 'short' }, comes: ['stream.id warn'], grade: 'A' },
    { name: 'no "from"', options: { without: ['from'] }, comes: ['stream.from warn'], grade: 'A' },
    { name: 'no xml:lang', options: { without: ['lang'] }, comes: ['stream.lang info'], grade: 'A' },
    {
      name: 'only PLAIN',
      options: { mechanisms: ['PLAIN'] },
      comes: ['sasl.scram fail', 'sasl.harvest skip', 'sasl.iterations skip'],
      goes: ['sasl.scram.strength'],
      grade: 'B',
    },
    {
      name: 'only SCRAM-SHA-1',
      options: { mechanisms: ['SCRAM-SHA-1'] },
      comes: ['sasl.scram.strength info'],
      grade: 'A',
    },
    {
      name: 'DIGEST-MD5',
      options: { mechanisms: ['SCRAM-SHA-256', 'DIGEST-MD5'] },
      comes: ['sasl.weak fail'],
      grade: 'B',
    },
    {
      name: 'ANONYMOUS',
      options: { mechanisms: ['SCRAM-SHA-256', 'ANONYMOUS'] },
      comes: ['sasl.anonymous warn'],
      grade: 'A',
    },
    {
      name: 'names can be harvested',
      options: { unknownUser: 'failure' },
      comes: ['sasl.harvest warn', 'sasl.iterations skip'],
      grade: 'A',
    },
    { name: 'few iterations', options: { iterations: 1000 }, comes: ['sasl.iterations fail'], grade: 'B' },
    {
      name: 'iterations as of 2010',
      options: { iterations: 4096 },
      comes: ['sasl.iterations info'],
      grade: 'A',
    },
    {
      name: 'a wrong answer to an unknown mechanism',
      options: { unknownMechanism: 'not-authorized' },
      comes: ['sasl.mechanism.unknown info'],
      grade: 'A',
    },
    {
      name: 'open registration',
      options: { registration: 'open' },
      comes: ['abuse.registration fail'],
      grade: 'A',
    },
    {
      name: 'registration with a picture',
      options: { registration: 'captcha' },
      comes: ['abuse.registration warn'],
      grade: 'A',
    },
    {
      name: 'registration with more fields',
      options: { registration: 'form' },
      comes: ['abuse.registration info'],
      grade: 'A',
    },
    { name: 'registration on the web', options: { registration: 'redirect' }, comes: [], grade: 'A' },
    {
      name: 'no limit for stanzas',
      options: { maxStanzaBytes: 10_000_000 },
      comes: ['abuse.stanza.size warn', 'abuse.stanza.attribute info'],
      grade: 'A',
    },
    {
      name: 'a large limit for stanzas',
      options: { maxStanzaBytes: 262_144 },
      comes: ['abuse.stanza.size info', 'abuse.stanza.attribute info'],
      grade: 'A',
    },
    {
      name: 'stream compression',
      options: {
        features:
          "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>",
      },
      comes: ['stream.compression warn'],
      grade: 'A',
    },
    {
      name: 'the authentication of before 2004',
      options: { features: "<auth xmlns='http://jabber.org/features/iq-auth'/>" },
      comes: ['sasl.legacy fail'],
      grade: 'B',
    },
    {
      name: 'limits that are advertised',
      options: { features: "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>10000</max-bytes></limits>" },
      comes: ['stream.limits pass'],
      grade: 'A',
    },
    {
      name: 'SASL2',
      options: {
        features:
          "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism><inline><bind xmlns='urn:xmpp:bind:0'/></inline></authentication>",
      },
      comes: ['sasl.sasl2 pass'],
      grade: 'A',
    },
    { name: 'a DTD', options: { takes: ['dtd'] }, comes: ['conformance.xml.dtd fail'], grade: 'A' },
    {
      name: 'comments',
      options: { takes: ['comment'] },
      comes: ['conformance.xml.comment warn'],
      grade: 'A',
    },
    {
      name: 'processing instructions',
      options: { takes: ['instruction'] },
      comes: ['conformance.xml.instruction warn'],
      grade: 'A',
    },
    {
      name: 'undefined entities',
      options: { takes: ['entity'] },
      comes: ['conformance.xml.entity fail'],
      grade: 'A',
    },
    {
      name: 'wrong end tags',
      options: { takes: ['tags'] },
      comes: ['conformance.xml.tags fail'],
      grade: 'A',
    },
    {
      name: 'other encodings',
      options: { takes: ['encoding'] },
      comes: ['conformance.xml.encoding warn'],
      grade: 'A',
    },
    {
      name: 'other content namespaces',
      options: { takes: ['content'] },
      comes: ['conformance.namespace.content warn'],
      grade: 'A',
    },
    {
      name: 'any host',
      options: { takes: ['host'] },
      comes: ['conformance.host.unknown warn'],
      goes: ['conformance.error.header'],
      grade: 'A',
    },
    {
      name: 'a message delivered before authentication',
      options: { earlyMessage: 'deliver' },
      comes: ['conformance.stanza.early fail'],
      grade: 'A',
    },
    {
      name: 'an expired certificate',
      options: badCertificate({
        commonName: domain,
        notBefore: new Date(Date.now() - 20 * day),
        notAfter: new Date(Date.now() - day),
      }),
      comes: ['cert.expiry fail'],
      goes: ['cert.trust'],
      grade: 'F',
    },
    {
      name: 'a certificate that is not valid yet',
      options: badCertificate({
        commonName: domain,
        notBefore: new Date(Date.now() + day),
        notAfter: new Date(Date.now() + 20 * day),
      }),
      comes: ['cert.expiry fail'],
      goes: ['cert.trust'],
      grade: 'F',
    },
    {
      name: 'a certificate with three days left',
      options: badCertificate({ commonName: domain, notAfter: new Date(Date.now() + 3 * day) }),
      comes: ['cert.expiry fail'],
      grade: 'B',
    },
    {
      name: 'a certificate with ten days left',
      options: badCertificate({ commonName: domain, notAfter: new Date(Date.now() + 10 * day) }),
      comes: ['cert.expiry warn'],
      grade: 'A',
    },
    {
      name: 'a certificate for ten years',
      options: badCertificate({ commonName: domain, notAfter: new Date(Date.now() + 3650 * day) }),
      comes: ['cert.lifetime info'],
      grade: 'A',
    },
    {
      name: 'a certificate for another name',
      options: badCertificate({ commonName: 'x', names: ['other.test'] }),
      comes: ['cert.name fail'],
      grade: 'T',
    },
    {
      name: 'a certificate with the name in its common name only',
      options: badCertificate({ commonName: domain, names: ['other.test'] }),
      comes: ['cert.name fail'],
      grade: 'T',
    },
    {
      name: 'a certificate with an SRVName only',
      options: badCertificate({ commonName: 'x', names: [], srvDomains: [domain] }),
      comes: [],
      grade: 'A',
    },
    {
      name: 'a certificate with an XmppAddr only',
      options: badCertificate({ commonName: 'x', names: [], xmppAddrs: [domain] }),
      comes: [],
      grade: 'A',
    },
    {
      name: 'a certificate of somebody else',
      options: badCertificate({ commonName: domain }, other),
      comes: ['cert.trust fail'],
      goes: ['cert.chain.complete'],
      grade: 'T',
    },
    {
      name: 'an RSA key of 1024 bits',
      options: oldCertificate(1024, 'sha256'),
      comes: ['cert.key fail'],
      grade: 'B',
    },
    { name: 'an RSA key of 2048 bits', options: oldCertificate(2048, 'sha256'), comes: [], grade: 'A' },
    {
      name: 'a signature with SHA-1',
      options: oldCertificate(2048, 'sha1'),
      comes: ['cert.signature fail'],
      grade: 'C',
    },
    {
      name: 'TLS 1.2 only',
      options: { tls: { ...tls, maxVersion: 'TLSv1.2' } },
      comes: ['tls.proto.1.3 warn', 'tls.fallback skip'],
      grade: 'A',
    },
    {
      name: 'TLS 1.0 and 1.1',
      options: { tls: { ...tls, minVersion: 'TLSv1', ciphers: 'ECDHE+AESGCM:ECDHE+AES:@SECLEVEL=0' } },
      comes: ['tls.proto.1.0 fail', 'tls.proto.1.1 fail', 'tls.aead info'],
      grade: 'B',
    },
    {
      name: 'suites with CBC',
      options: { tls: { ...tls, ciphers: 'ECDHE+AESGCM:ECDHE+AES' } },
      comes: ['tls.aead info'],
      grade: 'A',
    },
    {
      name: 'suites of the choice of the client, some of them old',
      options: { tls: { ...tls, ciphers: 'ECDHE+AESGCM:ECDHE+AES', honorCipherOrder: false } },
      comes: ['tls.aead info', 'tls.order info'],
      grade: 'A',
    },
    {
      name: 'anonymous suites',
      options: { tls: { ...tls, ciphers: 'ECDHE+AESGCM:AECDH-AES256-SHA:@SECLEVEL=0' } },
      comes: ['tls.suites.anonymous fail', 'tls.aead info'],
      grade: 'F',
    },
    {
      name: 'suites without encryption',
      options: { tls: { ...tls, ciphers: 'ECDHE+AESGCM:ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0' } },
      comes: ['tls.suites.null fail', 'tls.aead info'],
      grade: 'F',
    },
  ];

  it.concurrent.each(rows)('$name', async ({ options, comes, goes = [], grade }) => {
    const baseline = baselines.get('client') ?? [];
    const result = await probeFake(options);
    const now = verdicts(result).map(withoutService);
    const before = baseline.map(withoutService);
    const expected = [
      ...before.filter(
        (verdict) => ![...comes, ...goes].some((one) => one.split(' ')[0] === verdict.split(' ')[0]),
      ),
      ...comes,
    ].sort();
    expect(now.sort()).toEqual(expected);
    expect(result.grades.overall).toBe(grade);
  });

  it('no STARTTLS at all, for clients and for servers', async () => {
    expect(troubles(await probeFake({ starttls: 'absent' }))).toEqual(['starttls.offered xmpp-client fail']);
    const servers = await probeFake({ starttls: 'absent', kind: 'server' });
    expect(troubles(servers)).toEqual(['starttls.offered xmpp-server fail']);
    expect(servers.grades).toMatchObject({
      overall: 'F',
      security: { grade: 'F' },
      federation: { grade: 'D' },
    });
  });

  it('no version, so no features', async () => {
    const result = await probeFake({ without: ['version'] });
    expect(troubles(result)).toContain('stream.version xmpp-client fail');
    expect(result.grades.overall).toBe('F');
  });

  const onlyChanges = (result: Awaited<ReturnType<typeof probeFake>>, of: string): string[] => {
    const baseline = new Set(baselines.get(of));
    return verdicts(result).filter((verdict) => !baseline.has(verdict));
  };

  it('certificates of servers are a matter of federation', async () => {
    const result = await probeFake({
      kind: 'server',
      ...badCertificate({ commonName: 'x', names: ['other.test'] }),
    });
    expect(onlyChanges(result, 'server')).toEqual(['cert.name xmpp-server fail']);
    expect(result.grades).toMatchObject({
      security: { grade: 'A' },
      federation: { grade: 'T', ifTrusted: 'A' },
    });
  });

  it('TLS from the first byte', async () => {
    const result = await probeFake({ isDirect: true, mechanisms: ['PLAIN'] });
    expect(onlyChanges(result, 'direct')).toEqual([
      'sasl.harvest xmpps-client skip',
      'sasl.iterations xmpps-client skip',
      'sasl.scram xmpps-client fail',
    ]);
    const plain = await probeEndpointsAtPlainPort();
    expect(troubles(plain)).toContain('tls.direct xmpps-client fail');
  });

  async function probeEndpointsAtPlainPort() {
    await using server = await startProbedServer({ domain, tls });
    return await probeEndpoints(domain, [at('xmpps-client', server)], {
      extraRoots: [authority.cert],
      only: ['tls.direct', 'stream.open'],
    });
  }
});

function withoutService(verdict: string): string {
  return verdict.replace(/ xmpps?-(client|server) /, ' ');
}
