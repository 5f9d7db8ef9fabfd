/** Denial by NSEC3: like NSEC, but of hashed names (RFC 5155 §8). */
import { createHash } from 'node:crypto';
import {
  isWithin,
  keepLabels,
  labelsOf,
  nameToWire,
  parentOf,
  ROOT,
  wildcardOf,
  type DnsName,
} from '../name.js';
import type { RecordOf } from '../records.js';
import { endsZone, NOT_PROVEN, proveByTypes, proveByWildcard, type Denial, type Proof } from './denial.js';

type Nsec3 = RecordOf<'NSEC3'>;

/** Above this the answer counts as unsigned: each round costs us as much as it costs an attacker (RFC 9276 §3.2). */
const MAX_ITERATIONS = 150;
const HASH_SHA1 = 1;

/** @param zone the zone that signed them: their names are hashes right below it */
export function readNsec3Denial(all: readonly Nsec3[], zone: DnsName): Denial {
  const usable = all.filter(
    ({ hashAlgorithm, hasUnknownFlags, name }) =>
      hashAlgorithm === HASH_SHA1 && !hasUnknownFlags && parentOf(name) === zone,
  );
  const [first] = usable;
  if (!first) return denyNothing(NOT_PROVEN);
  if (first.iterations > MAX_ITERATIONS)
    return denyNothing({
      result: 'unsigned',
      reason: `the zone ${zone} hashes names ${first.iterations} times, and above ${MAX_ITERATIONS} that is not checked (RFC 9276)`,
    });
  // Records of one answer all hash in the same way (RFC 5155 §8.2).
  const records = usable.filter(
    ({ iterations, salt }) => iterations === first.iterations && salt.equals(first.salt),
  );
  const lookUp = new HashedNames(records, zone, first);
  return {
    proveNoDomain: (name) => {
      const encloser = lookUp.findClosestEncloser(name);
      if (!encloser) return NOT_PROVEN;
      const nextCloser = lookUp.findCovering(encloser.nextCloser);
      if (!nextCloser || !lookUp.findCovering(wildcardOf(encloser.name))) return NOT_PROVEN;
      return nextCloser.isOptOut ? optedOut(zone) : { result: 'proven' };
    },
    proveNoData: (name, type) => {
      const at = lookUp.findAt(name);
      if (at) return proveByTypes(at.types, type, name === ROOT);
      const encloser = lookUp.findClosestEncloser(name);
      const nextCloser = encloser && lookUp.findCovering(encloser.nextCloser);
      if (!nextCloser) return NOT_PROVEN;
      if (nextCloser.isOptOut) return optedOut(zone);
      const wildcard = lookUp.findAt(wildcardOf(encloser.name));
      return wildcard ? proveByWildcard(wildcard.types, type) : NOT_PROVEN;
    },
    proveWildcardUse: (name, ancestorLabels) => {
      const covering = lookUp.findCovering(keepLabels(name, ancestorLabels + 1));
      if (!covering) return NOT_PROVEN;
      return covering.isOptOut ? optedOut(zone) : { result: 'proven' };
    },
  };
}

function optedOut(zone: DnsName): Proof {
  return { result: 'unsigned', reason: `the zone ${zone} leaves unsigned zones below it out of its proofs` };
}

function denyNothing(proof: Proof): Denial {
  return { proveNoDomain: () => proof, proveNoData: () => proof, proveWildcardUse: () => proof };
}

interface ClosestEncloser {
  name: DnsName;
  /** One label longer than the encloser, towards the name asked about. */
  nextCloser: DnsName;
}

class HashedNames {
  readonly #records: readonly (Nsec3 & { hash: Buffer })[];
  readonly #zone: DnsName;
  readonly #parameters: { iterations: number; salt: Buffer };
  readonly #hashes = new Map<DnsName, Buffer>();

  constructor(records: readonly Nsec3[], zone: DnsName, parameters: { iterations: number; salt: Buffer }) {
    this.#records = records.map((record) => ({
      ...record,
      hash: decodeBase32Hex(labelsOf(record.name)[0] ?? ''),
    }));
    this.#zone = zone;
    this.#parameters = parameters;
  }

  findAt(name: DnsName): Nsec3 | undefined {
    const hash = this.#hash(name);
    return this.#records.find((record) => record.hash.equals(hash));
  }

  /** Is the hash of the name strictly between the two of a record? The last one leads back to the first. */
  findCovering(name: DnsName): Nsec3 | undefined {
    const hash = this.#hash(name);
    return this.#records.find(({ hash: owner, nextHash: next }) => {
      const isAfterOwner = Buffer.compare(owner, hash) < 0;
      const isBeforeNext = Buffer.compare(hash, next) < 0;
      const isLast = Buffer.compare(next, owner) <= 0;
      return isLast ? isAfterOwner || isBeforeNext : isAfterOwner && isBeforeNext;
    });
  }

  /** The deepest ancestor in the zone that has a record (RFC 5155 §8.3). The name itself has been looked for. */
  findClosestEncloser(name: DnsName): ClosestEncloser | undefined {
    let nextCloser = name;
    for (let encloser = parentOf(name); isWithin(encloser, this.#zone); encloser = parentOf(encloser)) {
      const at = this.findAt(encloser);
      if (at) return endsZone(at.types) ? undefined : { name: encloser, nextCloser };
      if (encloser === ROOT) return undefined;
      nextCloser = encloser;
    }
    return undefined;
  }

  #hash(name: DnsName): Buffer {
    const known = this.#hashes.get(name);
    if (known) return known;
    const { iterations, salt } = this.#parameters;
    let hash = nameToWire(name);
    for (let round = 0; round <= iterations; round++)
      hash = createHash('sha1').update(hash).update(salt).digest();
    this.#hashes.set(name, hash);
    return hash;
  }
}

const BASE32_HEX = '0123456789abcdefghijklmnopqrstuv';

/** RFC 4648 §7, without padding; empty for what is not that, which no hash equals. */
function decodeBase32Hex(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text) {
    const value = BASE32_HEX.indexOf(character);
    if (value === -1) return Buffer.alloc(0);
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
      held &= (1 << bits) - 1;
    }
  }
  return Buffer.from(bytes);
}
