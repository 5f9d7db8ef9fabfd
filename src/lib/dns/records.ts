/** Records as values: RFC 1035, 3596 (AAAA), 2782 (SRV), 6698 (TLSA), 8659 (CAA), 4034 (DNSSEC), 5155 (NSEC3). */
import { SocketAddress } from 'node:net';
import { DnsError } from '../errors.js';
import type { WireRecord } from './message.js';
import type { DnsName } from './name.js';
import { TYPE_NUMBERS, type RecordType } from './record-types.js';
import { WireReader } from './wire-reader.js';

interface RecordData {
  A: { address: string };
  AAAA: { address: string };
  NS: { target: DnsName };
  CNAME: { target: DnsName };
  DNAME: { target: DnsName };
  SOA: {
    primary: DnsName;
    contact: DnsName;
    serial: number;
    refreshSeconds: number;
    retrySeconds: number;
    expireSeconds: number;
    /** How long "there is no such name" may be kept (RFC 2308 §4). */
    minimumSeconds: number;
  };
  /** Text of a zone, not cleaned: it may hold control characters. */
  TXT: { strings: string[] };
  /** A target of `.` says that the service is not offered. */
  SRV: { priority: number; weight: number; port: number; target: DnsName };
  TLSA: { usage: number; selector: number; matchingType: number; data: Buffer };
  /** `tag` in lower case; `value` as it came. */
  CAA: { isCritical: boolean; tag: string; value: string };
  DS: { keyTag: number; algorithm: number; digestType: number; digest: Buffer };
  DNSKEY: { flags: number; protocol: number; algorithm: number; publicKey: Buffer; rdata: Buffer };
  RRSIG: {
    typeCovered: number;
    algorithm: number;
    /** Labels of the owner that was signed, without `*` and the root: fewer than the owner has after a wildcard. */
    labels: number;
    originalTtlSeconds: number;
    /** Seconds since 1970 modulo 2^32 (RFC 4034 §3.1.5). */
    expiration: number;
    inception: number;
    keyTag: number;
    signer: DnsName;
    signature: Buffer;
    /** What of the RDATA is signed along with the records: all but the signature. */
    signedPart: Buffer;
  };
  NSEC: { next: DnsName; types: ReadonlySet<number> };
  NSEC3: {
    hashAlgorithm: number;
    isOptOut: boolean;
    /** Flags with no meaning known here make a record unusable (RFC 5155 §8.2). */
    hasUnknownFlags: boolean;
    iterations: number;
    salt: Buffer;
    nextHash: Buffer;
    types: ReadonlySet<number>;
  };
}

/** A record of type `T`: its owner's name, its type, how long it may be kept, and its data. */
export type RecordOf<T extends RecordType> = { name: DnsName; type: T; ttlSeconds: number } & RecordData[T];

/**
 * @param wire a record of that type
 * @throws {DnsError} when its RDATA is not that of the type
 */
export function readRecord<T extends RecordType>(wire: WireRecord, type: T): RecordOf<T> {
  const reader = new WireReader(wire.rdata);
  const data = READERS[type](reader);
  if (reader.remaining > 0 || wire.type !== TYPE_NUMBERS[type])
    throw new DnsError(`the ${type} record of ${wire.name} is not well-formed`);
  return { name: wire.name, type, ttlSeconds: wire.ttlSeconds, ...data };
}

const READERS: { [T in RecordType]: (reader: WireReader) => RecordData[T] } = {
  A: (reader) => ({ address: reader.take(4).join('.') }),
  AAAA: (reader) => ({ address: formatIpv6(reader.take(16)) }),
  NS: readTarget,
  CNAME: readTarget,
  DNAME: readTarget,
  SOA: (reader) => ({
    primary: reader.readName(),
    contact: reader.readName(),
    serial: reader.readUint32(),
    refreshSeconds: reader.readUint32(),
    retrySeconds: reader.readUint32(),
    expireSeconds: reader.readUint32(),
    minimumSeconds: reader.readUint32(),
  }),
  TXT: (reader) => {
    const strings: string[] = [];
    while (reader.remaining > 0) strings.push(reader.take(reader.readUint8()).toString());
    return { strings };
  },
  SRV: (reader) => ({
    priority: reader.readUint16(),
    weight: reader.readUint16(),
    port: reader.readUint16(),
    target: reader.readName(),
  }),
  TLSA: (reader) => ({
    usage: reader.readUint8(),
    selector: reader.readUint8(),
    matchingType: reader.readUint8(),
    data: reader.takeRest(),
  }),
  CAA: (reader) => ({
    isCritical: (reader.readUint8() & 0x80) !== 0,
    tag: reader.take(reader.readUint8()).toString('latin1').toLowerCase(),
    value: reader.takeRest().toString(),
  }),
  DS: (reader) => ({
    keyTag: reader.readUint16(),
    algorithm: reader.readUint8(),
    digestType: reader.readUint8(),
    digest: reader.takeRest(),
  }),
  DNSKEY: (reader) => {
    const rdata = reader.takeRest();
    const fields = new WireReader(rdata);
    return {
      flags: fields.readUint16(),
      protocol: fields.readUint8(),
      algorithm: fields.readUint8(),
      publicKey: fields.takeRest(),
      rdata,
    };
  },
  RRSIG: (reader) => {
    const rdata = reader.takeRest();
    const fields = new WireReader(rdata);
    return {
      typeCovered: fields.readUint16(),
      algorithm: fields.readUint8(),
      labels: fields.readUint8(),
      originalTtlSeconds: fields.readUint32(),
      expiration: fields.readUint32(),
      inception: fields.readUint32(),
      keyTag: fields.readUint16(),
      signer: fields.readName(),
      signedPart: rdata.subarray(0, fields.offset),
      signature: fields.takeRest(),
    };
  },
  NSEC: (reader) => ({ next: reader.readName(), types: readTypeBitmap(reader) }),
  NSEC3: (reader) => {
    const hashAlgorithm = reader.readUint8();
    const flags = reader.readUint8();
    return {
      hashAlgorithm,
      isOptOut: (flags & 1) !== 0,
      hasUnknownFlags: flags > 1,
      iterations: reader.readUint16(),
      salt: reader.take(reader.readUint8()),
      nextHash: reader.take(reader.readUint8()),
      types: readTypeBitmap(reader),
    };
  },
};

function readTarget(reader: WireReader): { target: DnsName } {
  return { target: reader.readName() };
}

function formatIpv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/** RFC 4034 §4.1.2. */
function readTypeBitmap(reader: WireReader): ReadonlySet<number> {
  const types = new Set<number>();
  while (reader.remaining > 0) {
    const window = reader.readUint8();
    for (const [index, byte] of reader.take(reader.readUint8()).entries())
      for (let bit = 0; bit < 8; bit++) if (byte & (0x80 >> bit)) types.add(window * 256 + index * 8 + bit);
  }
  return types;
}
