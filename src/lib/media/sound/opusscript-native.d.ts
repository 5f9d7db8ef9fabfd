/** The inside of the package: its own wrapper points the encoder at memory that it has not allocated. */
declare module 'opusscript/build/opusscript_native_wasm.js' {
  export interface NativeCodec {
    /** Samples are given as pairs of bytes, each byte in 16 bits. @returns a length, or an error below 0 */
    _encode(pcmPointer: number, pcmBytes: number, packetPointer: number, samples: number): number;
    /** @returns how many samples, or an error below 0 */
    _decode(packetPointer: number, packetBytes: number, pcmPointer: number): number;
    _encoder_ctl(request: number, value: number): number;
  }

  export interface NativeModule {
    OpusScriptHandler: {
      new (sampleRate: number, channels: number, application: number): NativeCodec;
      destroy_handler(codec: NativeCodec): void;
    };
    HEAPU8: Uint8Array;
    HEAPU16: Uint16Array;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
  }

  export default function load(): NativeModule;
}
