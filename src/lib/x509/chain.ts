/**
 * Can a chain of certificates be trusted, and was it sent as it should be? These are two questions: many programs find
 * missing certificates by themselves, others do not.
 *
 * RFC 5280 §6 (path validation: signatures, dates, basic constraints) · RFC 8446 §4.4.2 (what is sent). Not here:
 * policies, name constraints, revocation.
 */
import { X509Certificate } from 'node:crypto';
import { readCertificate, type Certificate } from './certificate.js';
import { DerError } from './der.js';

export type ChainProblem =
  | 'self-signed'
  | 'unknown-issuer'
  | 'incomplete'
  | 'expired'
  | 'not-yet-valid'
  | 'not-an-authority'
  | 'unreadable';

export interface ChainVerdict {
  trusted: boolean;
  /** Why it is not trusted. */
  problem: ChainProblem | undefined;
  /** Each certificate is followed by the one that signed it. */
  isInOrder: boolean;
  /** Certificates that were sent and are no part of the path: how many. */
  unused: number;
  /** The root itself was sent, which nobody needs. */
  isRootSent: boolean;
  /** From the server's certificate to the root: subjects. */
  path: readonly string[];
}

interface Link {
  certificate: Certificate;
  x509: X509Certificate;
}

const MAX_PATH = 10;

/** Trusted roots, found by their subject. */
export class TrustStore {
  readonly #bySubject = new Map<string, string[]>();
  readonly #parsed = new Map<string, Link | undefined>();

  /** @param texts PEM, with one or more certificates each */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      for (const [pem] of text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
        const link = parse(Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64'));
        if (!link) continue;
        const key = link.certificate.rawSubject.toString('base64');
        this.#bySubject.set(key, [...(this.#bySubject.get(key) ?? []), pem]);
        this.#parsed.set(pem, link);
      }
    }
  }

  /** The root that signed this certificate, or is it. */
  findIssuer(link: Link): Link | undefined {
    const candidates = this.#bySubject.get(link.certificate.rawIssuer.toString('base64')) ?? [];
    for (const pem of candidates) {
      const root = this.#parsed.get(pem);
      if (root && isSignedBy(link, root)) return root;
    }
    return undefined;
  }

  has(link: Link): boolean {
    return (this.#bySubject.get(link.certificate.rawSubject.toString('base64')) ?? []).some(
      (pem) => this.#parsed.get(pem)?.certificate.fingerprint === link.certificate.fingerprint,
    );
  }
}

/** @param sent DER, the server's certificate first */
export function judgeChain(sent: readonly Buffer[], store: TrustStore, now: Date): ChainVerdict {
  const links = sent.slice(0, MAX_PATH * 2).map(parse);
  const [leaf] = links;
  if (!leaf)
    return { trusted: false, problem: 'unreadable', isInOrder: true, unused: 0, isRootSent: false, path: [] };
  const others = links.slice(1).filter((link) => link !== undefined);
  const { path, root } = buildPath(leaf, others, store);
  const onPath = new Set(path);
  const isRootSent = others.some((link) => link.certificate.isSelfIssued && isSignedBy(link, link));
  const problem = findProblem(path, root, now);
  return {
    trusted: problem === undefined,
    problem,
    isInOrder: links.every(
      (link, index) => index === 0 || !link || !onPath.has(link) || path[index] === link,
    ),
    unused: others.filter((link) => !onPath.has(link)).length,
    isRootSent,
    path: [...path, ...(root && !onPath.has(root) ? [root] : [])].map(
      ({ certificate }) => certificate.subject,
    ),
  };
}

function buildPath(
  leaf: Link,
  others: readonly Link[],
  store: TrustStore,
): { path: Link[]; root: Link | undefined } {
  const path = [leaf];
  for (let last = leaf; path.length < MAX_PATH;) {
    if (store.has(last)) return { path, root: last };
    const root = store.findIssuer(last);
    if (root) return { path, root };
    const isOnPath = ({ certificate }: Link): boolean =>
      path.some((one) => one.certificate.fingerprint === certificate.fingerprint);
    const next = others.find((link) => !isOnPath(link) && isSignedBy(last, link));
    if (!next) return { path, root: undefined };
    path.push(next);
    last = next;
  }
  return { path, root: undefined };
}

function findProblem(path: readonly Link[], root: Link | undefined, now: Date): ChainProblem | undefined {
  // A root is trusted for as long as it is in the store, as everybody has it.
  for (const { certificate } of path) {
    if (now > certificate.notAfter) return 'expired';
    if (now < certificate.notBefore) return 'not-yet-valid';
  }
  const signers = root && !path.includes(root) ? [...path.slice(1), root] : path.slice(1);
  if (signers.some(({ certificate }, below) => !maySign(certificate, below))) return 'not-an-authority';
  if (root) return undefined;
  const last = path.at(-1);
  if (last && last.certificate.isSelfIssued && isSignedBy(last, last))
    return path.length === 1 ? 'self-signed' : 'unknown-issuer';
  // It says where its issuer can be fetched: somebody forgot to send it.
  return last && last.certificate.issuerUrls.length > 0 ? 'incomplete' : 'unknown-issuer';
}

/** @param below how many authorities stand between it and the server's certificate (RFC 5280 §6.1.4) */
function maySign({ isAuthority, maySignCertificates, pathLength }: Certificate, below: number): boolean {
  return isAuthority && maySignCertificates && (pathLength === undefined || below <= pathLength);
}

function isSignedBy({ certificate, x509 }: Link, issuer: Link): boolean {
  if (!certificate.rawIssuer.equals(issuer.certificate.rawSubject)) return false;
  try {
    return x509.verify(issuer.x509.publicKey);
  } catch {
    // A key or a signature that OpenSSL does not know.
    return false;
  }
}

function parse(der: Buffer): Link | undefined {
  try {
    return { certificate: readCertificate(der), x509: new X509Certificate(der) };
  } catch (error) {
    if (error instanceof DerError || isOpensslError(error)) return undefined;
    throw error;
  }
}

const isOpensslError = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  error.code.startsWith('ERR_OSSL');
