/**
 * A picture by its bytes: the media type that somebody wrote about it is a hint at best (XEP-0153 §4.1), and clients
 * ignore avatars whose type or hash is not true.
 */
import { createHash } from 'node:crypto';
import type { Avatar } from '../card.js';

/** @returns undefined when the bytes are none of a picture that clients show */
export function readAvatar(data: Buffer): Avatar | undefined {
  const kind = sniff(data);
  if (!kind) return undefined;
  const size = kind.size(data);
  return {
    id: createHash('sha1').update(data).digest('hex'),
    mediaType: kind.mediaType,
    data,
    ...(size && size.width > 0 && size.height > 0 && size),
  };
}

interface Size {
  width: number;
  height: number;
}

interface Kind {
  mediaType: Avatar['mediaType'];
  isOne: (data: Buffer) => boolean;
  size: (data: Buffer) => Size | undefined;
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

const kinds: readonly Kind[] = [
  {
    mediaType: 'image/png',
    isOne: (data) => data.subarray(0, 8).equals(PNG_SIGNATURE),
    size: (data) =>
      data.length >= 24 && data.toString('latin1', 12, 16) === 'IHDR'
        ? { width: data.readUInt32BE(16), height: data.readUInt32BE(20) }
        : undefined,
  },
  {
    mediaType: 'image/jpeg',
    isOne: (data) => data.length >= 3 && data[0] === 0xff && data[1] === 0xd8 && data[2] === 0xff,
    size: jpegSize,
  },
  {
    mediaType: 'image/gif',
    isOne: (data) => /^GIF8[79]a$/.test(data.toString('latin1', 0, 6)),
    size: (data) =>
      data.length >= 10 ? { width: data.readUInt16LE(6), height: data.readUInt16LE(8) } : undefined,
  },
  {
    mediaType: 'image/webp',
    isOne: (data) => data.toString('latin1', 0, 4) === 'RIFF' && data.toString('latin1', 8, 12) === 'WEBP',
    size: webpSize,
  },
];

function sniff(data: Buffer): Kind | undefined {
  return kinds.find(({ isOne }) => isOne(data));
}

/** ITU T.81 §B.2.2: in the first frame header. */
function jpegSize(data: Buffer): Size | undefined {
  let position = 2;
  while (position + 9 <= data.length) {
    if (data[position] !== 0xff) return undefined;
    const marker = data[position + 1] ?? 0;
    // Fill bytes, and markers without a segment.
    if (marker === 0xff) {
      position += 1;
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      position += 2;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: data.readUInt16BE(position + 5), width: data.readUInt16BE(position + 7) };
    if (marker === 0xd9 || marker === 0xda) return undefined;
    position += 2 + data.readUInt16BE(position + 2);
  }
  return undefined;
}

/** RFC 9649 §2.5 to §2.7. */
function webpSize(data: Buffer): Size | undefined {
  if (data.length < 30) return undefined;
  switch (data.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return { width: data.readUInt16LE(26) & 0x3fff, height: data.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = data.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: data.readUIntLE(24, 3) + 1, height: data.readUIntLE(27, 3) + 1 };
    default:
      return undefined;
  }
}
