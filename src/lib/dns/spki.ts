/**
 * The SubjectPublicKeyInfo of a certificate, byte for byte (RFC 5280 §4.1). Exporting the key with node:crypto would write
 * it anew, perhaps differently, and fails for kinds of key that OpenSSL does not know; a digest of it must fit anyway.
 */

/** How many fields are before it in the TBSCertificate: serial number, algorithm, issuer, validity, subject. */
const FIELDS_BEFORE = 5;
const TAG_SEQUENCE = 0x30;
const TAG_VERSION = 0xa0;

/** @returns undefined for what is not a certificate */
export function extractPublicKeyInfo(certificate: Buffer): Buffer | undefined {
  const outer = readElement(certificate, 0);
  const signed = outer?.tag === TAG_SEQUENCE ? readElement(certificate, outer.start) : undefined;
  if (signed?.tag !== TAG_SEQUENCE) return undefined;
  let at = signed.start;
  if (certificate[at] === TAG_VERSION) at = readElement(certificate, at)?.end ?? certificate.length;
  for (let field = 0; field < FIELDS_BEFORE; field++)
    at = readElement(certificate, at)?.end ?? certificate.length;
  const info = readElement(certificate, at);
  return info?.tag === TAG_SEQUENCE && info.end <= signed.end
    ? certificate.subarray(at, info.end)
    : undefined;
}

/** One element of DER: where its content starts and where it ends. */
function readElement(bytes: Buffer, at: number): { tag: number; start: number; end: number } | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + lengthBytes;
  if (lengthBytes > 4 || start > bytes.length) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const end = start + length;
  return end <= bytes.length ? { tag, start, end } : undefined;
}
