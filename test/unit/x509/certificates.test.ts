/** Certificates made by the openssl command, which shares no code with our reader, and by the sandbox's authority. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rootCertificates } from 'node:tls';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../../../src/lib/sandbox/certificates.js';
import { readCertificate } from '../../../src/lib/x509/certificate.js';
import { judgeChain, TrustStore } from '../../../src/lib/x509/chain.js';
import { DerError } from '../../../src/lib/x509/der.js';
import { matchName, matchesDnsName } from '../../../src/lib/x509/names.js';

const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-x509-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
const derOf = (pem: string): Buffer => new X509Certificate(pem).raw;

let count = 0;
interface Made {
  key: readonly string[];
  subject?: string;
  extensions?: readonly string[];
  digest?: string;
  signer?: { cert: string; key: string };
  days?: number;
}

/** A certificate by openssl; signed by itself unless a signer is given. */
function make({
  key,
  subject = '/CN=example.org',
  extensions = [],
  digest = 'sha256',
  signer,
  days = 30,
}: Made): { cert: string; key: string; der: Buffer } {
  const name = at(`c${count++}`);
  openssl('genpkey', ...key, '-out', `${name}.key`);
  openssl('req', '-new', '-key', `${name}.key`, '-subj', subject, '-out', `${name}.csr`, '-utf8');
  writeFileSync(`${name}.ext`, ['[e]', ...extensions].join('\n'));
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-out',
    `${name}.pem`,
    '-days',
    String(days),
    `-${digest}`,
    '-extfile',
    `${name}.ext`,
    '-extensions',
    'e',
    ...(signer ? ['-CA', signer.cert, '-CAkey', signer.key, '-CAcreateserial'] : ['-signkey', `${name}.key`]),
  );
  return { cert: `${name}.pem`, key: `${name}.key`, der: derOf(readFileSync(`${name}.pem`, 'utf8')) };
}

const rsa = (bits: number): string[] => ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`];
const ec = (curve: string): string[] => ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`];

describe('reading a certificate', () => {
  it.each([
    {
      key: rsa(1024),
      digest: 'sha1',
      publicKey: { algorithm: 'RSA', bits: 1024, exponent: 65_537n },
      signature: 'RSA with SHA-1',
    },
    {
      key: rsa(2048),
      digest: 'sha512',
      publicKey: { algorithm: 'RSA', bits: 2048, exponent: 65_537n },
      signature: 'RSA with SHA-512',
    },
    {
      key: ec('P-256'),
      digest: 'sha256',
      publicKey: { algorithm: 'EC', bits: 256, curve: 'P-256' },
      signature: 'ECDSA with SHA-256',
    },
    {
      key: ec('P-384'),
      digest: 'sha384',
      publicKey: { algorithm: 'EC', bits: 384, curve: 'P-384' },
      signature: 'ECDSA with SHA-384',
    },
    {
      key: ['-algorithm', 'ED25519'],
      digest: 'sha256',
      publicKey: { algorithm: 'Ed25519', bits: 256 },
      signature: 'Ed25519',
    },
  ])('tells the key and the signature: $signature', ({ key, digest, publicKey, signature }) => {
    const certificate = readCertificate(make({ key, digest }).der);
    expect(certificate.publicKey).toEqual(publicKey);
    expect(certificate.signature.name).toBe(signature);
    expect(certificate.isSelfIssued).toBe(true);
  });

  it('agrees with node:crypto about every trusted root', () => {
    for (const pem of rootCertificates) {
      const x509 = new X509Certificate(pem);
      const ours = readCertificate(x509.raw);
      expect(ours.fingerprint).toBe(x509.fingerprint256.replaceAll(':', '').toLowerCase());
      expect(ours.notAfter).toEqual(new Date(x509.validTo));
      expect(ours.notBefore).toEqual(new Date(x509.validFrom));
      expect(ours.isAuthority || !x509.ca).toBe(true);
      expect(ours.publicKey.algorithm).toBe(x509.publicKey.asymmetricKeyType === 'rsa' ? 'RSA' : 'EC');
      expect(ours.publicKey.bits).toBe(
        x509.publicKey.asymmetricKeyDetails?.modulusLength ?? ours.publicKey.bits,
      );
    }
  });

  it('reads every name that XMPP knows, as it stands', () => {
    const { der } = make({
      key: ec('P-256'),
      extensions: [
        'subjectAltName=@names',
        'extendedKeyUsage=serverAuth,1.2.3.4',
        'tlsfeature=status_request',
        'authorityInfoAccess=OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/ca.crt',
        'crlDistributionPoints=URI:http://crl.example/a.crl',
        '[names]',
        'DNS.1=example.org',
        'DNS.2=*.example.org',
        'IP.1=192.0.2.7',
        'IP.2=2001:db8::7',
        'URI.1=xmpp:example.org',
        'email.1=admin@example.org',
        'otherName.1=1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.example.org',
        'otherName.2=1.3.6.1.5.5.7.8.5;FORMAT:UTF8,UTF8:exämple.org',
        'otherName.3=1.2.3.4;UTF8:unknown',
      ],
    });
    expect(readCertificate(der)).toMatchObject({
      subject: 'CN=example.org',
      subjectAltName: {
        dns: ['example.org', '*.example.org'],
        ip: ['192.0.2.7', '2001:db8:0:0:0:0:0:7'],
        uri: ['xmpp:example.org'],
        email: ['admin@example.org'],
        srv: ['_xmpp-server.example.org'],
        xmppAddr: ['exämple.org'],
      },
      extendedKeyUsage: ['serverAuth', '1.2.3.4'],
      mustStaple: true,
      ocspUrls: ['http://ocsp.example/'],
      issuerUrls: ['http://ca.example/ca.crt'],
      crlUrls: ['http://crl.example/a.crl'],
      timestamps: 0,
    });
  });

  it('is not misled by names that look like several', () => {
    const cert = createAuthority('x').issue({
      commonName: 'a, CN=evil.test',
      names: ['good.test, DNS:evil.test', 'evil.test\0.good.test', '\u001b]0;x\u0007.test'],
    }).cert;
    const certificate = readCertificate(derOf(cert));
    expect(certificate.subjectAltName.dns).toEqual([
      'good.test, DNS:evil.test',
      'evil.test\0.good.test',
      '\u001b]0;x\u0007.test',
    ]);
    expect(certificate.subject).toBe('CN=a\\, CN\\=evil.test');
    for (const domain of ['evil.test', 'good.test']) {
      expect(matchName(certificate, { domain, service: 'xmpp-client' })).toEqual({
        by: undefined,
        isByCommonNameOnly: false,
      });
    }
  });

  it('ends in a DerError for whatever is no certificate', () => {
    const { der } = make({
      key: ec('P-256'),
      extensions: ['subjectAltName=DNS:example.org,otherName:1.3.6.1.5.5.7.8.5;UTF8:example.org'],
    });
    const read = (bytes: Buffer): void => {
      try {
        readCertificate(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DerError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => read(Buffer.from(bytes))));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const mutant = Buffer.from(der);
          for (const [index, byte] of changes) mutant[index] = byte;
          read(mutant);
        },
      ),
      { numRuns: 3000 },
    );
    for (let length = 0; length < der.length; length++)
      expect(() => readCertificate(der.subarray(0, length))).toThrow(DerError);
  });
});

describe('names', () => {
  it.each([
    ['example.org', 'example.org', true],
    ['EXAMPLE.org', 'example.org', true],
    ['example.org.', 'example.org', true],
    ['*.example.org', 'xmpp.example.org', true],
    ['*.example.org', 'example.org', false],
    ['*.example.org', 'a.b.example.org', false],
    ['x*.example.org', 'xmpp.example.org', false],
    ['xmpp.*.org', 'xmpp.example.org', false],
    ['*.org', 'example.org', false],
    ['*', 'org', false],
    ['', 'example.org', false],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', true],
  ])('%s for %s: %s', (pattern, domain, expected) => {
    expect(matchesDnsName(pattern, domain)).toBe(expected);
  });

  const issue = (request: Parameters<ReturnType<typeof createAuthority>['issue']>[0]) =>
    readCertificate(derOf(createAuthority('x').issue(request).cert));

  it('takes an SRVName for its own service only', () => {
    const { cert } = make({
      key: ec('P-256'),
      extensions: ['subjectAltName=otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.example.org'],
    });
    const certificate = readCertificate(derOf(readFileSync(cert, 'utf8')));
    expect(matchName(certificate, { domain: 'example.org', service: 'xmpp-server' }).by).toEqual({
      kind: 'SRVName',
      value: '_xmpp-server.example.org',
    });
    expect(matchName(certificate, { domain: 'example.org', service: 'xmpp-client' }).by).toBeUndefined();
  });

  it('takes an XmppAddr, and reports a common name without taking it', () => {
    const wanted = { domain: 'example.org', service: 'xmpp-client' } as const;
    expect(matchName(issue({ commonName: 'x', xmppAddrs: ['example.org'] }), wanted).by?.kind).toBe(
      'XmppAddr',
    );
    expect(matchName(issue({ commonName: 'example.org', names: ['other.test'] }), wanted)).toEqual({
      by: undefined,
      isByCommonNameOnly: true,
    });
  });
});

describe('chains', () => {
  const root = make({
    key: ec('P-256'),
    subject: '/CN=Root',
    extensions: ['basicConstraints=critical,CA:true'],
  });
  const middle = make({
    key: ec('P-256'),
    subject: '/CN=Middle',
    extensions: ['basicConstraints=critical,CA:true'],
    signer: root,
  });
  const leaf = make({
    key: ec('P-256'),
    subject: '/CN=Leaf',
    extensions: [
      'subjectAltName=DNS:example.org',
      'authorityInfoAccess=caIssuers;URI:http://ca.example/middle.crt',
    ],
    signer: middle,
  });
  const stray = make({ key: ec('P-256'), subject: '/CN=Stray' });
  const byLeaf = make({ key: ec('P-256'), subject: '/CN=ByLeaf', signer: leaf });
  const ca = ['basicConstraints=critical,CA:true'];
  const key = ec('P-256');
  const mute = make({
    key,
    subject: '/CN=Mute',
    extensions: [...ca, 'keyUsage=digitalSignature'],
    signer: root,
  });
  const byMute = make({ key, subject: '/CN=ByMute', signer: mute });
  const short = make({
    key,
    subject: '/CN=Short',
    extensions: ['basicConstraints=critical,CA:true,pathlen:0', 'keyUsage=keyCertSign'],
    signer: root,
  });
  const byShort = make({ key, subject: '/CN=ByShort', signer: short });
  const sub = make({ key, subject: '/CN=Sub', extensions: ca, signer: short });
  const bySub = make({ key, subject: '/CN=BySub', signer: sub });
  const byStray = make({ key, subject: '/CN=ByStray', signer: stray });
  const store = new TrustStore([readFileSync(root.cert, 'utf8')]);
  const now = new Date();
  const judge = (sent: readonly { der: Buffer }[], when = now) =>
    judgeChain(
      sent.map(({ der }) => der),
      store,
      when,
    );

  it.each([
    [
      'whole',
      [leaf, middle],
      {
        trusted: true,
        problem: undefined,
        isInOrder: true,
        unused: 0,
        isRootSent: false,
        path: ['CN=Leaf', 'CN=Middle', 'CN=Root'],
      },
    ],
    ['with the root', [leaf, middle, root], { trusted: true, isInOrder: true, unused: 1, isRootSent: true }],
    ['incomplete', [leaf], { trusted: false, problem: 'incomplete', path: ['CN=Leaf'] }],
    ['with one too many', [leaf, middle, stray], { trusted: true, unused: 1, isInOrder: true }],
    ['out of order', [leaf, stray, middle], { trusted: true, isInOrder: false }],
    ['signed by itself', [stray], { trusted: false, problem: 'self-signed' }],
    ['signed by what may not sign', [byLeaf, leaf, middle], { trusted: false, problem: 'not-an-authority' }],
    [
      'signed by an authority whose key may not sign',
      [byMute, mute],
      { trusted: false, problem: 'not-an-authority' },
    ],
    [
      'longer than its authority allows',
      [bySub, sub, short],
      { trusted: false, problem: 'not-an-authority' },
    ],
    ['as long as its authority allows', [byShort, short], { trusted: true, problem: undefined }],
    ['of a private authority', [byStray], { trusted: false, problem: 'unknown-issuer' }],
    ['the root alone', [root], { trusted: true, path: ['CN=Root'] }],
  ] as const)('%s', (_name, sent, expected) => {
    expect(judge(sent)).toMatchObject(expected);
  });

  it('knows dates', () => {
    expect(judge([leaf, middle], new Date(now.getTime() + 60 * 86_400_000)).problem).toBe('expired');
    expect(judge([leaf, middle], new Date(now.getTime() - 60 * 86_400_000)).problem).toBe('not-yet-valid');
  });

  it('is not led in circles, and survives what is no certificate', () => {
    expect(judge([stray, stray, stray]).problem).toBe('self-signed');
    expect(judgeChain([Buffer.from('nonsense')], store, now).problem).toBe('unreadable');
    expect(judgeChain([], store, now).problem).toBe('unreadable');
    expect(judgeChain([leaf.der, Buffer.alloc(10), middle.der], store, now).trusted).toBe(true);
  });
});
