/**
 * Hands the unprotected messages of a handshake on in order, whole, and each once (RFC 6347 §4.2.2 and §4.2.3): werift
 * takes every one that comes as a new one, and fails where a message was only sent again.
 */
import { HANDSHAKE, type DtlsRecord } from './dtls-records.js';

const RECORD_HEAD_BYTES = 13;
const MESSAGE_HEAD_BYTES = 12;
/** Certificates are the largest; a record holds no more. */
const MAX_MESSAGE_BYTES = 16_000;
/** A handshake has fewer messages; what is ahead of the next by more is no part of it. */
const MAX_AHEAD = 16;

interface Assembly {
  type: number;
  message: Buffer;
  /** Which bytes are there. */
  has: Uint8Array;
  missing: number;
}

export class HandshakeGate {
  /** Something came again: the answer to it was lost, or is late. */
  repetitions = 0;
  readonly #assemblies = new Map<number, Assembly>();
  #next = 0;

  /** @returns records to be handed on; what is no unprotected handshake is handed on as it is */
  take(record: DtlsRecord): Buffer[] {
    if (record.type !== HANDSHAKE || record.epoch !== 0) return [record.bytes];
    let at = 0;
    while (at + MESSAGE_HEAD_BYTES <= record.fragment.length) {
      const fragmentBytes = record.fragment.readUIntBE(at + 9, 3);
      const end = at + MESSAGE_HEAD_BYTES + fragmentBytes;
      if (end > record.fragment.length) break;
      this.#add(record.fragment.subarray(at, end));
      at = end;
    }
    return this.#complete(record);
  }

  #add(piece: Buffer): void {
    const sizeBytes = piece.readUIntBE(1, 3);
    const sequence = piece.readUInt16BE(4);
    const offset = piece.readUIntBE(6, 3);
    const data = piece.subarray(MESSAGE_HEAD_BYTES);
    if (sequence < this.#next) {
      this.repetitions += 1;
      return;
    }
    if (
      sequence >= this.#next + MAX_AHEAD ||
      sizeBytes > MAX_MESSAGE_BYTES ||
      offset + data.length > sizeBytes
    )
      return;
    let assembly = this.#assemblies.get(sequence);
    if (!assembly) {
      const message = Buffer.alloc(sizeBytes);
      assembly = { type: piece.readUInt8(0), message, has: new Uint8Array(sizeBytes), missing: sizeBytes };
      this.#assemblies.set(sequence, assembly);
    }
    if (assembly.type !== piece.readUInt8(0) || assembly.message.length !== sizeBytes) return;
    data.copy(assembly.message, offset);
    for (let index = offset; index < offset + data.length; index += 1) {
      if (assembly.has[index] === 0) assembly.missing -= 1;
      assembly.has[index] = 1;
    }
  }

  #complete(record: DtlsRecord): Buffer[] {
    const records: Buffer[] = [];
    for (
      let ready = this.#assemblies.get(this.#next);
      ready?.missing === 0;
      ready = this.#assemblies.get(this.#next)
    ) {
      records.push(wholeRecord(record, this.#next, ready));
      this.#assemblies.delete(this.#next);
      this.#next += 1;
    }
    return records;
  }
}

/** As if it had come in one piece (RFC 6347 §4.2.6). */
function wholeRecord({ bytes }: DtlsRecord, sequence: number, { type, message }: Assembly): Buffer {
  const head = Buffer.alloc(RECORD_HEAD_BYTES + MESSAGE_HEAD_BYTES);
  bytes.copy(head, 0, 0, RECORD_HEAD_BYTES);
  head.writeUInt16BE(MESSAGE_HEAD_BYTES + message.length, 11);
  head.writeUInt8(type, 13);
  head.writeUIntBE(message.length, 14, 3);
  head.writeUInt16BE(sequence, 17);
  head.writeUIntBE(message.length, 22, 3);
  return Buffer.concat([head, message]);
}
