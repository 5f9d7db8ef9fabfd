/** WebM with VP8, written while it comes: of use as far as it was written. */
import { encodeElement, encodeNumber, encodeOpenElement, encodeString, EbmlId } from './ebml.js';

const VP8_TRACK = 1;
/** Within a cluster times are told in 16 bits with a sign. */
const MAX_CLUSTER_MS = 30_000;
const NANOSECONDS_OF_A_MILLISECOND = 1_000_000;

export function beginWebm({ width, height }: { width: number; height: number }): Buffer {
  const head = encodeElement(
    EbmlId.header,
    Buffer.concat([
      encodeNumber(EbmlId.version, 1),
      encodeNumber(EbmlId.readVersion, 1),
      encodeNumber(EbmlId.maxIdLength, 4),
      encodeNumber(EbmlId.maxSizeLength, 8),
      encodeString(EbmlId.docType, 'webm'),
      encodeNumber(EbmlId.docTypeVersion, 4),
      encodeNumber(EbmlId.docTypeReadVersion, 2),
    ]),
  );
  const info = encodeElement(
    EbmlId.info,
    Buffer.concat([
      encodeNumber(EbmlId.timestampScale, NANOSECONDS_OF_A_MILLISECOND),
      encodeString(EbmlId.muxingApp, 'xmppctl'),
      encodeString(EbmlId.writingApp, 'xmppctl'),
    ]),
  );
  const track = encodeElement(
    EbmlId.trackEntry,
    Buffer.concat([
      encodeNumber(EbmlId.trackNumber, VP8_TRACK),
      encodeNumber(EbmlId.trackUid, VP8_TRACK),
      encodeNumber(EbmlId.trackType, 1),
      encodeString(EbmlId.codecId, 'V_VP8'),
      encodeElement(
        EbmlId.video,
        Buffer.concat([encodeNumber(EbmlId.pixelWidth, width), encodeNumber(EbmlId.pixelHeight, height)]),
      ),
    ]),
  );
  return Buffer.concat([head, encodeOpenElement(EbmlId.segment), info, encodeElement(EbmlId.tracks, track)]);
}

export class WebmBlocks {
  #clusterMs: number | undefined;

  /** @param timeMs from the beginning; never less than before */
  write(picture: Buffer, timeMs: number, isKey: boolean): Buffer {
    const parts: Buffer[] = [];
    if (this.#clusterMs === undefined || isKey || timeMs - this.#clusterMs > MAX_CLUSTER_MS) {
      this.#clusterMs = timeMs;
      parts.push(encodeOpenElement(EbmlId.cluster), encodeNumber(EbmlId.clusterTimestamp, timeMs));
    }
    const head = Buffer.alloc(4);
    head.writeUInt8(0x80 | VP8_TRACK, 0);
    head.writeInt16BE(timeMs - this.#clusterMs, 1);
    head.writeUInt8(isKey ? 0x80 : 0, 3);
    parts.push(encodeElement(EbmlId.simpleBlock, Buffer.concat([head, picture])));
    return Buffer.concat(parts);
  }
}
