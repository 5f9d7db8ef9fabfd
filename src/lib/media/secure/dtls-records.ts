/** The outside of DTLS records (RFC 6347 §4.1), as far as they are told apart without keys. */

const HEADER_BYTES = 13;
const ALERT = 21;
export const HANDSHAKE = 22;
const HELLO_VERIFY_REQUEST = 3;
const FINISHED = 20;
const FATAL = 2;

/** RFC 5246 §7.2 and RFC 5764; those that a peer has reason to send. */
const alertNames = new Map([
  [0, 'close notify'],
  [10, 'unexpected message'],
  [20, 'bad record'],
  [40, 'handshake failure'],
  [42, 'bad certificate'],
  [43, 'unsupported certificate'],
  [46, 'certificate unknown'],
  [47, 'illegal parameter'],
  [48, 'unknown CA'],
  [50, 'decode error'],
  [51, 'decrypt error'],
  [70, 'protocol version'],
  [71, 'insufficient security'],
  [80, 'internal error'],
]);

export interface DtlsRecord {
  type: number;
  epoch: number;
  bytes: Buffer;
  fragment: Buffer;
}

/** Whole records only; what is left over is dropped. */
export function splitRecords(datagram: Buffer): DtlsRecord[] {
  const records: DtlsRecord[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= datagram.length) {
    const end = at + HEADER_BYTES + datagram.readUInt16BE(at + 11);
    if (end > datagram.length) break;
    records.push({
      type: datagram.readUInt8(at),
      epoch: datagram.readUInt16BE(at + 3),
      bytes: datagram.subarray(at, end),
      fragment: datagram.subarray(at + HEADER_BYTES, end),
    });
    at = end;
  }
  return records;
}

/** @returns what a fatal alert of a handshake says */
export function readFatalAlert({ type, epoch, fragment }: DtlsRecord): string | undefined {
  if (type !== ALERT || epoch !== 0 || fragment.length !== 2 || fragment.readUInt8(0) !== FATAL)
    return undefined;
  const code = fragment.readUInt8(1);
  return alertNames.get(code) ?? `alert ${code}`;
}

export function isHelloVerifyRequest(datagram: Buffer): boolean {
  return (
    datagram.length > HEADER_BYTES &&
    datagram.readUInt8(0) === HANDSHAKE &&
    datagram.readUInt8(HEADER_BYTES) === HELLO_VERIFY_REQUEST
  );
}

/** Finished is always encrypted: one that is not was made up by somebody on the way. */
export function isUnprotectedFinish({ type, epoch, fragment }: DtlsRecord): boolean {
  return type === HANDSHAKE && epoch === 0 && fragment.length > 0 && fragment.readUInt8(0) === FINISHED;
}

/** RFC 7983 §7. */
export function isDtls(datagram: Buffer): boolean {
  const first = datagram.length > 0 ? datagram.readUInt8(0) : 0;
  return first >= 20 && first <= 63;
}
