/**
 * What a certificate says, by reading its DER: node:crypto knows neither the names of RFC 6120 nor the signature
 * algorithm, and its text form of names can be misled.
 *
 * RFC 5280 §4 · RFC 6120 §13.7.1.4 (XmppAddr) · RFC 4985 (SRVName) · RFC 7633 (TLS feature) · RFC 6962 §3.3 (SCTs).
 */
import { createHash } from 'node:crypto';
import {
  childrenOf,
  DerError,
  readAll,
  readDer,
  readOid,
  readText,
  readTime,
  Tag,
  type DerElement,
} from './der.js';
import {
  curves,
  extendedKeyUsages,
  nameAttributes,
  Oid,
  signatureAlgorithms,
  type SignatureAlgorithm,
} from './object-identifiers.js';

export interface PublicKey {
  algorithm: 'RSA' | 'EC' | 'DSA' | 'Ed25519' | 'Ed448' | 'unknown';
  /** Of the modulus or of the curve; undefined where it cannot be told. */
  bits: number | undefined;
  /** EC only: `P-256`. */
  curve?: string;
  /** RSA only. */
  exponent?: bigint;
}

export interface AlternativeNames {
  dns: readonly string[];
  /** RFC 4985: `_xmpp-server.example.org`. */
  srv: readonly string[];
  /** RFC 6120: a bare JID, for servers the domain. */
  xmppAddr: readonly string[];
  ip: readonly string[];
  uri: readonly string[];
  email: readonly string[];
}

export interface Certificate {
  der: Buffer;
  /** `CN=example.org, O=Example`; not cleaned for a terminal. */
  subject: string;
  issuer: string;
  /** DER, to be compared. */
  rawSubject: Buffer;
  rawIssuer: Buffer;
  commonNames: readonly string[];
  /** Hexadecimal. */
  serial: string;
  notBefore: Date;
  notAfter: Date;
  publicKey: PublicKey;
  signature: SignatureAlgorithm;
  /** Subject and issuer are the same. */
  isSelfIssued: boolean;
  isAuthority: boolean;
  /** How many authorities may stand between it and a server's certificate; undefined for any number. */
  pathLength: number | undefined;
  /** False where the key usage leaves out signing certificates. */
  maySignCertificates: boolean;
  /** Undefined without the extension: then every use is allowed. */
  extendedKeyUsage: readonly string[] | undefined;
  subjectAltName: AlternativeNames;
  ocspUrls: readonly string[];
  issuerUrls: readonly string[];
  crlUrls: readonly string[];
  /** Embedded signed certificate timestamps. */
  timestamps: number;
  /** TLS feature 5: a stapled OCSP response is required. */
  mustStaple: boolean;
  /** SHA-256, hexadecimal. */
  fingerprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal. */
  keyFingerprint: string;
}

/** @throws DerError it is no certificate */
export function readCertificate(der: Buffer): Certificate {
  const [body, outerAlgorithm] = childrenOf(readDer(der), Tag.sequence);
  const fields = childrenOf(body, Tag.sequence);
  // [0] version is left out by version 1.
  const offset = fields[0]?.tag === 0xa0 ? 1 : 0;
  const [serial, , issuer, validity, subject, spki] = fields.slice(offset);
  if (serial?.tag !== Tag.integer || !issuer || !subject || !spki)
    throw new DerError('a certificate is not built like one');
  const [notBefore, notAfter] = childrenOf(validity, Tag.sequence);
  const extensions = readExtensions(fields.find(({ tag }) => tag === 0xa3));
  const subjectNames = readName(subject);
  return {
    der,
    subject: formatName(subjectNames),
    issuer: formatName(readName(issuer)),
    rawSubject: subject.whole,
    rawIssuer: issuer.whole,
    commonNames: subjectNames.filter(({ oid }) => oid === Oid.commonName).map(({ value }) => value),
    serial: serial.content.toString('hex').slice(0, 100),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    publicKey: readPublicKey(spki),
    signature: readSignatureAlgorithm(outerAlgorithm),
    isSelfIssued: issuer.whole.equals(subject.whole),
    ...readBasicConstraints(extensions.get(Oid.basicConstraints)),
    maySignCertificates: maySignCertificates(extensions.get(Oid.keyUsage)),
    extendedKeyUsage: readExtendedKeyUsage(extensions.get(Oid.extendedKeyUsage)),
    subjectAltName: readAlternativeNames(extensions.get(Oid.subjectAltName)),
    ...readAccess(extensions.get(Oid.authorityInfoAccess)),
    crlUrls: readCrlUrls(extensions.get(Oid.crlDistributionPoints)),
    timestamps: countTimestamps(extensions.get(Oid.signedTimestamps)),
    mustStaple: requiresStapling(extensions.get(Oid.tlsFeature)),
    fingerprint: createHash('sha256').update(der).digest('hex'),
    keyFingerprint: createHash('sha256').update(spki.whole).digest('hex'),
  };
}

function readExtensions(wrapper: DerElement | undefined): Map<string, Buffer> {
  const extensions = new Map<string, Buffer>();
  if (!wrapper) return extensions;
  for (const extension of childrenOf(readDer(wrapper.content), Tag.sequence)) {
    const [oid, ...rest] = childrenOf(extension, Tag.sequence);
    const value = rest.find(({ tag }) => tag === Tag.octetString);
    if (value) extensions.set(readOid(oid), value.content);
  }
  return extensions;
}

interface NameAttribute {
  oid: string;
  value: string;
}

function readName(name: DerElement): NameAttribute[] {
  return childrenOf(name, Tag.sequence).flatMap((set) =>
    childrenOf(set, Tag.set).map((attribute) => {
      const [oid, value] = childrenOf(attribute, Tag.sequence);
      return { oid: readOid(oid), value: value ? readText(value).slice(0, 500) : '' };
    }),
  );
}

function formatName(attributes: readonly NameAttribute[]): string {
  const escape = (text: string): string => text.replace(/[,+"\\<>;=]/g, (character) => `\\${character}`);
  return attributes.map(({ oid, value }) => `${nameAttributes[oid] ?? oid}=${escape(value)}`).join(', ');
}

function readPublicKey(spki: DerElement): PublicKey {
  const [algorithm, key] = childrenOf(spki, Tag.sequence);
  const [oid, parameters] = childrenOf(algorithm, Tag.sequence);
  switch (readOid(oid)) {
    case Oid.rsa:
    case Oid.rsaPss:
      return readRsaKey(key);
    case Oid.ec: {
      const curve = parameters?.tag === Tag.oid ? curves[readOid(parameters)] : undefined;
      return { algorithm: 'EC', bits: curve?.bits, ...(curve && { curve: curve.name }) };
    }
    case Oid.ed25519:
      return { algorithm: 'Ed25519', bits: 256 };
    case Oid.ed448:
      return { algorithm: 'Ed448', bits: 456 };
    case Oid.dsa: {
      const [prime] = parameters?.tag === Tag.sequence ? readAll(parameters.content) : [];
      return { algorithm: 'DSA', bits: prime && bitLength(prime.content) };
    }
    default:
      return { algorithm: 'unknown', bits: undefined };
  }
}

function readRsaKey(key: DerElement | undefined): PublicKey {
  if (key?.tag !== Tag.bitString) throw new DerError('a certificate has no public key');
  // The first byte of a BIT STRING counts unused bits.
  const [modulus, exponent] = childrenOf(readDer(key.content.subarray(1)), Tag.sequence);
  if (modulus?.tag !== Tag.integer || exponent?.tag !== Tag.integer || exponent.content.length > 1024) {
    throw new DerError('a certificate has no RSA key where one must be');
  }
  return {
    algorithm: 'RSA',
    bits: bitLength(modulus.content),
    exponent: BigInt(`0x0${exponent.content.toString('hex')}`),
  };
}

function bitLength(integer: Buffer): number {
  const start = integer.findIndex((byte) => byte !== 0);
  return start < 0 ? 0 : (integer.length - start) * 8 - Math.clz32(integer[start] ?? 0) + 24;
}

function readSignatureAlgorithm(algorithm: DerElement | undefined): SignatureAlgorithm {
  const [element, parameters] = childrenOf(algorithm, Tag.sequence);
  const oid = readOid(element);
  const known = signatureAlgorithms[oid] ?? { name: oid, hash: undefined };
  if (oid !== Oid.rsaPss) return known;
  // RFC 4055 §3.1: [0] holds the hash, SHA-1 when it is left out.
  const explicit =
    parameters?.tag === Tag.sequence
      ? readAll(parameters.content).find(({ tag }) => tag === 0xa0)
      : undefined;
  if (!explicit) return { name: 'RSA-PSS with SHA-1', hash: 'SHA-1' };
  const hashes: Readonly<Record<string, string>> = {
    '1.3.14.3.2.26': 'SHA-1',
    '2.16.840.1.101.3.4.2.1': 'SHA-256',
    '2.16.840.1.101.3.4.2.2': 'SHA-384',
    '2.16.840.1.101.3.4.2.3': 'SHA-512',
  };
  const hash = hashes[readOid(childrenOf(readDer(explicit.content), Tag.sequence)[0])];
  return { name: `RSA-PSS${hash === undefined ? '' : ` with ${hash}`}`, hash };
}

/** RFC 5280 §4.2.1.9. */
function readBasicConstraints(
  extension: Buffer | undefined,
): Pick<Certificate, 'isAuthority' | 'pathLength'> {
  if (!extension) return { isAuthority: false, pathLength: undefined };
  const [flag, length] = childrenOf(readDer(extension), Tag.sequence);
  const isAuthority = flag?.tag === Tag.boolean && flag.content[0] !== 0;
  const hasLength = length?.tag === Tag.integer && length.content.length === 1;
  return { isAuthority, pathLength: hasLength ? length.content[0] : undefined };
}

/** RFC 5280 §4.2.1.3: bit 5, keyCertSign. Without the extension everything is allowed. */
function maySignCertificates(extension: Buffer | undefined): boolean {
  if (!extension) return true;
  const bits = readDer(extension);
  return bits.tag === Tag.bitString && ((bits.content[1] ?? 0) & 0x04) !== 0;
}

function readExtendedKeyUsage(extension: Buffer | undefined): string[] | undefined {
  return (
    extension &&
    childrenOf(readDer(extension), Tag.sequence).map((element) => {
      const oid = readOid(element);
      return extendedKeyUsages[oid] ?? oid;
    })
  );
}

/** Tags of GeneralName (RFC 5280 §4.2.1.6). */
const GeneralName = { other: 0xa0, email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const;
const MAX_NAMES = 500;

function readAlternativeNames(extension: Buffer | undefined): AlternativeNames {
  const names = {
    dns: [] as string[],
    srv: [] as string[],
    xmppAddr: [] as string[],
    ip: [] as string[],
    uri: [] as string[],
    email: [] as string[],
  };
  if (!extension) return names;
  for (const name of childrenOf(readDer(extension), Tag.sequence).slice(0, MAX_NAMES)) {
    const text = name.content.toString('latin1').slice(0, 500);
    switch (name.tag) {
      case GeneralName.dns:
        names.dns.push(text);
        break;
      case GeneralName.uri:
        names.uri.push(text);
        break;
      case GeneralName.email:
        names.email.push(text);
        break;
      case GeneralName.ip:
        names.ip.push(formatAddress(name.content));
        break;
      case GeneralName.other:
        readOtherName(name, names);
        break;
    }
  }
  return names;
}

function readOtherName(name: DerElement, names: { srv: string[]; xmppAddr: string[] }): void {
  const [oid, wrapper] = readAll(name.content);
  const kind = readOid(oid);
  if (!wrapper || (kind !== Oid.srvName && kind !== Oid.xmppAddr)) return;
  const text = readText(readDer(wrapper.content)).slice(0, 500);
  (kind === Oid.srvName ? names.srv : names.xmppAddr).push(text);
}

function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.length !== 16) return bytes.toString('hex').slice(0, 64);
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(':');
}

function readAccess(extension: Buffer | undefined): { ocspUrls: string[]; issuerUrls: string[] } {
  const urls = { ocspUrls: [] as string[], issuerUrls: [] as string[] };
  if (!extension) return urls;
  for (const description of childrenOf(readDer(extension), Tag.sequence)) {
    const [method, location] = childrenOf(description, Tag.sequence);
    if (location?.tag !== GeneralName.uri) continue;
    const url = location.content.toString('latin1').slice(0, 500);
    if (readOid(method) === Oid.ocsp) urls.ocspUrls.push(url);
    else if (readOid(method) === Oid.caIssuers) urls.issuerUrls.push(url);
  }
  return urls;
}

function readCrlUrls(extension: Buffer | undefined): string[] {
  if (!extension) return [];
  return childrenOf(readDer(extension), Tag.sequence).flatMap((point) => {
    const name = childrenOf(point, Tag.sequence).find(({ tag }) => tag === 0xa0);
    const full = name && readAll(name.content).find(({ tag }) => tag === 0xa0);
    return full
      ? readAll(full.content)
          .filter(({ tag }) => tag === GeneralName.uri)
          .map(({ content }) => content.toString('latin1').slice(0, 500))
      : [];
  });
}

/** The list of RFC 6962 §3.3: an OCTET STRING with lengths of its own. */
function countTimestamps(extension: Buffer | undefined): number {
  if (!extension) return 0;
  const list = readDer(extension).content;
  let count = 0;
  for (let at = 2; at + 2 <= list.length; at += 2 + list.readUInt16BE(at)) count += 1;
  return count;
}

function requiresStapling(extension: Buffer | undefined): boolean {
  if (!extension) return false;
  return childrenOf(readDer(extension), Tag.sequence).some(
    ({ tag, content }) => tag === Tag.integer && content.length === 1 && content[0] === 5,
  );
}
