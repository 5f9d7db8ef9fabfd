/** Makes an Ogg Opus stream (RFC 7845) of packets; what is given out are whole pages, in order. */
import { randomInt } from 'node:crypto';
import { durationOf, fillGap } from './opus-packet.js';
import { encodeOggPage, lacingOf } from './ogg-page.js';
import { SAMPLE_RATE } from './pcm.js';

/** RFC 7845 §5.1 recommends 80 ms; libopus at 48 kHz itself looks 312 samples ahead. */
const PRE_SKIP = 312;
/** A page is written when it has as much sound: no more than this is missing when the process is killed. */
const PAGE_SAMPLES = SAMPLE_RATE / 2;
const MAX_LACING = 255;

export interface OggOpusOptions {
  channels: 1 | 2;
  /** Lines of the comment header: `TITLE=…`. */
  comments: readonly string[];
}

export class OggOpusWriter {
  readonly #serial = randomInt(2 ** 32);
  #sequence = 0;
  #granule = BigInt(PRE_SKIP);
  #waiting: Buffer[] = [];
  #waitingSamples = 0;
  #lacing = 0;

  constructor(private readonly options: OggOpusOptions) {}

  /** How much sound is in it so far, at 48 kHz. */
  get samples(): number {
    return Number(this.#granule) - PRE_SKIP;
  }

  /** The pages with the two headers (RFC 7845 §5). */
  begin(): Buffer {
    const head = Buffer.alloc(19);
    head.write('OpusHead');
    head.writeUInt8(1, 8);
    head.writeUInt8(this.options.channels, 9);
    head.writeUInt16LE(PRE_SKIP, 10);
    head.writeUInt32LE(SAMPLE_RATE, 12);
    const vendor = Buffer.from('xmppctl');
    const comments = this.options.comments.map((comment) => Buffer.from(comment).subarray(0, 1000));
    const tags = Buffer.concat([
      Buffer.from('OpusTags'),
      withLength(vendor),
      lengthOf(comments.length),
      ...comments.map(withLength),
    ]);
    return Buffer.concat([this.#page([head], 0n, { isFirst: true }), this.#page([tags], 0n)]);
  }

  /**
   * @param gapSamples what is missing before this packet; it is filled as RFC 7845 §4.1 asks
   * @returns the pages that are full
   */
  write(packet: Buffer, gapSamples = 0): Buffer {
    const pages: Buffer[] = [];
    for (const filler of fillGap(gapSamples)) this.#add(filler.packet, filler.samples, pages);
    const samples = durationOf(packet);
    if (samples !== undefined) this.#add(packet, samples, pages);
    return Buffer.concat(pages);
  }

  /** The last page, which says that it is the last. */
  end(): Buffer {
    return this.#page(this.#take(), this.#granule, { isLast: true });
  }

  #add(packet: Buffer, samples: number, pages: Buffer[]): void {
    const lacing = lacingOf(packet.length);
    if (lacing > MAX_LACING) return;
    if (this.#lacing + lacing > MAX_LACING) pages.push(this.#page(this.#take(), this.#granule));
    this.#waiting.push(packet);
    this.#lacing += lacing;
    this.#waitingSamples += samples;
    this.#granule += BigInt(samples);
    if (this.#waitingSamples >= PAGE_SAMPLES) pages.push(this.#page(this.#take(), this.#granule));
  }

  #take(): Buffer[] {
    const packets = this.#waiting;
    this.#waiting = [];
    this.#waitingSamples = 0;
    this.#lacing = 0;
    return packets;
  }

  #page(
    packets: readonly Buffer[],
    granulePosition: bigint,
    { isFirst = false, isLast = false } = {},
  ): Buffer {
    const page = { isFirst, isLast, granulePosition, serial: this.#serial, sequence: this.#sequence };
    this.#sequence += 1;
    return encodeOggPage(page, packets);
  }
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([lengthOf(bytes.length), bytes]);
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length);
  return bytes;
}
