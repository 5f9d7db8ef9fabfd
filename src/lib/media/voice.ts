/** The sound of one peer: put in order, written as it came, and decoded for those who listen. */
import type { Link } from './link.js';
import type { SoundRecording } from './recording/sound-recording.js';
import { JitterBuffer, toBuffered, type BufferedPacket } from './rtp/jitter-buffer.js';
import type { ReceivedMedia } from './rtp/rtp-session.js';
import type { OpusDecoder } from './sound/opus-codec.js';
import { FRAME_SAMPLES, levelOf } from './sound/pcm.js';
import { SampleQueue } from './sound/sample-queue.js';

export interface VoiceOptions {
  link: Link;
  /** Absent: nobody listens, and the packets say how loud they are. */
  decoder: OpusDecoder | undefined;
  openRecording: (() => SoundRecording) | undefined;
}

export class Voice {
  readonly #buffer = new JitterBuffer();
  readonly #queue = new SampleQueue(2 * FRAME_SAMPLES);
  #recording: SoundRecording | undefined;

  constructor(private readonly options: VoiceOptions) {}

  push(media: ReceivedMedia, nowMs: number): void {
    this.#buffer.push(toBuffered(media, nowMs));
  }

  /** What is to be heard in the next 20 ms. */
  take(nowMs: number): Int16Array | undefined {
    for (const packet of this.#buffer.take(nowMs)) this.#use(packet);
    return this.#queue.take(FRAME_SAMPLES);
  }

  async close(): Promise<void> {
    for (const packet of this.#buffer.take(Infinity, true)) this.#use(packet);
    this.options.decoder?.close();
    await this.#recording?.close();
  }

  #use({ timestamp, isNewSource, payload, arrivedMs }: BufferedPacket): void {
    const { openRecording, decoder, link } = this.options;
    this.#recording ??= openRecording?.();
    this.#recording?.write(payload, timestamp, arrivedMs, isNewSource);
    const sound = decoder?.decode(payload);
    if (!sound) return;
    link.levelDbov = levelOf(sound);
    this.#queue.push(sound);
  }
}
