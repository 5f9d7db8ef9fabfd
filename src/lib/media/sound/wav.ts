/** WAV files: whatever rate, 8 to 32 bits or floating point, up to 8 channels, as one channel of −1 to 1. */
import { FileError } from '../../errors.js';

export interface WavFormat {
  sampleRate: number;
  channels: number;
  bits: 8 | 16 | 24 | 32 | 64;
  isFloat: boolean;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
/** Chunks before the sound; more than that is no file of sound. */
const MAX_HEAD_BYTES = 1 << 20;
const MAX_CHANNELS = 8;

/**
 * The head of the file, and then its samples as they come.
 *
 * @param name for errors
 * @throws FileError when it is no WAV, or of a kind that is not read
 */
export async function readWav(
  chunks: AsyncIterator<Buffer, undefined>,
  name: string,
): Promise<{ format: WavFormat; samples: AsyncGenerator<Float32Array> }> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const head = parseWavHead(bytes, name);
    if (head) return { format: head.format, samples: readSamples(chunks, bytes, head) };
    const { value, done } = await chunks.next();
    if (done === true || bytes.length > MAX_HEAD_BYTES) throw new FileError(`${name} has no sound in it`);
    bytes = Buffer.concat([bytes, value]);
  }
}

interface WavHead {
  format: WavFormat;
  dataStart: number;
  /** As told; programs that write to a pipe tell 0 or the most there can be. */
  dataBytes: number;
}

/** @returns undefined when more is needed. @throws FileError */
export function parseWavHead(bytes: Buffer, name: string): WavHead | undefined {
  if (bytes.length < 12) return undefined;
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new FileError(`${name} is no WAV file`);
  }
  let format: WavFormat | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const kind = bytes.toString('latin1', at, at + 4);
    const sizeBytes = bytes.readUInt32LE(at + 4);
    if (kind === 'data') {
      if (!format) throw new FileError(`${name} does not say what its sound is like`);
      const isUnknown = sizeBytes === 0 || sizeBytes >= 0xffffff00;
      return { format, dataStart: at + 8, dataBytes: isUnknown ? Infinity : sizeBytes };
    }
    const end = at + 8 + sizeBytes + (sizeBytes % 2);
    if (kind === 'fmt ') {
      if (end > bytes.length) return undefined;
      format = parseFormat(bytes.subarray(at + 8, at + 8 + sizeBytes), name);
    }
    at = end;
  }
  return undefined;
}

function parseFormat(bytes: Buffer, name: string): WavFormat {
  if (bytes.length < 16) throw new FileError(`${name} does not say what its sound is like`);
  const told = bytes.readUInt16LE(0);
  const code = told === EXTENSIBLE && bytes.length >= 26 ? bytes.readUInt16LE(24) : told;
  const channels = bytes.readUInt16LE(2);
  const sampleRate = bytes.readUInt32LE(4);
  const bits = bytes.readUInt16LE(14);
  const isFloat = code === FLOAT;
  if (code !== PCM && !isFloat)
    throw new FileError(`${name} is compressed (format ${code}), which is not read`);
  if (channels < 1 || channels > MAX_CHANNELS || sampleRate < 1000 || sampleRate > 768_000) {
    throw new FileError(`${name} has ${channels} channels at ${sampleRate} Hz, which is not read`);
  }
  const isKnown = isFloat
    ? bits === 32 || bits === 64
    : bits === 8 || bits === 16 || bits === 24 || bits === 32;
  if (!isKnown) throw new FileError(`${name} has ${bits} bits for each sample, which is not read`);
  return { sampleRate, channels, bits: bits as WavFormat['bits'], isFloat };
}

async function* readSamples(
  chunks: AsyncIterator<Buffer, undefined>,
  first: Buffer,
  { format, dataStart, dataBytes }: WavHead,
): AsyncGenerator<Float32Array> {
  const frameBytes = (format.bits / 8) * format.channels;
  let left = dataBytes;
  let rest = Buffer.from(first.subarray(dataStart));
  for (;;) {
    const usable = Math.min(rest.length, left);
    const whole = usable - (usable % frameBytes);
    if (whole > 0) yield toMono(rest.subarray(0, whole), format);
    left -= whole;
    if (left < frameBytes) return;
    const { value, done } = await chunks.next();
    if (done === true) return;
    rest = Buffer.concat([rest.subarray(whole), value]);
  }
}

/** The mean of the channels. */
export function toMono(bytes: Buffer, { channels, bits, isFloat }: WavFormat): Float32Array {
  const sampleBytes = bits / 8;
  const result = new Float32Array(bytes.length / (sampleBytes * channels));
  for (let index = 0; index < result.length; index += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1) {
      sum += readSample(bytes, (index * channels + channel) * sampleBytes, bits, isFloat);
    }
    result[index] = sum / channels;
  }
  return result;
}

function readSample(bytes: Buffer, at: number, bits: WavFormat['bits'], isFloat: boolean): number {
  if (isFloat) {
    const value = bits === 64 ? bytes.readDoubleLE(at) : bytes.readFloatLE(at);
    return Number.isFinite(value) ? Math.max(-1, Math.min(1, value)) : 0;
  }
  // Eight bits alone are without a sign.
  if (bits === 8) return (bytes.readUInt8(at) - 128) / 128;
  return bytes.readIntLE(at, bits / 8) / 2 ** (bits - 1);
}
