/**
 * Questions and answers as bytes (RFC 1035 §4, EDNS: RFC 6891, DNSSEC flags: RFC 4035 §3.2 and RFC 3225).
 *
 * dns-packet frames the questions. It cannot read answers for us: it decodes labels as UTF-8 and joins them by dots, so
 * that `a\.b` and `a.b` become one name, and it drops the bytes of RDATA, which are what signatures are made over.
 */
import { CHECKING_DISABLED, DNSSEC_OK, encode, RECURSION_DESIRED } from 'dns-packet';
import { DnsError } from '../errors.js';
import { nameToWire, type DnsName } from './name.js';
import { TYPE_NUMBERS, type RecordType } from './record-types.js';
import { WireReader } from './wire-reader.js';

/** What fits through the Internet without fragments (RFC 9715). */
const UDP_PAYLOAD_BYTES = 1232;
/** No honest answer to one question has more; a million would keep a validator busy for long. */
const MAX_RECORDS = 1000;
const CLASS_IN = 1;
const TYPE_OPT = 41;

/** A record as it came, with the names in its RDATA decompressed and in lower case (RFC 4034 §6.2). */
export interface WireRecord {
  name: DnsName;
  /** By number; see `TYPE_NUMBERS`. */
  type: number;
  ttlSeconds: number;
  rdata: Buffer;
}

export interface AnswerFlags {
  /** Authoritative answer. */
  aa: boolean;
  /** Truncated. */
  tc: boolean;
  /** Recursion available. */
  ra: boolean;
  /** Authentic data: what the resolver says of itself. Nothing here relies on it. */
  ad: boolean;
}

export interface Message {
  id: number;
  isResponse: boolean;
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, …; `RCODE4711` for one without a name here. */
  rcode: string;
  flags: AnswerFlags;
  /** Present when there is exactly one, of class IN. */
  question?: { name: DnsName; type: number };
  /** Did the server answer with EDNS? Without it, it cannot pass on signatures. */
  hasEdns: boolean;
  /** Records of class IN only, in each section. */
  answers: WireRecord[];
  authorities: WireRecord[];
  additionals: WireRecord[];
}

const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** @throws {DnsError} for a name with bytes that no host name has: those are not worth asking for */
export function encodeQuestion(
  id: number,
  name: DnsName,
  type: RecordType,
  { checkingDisabled = false } = {},
): Buffer {
  if (name.includes('\\')) throw new DnsError(`${name} holds characters that no name of a host has`);
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | (checkingDisabled ? CHECKING_DISABLED : 0),
    questions: [{ name, type, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_PAYLOAD_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: DNSSEC_OK,
        flag_do: true,
        options: [],
      },
    ],
  });
}

/** @throws {DnsError} for anything that is not one whole DNS message of bounded size */
export function decodeMessage(bytes: Buffer): Message {
  const reader = new WireReader(bytes, { allowsPointers: true });
  const id = reader.readUint16();
  const bits = reader.readUint16();
  const [questions = 0, ...counts] = [0, 0, 0, 0].map(() => reader.readUint16());
  if (questions > 1) throw new DnsError('a DNS message holds several questions');
  if (counts.reduce((sum, count) => sum + count) > MAX_RECORDS)
    throw new DnsError(`a DNS message holds more than ${MAX_RECORDS} records`);
  const asked = questions === 1 ? readQuestion(reader) : undefined;
  const edns = { isPresent: false, rcodeBits: 0 };
  const [answers = [], authorities = [], additionals = []] = counts.map((count) =>
    Array.from({ length: count }, () => readWireRecord(bytes, reader, edns)).filter(
      (record) => record !== undefined,
    ),
  );
  const rcode = (bits & 0xf) | (edns.rcodeBits << 4);
  const isSet = (bit: number): boolean => (bits & bit) !== 0;
  return {
    id,
    isResponse: isSet(0x8000),
    rcode: RCODES[rcode] ?? `RCODE${rcode}`,
    flags: { aa: isSet(0x0400), tc: isSet(0x0200), ra: isSet(0x0080), ad: isSet(0x0020) },
    ...(asked?.class === CLASS_IN && { question: { name: asked.name, type: asked.type } }),
    hasEdns: edns.isPresent,
    answers,
    authorities,
    additionals,
  };
}

function readQuestion(reader: WireReader): { name: DnsName; type: number; class: number } {
  return { name: reader.readName(), type: reader.readUint16(), class: reader.readUint16() };
}

function readWireRecord(
  bytes: Buffer,
  reader: WireReader,
  edns: { isPresent: boolean; rcodeBits: number },
): WireRecord | undefined {
  const name = reader.readName();
  const type = reader.readUint16();
  const recordClass = reader.readUint16();
  const ttlSeconds = reader.readUint32();
  const lengthBytes = reader.readUint16();
  const start = reader.offset;
  reader.take(lengthBytes);
  if (type === TYPE_OPT) {
    edns.isPresent = true;
    edns.rcodeBits = ttlSeconds >>> 24;
    return undefined;
  }
  if (recordClass !== CLASS_IN) return undefined;
  const rdata = canonicalizeRdata(bytes, type, { start, end: start + lengthBytes });
  // A TTL with the top bit set counts as 0 (RFC 2181 §8).
  return { name, type, ttlSeconds: ttlSeconds > 0x7fffffff ? 0 : ttlSeconds, rdata };
}

/**
 * Where names stand in the RDATA of the types that may hold compressed or upper-case ones: bytes before, then how many.
 * The types are those of RFC 4034 §6.2 that are in use; the next name of NSEC stays as it is (RFC 6840 §5.1).
 */
const NAMES_IN_RDATA: ReadonlyMap<number, { before: number; names: number }> = new Map([
  [TYPE_NUMBERS.NS, { before: 0, names: 1 }],
  [TYPE_NUMBERS.CNAME, { before: 0, names: 1 }],
  [TYPE_NUMBERS.SOA, { before: 0, names: 2 }],
  [TYPE_NUMBERS.SRV, { before: 6, names: 1 }],
  [TYPE_NUMBERS.DNAME, { before: 0, names: 1 }],
  [TYPE_NUMBERS.RRSIG, { before: 18, names: 1 }],
]);

/** What is not well-formed stays as it is: it fails whoever reads this record, and not the whole message. */
function canonicalizeRdata(bytes: Buffer, type: number, range: { start: number; end: number }): Buffer {
  const reader = new WireReader(bytes, { ...range, allowsPointers: true });
  const asItIs = Buffer.from(bytes.subarray(range.start, range.end));
  const layout = NAMES_IN_RDATA.get(type);
  if (!layout) return asItIs;
  try {
    const before = reader.take(layout.before);
    const names = Array.from({ length: layout.names }, () => nameToWire(reader.readName()));
    return Buffer.concat([before, ...names, reader.takeRest()]);
  } catch (error) {
    if (!(error instanceof DnsError)) throw error;
    return asItIs;
  }
}
