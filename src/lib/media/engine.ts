/** The engine of a call: one clock, one source that is encoded once, a link and a voice for each peer, and the mix. */
import { safeFileName } from '../file-transfer/storing/file-name.js';
import { NegativeError } from '../errors.js';
import { findLocalAddresses } from './ice/local-addresses.js';
import { Link, type LinkOwner } from './link.js';
import type { LinkOptions, MediaEngine, MediaKindPlan, MediaLink, MediaOptions } from './media-link.js';
import { PcmOutput } from './pcm-output.js';
import { SoundRecording } from './recording/sound-recording.js';
import { VideoRecording } from './recording/video-recording.js';
import { packetizeVp8 } from './rtp/vp8-payload.js';
import { PictureFeed, PictureHistory } from './video/picture-feed.js';
import { PictureSource } from './video/picture-source.js';
import type { ReceivedMedia } from './rtp/rtp-session.js';
import type { DtlsIdentity } from './secure/secure-media.js';
import { openFrameSource, type FrameSource, type SourceFrame } from './sound/frame-source.js';
import type { OpusCodec, OpusDecoder, OpusEncoder } from './sound/opus-codec.js';
import { SILENT_PACKET } from './sound/opus-packet.js';
import { startPacer } from './sound/pacer.js';
import { FRAME_SAMPLES, levelOf, mix, SAMPLE_RATE } from './sound/pcm.js';
import { SampleQueue } from './sound/sample-queue.js';
import { Voice } from './voice.js';

/** As many peers as the memory of the codecs holds. */
const MAX_LINKS = 64;
const SILENCE = new Int16Array(FRAME_SAMPLES);
const SILENCE_DBOV = -127;

interface Sent {
  packet: Buffer;
  levelDbov: number;
  samples: number;
  sound: Int16Array;
}

/** @throws FileError when the source cannot be read, or nothing can be recorded */
export async function openMediaEngine(options: MediaOptions): Promise<MediaEngine> {
  const [{ createDtlsIdentity }, { loadOpus }] = await Promise.all([
    import('./secure/werift-identity.js'),
    import('./sound/opus-codec.js'),
  ]);
  const [identity, opus] = await Promise.all([createDtlsIdentity(), loadOpus()]);
  const engine = new Engine(options, identity, opus);
  try {
    await engine.ready;
  } catch (error) {
    await engine.close();
    throw error;
  }
  return engine;
}

class Engine implements MediaEngine, LinkOwner {
  readonly finished: Promise<void>;
  readonly recordings: string[] = [];
  readonly #links = new Set<Link>();
  readonly #voices = new Map<Link, Voice>();
  readonly #pictures = new Map<Link, VideoRecording>();
  readonly #pictureSource: PictureSource | undefined;
  readonly #pictureHistory = new PictureHistory();
  readonly #feeds = new Map<Link, PictureFeed>();
  readonly #source: FrameSource;
  readonly #encoder: OpusEncoder;
  readonly #mixEncoder: OpusEncoder | undefined;
  /** Of our own source, where it comes encoded. */
  readonly #ownDecoder: OpusDecoder;
  readonly #ownSound = new SampleQueue(FRAME_SAMPLES);
  readonly #pcmOut: PcmOutput | undefined;
  readonly #closing: Promise<unknown>[] = [];
  #mixRecording: SoundRecording | undefined;
  #finish: () => void = () => undefined;
  #stopPacer: () => void = () => undefined;
  #debtSamples = 0;
  /** When somebody could hear us first, on the clock of the media. */
  #begunMs: number | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    private readonly options: MediaOptions,
    private readonly identity: DtlsIdentity,
    private readonly opus: OpusCodec,
  ) {
    const { source, sink, signal, onWarning } = options;
    this.#source = openFrameSource(source, signal);
    this.#encoder = opus.createEncoder();
    this.#ownDecoder = opus.createDecoder();
    if (sink.recordDirectory !== undefined) this.#mixEncoder = opus.createEncoder(64_000);
    if (options.videoSource) {
      const { path, loops } = options.videoSource;
      this.#pictureSource = new PictureSource(path, loops, (error) =>
        onWarning(`no more pictures: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
    if (sink.pcmOut) this.#pcmOut = new PcmOutput(sink.pcmOut, onWarning);
    this.finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#source.ended.then(resolve, reject);
      if (source.kind === 'silence') void this.#pictureSource?.ended.then(resolve);
    });
    this.finished.catch(() => undefined);
    signal.addEventListener('abort', () => void this.close(), { once: true });
    this.#stopPacer = startPacer((frame) => this.#tick(frame));
  }

  /** The first frame is there, or the reason why there is none. */
  get ready(): Promise<void> {
    return Promise.all([this.#source.ready, this.#pictureSource?.ready]).then(() => undefined);
  }

  openLink(options: LinkOptions): Promise<MediaLink> {
    return Promise.resolve().then(() => this.#open(options));
  }

  close(): Promise<void> {
    this.#closed ??= this.#shut();
    return this.#closed;
  }

  received(link: Link, kind: MediaKindPlan['kind'], media: ReceivedMedia, nowMs: number): void {
    if (kind === 'video') {
      if (media.codec.name.toLowerCase() !== 'vp8') return;
      let pictures = this.#pictures.get(link);
      if (!pictures) this.#pictures.set(link, (pictures = this.#openPictures(link)));
      pictures.push(media, nowMs);
      return;
    }
    if (media.codec.name.toLowerCase() !== 'opus') return;
    let voice = this.#voices.get(link);
    if (!voice) {
      voice = this.#openVoice(link);
      this.#voices.set(link, voice);
    }
    voice.push(media, nowMs);
  }

  keyFrameWanted(link: Link): void {
    this.#feeds.get(link)?.requestKeyFrame(performance.now());
  }

  closed(link: Link): void {
    this.#links.delete(link);
    this.#feeds.delete(link);
    const voice = this.#voices.get(link);
    this.#voices.delete(link);
    const pictures = this.#pictures.get(link);
    this.#pictures.delete(link);
    for (const each of [voice, pictures]) if (each) this.#closing.push(each.close());
  }

  #open(options: LinkOptions): Link {
    if (this.#links.size >= MAX_LINKS) throw new NegativeError(`more than ${MAX_LINKS} peers in one call`);
    findLocalAddresses(options.interfaces);
    const link = new Link(options, this.identity, this);
    this.#links.add(link);
    void link.gather().catch((error: unknown) => link.giveUp(error));
    return link;
  }

  #openVoice(link: Link): Voice {
    const { recordDirectory, pcmOut } = this.options.sink;
    const isHeard = recordDirectory !== undefined || pcmOut !== undefined || !link.tellsLevel;
    return new Voice({
      link,
      decoder: isHeard ? this.opus.createDecoder() : undefined,
      openRecording:
        recordDirectory === undefined ? undefined : () => this.#record(recordDirectory, link.name, 2),
    });
  }

  #openPictures(link: Link): VideoRecording {
    const { recordDirectory: folder } = this.options.sink;
    return new VideoRecording({
      link,
      target: folder === undefined ? undefined : { folder, fileName: `${safeFileName(link.name)}.webm` },
      onCreated: (path) => this.recordings.push(path),
      onWarning: this.options.onWarning,
    });
  }

  #record(folder: string, name: string, channels: 1 | 2): SoundRecording {
    return new SoundRecording({
      folder,
      fileName: `${safeFileName(name)}.ogg`,
      title: name,
      channels,
      onCreated: (path) => this.recordings.push(path),
      onWarning: this.options.onWarning,
    });
  }

  #tick(frame: number): void {
    const nowMs = performance.now();
    const mediaTime = frame * FRAME_SAMPLES;
    const mediaMs = (mediaTime / SAMPLE_RATE) * 1000;
    if (this.#begunMs === undefined && [...this.#links].some((link) => link.isSecure))
      this.#begunMs = mediaMs;
    this.#debtSamples += FRAME_SAMPLES;
    let offset = 0;
    // Packets of other sizes than 20 ms come when their time has come.
    while (this.#debtSamples > 0) {
      const sent = this.#encode(this.#nextFrame());
      this.#send(sent, mediaTime + offset, nowMs);
      this.#ownSound.push(sent.sound);
      this.#debtSamples -= sent.samples;
      offset += sent.samples;
    }
    if (this.#begunMs !== undefined) this.#sendPictures(mediaMs - this.#begunMs, nowMs);
    for (const pictures of this.#pictures.values()) pictures.poll(nowMs);
    this.#listen(this.#ownSound.take(FRAME_SAMPLES), mediaTime, nowMs);
  }

  /** Whatever begins and ends waits for the first who can hear it. */
  #nextFrame(): SourceFrame {
    const { kind } = this.options.source;
    const isEndless = kind === 'tone' || kind === 'silence';
    if (this.#begunMs === undefined && !isEndless) return { kind: 'pcm', pcm: SILENCE };
    const next = this.#source.next();
    if (next === 'end' || next === 'wait') return { kind: 'pcm', pcm: SILENCE };
    return next;
  }

  #encode(frame: SourceFrame): Sent {
    if (frame.kind === 'opus') {
      const sound = this.#ownDecoder.decode(frame.packet) ?? SILENCE;
      return { packet: frame.packet, levelDbov: levelOf(sound), samples: frame.samples, sound };
    }
    const { pcm } = frame;
    const packet = pcm === SILENCE ? SILENT_PACKET : this.#encoder.encode(pcm);
    return { packet, levelDbov: levelOf(pcm), samples: FRAME_SAMPLES, sound: pcm };
  }

  #send({ packet, levelDbov }: Sent, mediaTime: number, nowMs: number): void {
    for (const link of this.#links) {
      const session = link.sessionFor('audio');
      if (session?.plan.send?.name.toLowerCase() !== 'opus') continue;
      const bytes = link.isMuted
        ? session.packetize(SILENT_PACKET, mediaTime, nowMs, { levelDbov: SILENCE_DBOV })
        : session.packetize(packet, mediaTime, nowMs, { levelDbov });
      if (bytes) link.sendRtp(bytes);
    }
  }

  /** @param timeMs since somebody can see them */
  #sendPictures(timeMs: number, nowMs: number): void {
    if (!this.#pictureSource) return;
    const due = this.#pictureSource.due(timeMs);
    for (const picture of due) this.#pictureHistory.push(picture);
    for (const link of this.#links) {
      const session = link.sessionFor('video');
      if (session?.plan.send?.name.toLowerCase() !== 'vp8') continue;
      for (const { data, timeMs: pictureMs } of this.#feedOf(link).next(due, this.#pictureHistory, nowMs)) {
        const mediaTime = Math.round(pictureMs * 90);
        const payloads = packetizeVp8(data);
        for (const [index, payload] of payloads.entries()) {
          const isMarked = index === payloads.length - 1;
          const bytes = session.packetize(payload, mediaTime, nowMs, { isMarked });
          if (bytes) link.sendRtp(bytes);
        }
      }
    }
  }

  #feedOf(link: Link): PictureFeed {
    let feed = this.#feeds.get(link);
    if (!feed) this.#feeds.set(link, (feed = new PictureFeed()));
    return feed;
  }

  #listen(own: Int16Array | undefined, mediaTime: number, nowMs: number): void {
    const heard: Int16Array[] = [];
    for (const voice of this.#voices.values()) {
      const sound = voice.take(nowMs);
      if (sound) heard.push(sound);
    }
    // Who waits for a call for hours has nothing to hear yet.
    if (this.#begunMs !== undefined) this.#pcmOut?.write(heard.length === 0 ? SILENCE : mix(heard));
    const { recordDirectory } = this.options.sink;
    if (recordDirectory !== undefined && this.#voices.size > 0) {
      this.#mixRecording ??= this.#record(recordDirectory, 'mix', 1);
    }
    if (!this.#mixRecording || !this.#mixEncoder) return;
    this.#mixRecording.write(
      this.#mixEncoder.encode(mix(own ? [...heard, own] : heard)),
      mediaTime >>> 0,
      nowMs,
    );
  }

  async #shut(): Promise<void> {
    this.#stopPacer();
    this.#source.close();
    this.#pictureSource?.close();
    await Promise.all([...this.#links].map((link) => link.close()));
    await Promise.all(this.#closing);
    await this.#mixRecording?.close();
    for (const each of [this.#encoder, this.#mixEncoder, this.#ownDecoder]) each?.close();
    this.#finish();
  }
}
