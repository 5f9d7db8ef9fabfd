/** Reads the bytes of a DNS message; every step is checked against the end (RFC 1035 §4.1). */
import { DnsError } from '../errors.js';
import { joinLabels, type DnsName } from './name.js';

export class WireReader {
  offset: number;
  readonly #bytes: Buffer;
  readonly #end: number;
  readonly #allowsPointers: boolean;

  /** @param options.allowsPointers compressed names; not in RDATA that was taken out of its message */
  constructor(bytes: Buffer, { start = 0, end = bytes.length, allowsPointers = false } = {}) {
    this.#bytes = bytes;
    this.offset = start;
    this.#end = end;
    this.#allowsPointers = allowsPointers;
  }

  get remaining(): number {
    return this.#end - this.offset;
  }

  /** @throws {DnsError} when there are fewer */
  take(count: number): Buffer {
    if (count > this.remaining) throw new DnsError('a DNS message ends too early');
    this.offset += count;
    return this.#bytes.subarray(this.offset - count, this.offset);
  }

  takeRest(): Buffer {
    return this.take(this.remaining);
  }

  readUint8(): number {
    return this.take(1).readUInt8();
  }

  readUint16(): number {
    return this.take(2).readUInt16BE();
  }

  readUint32(): number {
    return this.take(4).readUInt32BE();
  }

  /** A name, with its compression undone. Pointers only ever lead further back, so this ends. */
  readName(): DnsName {
    const labels: Buffer[] = [];
    let totalBytes = 1;
    let at = this.offset;
    let earliest = at;
    let hasJumped = false;
    for (;;) {
      const length = this.#byteAt(at, hasJumped);
      if (length >= 0xc0) {
        const target = ((length & 0x3f) << 8) | this.#byteAt(at + 1, hasJumped);
        if (!this.#allowsPointers || target >= earliest)
          throw new DnsError('a compressed name in a DNS message leads nowhere');
        if (!hasJumped) this.offset = at + 2;
        hasJumped = true;
        at = earliest = target;
        continue;
      }
      if (length > 63) throw new DnsError('a label in a DNS message is of an unknown kind');
      if (length === 0) break;
      this.#byteAt(at + length, hasJumped);
      labels.push(this.#bytes.subarray(at + 1, at + 1 + length));
      totalBytes += length + 1;
      if (totalBytes > 255) throw new DnsError('a name in a DNS message is too long');
      at += length + 1;
    }
    if (!hasJumped) this.offset = at + 1;
    return joinLabels(labels);
  }

  #byteAt(at: number, hasJumped: boolean): number {
    const byte = at < (hasJumped ? this.#bytes.length : this.#end) ? this.#bytes[at] : undefined;
    if (byte === undefined) throw new DnsError('a DNS message ends in the middle of a name');
    return byte;
  }
}
