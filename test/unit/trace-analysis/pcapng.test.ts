import { describe, expect, it } from 'vitest';
import { PcapngWriter } from '../../../src/lib/trace-analysis/export/pcapng.js';
import type { TraceRecord } from '../../../src/lib/trace/record.js';
import { login, recordTrace, type Line } from '../../support/recorded-trace.js';

interface Packet {
  /** Milliseconds since the epoch. */
  timeMs: number;
  from: string;
  to: string;
  flags: number;
  seq: number;
  ack: number;
  payload: string;
  comments: string[];
  isInbound: boolean;
}

const SYN = 2;
const FIN = 1;
const RST = 4;
const ACK = 16;

/** Reads a capture as any program would, and checks what it must hold. */
function readCapture(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length;) {
    const type = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(bytes.readUInt32LE(at + length - 4)).toBe(length);
    const body = bytes.subarray(at + 8, at + length - 4);
    if (at === 0) {
      expect(type).toBe(0x0a0d0d0a);
      expect(body.readUInt32LE(0)).toBe(0x1a2b3c4d);
    } else if (type === 1) expect(body.readUInt16LE(0)).toBe(101);
    else packets.push(readPacket(body));
    at += length;
  }
  return packets;
}

function readPacket(body: Buffer): Packet {
  const micros = body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8);
  const length = body.readUInt32LE(12);
  const packet = body.subarray(20, 20 + length);
  const comments: string[] = [];
  let isInbound = false;
  for (let at = 20 + Math.ceil(length / 4) * 4; body.readUInt16LE(at) !== 0;) {
    const size = body.readUInt16LE(at + 2);
    if (body.readUInt16LE(at) === 1) comments.push(body.toString('utf8', at + 4, at + 4 + size));
    if (body.readUInt16LE(at) === 2) isInbound = body.readUInt32LE(at + 4) === 1;
    at += 4 + Math.ceil(size / 4) * 4;
  }
  const isV6 = packet.readUInt8(0) >> 4 === 6;
  const [ipBytes, width, source] = isV6 ? [40, 16, 8] : [20, 4, 12];
  const tcp = packet.subarray(ipBytes);
  const addresses = packet.subarray(source, source + 2 * width);
  if (!isV6) {
    expect(packet.readUInt16BE(2)).toBe(packet.length);
    expect(checksum(packet.subarray(0, 20))).toBe(0);
  } else expect(packet.readUInt16BE(4)).toBe(tcp.length);
  const pseudo = Buffer.alloc(4);
  pseudo.writeUInt16BE(6, 0);
  pseudo.writeUInt16BE(tcp.length, 2);
  expect(checksum(Buffer.concat([addresses, pseudo, tcp]))).toBe(0);
  const end = (index: number): string =>
    `${addresses.subarray(index * width, (index + 1) * width).toString('hex')}:${tcp.readUInt16BE(index * 2)}`;
  return {
    ...{ timeMs: micros / 1000, from: end(0), to: end(1), flags: tcp.readUInt8(13) },
    ...{ seq: tcp.readUInt32BE(4), ack: tcp.readUInt32BE(8), payload: tcp.toString('utf8', 20) },
    ...{ comments, isInbound },
  };
}

function checksum(bytes: Buffer): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2)
    total += (bytes[at] ?? 0) * 256 + (at + 1 < bytes.length ? (bytes[at + 1] ?? 0) : 0);
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000);
  return 0xffff - total;
}

function write(...connections: readonly (readonly Line[])[]): Packet[] {
  const writer = new PcapngWriter();
  // A record at a time, and all that is written is put together.
  return readCapture(
    Buffer.concat([...recordTrace(...connections)].map((record: TraceRecord) => writer.push([record]))),
  );
}

const tcp = (address: string): Line => ({ name: 'tcp', detail: { address, port: 5223, family: 4 } });

describe('trace export --format pcapng', () => {
  it('opens, carries and closes a connection, with numbers that follow one another', () => {
    const packets = write([
      tcp('198.51.100.7'),
      '→<é/>',
      '←<answer/>',
      '→<more/>',
      { name: 'close', detail: { clean: true } },
    ]);
    expect(packets.map(({ flags }) => flags & (SYN | FIN | RST))).toEqual([
      SYN,
      SYN,
      0,
      0,
      0,
      0,
      FIN,
      FIN,
      0,
    ]);
    expect(packets.map(({ payload }) => payload).filter((text) => text !== '')).toEqual([
      '<é/>',
      '<answer/>',
      '<more/>',
    ]);
    const next = new Map<string, number>();
    for (const { from, to, flags, seq, ack, payload } of packets) {
      expect(seq).toBe(next.get(from) ?? 0);
      if ((flags & ACK) !== 0) expect(ack).toBe(next.get(to));
      next.set(from, seq + Buffer.byteLength(payload) + ((flags & (SYN | FIN)) === 0 ? 0 : 1));
    }
    expect(packets[0]).toMatchObject({ to: 'c6336407:5222', isInbound: false });
    expect(packets[1]).toMatchObject({ from: 'c6336407:5222', isInbound: true });
    expect(packets[0]?.timeMs).toBeGreaterThanOrEqual(Date.parse('2026-01-31T10:00:00.000Z'));
    expect(packets[0]?.comments.join()).toContain('TCP 198.51.100.7:5223');
  });

  it('begins another connection where TLS does, and says what happened', () => {
    const packets = write([
      ...login.slice(0, 2),
      { name: 'tls', detail: { version: 'TLSv1.3', cipher: 'AES' } },
      ...login.slice(2),
      { name: 'close', detail: { clean: false, reason: 'reset' } },
    ]);
    const opened = packets.filter(({ flags }) => flags === SYN);
    expect(opened).toHaveLength(2);
    expect(opened[0]?.from).not.toBe(opened[1]?.from);
    expect(opened[1]?.comments.join()).toContain('TLS 1.3');
    expect((packets.at(-1)?.flags ?? 0) & RST).toBe(RST);
    expect(packets.at(-1)?.comments.join()).toContain('reset');
  });

  it('knows IPv6, also with IPv4 in it, and other documentation addresses than the server has', () => {
    const [six] = write([tcp('2001:db8::1'), '→<a/>']);
    expect(six?.to).toBe('20010db8000000000000000000000001:5222');
    expect(six?.from).toMatch(/^20010db8000000000000000000000002:/);
    const [mapped] = write([tcp('::ffff:192.0.2.5'), '→<a/>']);
    expect(mapped?.to).toBe('00000000000000000000ffffc0000205:5222');
    const [four] = write([tcp('192.0.2.1'), '→<a/>']);
    expect(four?.from).toMatch(/^c0000202:/);
  });

  it('cuts what no packet can hold, and leaves a hole where records are missing', () => {
    const text = 'x'.repeat(200_000);
    const packets = write([`→${text}`, { gap: [5, 9] }, '→<a/>']);
    const carried = packets.filter(({ payload }) => payload !== '');
    expect(carried).toHaveLength(5);
    expect(carried.map(({ payload }) => payload).join('')).toBe(`${text}<a/>`);
    expect(carried.at(-1)?.seq).toBe(1 + 200_000 + 1);
    expect(carried.at(-1)?.comments.join()).toContain('are missing');
  });

  it('keeps control characters out of comments, and bounds them', () => {
    const events = Array.from({ length: 100 }, (): Line => ({
      name: 'error',
      detail: { message: `\u001b[2J${'x'.repeat(5000)}` },
    }));
    const [first] = write([...events, '→<a/>']);
    expect(first?.comments.length).toBe(20);
    for (const comment of first?.comments ?? []) {
      expect(comment).not.toContain('\u001b');
      expect(comment.length).toBeLessThanOrEqual(1000);
    }
  });
});
