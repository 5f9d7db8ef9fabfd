import type { Readable } from 'node:stream';

/** Everything up to the end. Unlike iterating, it leaves the writing half of a duplex stream as it is. */
export function readAll(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
    if (stream.errored) reject(stream.errored);
  });
}
