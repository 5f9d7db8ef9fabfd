/** One Ogg Opus file: packets as they came, or frames of a mix; opened when there is something to write. */
import { OggOpusWriter } from '../sound/ogg-opus-writer.js';
import { durationOf } from '../sound/opus-packet.js';
import { SAMPLE_RATE } from '../sound/pcm.js';
import { RecordingFile } from './recording-file.js';

/** A timestamp that says more silence than the clock does was made up. */
const CLOCK_SLACK_SAMPLES = SAMPLE_RATE;

export interface SoundRecordingOptions {
  folder: string;
  /** Safe already. */
  fileName: string;
  title: string;
  channels: 1 | 2;
  onCreated: (path: string) => void;
  onWarning: (text: string) => void;
}

export class SoundRecording {
  readonly #writer: OggOpusWriter;
  readonly #file: Promise<RecordingFile | undefined>;
  #ready: RecordingFile | undefined;
  #waiting: Buffer[] = [];
  #expected: number | undefined;
  #lastMs = 0;

  constructor({ folder, fileName, title, channels, onCreated, onWarning }: SoundRecordingOptions) {
    this.#writer = new OggOpusWriter({ channels, comments: [`TITLE=${title}`] });
    this.#append(this.#writer.begin());
    const warn = (error: unknown): void =>
      onWarning(
        `${fileName} is not recorded any more: ${error instanceof Error ? error.message : String(error)}`,
      );
    this.#file = RecordingFile.create(folder, fileName, warn).then(
      (file) => {
        this.#ready = file;
        for (const bytes of this.#waiting.splice(0)) file.append(bytes);
        onCreated(file.path);
        return file;
      },
      (error: unknown) => {
        this.#waiting = [];
        warn(error);
        return undefined;
      },
    );
  }

  /**
   * @param timestamp of RTP, 32 bits at 48 kHz
   * @param isNewSource its timestamps have nothing to do with those before
   */
  write(packet: Buffer, timestamp: number, nowMs: number, isNewSource = false): void {
    const samples = durationOf(packet);
    if (samples === undefined) return;
    const elapsed = Math.round(((nowMs - this.#lastMs) / 1000) * SAMPLE_RATE);
    const told = this.#expected === undefined ? 0 : (timestamp - this.#expected) | 0;
    const most = elapsed + CLOCK_SLACK_SAMPLES;
    const gap = this.#expected === undefined ? 0 : isNewSource ? elapsed : told;
    this.#append(this.#writer.write(packet, gap > 0 && gap <= most ? gap : 0));
    this.#expected = (timestamp + samples) >>> 0;
    this.#lastMs = nowMs;
  }

  async close(): Promise<void> {
    this.#append(this.#writer.end());
    const file = await this.#file;
    await file?.close();
  }

  #append(bytes: Buffer): void {
    if (this.#ready) this.#ready.append(bytes);
    else if (bytes.length > 0) this.#waiting.push(bytes);
  }
}
