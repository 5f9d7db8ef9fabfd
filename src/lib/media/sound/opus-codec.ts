/** Opus by libopus as WebAssembly. Loaded when a call is made. */
import type { NativeCodec, NativeModule } from 'opusscript/build/opusscript_native_wasm.js';
import { MAX_PACKET_BYTES } from './opus-packet.js';
import { FRAME_SAMPLES, SAMPLE_RATE } from './pcm.js';

/** Opus has no more in a packet that this decoder takes: 60 ms. */
const MAX_SAMPLES = 2880;
/** OPUS_APPLICATION_AUDIO, OPUS_SET_BITRATE, OPUS_SET_COMPLEXITY. */
const AUDIO = 2049;
const SET_BITRATE = 4002;
const SET_COMPLEXITY = 4010;

export interface OpusEncoder {
  /** @param frame 960 samples */
  encode(frame: Int16Array): Buffer;
  close(): void;
}

export interface OpusDecoder {
  /** Mono, at 48 kHz. @returns undefined for what is no Opus packet, or longer than 60 ms */
  decode(packet: Buffer): Int16Array | undefined;
  close(): void;
}

export interface OpusCodec {
  createEncoder(bitRate?: number): OpusEncoder;
  createDecoder(): OpusDecoder;
}

let loaded: NativeModule | undefined;

export async function loadOpus(): Promise<OpusCodec> {
  if (!loaded) {
    const { default: load } = await import('opusscript/build/opusscript_native_wasm.js');
    loaded = load();
  }
  const native = loaded;
  return {
    createEncoder: (bitRate = 40_000) => new NativeEncoder(native, bitRate),
    createDecoder: () => new NativeDecoder(native),
  };
}

/** A codec and its memory. The memory of the module does not grow, so views of it stay good. */
abstract class NativeHolder {
  protected readonly codec: NativeCodec;
  protected readonly packet: Uint8Array;
  /** Two elements for each sample: low byte, high byte. */
  protected readonly pcm: Uint16Array;
  readonly #pointers: number[];

  constructor(private readonly native: NativeModule) {
    this.codec = new native.OpusScriptHandler(SAMPLE_RATE, 1, AUDIO);
    const packetPointer = native._malloc(MAX_PACKET_BYTES);
    const pcmPointer = native._malloc(MAX_SAMPLES * 4);
    if (packetPointer === 0 || pcmPointer === 0) throw new RangeError('no memory left for another codec');
    this.#pointers = [packetPointer, pcmPointer];
    this.packet = native.HEAPU8.subarray(packetPointer, packetPointer + MAX_PACKET_BYTES);
    this.pcm = native.HEAPU16.subarray(pcmPointer / 2, pcmPointer / 2 + MAX_SAMPLES * 2);
  }

  close(): void {
    this.native.OpusScriptHandler.destroy_handler(this.codec);
    for (const pointer of this.#pointers.splice(0)) this.native._free(pointer);
  }
}

class NativeEncoder extends NativeHolder implements OpusEncoder {
  constructor(native: NativeModule, bitRate: number) {
    super(native);
    this.codec._encoder_ctl(SET_BITRATE, bitRate);
    this.codec._encoder_ctl(SET_COMPLEXITY, 5);
  }

  encode(frame: Int16Array): Buffer {
    for (let index = 0; index < FRAME_SAMPLES; index += 1) {
      const sample = frame[index] ?? 0;
      this.pcm[index * 2] = sample & 0xff;
      this.pcm[index * 2 + 1] = (sample >> 8) & 0xff;
    }
    const sizeBytes = this.codec._encode(
      this.pcm.byteOffset,
      FRAME_SAMPLES * 2,
      this.packet.byteOffset,
      FRAME_SAMPLES,
    );
    if (sizeBytes < 0) throw new RangeError(`Opus cannot encode: ${sizeBytes}`);
    return Buffer.from(this.packet.subarray(0, sizeBytes));
  }
}

class NativeDecoder extends NativeHolder implements OpusDecoder {
  decode(packet: Buffer): Int16Array | undefined {
    if (packet.length === 0 || packet.length > MAX_PACKET_BYTES) return undefined;
    this.packet.set(packet);
    const samples = this.codec._decode(this.packet.byteOffset, packet.length, this.pcm.byteOffset);
    if (samples < 0) return undefined;
    const result = new Int16Array(samples);
    for (let index = 0; index < samples; index += 1) {
      result[index] = (this.pcm[index * 2] ?? 0) | ((this.pcm[index * 2 + 1] ?? 0) << 8);
    }
    return result;
  }
}
