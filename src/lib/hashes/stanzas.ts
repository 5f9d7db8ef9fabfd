/** The elements of XEP-0300 §3: a hash, and the promise of one. */
import { element } from '../xml/codec.js';
import type { Element } from '../xml/element.js';
import { attr, text } from '../xml/fields.js';
import { base64, token } from '../xml/scalars.js';
import { NS_HASHES, digestBytes, readAlgorithm, type Hash, type HashAlgorithm } from './hashes.js';

/** Empty where the value is not known yet, which is the older way to promise it (XEP-0234 §4). */
export const HashElement = element(NS_HASHES, 'hash', {
  algorithm: attr('algo', token),
  value: text(base64),
});
/** The value will be told later. */
export const HashUsed = element(NS_HASHES, 'hash-used', { algorithm: attr('algo', token) });

export interface ReadHashes {
  hashes: Hash[];
  promised: HashAlgorithm[];
}

/**
 * The hashes among some elements, as their bytes. What else there is, unknown algorithms, and what is not base64 are
 * passed over.
 */
export function readHashes(elements: readonly Element[]): ReadHashes {
  const hashes: Hash[] = [];
  const promised: HashAlgorithm[] = [];
  for (const element of elements) {
    const isValue = HashElement.matches(element);
    if (!isValue && !HashUsed.matches(element)) continue;
    const algorithm = readAlgorithm(String(element.attrs['algo']));
    const value = base64.read(isValue ? element.getText() : '');
    if (!algorithm || !value) continue;
    if (value.length === 0) promised.push(algorithm);
    else hashes.push({ algorithm, value: toDigest(algorithm, Buffer.from(value)) });
  }
  return { hashes, promised };
}

export function writeHash({ algorithm, value }: Hash): Element {
  return HashElement.encode({ algorithm, value });
}

export function writePromise(algorithm: HashAlgorithm): Element {
  return HashUsed.encode({ algorithm });
}

/** COMPAT(Libervia 0.9): the base64 is of hexadecimal digits. Anything else of a wrong length stays, and matches nothing. */
function toDigest(algorithm: HashAlgorithm, value: Buffer): Buffer {
  if (value.length !== 2 * digestBytes[algorithm]) return value;
  const digits = value.toString('latin1');
  return /^[0-9a-f]*$/i.test(digits) ? Buffer.from(digits, 'hex') : value;
}
