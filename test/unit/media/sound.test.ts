import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/lib/errors.js';
import {
  openFrameSource,
  type FrameSource,
  type SourceFrame,
} from '../../../src/lib/media/sound/frame-source.js';
import { OggPageReader } from '../../../src/lib/media/sound/ogg-page.js';
import { readOggOpus } from '../../../src/lib/media/sound/ogg-opus-reader.js';
import { OggOpusWriter } from '../../../src/lib/media/sound/ogg-opus-writer.js';
import { loadOpus } from '../../../src/lib/media/sound/opus-codec.js';
import { durationOf, fillGap, SILENT_PACKET } from '../../../src/lib/media/sound/opus-packet.js';
import { startPacer, type PacerClock } from '../../../src/lib/media/sound/pacer.js';
import { fromBytes, levelOf, mix, toBytes } from '../../../src/lib/media/sound/pcm.js';
import { readCommandFrames, readStreamFrames } from '../../../src/lib/media/sound/read-frames.js';
import { Resampler } from '../../../src/lib/media/sound/resampler.js';
import { SampleQueue } from '../../../src/lib/media/sound/sample-queue.js';
import { parseWavHead, toMono } from '../../../src/lib/media/sound/wav.js';
import { shareOf } from '../../support/media-call.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-sound-'));
});
afterEach(() => rm(folder, { recursive: true }));

function sine(hertz: number, rate: number, count: number, amplitude = 0.5): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, index) => amplitude * Math.sin((2 * Math.PI * hertz * index) / rate),
  );
}

function wavOf(
  samples: Float32Array,
  rate: number,
  bits: 8 | 16 | 24 | 32,
  kind: 'int' | 'float',
  channels = 1,
): Buffer {
  const bytes = Buffer.alloc((samples.length * bits * channels) / 8);
  samples.forEach((sample, index) => {
    for (let channel = 0; channel < channels; channel += 1) {
      const at = ((index * channels + channel) * bits) / 8;
      if (kind === 'float') bytes.writeFloatLE(sample, at);
      else if (bits === 8) bytes.writeUInt8(Math.round(sample * 127) + 128, at);
      else bytes.writeIntLE(Math.round(sample * (2 ** (bits - 1) - 1)), at, bits / 8);
    }
  });
  const head = Buffer.alloc(44);
  head.write('RIFF');
  head.writeUInt32LE(36 + bytes.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(kind === 'float' ? 3 : 1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE((rate * channels * bits) / 8, 28);
  head.writeUInt16LE((channels * bits) / 8, 32);
  head.writeUInt16LE(bits, 34);
  head.write('data', 36);
  head.writeUInt32LE(bytes.length, 40);
  return Buffer.concat([head, bytes]);
}

async function takeAll(source: FrameSource, most = 1000): Promise<SourceFrame[]> {
  const frames: SourceFrame[] = [];
  while (frames.length < most) {
    const frame = source.next();
    if (frame === 'end') break;
    if (frame === 'wait') await new Promise((resolve) => setImmediate(resolve));
    else frames.push(frame);
  }
  return frames;
}

function soundOf(frames: readonly SourceFrame[]): Int16Array {
  return Int16Array.from(frames.flatMap((frame) => (frame.kind === 'pcm' ? [...frame.pcm] : [])));
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const signal = new AbortController().signal;

describe('WAV files', () => {
  it.each([
    [8000, 8, 'int', 1],
    [22_050, 16, 'int', 2],
    [44_100, 24, 'int', 1],
    [48_000, 16, 'int', 1],
    [96_000, 32, 'int', 2],
    [48_000, 32, 'float', 1],
  ] as const)(
    'at %i Hz with %i bits (%s, %i channels) sound as they should',
    async (rate, bits, kind, channels) => {
      const file = path.join(folder, 'tone.wav');
      await writeFile(file, wavOf(sine(440, rate, rate), rate, bits, kind, channels));
      const source = openFrameSource({ kind: 'file', path: file, loops: false }, signal);
      const sound = soundOf(await takeAll(source));
      expect(Math.abs(sound.length - 48_000)).toBeLessThanOrEqual(960);
      const middle = sound.subarray(12_000, 36_000);
      expect(shareOf(middle, 440)).toBeGreaterThan(0.98);
      expect(levelOf(middle)).toBeCloseTo(-9, 0);
      await source.ended;
    },
  );

  it('loop without an end', async () => {
    const file = path.join(folder, 'short.wav');
    await writeFile(file, wavOf(sine(440, 48_000, 2000), 48_000, 16, 'int'));
    const source = openFrameSource({ kind: 'file', path: file, loops: true }, signal);
    expect(await takeAll(source, 50)).toHaveLength(50);
    source.close();
  });

  it('that are none are refused by name', async () => {
    for (const content of ['', 'RIFF', 'hello, this is no sound', `RIFF\u0000\u0000\u0000\u0000WAVEdata`]) {
      const file = path.join(folder, 'none.wav');
      await writeFile(file, content);
      const source = openFrameSource({ kind: 'file', path: file, loops: false }, signal);
      await expect(source.ready).rejects.toThrow(FileError);
    }
    const missing = openFrameSource({ kind: 'file', path: path.join(folder, 'gone'), loops: true }, signal);
    await expect(missing.ready).rejects.toThrow(/cannot read .*gone: ENOENT/);
  });

  it('never make the parser throw anything else', () => {
    const start = Buffer.from('RIFF....WAVE');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (rest) => {
        try {
          parseWavHead(Buffer.concat([start, rest]), 'it');
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      }),
    );
    expect(
      toMono(Buffer.from([0, 0, 0xff, 0x7f]), { sampleRate: 1, channels: 2, bits: 16, isFloat: false })[0],
    ).toBeCloseTo(0.5);
  });
});

describe('Ogg Opus', () => {
  const packets = [SILENT_PACKET, Buffer.concat([Buffer.from([0xf8]), Buffer.alloc(700, 1)]), SILENT_PACKET];

  function fileOf(list: readonly Buffer[]): Buffer {
    const writer = new OggOpusWriter({ channels: 2, comments: ['TITLE=x'] });
    return Buffer.concat([writer.begin(), ...list.map((packet) => writer.write(packet)), writer.end()]);
  }

  it('is read as it was written, in pieces of any size', async () => {
    const file = fileOf(packets);
    for (const size of [1, 7, 100, file.length]) {
      const pieces = Array.from({ length: Math.ceil(file.length / size) }, (_, index) =>
        file.subarray(index * size, (index + 1) * size),
      );
      const read = await collect(readOggOpus(Readable.from(pieces), 'it'));
      expect(read.map(({ packet }) => packet)).toEqual(packets);
    }
  });

  it('survives damage: a page whose sum is wrong is skipped', async () => {
    const file = fileOf(packets);
    file[file.length - 1] = (file.at(-1) ?? 0) ^ 1;
    expect(await collect(readOggOpus(Readable.from([file]), 'it'))).toEqual([]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        new OggPageReader().push(Buffer.concat([Buffer.from('OggS'), bytes]));
      }),
    );
    await expect(collect(readOggOpus(Readable.from([Buffer.from('nothing')]), 'it'))).rejects.toThrow(
      /no Ogg Opus/,
    );
  });

  it('fills gaps with packets that conceal them', () => {
    expect([...fillGap(960 + 120 + 5760)].map(({ samples }) => samples)).toEqual([5760, 960, 120]);
    for (const { packet, samples } of fillGap(12_345)) expect(durationOf(packet)).toBe(samples);
    const writer = new OggOpusWriter({ channels: 1, comments: [] });
    writer.begin();
    writer.write(SILENT_PACKET);
    writer.write(SILENT_PACKET, 48_000);
    expect(writer.samples).toBe(960 + 48_000 + 960);
  });

  it('tells durations of all kinds of packets, and refuses what is none', () => {
    expect(durationOf(Buffer.from([0xf8]))).toBe(960);
    expect(durationOf(Buffer.from([0x00]))).toBe(480);
    expect(durationOf(Buffer.from([0xfb, 0x06]))).toBe(5760);
    expect(durationOf(Buffer.from([0xfb, 0x07]))).toBeUndefined();
    expect(durationOf(Buffer.from([0xfb]))).toBeUndefined();
    expect(durationOf(Buffer.alloc(0))).toBeUndefined();
  });

  it('is passed on without being encoded again', async () => {
    const file = path.join(folder, 'it.opus');
    await writeFile(file, fileOf(packets));
    const source = openFrameSource({ kind: 'file', path: file, loops: false }, signal);
    expect(await takeAll(source)).toEqual(packets.map((packet) => ({ kind: 'opus', packet, samples: 960 })));
  });
});

describe('the codec', () => {
  it('gives back what it was given, for many at once, and survives nonsense', async () => {
    const opus = await loadOpus();
    const coders = Array.from({ length: 20 }, () => ({
      encoder: opus.createEncoder(),
      decoder: opus.createDecoder(),
    }));
    for (const [index, { encoder, decoder }] of coders.entries()) {
      const tone = openFrameSource({ kind: 'tone', hertz: 300 + index * 50 }, signal);
      const heard: number[] = [];
      for (let count = 0; count < 30; count += 1) {
        const frame = tone.next();
        if (typeof frame === 'object' && frame.kind === 'pcm')
          heard.push(...(decoder.decode(encoder.encode(frame.pcm)) ?? []));
      }
      expect(shareOf(Int16Array.from(heard.slice(9600)), 300 + index * 50)).toBeGreaterThan(0.9);
      expect(decoder.decode(Buffer.from([0xff, 0xff, 0xff]))).toBeUndefined();
      expect(decoder.decode(Buffer.alloc(0))).toBeUndefined();
      expect(decoder.decode(Buffer.alloc(5000))).toBeUndefined();
    }
    for (const { encoder, decoder } of coders) {
      encoder.close();
      decoder.close();
    }
  });
});

describe('sound', () => {
  it('has a level', () => {
    expect(levelOf(new Int16Array(960))).toBe(-127);
    expect(levelOf(new Int16Array(960).fill(32_767))).toBeCloseTo(0, 2);
    expect(levelOf(new Int16Array(960).fill(3277))).toBeCloseTo(-20, 1);
  });

  it('is mixed and cut off', () => {
    const loud = Int16Array.from([30_000, -30_000, 5]);
    expect([...mix([loud, loud], 3)]).toEqual([32_767, -32_768, 10]);
    expect([...mix([], 2)]).toEqual([0, 0]);
    expect([...fromBytes(toBytes(loud))]).toEqual([...loud]);
  });

  it('is resampled without what cannot be there', () => {
    const down = new Resampler(96_000, 48_000);
    // 30 kHz cannot be at 48 kHz: it must be gone, not folded to 18 kHz.
    const folded = down.push(sine(30_000, 96_000, 96_000));
    expect(Math.max(...folded.slice(1000, -1000).map(Math.abs))).toBeLessThan(0.001);
    const up = new Resampler(8000, 48_000);
    const pieces = [0, 1, 2, 3].flatMap((index) => [
      ...up.push(sine(1000, 8000, 8000).subarray(index * 2000, (index + 1) * 2000)),
    ]);
    const samples = Int16Array.from(pieces, (sample) => sample * 32_767);
    expect(shareOf(samples.subarray(1000, 41_000), 1000)).toBeGreaterThan(0.999);
  });

  it('waits in a queue until there is enough, and never grows old', () => {
    const queue = new SampleQueue(1920, 12_000);
    queue.push(new Int16Array(960).fill(1));
    expect(queue.take(960)).toBeUndefined();
    queue.push(new Int16Array(960).fill(2));
    expect(queue.take(960)?.[0]).toBe(1);
    for (let count = 0; count < 100; count += 1) queue.push(new Int16Array(960).fill(3));
    expect(queue.size).toBeLessThanOrEqual(12_000);
  });
});

describe('samples of a stream or a command', () => {
  it('are cut into frames whatever pieces they come in', async () => {
    const all = toBytes(Int16Array.from({ length: 2500 }, (_, index) => index));
    const frames = await collect(
      readStreamFrames(Readable.from([all.subarray(0, 1), all.subarray(1, 3000), all.subarray(3000)])),
    );
    const sound = soundOf(frames);
    expect(frames).toHaveLength(3);
    expect([...sound.subarray(0, 2500)]).toEqual(Array.from({ length: 2500 }, (_, index) => index));
  });

  it('come from a command, and its failure is told', async () => {
    expect(await collect(readCommandFrames('head -c 3840 /dev/zero', signal))).toHaveLength(2);
    await expect(collect(readCommandFrames('exit 3', signal))).rejects.toThrow(
      '"exit 3" ended with exit code 3',
    );
  });
});

describe('the pacer', () => {
  it('does not drift, catches up a little, and leaves out a long stall', () => {
    let now = 0;
    let next: { at: number; call: () => void } | undefined;
    const clock: PacerClock = {
      now: () => now,
      after: (delayMs, call) => {
        next = { at: now + delayMs, call };
        return () => (next = undefined);
      },
    };
    const frames: number[] = [];
    const stop = startPacer((frame) => frames.push(frame), clock);
    const runUntil = (untilMs: number, lateMs = 0): void => {
      while (next && next.at <= untilMs) {
        now = next.at + lateMs;
        const { call } = next;
        next = undefined;
        call();
      }
    };
    runUntil(100, 3);
    expect(frames).toEqual([0, 1, 2, 3, 4, 5]);
    now = 165;
    next?.call();
    expect(frames).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    now = 5000;
    next?.call();
    expect(frames.slice(9)).toEqual([250]);
    stop();
    expect(next).toBeUndefined();
  });
});
