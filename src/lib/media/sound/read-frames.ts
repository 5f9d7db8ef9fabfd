/** Sources that are read: files, a stream of samples, the output of a command. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { FileError } from '../../errors.js';
import type { SourceFrame } from './frame-source.js';
import { readOggOpus } from './ogg-opus-reader.js';
import { FRAME_SAMPLES, fromBytes, SAMPLE_RATE, toInt16 } from './pcm.js';
import { Resampler } from './resampler.js';
import { readWav } from './wav.js';

/** @throws FileError when it cannot be opened, or is neither WAV nor Ogg Opus */
export async function* readFileFrames(path: string): AsyncGenerator<SourceFrame> {
  const chunks = readChunks(path);
  const { value: first } = await chunks.next();
  const kind = first?.toString('latin1', 0, 4);
  if (first && kind === 'OggS') {
    for await (const { packet, samples } of readOggOpus(chain(first, chunks), path)) {
      yield { kind: 'opus', packet, samples };
    }
  } else if (first && kind === 'RIFF') yield* readWavFrames(chain(first, chunks), path);
  else throw new FileError(`${path} is neither WAV nor Ogg Opus`);
}

/** @param stream of s16le, 48 kHz, mono */
export async function* readStreamFrames(stream: NodeJS.ReadableStream): AsyncGenerator<SourceFrame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes = Buffer.concat([rest, Buffer.from(chunk)]);
    let at = 0;
    for (; at + FRAME_SAMPLES * 2 <= bytes.length; at += FRAME_SAMPLES * 2) {
      yield { kind: 'pcm', pcm: fromBytes(bytes.subarray(at, at + FRAME_SAMPLES * 2)) };
    }
    rest = bytes.subarray(at);
  }
  if (rest.length >= 2) yield { kind: 'pcm', pcm: filledUp(fromBytes(rest)) };
}

/** @throws FileError when the command cannot be run, or ends with an error */
export async function* readCommandFrames(command: string, signal: AbortSignal): AsyncGenerator<SourceFrame> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  ended.catch(() => undefined);
  const kill = (): void => void child.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    yield* readStreamFrames(child.stdout);
    const [code, killedBy] = await ended;
    if (code !== 0 && !signal.aborted) {
      throw new FileError(`"${command}" ended with ${killedBy ?? `exit code ${code ?? 'unknown'}`}`);
    }
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}

async function* readWavFrames(
  chunks: AsyncGenerator<Buffer, undefined>,
  path: string,
): AsyncGenerator<SourceFrame> {
  const { format, samples } = await readWav(chunks, path);
  const resampler =
    format.sampleRate === SAMPLE_RATE ? undefined : new Resampler(format.sampleRate, SAMPLE_RATE);
  let rest = new Int16Array(0);
  const frames = function* (piece: Float32Array): Generator<SourceFrame> {
    const added = toInt16(piece);
    const all = new Int16Array(rest.length + added.length);
    all.set(rest);
    all.set(added, rest.length);
    let at = 0;
    for (; at + FRAME_SAMPLES <= all.length; at += FRAME_SAMPLES) {
      yield { kind: 'pcm', pcm: all.slice(at, at + FRAME_SAMPLES) };
    }
    rest = all.slice(at);
  };
  for await (const piece of samples) yield* frames(resampler ? resampler.push(piece) : piece);
  if (resampler) yield* frames(resampler.end());
  if (rest.length > 0) yield { kind: 'pcm', pcm: filledUp(rest) };
}

function filledUp(samples: Int16Array): Int16Array {
  const frame = new Int16Array(FRAME_SAMPLES);
  frame.set(samples.subarray(0, FRAME_SAMPLES));
  return frame;
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

async function* chain(
  first: Buffer,
  rest: AsyncGenerator<Buffer, undefined>,
): AsyncGenerator<Buffer, undefined> {
  yield first;
  return yield* rest;
}
