/** Sound as it is worked with here: 48 kHz, mono, 16 bits, in frames of 20 ms. */

export const SAMPLE_RATE = 48_000;
export const FRAME_SAMPLES = 960;
export const FRAME_MS = 20;

const SILENCE_DBOV = -127;

/** RFC 6464 §3 and RFC 6465: the root of the mean square, against the loudest there can be. @returns −127 to 0 */
export function levelOf(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  if (sum === 0) return SILENCE_DBOV;
  const rms = Math.sqrt(sum / samples.length) / 32768;
  return Math.max(SILENCE_DBOV, Math.min(0, 20 * Math.log10(rms)));
}

/** @param samples −1 to 1; more is cut off */
export function toInt16(samples: Float32Array): Int16Array {
  const result = new Int16Array(samples.length);
  for (let index = 0; index < samples.length; index += 1) {
    result[index] = Math.max(-32768, Math.min(32767, Math.round((samples[index] ?? 0) * 32767)));
  }
  return result;
}

/** Several voices at once, cut off where they are too loud together. @param length of the result */
export function mix(voices: readonly Int16Array[], length = FRAME_SAMPLES): Int16Array {
  const result = new Int16Array(length);
  if (voices.length === 0) return result;
  for (let index = 0; index < length; index += 1) {
    let sum = 0;
    for (const voice of voices) sum += voice[index] ?? 0;
    result[index] = sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;
  }
  return result;
}

export function toBytes(samples: Int16Array): Buffer {
  const bytes = Buffer.allocUnsafe(samples.length * 2);
  for (let index = 0; index < samples.length; index += 1) bytes.writeInt16LE(samples[index] ?? 0, index * 2);
  return bytes;
}

export function fromBytes(bytes: Buffer): Int16Array {
  const samples = new Int16Array(bytes.length >> 1);
  for (let index = 0; index < samples.length; index += 1) samples[index] = bytes.readInt16LE(index * 2);
  return samples;
}
