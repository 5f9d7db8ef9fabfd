/** Reads what a server answers to a ClientHello, up to the point where it waits for us. Bounded, and never throws. */
import { Extension } from './wire.js';

export interface ServerHello {
  version: number;
  suite: number;
  compression: number;
  extensions: ReadonlyMap<number, Buffer>;
  /** RFC 8446 §4.1.3: it asks for another hello. */
  isRetry: boolean;
}

export interface KeyExchange {
  /** A named curve. */
  curve?: number;
  /** The prime of a Diffie-Hellman exchange. */
  prime?: Buffer;
}

export interface ServerFlight {
  hello: ServerHello | undefined;
  /** DER, in the order sent. Empty in TLS 1.3, which encrypts them. */
  certificates: readonly Buffer[];
  keyExchange: KeyExchange | undefined;
  requestsCertificate: boolean;
  /** How it ended without a hello: `alert 40`, `closed`, `silent`, `not TLS`. */
  refusal: string | undefined;
}

/** SHA-256 of "HelloRetryRequest". */
const RETRY_RANDOM = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');
const RecordType = { alert: 21, handshake: 22 } as const;
const HandshakeType = {
  serverHello: 2,
  certificate: 11,
  keyExchange: 12,
  certificateRequest: 13,
  helloDone: 14,
} as const;
const MAX_HANDSHAKE_BYTES = 64 * 1024;

/** Takes bytes as they come; `isDone` when there is nothing more to learn. */
export class ServerFlightReader {
  #bytes = Buffer.alloc(0);
  #handshake = Buffer.alloc(0);
  #hello: ServerHello | undefined;
  #certificates: Buffer[] = [];
  #keyExchange: KeyExchange | undefined;
  #requestsCertificate = false;
  #refusal: string | undefined;
  #isDone = false;

  get isDone(): boolean {
    return this.#isDone;
  }

  push(chunk: Buffer): void {
    if (this.#isDone) return;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (!this.#isFinished() && this.#bytes.length >= 5) {
      const type = this.#bytes.readUInt8(0);
      const length = this.#bytes.readUInt16BE(3);
      if (
        (type !== RecordType.alert && type !== RecordType.handshake && type !== 20 && type !== 23) ||
        this.#bytes.readUInt8(1) !== 3 ||
        length > 18_432
      ) {
        this.#refuse('not TLS');
        return;
      }
      if (this.#bytes.length < 5 + length) return;
      const content = this.#bytes.subarray(5, 5 + length);
      this.#bytes = this.#bytes.subarray(5 + length);
      if (type === RecordType.alert) this.#onAlert(content);
      else if (type === RecordType.handshake) this.#onHandshake(content);
      else this.#isDone = true; // From here on it is encrypted.
    }
  }

  /** Handlers change it, which TypeScript cannot see. */
  #isFinished(): boolean {
    return this.#isDone;
  }

  /** @param how `closed` or `silent`; what came until then counts */
  end(how: string): ServerFlight {
    if (!this.#hello && this.#refusal === undefined) this.#refusal = how;
    this.#isDone = true;
    return {
      hello: this.#hello,
      certificates: this.#certificates,
      keyExchange: this.#keyExchange,
      requestsCertificate: this.#requestsCertificate,
      refusal: this.#refusal,
    };
  }

  #refuse(how: string): void {
    this.#refusal ??= how;
    this.#isDone = true;
  }

  #onAlert(content: Buffer): void {
    // Warnings, as "unrecognized_name" is one, do not end a handshake.
    if (content[0] === 1 && content[1] !== 0) return;
    this.#refuse(`alert ${content[1] ?? 0}`);
  }

  #onHandshake(content: Buffer): void {
    this.#handshake = Buffer.concat([this.#handshake, content]);
    if (this.#handshake.length > MAX_HANDSHAKE_BYTES) {
      this.#refuse('more than 64 KiB of handshake');
      return;
    }
    while (!this.#isFinished() && this.#handshake.length >= 4) {
      const type = this.#handshake.readUInt8(0);
      const length = this.#handshake.readUIntBE(1, 3);
      if (length > MAX_HANDSHAKE_BYTES) {
        this.#refuse('not TLS');
        return;
      }
      if (this.#handshake.length < 4 + length) return;
      const body = this.#handshake.subarray(4, 4 + length);
      this.#handshake = this.#handshake.subarray(4 + length);
      this.#onMessage(type, body);
    }
  }

  #onMessage(type: number, body: Buffer): void {
    try {
      switch (type) {
        case HandshakeType.serverHello:
          this.#hello = readServerHello(body);
          // TLS 1.3 goes on encrypted.
          if (this.#hello.version === 0x0304) this.#isDone = true;
          break;
        case HandshakeType.certificate:
          this.#certificates = readCertificates(body);
          break;
        case HandshakeType.keyExchange:
          this.#keyExchange = readKeyExchange(body);
          break;
        case HandshakeType.certificateRequest:
          this.#requestsCertificate = true;
          break;
        case HandshakeType.helloDone:
          this.#isDone = true;
          break;
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#refuse('not TLS');
    }
  }
}

/** @throws RangeError it ends in the middle */
function readServerHello(body: Buffer): ServerHello {
  const legacy = body.readUInt16BE(0);
  const random = body.subarray(2, 34);
  let at = 35 + body.readUInt8(34);
  const suite = body.readUInt16BE(at);
  const compression = body.readUInt8(at + 2);
  at += 3;
  const extensions = new Map<number, Buffer>();
  if (at + 2 <= body.length) {
    const end = Math.min(body.length, at + 2 + body.readUInt16BE(at));
    for (at += 2; at + 4 <= end;) {
      const length = body.readUInt16BE(at + 2);
      extensions.set(body.readUInt16BE(at), body.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
  }
  const supported = extensions.get(Extension.supportedVersions);
  const version = supported?.length === 2 ? supported.readUInt16BE(0) : legacy;
  return { version, suite, compression, extensions, isRetry: random.equals(RETRY_RANDOM) };
}

/** @throws RangeError it ends in the middle */
function readCertificates(body: Buffer): Buffer[] {
  const certificates: Buffer[] = [];
  const end = Math.min(body.length, 3 + body.readUIntBE(0, 3));
  for (let at = 3; at + 3 <= end && certificates.length < 20;) {
    const length = body.readUIntBE(at, 3);
    if (at + 3 + length > end) throw new RangeError('it ends in the middle');
    certificates.push(body.subarray(at + 3, at + 3 + length));
    at += 3 + length;
  }
  return certificates;
}

/** A curve begins with its type, 3; a prime with its length. @throws RangeError it ends in the middle */
function readKeyExchange(body: Buffer): KeyExchange | undefined {
  if (body.readUInt8(0) === 3 && body.length > 4 && body.readUInt8(3) + 4 <= body.length)
    return { curve: body.readUInt16BE(1) };
  const length = body.readUInt16BE(0);
  if (length < 8 || length > 4096 || 2 + length > body.length) return undefined;
  return { prime: body.subarray(2, 2 + length) };
}
