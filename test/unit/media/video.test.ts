import fc from 'fast-check';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import {
  packetizeVp8,
  parseVp8Payload,
  PictureAssembler,
  sizeOfKeyFrame,
} from '../../../src/lib/media/rtp/vp8-payload.js';
import {
  EbmlId,
  encodeElement,
  encodeNumber,
  encodeOpenElement,
  encodeString,
  readElementHead,
} from '../../../src/lib/media/video/ebml.js';
import { beginWebm, WebmBlocks } from '../../../src/lib/media/video/webm-writer.js';
import { pictureOf, readAllPictures, writeIvf } from '../../support/picture-file.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-video-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('VP8 in RTP', () => {
  it('is cut and put together again', () => {
    const assembler = new PictureAssembler();
    let sequence = 5;
    for (const picture of [pictureOf(true, 5000), pictureOf(false, 20), pictureOf(false, 1100)]) {
      const payloads = packetizeVp8(picture);
      const results = payloads.map((payload, index) =>
        assembler.push({
          sequence: sequence++,
          timestamp: 9,
          isMarked: index === payloads.length - 1,
          payload,
        }),
      );
      expect(results.at(-1)?.data).toEqual(picture);
      expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true);
      expect(payloads.every(({ length }) => length <= 1100)).toBe(true);
    }
  });

  it('waits for a key frame after a loss, and at the beginning', () => {
    const assembler = new PictureAssembler();
    const push = (sequence: number, picture: Buffer) =>
      assembler.push({
        sequence,
        timestamp: sequence,
        isMarked: true,
        payload: Buffer.concat([Buffer.from([0x10]), picture]),
      });
    expect(push(1, pictureOf(false, 50))).toBeUndefined();
    expect(assembler.needsKeyFrame).toBe(true);
    expect(push(2, pictureOf(true, 50))?.isKey).toBe(true);
    expect(push(4, pictureOf(false, 50))).toBeUndefined();
    expect(assembler.needsKeyFrame).toBe(true);
    expect(push(5, pictureOf(true, 50))?.isKey).toBe(true);
  });

  it('reads all kinds of descriptors, and never throws', () => {
    const data = pictureOf(true, 20);
    for (const head of ['10', '908012', '90809234', '90f0801105aa'.slice(0, 10)]) {
      const payload = Buffer.concat([Buffer.from(head, 'hex'), data]);
      expect(parseVp8Payload(payload)?.isStart).toBe(true);
    }
    expect(parseVp8Payload(Buffer.from('9080', 'hex'))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const payload = Buffer.from(bytes);
        parseVp8Payload(payload);
        sizeOfKeyFrame(payload);
        new PictureAssembler().push({ sequence: 1, timestamp: 1, isMarked: true, payload });
      }),
    );
  });
});

describe('files of pictures', () => {
  it('WebM is read as it was written', async () => {
    const file = path.join(folder, 'it.webm');
    const blocks = new WebmBlocks();
    const first = pictureOf(true, 3000);
    const size = sizeOfKeyFrame(first);
    expect(size).toEqual({ width: 160, height: 120 });
    const written = [
      { data: first, timeMs: 0, isKey: true },
      { data: pictureOf(false, 100), timeMs: 40, isKey: false },
      { data: pictureOf(true, 2000), timeMs: 90_000, isKey: true },
      { data: pictureOf(false, 100), timeMs: 130_000, isKey: false },
    ];
    const parts = written.map(({ data, timeMs, isKey }) => blocks.write(data, timeMs, isKey));
    const bytes = Buffer.concat([beginWebm({ width: 160, height: 120 }), ...parts]);
    await writeFile(file, bytes);
    expect(await readAllPictures(file)).toEqual(written);
    // Cut anywhere, the whole pictures before that are still there.
    await writeFile(file, bytes.subarray(0, bytes.length - 50));
    expect(await readAllPictures(file)).toEqual(written.slice(0, 3));
  });

  it('WebM is read whose names end with a zero, as those of GStreamer do', async () => {
    const file = path.join(folder, 'it.webm');
    const codec = encodeString(EbmlId.codecId, 'V_VP8\0');
    const number = encodeNumber(EbmlId.trackNumber, 1);
    const track = encodeElement(EbmlId.trackEntry, Buffer.concat([number, codec]));
    const picture = pictureOf(true, 300);
    await writeFile(
      file,
      Buffer.concat([
        encodeElement(EbmlId.header, encodeString(EbmlId.docType, 'webm')),
        encodeOpenElement(EbmlId.segment),
        encodeElement(EbmlId.tracks, track),
        new WebmBlocks().write(picture, 0, true),
      ]),
    );
    expect(await readAllPictures(file)).toEqual([{ data: picture, timeMs: 0, isKey: true }]);
  });

  it('IVF is read', async () => {
    const file = path.join(folder, 'it.ivf');
    const pictures = [pictureOf(true, 500), pictureOf(false, 60)];
    await writeIvf(file, pictures);
    expect(await readAllPictures(file)).toEqual([
      { data: pictures[0], timeMs: 0, isKey: true },
      { data: pictures[1], timeMs: 40, isKey: false },
    ]);
    const other = await readFile(file);
    other.write('AV01', 8);
    await writeFile(file, other);
    await expect(readAllPictures(file)).rejects.toThrow(/has no VP8 in it but AV01/);
  });

  it('of other kinds, and damaged ones, are refused by name', async () => {
    const file = path.join(folder, 'it');
    for (const content of ['', 'hello', 'DKIF', '\u001aE\u00df\u00a3']) {
      await writeFile(file, content, 'latin1');
      await expect(readAllPictures(file)).rejects.toThrow(FileError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => void readElementHead(Buffer.from(bytes), 0)),
    );
  });
});
