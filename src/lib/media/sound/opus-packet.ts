/** What an Opus packet says of itself (RFC 6716 §3), without decoding it. */

/** A frame of 20 ms of silence (CELT, full band). */
export const SILENT_PACKET = Buffer.from([0xf8, 0xff, 0xfe]);
/** RFC 6716 §3.2.5: 120 ms. */
const MAX_SAMPLES = 5760;
/** RFC 6716 §3.4: 3 frames of 1275 bytes each is the most that is of use; ours is the bound of the decoder. */
export const MAX_PACKET_BYTES = 3828;
/** CELT, full band, one frame of 2.5, 5, 10 or 20 ms. */
const FILLERS = [
  { config: 31, samples: 960 },
  { config: 30, samples: 480 },
  { config: 29, samples: 240 },
  { config: 28, samples: 120 },
] as const;

/** At 48 kHz. @returns undefined for what is no Opus packet */
export function durationOf(packet: Buffer): number | undefined {
  if (packet.length === 0) return undefined;
  const toc = packet.readUInt8(0);
  const code = toc & 3;
  if (code === 3 && packet.length < 2) return undefined;
  const frames = code === 0 ? 1 : code < 3 ? 2 : packet.readUInt8(1) & 0x3f;
  const samples = frames * frameSamplesOf(toc >> 3);
  return samples === 0 || samples > MAX_SAMPLES ? undefined : samples;
}

function frameSamplesOf(config: number): number {
  if (config < 12) return [480, 960, 1920, 2880][config & 3] ?? 0;
  if (config < 16) return (config & 1) === 0 ? 480 : 960;
  return [120, 240, 480, 960][config & 3] ?? 0;
}

/**
 * Packets without data in place of those that were lost or never sent: decoders conceal them (RFC 7845 §4.1).
 * What is left of less than 2.5 ms is not filled.
 */
export function* fillGap(samples: number): Generator<{ packet: Buffer; samples: number }> {
  let left = samples;
  while (left >= MAX_SAMPLES) {
    // Six frames of 20 ms in one packet (code 3, constant bit rate, no data).
    yield { packet: Buffer.from([(31 << 3) | 3, 6]), samples: MAX_SAMPLES };
    left -= MAX_SAMPLES;
  }
  for (const { config, samples: each } of FILLERS) {
    for (; left >= each; left -= each) yield { packet: Buffer.from([config << 3]), samples: each };
  }
}
