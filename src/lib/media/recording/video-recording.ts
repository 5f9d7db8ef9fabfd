/** The pictures of one peer: put in order, put together, and written to WebM as they are. */
import type { Link } from '../link.js';
import { JitterBuffer, toBuffered } from '../rtp/jitter-buffer.js';
import type { ReceivedMedia } from '../rtp/rtp-session.js';
import { PictureAssembler, sizeOfKeyFrame, type Picture } from '../rtp/vp8-payload.js';
import { beginWebm, WebmBlocks } from '../video/webm-writer.js';
import { RecordingFile } from './recording-file.js';

/** A key frame is large: it is not asked for more often than this. */
const REQUEST_EVERY_MS = 1_000;
/** What waits for the file to be open. */
const MAX_WAITING = 300;

export interface VideoRecordingOptions {
  link: Link;
  /** Absent: pictures are only counted. */
  target: { folder: string; fileName: string } | undefined;
  onCreated: (path: string) => void;
  onWarning: (text: string) => void;
}

export class VideoRecording {
  readonly #buffer = new JitterBuffer({ waitMs: 200, limit: 512 });
  readonly #assembler = new PictureAssembler();
  readonly #blocks = new WebmBlocks();
  #file: Promise<RecordingFile | undefined> | undefined;
  #ready: RecordingFile | undefined;
  #waiting: Buffer[] = [];
  #lastTimestamp: number | undefined;
  #timeMs = 0;
  #requestedMs = -Infinity;

  constructor(private readonly options: VideoRecordingOptions) {}

  push(media: ReceivedMedia, nowMs: number): void {
    this.#buffer.push(toBuffered(media, nowMs));
    this.poll(nowMs);
  }

  /** What is complete is written; what is missing is asked for. */
  poll(nowMs: number, isLast = false): void {
    for (const packet of this.#buffer.take(nowMs, isLast)) {
      const picture = this.#assembler.push(packet);
      if (picture) this.#write(picture);
    }
    if (this.#assembler.needsKeyFrame && nowMs - this.#requestedMs >= REQUEST_EVERY_MS && !isLast) {
      this.#requestedMs = nowMs;
      this.options.link.requestKeyFrame();
    }
  }

  async close(): Promise<void> {
    this.poll(performance.now(), true);
    const file = await this.#file;
    await file?.close();
  }

  #write({ data, timestamp, isKey }: Picture): void {
    this.options.link.framesReceived += 1;
    const stepMs = this.#lastTimestamp === undefined ? 0 : ((timestamp - this.#lastTimestamp) | 0) / 90;
    this.#lastTimestamp = timestamp;
    this.#timeMs += Math.max(0, stepMs);
    const { target } = this.options;
    if (!target) return;
    if (!this.#file) {
      const size = sizeOfKeyFrame(data);
      if (!size) return;
      this.#file = this.#open(target);
      this.#append(beginWebm(size));
    }
    this.#append(this.#blocks.write(data, Math.round(this.#timeMs), isKey));
  }

  #append(bytes: Buffer): void {
    if (this.#ready) this.#ready.append(bytes);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(bytes);
  }

  async #open({
    folder,
    fileName,
  }: {
    folder: string;
    fileName: string;
  }): Promise<RecordingFile | undefined> {
    const warn = (error: unknown): void =>
      this.options.onWarning(
        `${fileName} is not recorded any more: ${error instanceof Error ? error.message : String(error)}`,
      );
    try {
      const file = await RecordingFile.create(folder, fileName, warn);
      this.#ready = file;
      for (const bytes of this.#waiting.splice(0)) file.append(bytes);
      this.options.onCreated(file.path);
      return file;
    } catch (error) {
      warn(error);
      return undefined;
    }
  }
}
