/** Files of pictures that only look like VP8: nothing of a call looks further into them. */
import { writeFile } from 'node:fs/promises';
import { readPictures, type FilePicture } from '../../src/lib/media/video/read-pictures.js';

/** The head of a key frame of 160×120, or of another picture, and a content that no other number has. */
export function pictureOf(isKey: boolean, sizeBytes: number, number = 7): Buffer {
  const picture = Buffer.alloc(sizeBytes, number & 0xff);
  Buffer.from(isKey ? '100200' : '110200', 'hex').copy(picture);
  if (isKey) Buffer.from('9d012aa0007800', 'hex').copy(picture, 3);
  picture.writeUInt32BE(number, sizeBytes - 4);
  return picture;
}

/** An IVF of pictures with 25 in a second. */
export async function writeIvf(file: string, pictures: readonly Buffer[]): Promise<void> {
  const head = Buffer.alloc(32);
  head.write('DKIF');
  head.writeUInt16LE(32, 6);
  head.write('VP80', 8);
  head.writeUInt32LE(25, 16);
  head.writeUInt32LE(1, 20);
  const frames = pictures.map((data, index) => {
    const frame = Buffer.alloc(12);
    frame.writeUInt32LE(data.length, 0);
    frame.writeBigUInt64LE(BigInt(index), 4);
    return Buffer.concat([frame, data]);
  });
  await writeFile(file, Buffer.concat([head, ...frames]));
}

export async function readAllPictures(file: string): Promise<FilePicture[]> {
  const pictures = [];
  for await (const picture of readPictures(file)) pictures.push(picture);
  return pictures;
}
