import { describe, expect, test } from 'vitest';
import { readAvatar } from '../../../src/lib/vcard/convert/read-avatar.js';

const bytes = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');

describe('a picture by its bytes', () => {
  test.each([
    ['image/png', '89504e470d0a1a0a 0000000d 49484452 00000140 000000f0', 320, 240],
    ['image/gif', '474946383961 4001 f000', 320, 240],
    ['image/jpeg', 'ffd8 ffe00004 0000 ffc0 0011 08 00f0 0140 03 00', 320, 240],
    ['image/webp', '52494646 00000000 57454250 56503858 00000000 00000000 3f0100 ef0000', 320, 240],
    ['image/webp', '52494646 00000000 57454250 5650384c 00000000 2f 3fc13b00 0000000000', 320, 240],
    ['image/webp', '52494646 00000000 57454250 56503820 00000000 000000 9d012a 4001 f000', 320, 240],
    ['image/png', '89504e470d0a1a0a', undefined, undefined],
    ['image/jpeg', 'ffd8ff', undefined, undefined],
    ['image/jpeg', 'ffd8 ffe0ffff 00', undefined, undefined],
  ])('%s %s', (mediaType, hex, width, height) => {
    const avatar = readAvatar(bytes(hex));
    expect(avatar).toMatchObject({ mediaType, ...(width && { width, height }) });
    expect(avatar?.width).toBe(width);
    expect(avatar?.id).toMatch(/^[0-9a-f]{40}$/);
  });

  test.each(['', '00', '3c737667', '424d0000'])('none: %j', (hex) => {
    expect(readAvatar(bytes(hex))).toBeUndefined();
  });
});
