/** Certificates and keys from files. */
import { UsageError } from '../errors.js';
import { readPrivateFile, readTextFile } from './private-file.js';

/** @throws FileError @throws UsageError nothing of that kind is in the file */
export async function readPem(file: string, what: string, label: string): Promise<string> {
  const text = await readTextFile(file, what);
  if (!text.includes(`-----BEGIN ${label}-----`)) {
    throw new UsageError(`${what} ${file} has no PEM ${label.toLowerCase()} in it`);
  }
  return text;
}

/**
 * @param keyFile where the certificate's file has the key, too, when left out
 * @throws FileError @throws UsageError there is no certificate, or no key
 */
export async function readClientCertificate(
  certFile: string,
  keyFile: string | undefined,
): Promise<{ cert: string; key: string }> {
  const cert = await readPem(certFile, 'the client certificate', 'CERTIFICATE');
  if (keyFile === undefined && !privateKey.test(cert)) {
    throw new UsageError(`the client certificate ${certFile} has no key with it`, {
      hint: 'name the file of the key with --client-key',
    });
  }
  return { cert, key: await readKey(keyFile ?? certFile) };
}

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

async function readKey(file: string): Promise<string> {
  // Keys of services are often shared with a group (0640 root:ssl-cert); the world is another matter.
  const text = await readPrivateFile(file, 'the client key', { othersMask: 0o007 });
  if (!privateKey.test(text)) {
    throw new UsageError(`the client key ${file} has no PEM private key in it`);
  }
  return text;
}
