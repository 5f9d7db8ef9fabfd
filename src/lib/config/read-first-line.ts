/** Reads a secret from a stream, and no more of it than its first line. */
import type { Readable } from 'node:stream';

const maxBytes = 64 * 1024;

/** The text up to the first line break, to 64 KiB, or to the end. */
export async function readFirstLine(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const data = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
    chunks.push(data);
    size += data.length;
    if (data.includes(0x0a) || size > maxBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1)[0] ?? '';
}
