/** VP8 in RTP (RFC 7741): pictures cut into packets, and put together again. */

/** Of a payload, so that a datagram fits into what every network carries, with relays and encryption on top. */
const MAX_PAYLOAD_BYTES = 1100;
/** What a decoder of phones could hold; more is no picture. */
const MAX_PICTURE_BYTES = 8 * 1024 * 1024;

/** @returns payloads with their descriptors (§4.2); the last one gets the marker */
export function packetizeVp8(picture: Buffer): Buffer[] {
  const room = MAX_PAYLOAD_BYTES - 1;
  const count = Math.max(1, Math.ceil(picture.length / room));
  // Of about the same size: one small packet at the end is lost as easily as a big one.
  const each = Math.ceil(picture.length / count);
  return Array.from({ length: count }, (_, index) =>
    Buffer.concat([
      Buffer.from([index === 0 ? 0x10 : 0x00]),
      picture.subarray(index * each, Math.min((index + 1) * each, picture.length)),
    ]),
  );
}

export interface Vp8Fragment {
  /** The first packet of a picture. */
  isStart: boolean;
  data: Buffer;
}

/** @returns undefined for what has no data, or a descriptor that is cut short */
export function parseVp8Payload(payload: Buffer): Vp8Fragment | undefined {
  if (payload.length < 2) return undefined;
  const first = payload.readUInt8(0);
  let at = 1;
  if ((first & 0x80) !== 0) {
    const extended = payload.readUInt8(1);
    at = 2;
    if ((extended & 0x80) !== 0) {
      if (payload.length <= at) return undefined;
      at += (payload.readUInt8(at) & 0x80) === 0 ? 1 : 2;
    }
    if ((extended & 0x40) !== 0) at += 1;
    if ((extended & 0x30) !== 0) at += 1;
  }
  if (payload.length <= at) return undefined;
  return { isStart: (first & 0x10) !== 0 && (first & 0x07) === 0, data: payload.subarray(at) };
}

/** RFC 6386 §9.1: the first bit of the first byte. */
export function isKeyFrame(picture: Buffer): boolean {
  return picture.length >= 10 && (picture.readUInt8(0) & 1) === 0;
}

/** @returns undefined for what is no key frame */
export function sizeOfKeyFrame(picture: Buffer): { width: number; height: number } | undefined {
  if (!isKeyFrame(picture) || picture.readUIntBE(3, 3) !== 0x9d012a) return undefined;
  const width = picture.readUInt16LE(6) & 0x3fff;
  const height = picture.readUInt16LE(8) & 0x3fff;
  return width > 0 && height > 0 ? { width, height } : undefined;
}

export interface Picture {
  data: Buffer;
  /** 32 bits at 90 kHz. */
  timestamp: number;
  isKey: boolean;
}

/** Takes packets in order; after a loss it waits for a key frame, as nothing before it can be shown. */
export class PictureAssembler {
  /** A key frame must be asked for. */
  needsKeyFrame = true;
  #expected: number | undefined;
  #timestamp = 0;
  #parts: Buffer[] = [];
  #sizeBytes = 0;

  push(packet: {
    sequence: number;
    timestamp: number;
    isMarked: boolean;
    payload: Buffer;
  }): Picture | undefined {
    const isLost = this.#expected !== undefined && packet.sequence !== this.#expected;
    this.#expected = packet.sequence + 1;
    if (isLost) this.#giveUp();
    const fragment = parseVp8Payload(packet.payload);
    if (!fragment) return undefined;
    if (fragment.isStart) {
      this.#parts = [];
      this.#sizeBytes = 0;
      this.#timestamp = packet.timestamp;
    } else if (this.#parts.length === 0 || packet.timestamp !== this.#timestamp) {
      this.#giveUp();
      return undefined;
    }
    this.#sizeBytes += fragment.data.length;
    if (this.#sizeBytes > MAX_PICTURE_BYTES) {
      this.#giveUp();
      return undefined;
    }
    this.#parts.push(fragment.data);
    return packet.isMarked ? this.#finish() : undefined;
  }

  #finish(): Picture | undefined {
    const data = Buffer.concat(this.#parts);
    this.#parts = [];
    const isKey = isKeyFrame(data);
    if (isKey) this.needsKeyFrame = false;
    return this.needsKeyFrame ? undefined : { data, timestamp: this.#timestamp, isKey };
  }

  #giveUp(): void {
    this.#parts = [];
    this.needsKeyFrame = true;
  }
}
