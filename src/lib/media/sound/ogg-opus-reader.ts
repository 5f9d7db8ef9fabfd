/** The packets of an Ogg Opus file (RFC 7845), as they are. Other streams in the file are skipped. */
import { FileError } from '../../errors.js';
import { durationOf, MAX_PACKET_BYTES } from './opus-packet.js';
import { OggPageReader, type OggPage } from './ogg-page.js';

export interface OpusPacket {
  packet: Buffer;
  /** At 48 kHz. */
  samples: number;
}

/** RFC 7845 §5.2 asks for no more than this to be accepted. */
const MAX_HEADER_BYTES = 125_829_120;

/**
 * @param name for errors
 * @throws FileError when it is no Ogg Opus
 */
export async function* readOggOpus(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<OpusPacket> {
  const pages = new OggPageReader();
  const stream = new OpusStream();
  for await (const chunk of chunks) {
    for (const page of pages.push(chunk)) yield* stream.take(page);
  }
  if (!stream.isOpus) throw new FileError(`${name} is no Ogg Opus file`);
}

/** One logical stream: two headers, and then packets. */
class OpusStream {
  #serial: number | undefined;
  #headers = 0;
  #open: Buffer[] = [];
  #openBytes = 0;

  get isOpus(): boolean {
    return this.#serial !== undefined;
  }

  *take(page: OggPage): Generator<OpusPacket> {
    if (page.isFirst && page.segments[0]?.subarray(0, 8).toString('latin1') === 'OpusHead') {
      // Also the next link of a chain (RFC 3533 §4).
      this.#serial = page.serial;
      this.#headers = 1;
      this.#forget();
      return;
    }
    if (page.serial !== this.#serial) return;
    if (!page.isContinued) this.#forget();
    for (const [index, segment] of page.segments.entries()) {
      const isOpen = page.isOpen && index === page.segments.length - 1;
      this.#openBytes += segment.length;
      const limit = this.#headers < 2 ? MAX_HEADER_BYTES : MAX_PACKET_BYTES;
      if (this.#openBytes <= limit) this.#open.push(segment);
      if (isOpen) continue;
      const packet = this.#openBytes <= limit ? Buffer.concat(this.#open) : undefined;
      this.#forget();
      if (this.#headers < 2) this.#headers += 1;
      else if (packet) yield* asPacket(packet);
    }
  }

  #forget(): void {
    this.#open = [];
    this.#openBytes = 0;
  }
}

function* asPacket(packet: Buffer): Generator<OpusPacket> {
  const samples = durationOf(packet);
  if (samples !== undefined) yield { packet, samples };
}
