/** A private authority and the certificates that a server may have, good and bad. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../../src/lib/sandbox/certificates.js';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'tls');
const DAY_MS = 86_400_000;

export interface KeyPair {
  /** PEM */
  cert: string;
  key: string;
}

export interface TlsFixtures {
  /** PEM of the authority that signed everything but `selfSigned` and `stranger`. */
  ca: string;
  /** Valid for `domain` and 127.0.0.1 and ::1. */
  good: KeyPair;
  expired: KeyPair;
  notYetValid: KeyPair;
  wrongName: KeyPair;
  /** For `xmpp.test`, whatever the domain. */
  selfSigned: KeyPair;
  /** An authority's own certificate, which may sign but not serve. */
  authority: KeyPair;
  /** Good, but by an authority that nobody trusts. */
  stranger: KeyPair;
  client: KeyPair;
}

export function makeTlsFixtures(domain = 'xmpp.test'): TlsFixtures {
  const authority = createAuthority('Test authority');
  const request = { commonName: domain, names: [domain, '127.0.0.1', '::1'] };
  const at = (days: number) => new Date(Date.now() + days * DAY_MS);
  return {
    ca: authority.cert,
    good: authority.issue(request),
    expired: authority.issue({ ...request, notBefore: at(-20), notAfter: at(-10) }),
    notYetValid: authority.issue({ ...request, notBefore: at(10), notAfter: at(20) }),
    wrongName: authority.issue({ commonName: 'other.test', names: ['other.test', 'www.other.test'] }),
    selfSigned: { cert: readFixture('self-signed.cert.pem'), key: readFixture('self-signed.key.pem') },
    authority: createAuthority(domain),
    stranger: createAuthority('Stranger').issue(request),
    client: authority.issue({ commonName: 'alice', names: [], xmppAddrs: [`alice@${domain}`] }),
  };
}

function readFixture(name: string): string {
  return readFileSync(join(FIXTURES, name), 'utf8');
}
