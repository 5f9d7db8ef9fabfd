/**
 * RTCP: sender and receiver reports, source descriptions and goodbyes (RFC 3550 §6), requests for a key frame
 * (RFC 4585 §6.3.1, RFC 5104 §4.3.1). Reading never throws; what is not known is skipped.
 */

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const SOURCE_DESCRIPTION = 202;
const GOODBYE = 203;
const PAYLOAD_FEEDBACK = 206;
const PICTURE_LOSS = 1;
const FULL_INTRA_REQUEST = 4;
/** From 1900 to 1970. */
const NTP_EPOCH_S = 2_208_988_800;
/** No compound that fits into a datagram has more that matters. */
const MAX_PACKETS = 32;

export interface ReportBlock {
  ssrc: number;
  /** Of the packets since the last report, in 256ths. */
  fractionLost: number;
  lost: number;
  highestSequence: number;
  /** In units of the codec's clock. */
  jitter: number;
  /** The middle of the NTP time of the last sender report, 0 when there was none. */
  lastReport: number;
  /** Since that report, in 1/65536 s. */
  delay: number;
}

export interface SenderInfo {
  /** Milliseconds since 1970. */
  timeMs: number;
  timestamp: number;
  packets: number;
  bytes: number;
}

export type RtcpPacket =
  | { type: 'report'; ssrc: number; sender?: SenderInfo & { lastReport: number }; blocks: ReportBlock[] }
  | { type: 'bye'; ssrcs: number[] }
  | { type: 'key-frame-request'; ssrc: number };

/** Among what is RTP by its first byte (RFC 5761 §4). */
export function isRtcp(datagram: Buffer): boolean {
  const type = datagram.length >= 8 ? datagram.readUInt8(1) : 0;
  return type >= 192 && type <= 223;
}

export function decodeRtcp(compound: Buffer): RtcpPacket[] {
  const packets: RtcpPacket[] = [];
  let at = 0;
  for (let count = 0; count < MAX_PACKETS && at + 8 <= compound.length; count += 1) {
    const end = at + 4 + compound.readUInt16BE(at + 2) * 4;
    if (compound.readUInt8(at) >> 6 !== 2 || end > compound.length) break;
    const packet = decodeOne(compound.subarray(at, end));
    if (packet) packets.push(packet);
    at = end;
  }
  return packets;
}

function decodeOne(bytes: Buffer): RtcpPacket | undefined {
  if (bytes.length < 8) return undefined;
  const count = bytes.readUInt8(0) & 0x1f;
  const ssrc = bytes.readUInt32BE(4);
  switch (bytes.readUInt8(1)) {
    case SENDER_REPORT:
      if (bytes.length < 28) return undefined;
      return {
        type: 'report',
        ssrc,
        sender: readSender(bytes),
        blocks: readBlocks(bytes.subarray(28), count),
      };
    case RECEIVER_REPORT:
      return { type: 'report', ssrc, blocks: readBlocks(bytes.subarray(8), count) };
    case GOODBYE: {
      const known = Math.min(count, Math.floor((bytes.length - 4) / 4));
      return {
        type: 'bye',
        ssrcs: Array.from({ length: known }, (_, index) => bytes.readUInt32BE(4 + index * 4)),
      };
    }
    case PAYLOAD_FEEDBACK:
      return readKeyFrameRequest(bytes, count);
    default:
      return undefined;
  }
}

function readSender(bytes: Buffer): SenderInfo & { lastReport: number } {
  const seconds = bytes.readUInt32BE(8);
  const fraction = bytes.readUInt32BE(12);
  return {
    timeMs: (seconds - NTP_EPOCH_S) * 1000 + (fraction / 2 ** 32) * 1000,
    lastReport: ((seconds & 0xffff) * 0x10000 + (fraction >>> 16)) >>> 0,
    timestamp: bytes.readUInt32BE(16),
    packets: bytes.readUInt32BE(20),
    bytes: bytes.readUInt32BE(24),
  };
}

function readBlocks(bytes: Buffer, count: number): ReportBlock[] {
  const known = Math.min(count, Math.floor(bytes.length / 24));
  return Array.from({ length: known }, (_, index) => {
    const block = bytes.subarray(index * 24, index * 24 + 24);
    return {
      ssrc: block.readUInt32BE(0),
      fractionLost: block.readUInt8(4),
      lost: block.readIntBE(5, 3),
      highestSequence: block.readUInt32BE(8),
      jitter: block.readUInt32BE(12),
      lastReport: block.readUInt32BE(16),
      delay: block.readUInt32BE(20),
    };
  });
}

function readKeyFrameRequest(bytes: Buffer, format: number): RtcpPacket | undefined {
  if (format === PICTURE_LOSS && bytes.length >= 12)
    return { type: 'key-frame-request', ssrc: bytes.readUInt32BE(8) };
  // The media source of a FIR is in its entries, as the field in the header is 0 (RFC 5104 §4.3.1.2).
  if (format === FULL_INTRA_REQUEST && bytes.length >= 20) {
    return { type: 'key-frame-request', ssrc: bytes.readUInt32BE(12) };
  }
  return undefined;
}

/** @param sender absent for who has sent nothing since the last report: a receiver report */
export function encodeReport(
  ssrc: number,
  sender: SenderInfo | undefined,
  blocks: readonly ReportBlock[],
): Buffer {
  const used = blocks.slice(0, 31);
  const headBytes = sender ? 28 : 8;
  const bytes = Buffer.alloc(headBytes + used.length * 24);
  writeHead(bytes, used.length, sender ? SENDER_REPORT : RECEIVER_REPORT, ssrc);
  if (sender) {
    const { seconds, fraction } = ntpTime(sender.timeMs);
    bytes.writeUInt32BE(seconds, 8);
    bytes.writeUInt32BE(fraction, 12);
    bytes.writeUInt32BE(sender.timestamp >>> 0, 16);
    bytes.writeUInt32BE(sender.packets >>> 0, 20);
    bytes.writeUInt32BE(sender.bytes >>> 0, 24);
  }
  used.forEach((block, index) => writeBlock(bytes.subarray(headBytes + index * 24), block));
  return bytes;
}

/** Every compound has the canonical name in it (RFC 3550 §6.1). */
export function encodeSourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname).subarray(0, 255);
  // One item and at least one zero at the end, padded to words.
  const sizeBytes = 8 + Math.ceil((2 + name.length + 1) / 4) * 4;
  const bytes = Buffer.alloc(sizeBytes);
  writeHead(bytes, 1, SOURCE_DESCRIPTION, ssrc);
  bytes.writeUInt8(1, 8);
  bytes.writeUInt8(name.length, 9);
  name.copy(bytes, 10);
  return bytes;
}

export function encodeGoodbye(ssrc: number): Buffer {
  const bytes = Buffer.alloc(8);
  writeHead(bytes, 1, GOODBYE, ssrc);
  return bytes;
}

/** PLI. */
export function encodePictureLoss(ssrc: number, mediaSsrc: number): Buffer {
  const bytes = Buffer.alloc(12);
  writeHead(bytes, PICTURE_LOSS, PAYLOAD_FEEDBACK, ssrc);
  bytes.writeUInt32BE(mediaSsrc >>> 0, 8);
  return bytes;
}

/** FIR. @param count one more with each new request, 8 bits */
export function encodeFullIntraRequest(ssrc: number, mediaSsrc: number, count: number): Buffer {
  const bytes = Buffer.alloc(20);
  writeHead(bytes, FULL_INTRA_REQUEST, PAYLOAD_FEEDBACK, ssrc);
  bytes.writeUInt32BE(mediaSsrc >>> 0, 12);
  bytes.writeUInt8(count & 0xff, 16);
  return bytes;
}

/** The middle 32 bits of the NTP time (RFC 3550 §6.4.1). */
export function middleOfNtpTime(timeMs: number): number {
  const { seconds, fraction } = ntpTime(timeMs);
  return ((seconds & 0xffff) * 0x10000 + (fraction >>> 16)) >>> 0;
}

function ntpTime(timeMs: number): { seconds: number; fraction: number } {
  const seconds = Math.floor(timeMs / 1000);
  const fraction = Math.min(Math.round(((timeMs - seconds * 1000) / 1000) * 2 ** 32), 2 ** 32 - 1);
  return { seconds: (seconds + NTP_EPOCH_S) % 2 ** 32, fraction };
}

function writeHead(bytes: Buffer, count: number, type: number, ssrc: number): void {
  bytes.writeUInt8(0x80 | count, 0);
  bytes.writeUInt8(type, 1);
  bytes.writeUInt16BE(bytes.length / 4 - 1, 2);
  bytes.writeUInt32BE(ssrc >>> 0, 4);
}

function writeBlock(bytes: Buffer, block: ReportBlock): void {
  bytes.writeUInt32BE(block.ssrc >>> 0, 0);
  bytes.writeUInt8(Math.min(255, Math.max(0, block.fractionLost)), 4);
  bytes.writeIntBE(Math.min(0x7fffff, Math.max(-0x800000, block.lost)), 5, 3);
  bytes.writeUInt32BE(block.highestSequence >>> 0, 8);
  bytes.writeUInt32BE(block.jitter >>> 0, 12);
  bytes.writeUInt32BE(block.lastReport >>> 0, 16);
  bytes.writeUInt32BE(block.delay >>> 0, 20);
}
