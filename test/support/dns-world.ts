/** Signed and unsigned zones from the root down, answered as a resolver would that validates nothing. */
import {
  hashName,
  makeDs,
  rdata,
  generateZoneKey,
  signRecords,
  splitName,
  toBase32Hex,
} from './dns-signer.js';
import type { SigningTimes, TestRecord, ZoneKey } from './dns-signer.js';
import type { DnsReply } from './scripted-dns.js';

export const Type = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  TXT: 16,
  SRV: 33,
  DNAME: 39,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  TLSA: 52,
  CAA: 257,
} as const;

export interface ZoneSpec {
  name: string;
  /** How it denies; `unsigned` zones are not signed and have no DS record. */
  denial?: 'nsec' | 'nsec3' | 'unsigned';
  nsec3?: { iterations?: number; isOptOut?: boolean };
  algorithm?: number;
  /** 0 for no DS record in the zone above, although it is signed. */
  dsDigestType?: number;
  times?: SigningTimes;
  records?: readonly TestRecord[];
}

/** Signatures of the worlds of tests are good from ten days before this to ten days after. */
export const WORLD_NOW_MS = Date.UTC(2026, 0, 15);
const DAY_SECONDS = 86_400;
export const goodTimes: SigningTimes = daysAround(-10, 10);

export function daysAround(from: number, to: number): SigningTimes {
  const now = WORLD_NOW_MS / 1000;
  return { inception: now + from * DAY_SECONDS, expiration: now + to * DAY_SECONDS };
}

export function record(name: string, type: number, data: Buffer, ttlSeconds = 3600): TestRecord {
  return { name, type, ttlSeconds, rdata: data };
}

export class DnsWorld {
  readonly zones: ReadonlyMap<string, WorldZone>;

  /** @param specs with `.` among them */
  constructor(specs: readonly ZoneSpec[]) {
    const zones = specs.map((spec) => new WorldZone(spec));
    this.zones = new Map(zones.map((zone) => [zone.name, zone]));
    for (const zone of zones) {
      if (zone.name === '.') continue;
      const above = this.findZone(splitName(zone.name).slice(1).join('.') || '.');
      above.add(record(zone.name, Type.NS, rdata.name(`ns.${zone.name}`)));
      const { dsDigestType = 2 } = zone.spec;
      if (zone.isSigned && dsDigestType !== 0)
        above.add(record(zone.name, Type.DS, makeDs(zone.name, zone.key, dsDigestType)));
    }
    for (const zone of zones) zone.sign();
  }

  findZone(name: string): WorldZone {
    const labels = splitName(name);
    for (let skip = 0; skip <= labels.length; skip++) {
      const zone = this.zones.get(labels.slice(skip).join('.') || '.');
      if (zone) return zone;
    }
    throw new Error('a world has a root');
  }

  answer({ name, type }: { name: string; type: number }): DnsReply {
    const isAbove = type === Type.DS && name !== '.';
    const zone = this.findZone(isAbove ? splitName(name).slice(1).join('.') || '.' : name);
    return zone.answer(name, type);
  }

  /** The digest of the root's key. */
  get trustAnchor(): string {
    const ds = makeDs('.', this.findZone('.').key);
    return `. IN DS ${ds.readUInt16BE()} ${ds[2] ?? 0} ${ds[3] ?? 0} ${ds.subarray(4).toString('hex')}`;
  }
}

export class WorldZone {
  readonly name: string;
  readonly spec: ZoneSpec;
  readonly key: ZoneKey;
  readonly isSigned: boolean;
  #records: TestRecord[];
  #signatures: TestRecord[] = [];
  #denials: TestRecord[] = [];

  constructor(spec: ZoneSpec) {
    this.name = spec.name;
    this.spec = spec;
    this.isSigned = spec.denial !== 'unsigned';
    this.key = generateZoneKey(spec.algorithm);
    this.#records = [
      record(spec.name, Type.SOA, rdata.soa(spec.name)),
      record(spec.name, Type.NS, rdata.name(spec.name === '.' ? 'ns' : `ns.${spec.name}`)),
      ...(this.isSigned ? [record(spec.name, Type.DNSKEY, this.key.rdata)] : []),
      ...(spec.records ?? []),
    ];
  }

  add(added: TestRecord): void {
    this.#records.push(added);
  }

  sign(): void {
    if (!this.isSigned) return;
    this.#denials = this.spec.denial === 'nsec3' ? this.#makeNsec3() : this.#makeNsec();
    const keys = new Set([...this.#records, ...this.#denials].map(({ name, type }) => `${type} ${name}`));
    for (const key of keys) {
      const set = [...this.#records, ...this.#denials].filter(({ name, type }) => `${type} ${name}` === key);
      // What delegates is not signed (RFC 4035 §2.2).
      if (set[0]?.type === Type.NS && set[0].name !== this.name) continue;
      this.#signatures.push(signRecords(set, this.name, this.key, this.spec.times ?? goodTimes));
    }
  }

  answer(name: string, type: number): DnsReply {
    const found = this.#take(name, type);
    if (found.length > 0) return { answers: found };
    const alias = this.#take(name, Type.CNAME);
    if (alias.length > 0) return { answers: alias };
    if (this.#allNames().includes(name)) return { authorities: this.#deny() };
    const wildcard = this.#findWildcard(name);
    if (wildcard !== undefined) {
      const made = this.#take(wildcard, type).map((one) => ({ ...one, name }));
      return { answers: made, authorities: this.#deny() };
    }
    return { rcode: 3, authorities: this.#deny() };
  }

  /** Owners, and the names above them that have no records. */
  #allNames(): string[] {
    const names = new Set<string>();
    for (const { name } of this.#records)
      for (let at = name; at.length >= this.name.length; at = splitName(at).slice(1).join('.') || '.') {
        names.add(at);
        if (at === this.name || at === '.') break;
      }
    return [...names];
  }

  #findWildcard(name: string): string | undefined {
    const all = this.#allNames();
    const labels = splitName(name);
    const skip = labels.findIndex((_, index) => all.includes(labels.slice(index).join('.')));
    const wildcard = `*.${labels.slice(skip).join('.')}`;
    return all.includes(wildcard) ? wildcard : undefined;
  }

  /** Records with their signatures. */
  #take(name: string, type: number): TestRecord[] {
    return [
      ...[...this.#records, ...this.#denials].filter((one) => one.name === name && one.type === type),
      ...this.#signatures.filter((one) => one.name === name && one.rdata.readUInt16BE() === type),
    ];
  }

  /** Every proof the zone has: which of them counts is for the one who asks to find out. */
  #deny(): TestRecord[] {
    const denials = this.#denials.flatMap(({ name, type }) => this.#take(name, type));
    return [...this.#take(this.name, Type.SOA), ...denials];
  }

  #typesAt(name: string): number[] {
    const types = this.#records.filter((one) => one.name === name).map(({ type }) => type);
    return [...new Set(types)];
  }

  #makeNsec(): TestRecord[] {
    const order = (name: string): string => splitName(name).reverse().join('\0');
    const owners = [...new Set(this.#records.map(({ name }) => name))].sort((a, b) =>
      order(a) < order(b) ? -1 : 1,
    );
    return owners.map((owner, index) =>
      record(
        owner,
        Type.NSEC,
        rdata.nsec(owners[index + 1] ?? this.name, [...this.#typesAt(owner), Type.RRSIG, Type.NSEC]),
      ),
    );
  }

  #makeNsec3(): TestRecord[] {
    const { iterations = 0, isOptOut = false } = this.spec.nsec3 ?? {};
    const salt = Buffer.from('abcd', 'hex');
    const isLeftOut = (name: string): boolean => {
      const types = this.#typesAt(name);
      return isOptOut && name !== this.name && types.length === 1 && types[0] === Type.NS;
    };
    const hashed = this.#allNames()
      .filter((name) => !isLeftOut(name))
      .map((name) => ({ name, hash: hashName(name, iterations, salt) }))
      .sort((a, b) => Buffer.compare(a.hash, b.hash));
    return hashed.map(({ name, hash }, index) => {
      const next = hashed[(index + 1) % hashed.length]?.hash ?? hash;
      const owner = `${toBase32Hex(hash)}${this.name === '.' ? '' : `.${this.name}`}`;
      return record(
        owner,
        Type.NSEC3,
        rdata.nsec3({ iterations, salt, isOptOut }, next, this.#typesAt(name)),
      );
    });
  }
}
