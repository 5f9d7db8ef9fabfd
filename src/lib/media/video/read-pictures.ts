/** VP8 pictures of a file: IVF, or WebM (the first VP8 track). */
import { createReadStream } from 'node:fs';
import { FileError } from '../../errors.js';
import { isKeyFrame } from '../rtp/vp8-payload.js';
import { EbmlId, readElementHead } from './ebml.js';

export interface FilePicture {
  data: Buffer;
  /** From the beginning of the file. */
  timeMs: number;
  isKey: boolean;
}

const IVF_HEAD_BYTES = 32;
const IVF_FRAME_HEAD_BYTES = 12;
/** No picture and no head of a file is larger. */
const MAX_ELEMENT_BYTES = 16 * 1024 * 1024;
/** Those that are gone into; all others are skipped or read as a whole. */
const containers: readonly number[] = [EbmlId.segment, EbmlId.cluster, EbmlId.blockGroup, EbmlId.tracks];

/** @throws FileError when it cannot be read, or has no VP8 in it */
export async function* readPictures(path: string): AsyncGenerator<FilePicture> {
  const input = new ChunkInput(readChunks(path));
  const start = await input.peek(4);
  if (start.toString('latin1') === 'DKIF') yield* readIvf(input, path);
  else if (start.length === 4 && start.readUInt32BE(0) === EbmlId.header) yield* readWebm(input, path);
  else throw new FileError(`${path} is neither IVF nor WebM`);
}

async function* readIvf(input: ChunkInput, path: string): AsyncGenerator<FilePicture> {
  const head = await input.take(IVF_HEAD_BYTES);
  const codec = head.length === IVF_HEAD_BYTES ? head.toString('latin1', 8, 12) : '';
  if (codec !== 'VP80') throw new FileError(`${path} has no VP8 in it${codec === '' ? '' : ` but ${codec}`}`);
  const rate = head.readUInt32LE(16);
  const scale = head.readUInt32LE(20);
  if (rate === 0 || scale === 0) throw new FileError(`${path} does not say how fast its pictures come`);
  await input.take(Math.max(0, head.readUInt16LE(6) - IVF_HEAD_BYTES));
  for (;;) {
    const frame = await input.take(IVF_FRAME_HEAD_BYTES);
    if (frame.length < IVF_FRAME_HEAD_BYTES) return;
    const sizeBytes = frame.readUInt32LE(0);
    if (sizeBytes > MAX_ELEMENT_BYTES) throw new FileError(`${path} is damaged`);
    const data = await input.take(sizeBytes);
    if (data.length < sizeBytes) return;
    yield { data, isKey: isKeyFrame(data), timeMs: (Number(frame.readBigUInt64LE(4)) * scale * 1000) / rate };
  }
}

async function* readWebm(input: ChunkInput, path: string): AsyncGenerator<FilePicture> {
  let track: number | undefined;
  let clusterTime = 0;
  let scaleMs = 1;
  for (;;) {
    const head = readElementHead(await input.peek(12), 0);
    if (!head) break;
    await input.take(head.headBytes);
    if (containers.includes(head.id)) continue;
    if (head.sizeBytes > MAX_ELEMENT_BYTES) throw new FileError(`${path} is damaged`);
    const content = await input.take(head.sizeBytes);
    if (content.length < head.sizeBytes) break;
    if (head.id === EbmlId.info) scaleMs = readScale(content) / 1_000_000;
    else if (head.id === EbmlId.trackEntry) track ??= readVp8Track(content);
    else if (head.id === EbmlId.clusterTimestamp) clusterTime = readNumber(content);
    else if (head.id === EbmlId.simpleBlock || head.id === EbmlId.block) {
      const block = readBlock(content);
      if (block && block.track === track)
        yield {
          data: block.data,
          isKey: isKeyFrame(block.data),
          timeMs: (clusterTime + block.time) * scaleMs,
        };
    }
  }
  if (track === undefined) throw new FileError(`${path} has no VP8 in it`);
}

function readScale(info: Buffer): number {
  for (const { id, content } of children(info)) if (id === EbmlId.timestampScale) return readNumber(content);
  return 1_000_000;
}

function readVp8Track(entry: Buffer): number | undefined {
  const found = [...children(entry)];
  const codec = found.find(({ id }) => id === EbmlId.codecId)?.content.toString('latin1');
  const number = found.find(({ id }) => id === EbmlId.trackNumber);
  // RFC 8794 §7.4: a string may be longer than what it says, with zeros behind; those of GStreamer are.
  return codec?.replace(/\0+$/, '') === 'V_VP8' && number ? readNumber(number.content) : undefined;
}

function* children(bytes: Buffer): Generator<{ id: number; content: Buffer }> {
  let at = 0;
  for (;;) {
    const head = readElementHead(bytes, at);
    if (!head || at + head.headBytes + head.sizeBytes > bytes.length) return;
    at += head.headBytes;
    yield { id: head.id, content: bytes.subarray(at, at + head.sizeBytes) };
    at += head.sizeBytes;
  }
}

/** Without lacing, which nobody uses for pictures. */
function readBlock(bytes: Buffer): { track: number; time: number; data: Buffer } | undefined {
  if (bytes.length < 4 || (bytes.readUInt8(0) & 0x80) === 0) return undefined;
  return { track: bytes.readUInt8(0) & 0x7f, time: bytes.readInt16BE(1), data: bytes.subarray(4) };
}

function readNumber(bytes: Buffer): number {
  return bytes.length === 0 || bytes.length > 6 ? 0 : bytes.readUIntBE(0, bytes.length);
}

/** Bytes by the number; fewer at the end. */
class ChunkInput {
  #rest: Buffer = Buffer.alloc(0);

  constructor(private readonly chunks: AsyncIterator<Buffer, undefined>) {}

  async peek(count: number): Promise<Buffer> {
    const parts = [this.#rest];
    let size = this.#rest.length;
    while (size < count) {
      const { value, done } = await this.chunks.next();
      if (done === true) break;
      parts.push(value);
      size += value.length;
    }
    this.#rest = parts.length === 1 ? this.#rest : Buffer.concat(parts);
    return this.#rest.subarray(0, count);
  }

  async take(count: number): Promise<Buffer> {
    const taken = await this.peek(count);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }
}

async function* readChunks(path: string): AsyncGenerator<Buffer, undefined> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Buffer;
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FileError(`cannot read ${path}: ${reason}`, { cause: error });
  }
}
