/** Where trust begins: the keys of the root (https://data.iana.org/root-anchors), or those of a file. */
import { DnsError } from '../../errors.js';
import { parseName, ROOT, type DnsName } from '../name.js';
import type { RecordOf } from '../records.js';
import { matchesDs, type DsData } from './keys.js';

export interface TrustAnchor {
  zone: DnsName;
  /** A digest of the key, or the RDATA of the key itself. */
  key: DsData | { rdata: Buffer };
}

/** The key signing keys of the root of 2017 and of 2024. */
export const ROOT_TRUST_ANCHORS: readonly TrustAnchor[] = [
  rootKey(20326, 'e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d'),
  rootKey(38696, '683d2d0acb8c9b712a1948b27f741219298d0a450d612c483af444a4c0fb2b16'),
];

function rootKey(keyTag: number, sha256: string): TrustAnchor {
  return {
    zone: ROOT,
    key: { keyTag, algorithm: 8, digestType: 2, digest: Buffer.from(sha256, 'hex') },
  };
}

export function isAnchoredBy(key: RecordOf<'DNSKEY'>, { key: anchor }: TrustAnchor): boolean {
  return 'rdata' in anchor ? anchor.rdata.equals(key.rdata) : matchesDs(key, anchor);
}

/**
 * DS and DNSKEY records as in a zone file; other records are passed over.
 *
 * @throws {DnsError} for a record that cannot be read, and when there is none
 */
export function parseTrustAnchors(text: string): TrustAnchor[] {
  const anchors = splitEntries(text).flatMap(parseEntry);
  if (anchors.length === 0) throw new DnsError('the trust anchors hold no DS or DNSKEY record');
  return anchors;
}

/** Lines as lists of words: without comments, and with what is in parentheses on one line (RFC 1035 §5.1). */
function splitEntries(text: string): string[][] {
  const plain = text.replace(/;.*$/gm, '');
  const joined = plain.replace(/\(([^()]*)\)/g, (_, inside: string) => inside.replaceAll('\n', ' '));
  return joined
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length > 1);
}

function parseEntry(words: readonly string[]): TrustAnchor[] {
  const at = words.findIndex((word, index) => index > 0 && /^(ds|dnskey)$/i.test(word));
  if (at === -1) return [];
  const [owner = ''] = words;
  const [first, second, third, ...encoded] = words.slice(at + 1);
  const [a, b, c] = [readNumber(first, words), readNumber(second, words), readNumber(third, words)];
  const isDs = words[at]?.toUpperCase() === 'DS';
  const data = Buffer.from(encoded.join(''), isDs ? 'hex' : 'base64');
  if (data.length === 0) throw unreadable(words);
  const zone = parseName(owner);
  if (isDs) return [{ zone, key: { keyTag: a, algorithm: b, digestType: c, digest: data } }];
  return [{ zone, key: { rdata: Buffer.concat([Buffer.of(a >> 8, a & 0xff, b, c), data]) } }];
}

function readNumber(word: string | undefined, words: readonly string[]): number {
  const number = /^\d{1,5}$/.test(word ?? '') ? Number(word) : NaN;
  if (!(number <= 0xffff)) throw unreadable(words);
  return number;
}

function unreadable(words: readonly string[]): DnsError {
  return new DnsError(`cannot read the trust anchor ${JSON.stringify(words.join(' ').slice(0, 80))}`);
}
