/** The authority that clients of a proxy have to trust: made once, kept where nobody else can read its key. */
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext, type SecureContext } from 'node:tls';
import { readPrivateFile, readTextFile, writePrivateFile } from '../config/private-file.js';
import { FileError } from '../errors.js';
import { createAuthority, openAuthority, type CertificateAuthority } from '../sandbox/certificates.js';

const DAY_MS = 86_400_000;
const validDays = 3650;
/** Shorter than the longest that common clients accept (398 days). */
const certificateDays = 365;

export interface ProxyAuthority {
  /** What clients are told to trust. */
  caFile: string;
  /** A certificate for a server, and its key. @param names of its domain, and the addresses it is reached at */
  issue(domain: string, names: readonly string[]): SecureContext;
}

/**
 * Opens the authority kept in a folder, and makes it the first time, or when it has run out.
 * @throws FileError it cannot be read or written, or others can read the key
 */
export async function openProxyAuthority(folder: string): Promise<ProxyAuthority> {
  const caFile = path.join(folder, 'ca.pem');
  const keyFile = path.join(folder, 'ca.key.pem');
  const authority = (await readAuthority(caFile, keyFile)) ?? (await makeAuthority(caFile, keyFile));
  return {
    caFile,
    issue(domain, names) {
      const { cert, key } = authority.issue({
        commonName: domain,
        names: [domain, `*.${domain}`, ...names],
        srvDomains: [domain],
        notAfter: new Date(Date.now() + certificateDays * DAY_MS),
      });
      return createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
    },
  };
}

async function readAuthority(caFile: string, keyFile: string): Promise<CertificateAuthority | undefined> {
  if (!existsSync(caFile) || !existsSync(keyFile)) return undefined;
  const cert = await readTextFile(caFile, 'the certificate of the proxy');
  const key = await readPrivateFile(keyFile, 'the key of the proxy');
  try {
    const endsAt = Date.parse(new X509Certificate(cert).validTo);
    return endsAt > Date.now() + certificateDays * DAY_MS ? openAuthority({ cert, key }) : undefined;
  } catch (cause) {
    throw new FileError(`the certificate authority in ${caFile} cannot be used`, {
      hint: 'remove it and its key, and a new one is made',
      cause,
    });
  }
}

async function makeAuthority(caFile: string, keyFile: string): Promise<CertificateAuthority> {
  const authority = createAuthority(
    `xmppctl trace proxy ${new Date().toISOString().slice(0, 10)}`,
    new Date(Date.now() + validDays * DAY_MS),
  );
  await writePrivateFile(keyFile, authority.key, 'the key of the proxy');
  await writePrivateFile(caFile, authority.cert, 'the certificate of the proxy');
  return authority;
}
