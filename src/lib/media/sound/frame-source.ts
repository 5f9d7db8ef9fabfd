/** What is sent: frames that the clock takes when it is time. */
import type { AudioSource } from '../media-link.js';
import { pumpFrames } from './frame-pump.js';
import { readCommandFrames, readFileFrames, readStreamFrames } from './read-frames.js';
import { FRAME_SAMPLES, SAMPLE_RATE } from './pcm.js';

/** 20 ms of sound to be encoded, or a packet that is encoded already. */
export type SourceFrame =
  { kind: 'pcm'; pcm: Int16Array } | { kind: 'opus'; packet: Buffer; samples: number };

export interface FrameSource {
  /** `wait`: there is nothing yet, silence is sent meanwhile. */
  next(): SourceFrame | 'wait' | 'end';
  /** Resolves with the first frame of a file, rejects when there is none; other sources are ready at once. */
  readonly ready: Promise<void>;
  /** Rejects when the source fails. */
  readonly ended: Promise<void>;
  close(): void;
}

/** −12 dB: loud enough, and several together are not cut off. */
const TONE_AMPLITUDE = 8231;

/**
 * @param signal ends a capture command
 * @throws FileError (by `ended`, too) when the source cannot be read
 */
export function openFrameSource(source: AudioSource, signal: AbortSignal): FrameSource {
  switch (source.kind) {
    case 'tone':
      return endless(toneOf(source.hertz));
    case 'silence':
      return endless(() => new Int16Array(FRAME_SAMPLES));
    case 'file':
      return pumpFrames(() => readFileFrames(source.path), { loops: source.loops, isFile: true });
    case 'stdin':
      return pumpFrames(() => readStreamFrames(source.stream), { loops: false, isFile: false });
    case 'command':
      return pumpFrames(() => readCommandFrames(source.command, signal), {
        loops: false,
        isFile: false,
        isLive: true,
      });
  }
}

function endless(make: () => Int16Array): FrameSource {
  return {
    next: () => ({ kind: 'pcm', pcm: make() }),
    ready: Promise.resolve(),
    ended: new Promise(() => undefined),
    close: () => undefined,
  };
}

/** The phase goes on from frame to frame, so there is no click and no drift. */
function toneOf(hertz: number): () => Int16Array {
  const step = (2 * Math.PI * hertz) / SAMPLE_RATE;
  let phase = 0;
  return () => {
    const frame = new Int16Array(FRAME_SAMPLES);
    for (let index = 0; index < FRAME_SAMPLES; index += 1) {
      frame[index] = Math.round(TONE_AMPLITUDE * Math.sin(phase));
      phase += step;
    }
    phase %= 2 * Math.PI;
    return frame;
  };
}
