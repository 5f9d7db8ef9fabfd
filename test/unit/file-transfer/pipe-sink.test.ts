import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import { openPipeSink } from '../../../src/lib/file-transfer/storing/pipe-sink.js';
import { contentAt, factsOf, sha256Of } from '../../support/numbered-content.js';

const SIZE = 3_000_001;
const facts = factsOf('a', SIZE);

describe('a pipe', () => {
  it('gets everything in order, as fast as it reads, and another file after it', async () => {
    const out = new PassThrough({ highWaterMark: 10_000 });
    const read = buffer(out);
    for (let file = 0; file < 2; file += 1) {
      const sink = await openPipeSink(out, facts);
      while (sink.offset < SIZE) {
        await sink.write(contentAt(sink.offset, Math.min(60_000, SIZE - sink.offset)));
        expect(out.writableLength).toBeLessThan(70_000);
      }
      expect(await sink.digest('sha-256')).toEqual(sha256Of(SIZE));
      expect(await sink.digest('sha-512')).toBeUndefined();
      expect(await sink.commit()).toBeUndefined();
      expect(out.writableLength).toBe(0);
    }
    out.end();
    const both = contentAt(0, SIZE);
    expect((await read).equals(Buffer.concat([both, both]))).toBe(true);
    expect(out.listenerCount('drain') + out.listenerCount('close')).toBeLessThan(3);
  });

  it('computes the strongest hash that was promised', async () => {
    const sink = await openPipeSink(new PassThrough(), {
      hashes: [],
      promisedHashes: ['sha-256', 'sha3-512'],
    });
    expect(await sink.digest('sha3-512')).toHaveLength(64);
  });

  it('that nobody reads any more is an error of the file', async () => {
    const out = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const sink = await openPipeSink(out, facts);
    const failure = 'cannot write to the pipe: the reader has gone';
    await expect(sink.write(Buffer.alloc(10))).rejects.toThrow(failure);
    await expect(sink.write(Buffer.alloc(10))).rejects.toThrow(failure);
    await expect(sink.commit()).rejects.toThrow(FileError);
  });

  it('that was closed before is one at once', async () => {
    const out = new PassThrough();
    out.destroy();
    const sink = await openPipeSink(out, facts);
    await expect(sink.write(Buffer.alloc(1))).rejects.toThrow(FileError);
    await sink.suspend();
  });
});
