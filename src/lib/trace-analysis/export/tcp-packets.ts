/** Packets of IP and TCP that could have carried what was recorded: with sequence numbers and checksums that are right. */
import { isIPv4, isIPv6 } from 'node:net';

/** An end of a connection. Both ends are of the same family. */
export interface Endpoint {
  address: string;
  port: number;
}

export type Flag = 'FIN' | 'SYN' | 'RST' | 'PSH' | 'ACK';

const flagBits: Readonly<Record<Flag, number>> = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 };
const TCP = 6;
const tcpHeaderBytes = 20;

/**
 * A packet, from its IP header on.
 * @param payload at most 65,000 bytes
 */
export function tcpPacket(
  from: Endpoint,
  to: Endpoint,
  flags: readonly Flag[],
  numbers: { seq: number; ack: number },
  payload: Uint8Array,
): Buffer {
  const [source, target] = [addressBytes(from.address), addressBytes(to.address)];
  const isV6 = source.length === 16;
  const ipBytes = isV6 ? 40 : 20;
  const packet = Buffer.alloc(ipBytes + tcpHeaderBytes + payload.length);
  const tcpBytes = tcpHeaderBytes + payload.length;
  if (isV6) {
    packet.writeUInt8(0x60, 0);
    packet.writeUInt16BE(tcpBytes, 4);
    packet.writeUInt8(TCP, 6);
    packet.writeUInt8(64, 7);
    packet.set(source, 8);
    packet.set(target, 24);
  } else {
    packet.writeUInt8(0x45, 0);
    packet.writeUInt16BE(packet.length, 2);
    // Do not fragment.
    packet.writeUInt16BE(0x4000, 6);
    packet.writeUInt8(64, 8);
    packet.writeUInt8(TCP, 9);
    packet.set(source, 12);
    packet.set(target, 16);
    packet.writeUInt16BE(fold(sum(packet, 0, ipBytes)), 10);
  }
  packet.writeUInt16BE(from.port, ipBytes);
  packet.writeUInt16BE(to.port, ipBytes + 2);
  packet.writeUInt32BE(numbers.seq >>> 0, ipBytes + 4);
  packet.writeUInt32BE(numbers.ack >>> 0, ipBytes + 8);
  packet.writeUInt8((tcpHeaderBytes / 4) << 4, ipBytes + 12);
  packet.writeUInt8(
    flags.reduce((bits, flag) => bits | flagBits[flag], 0),
    ipBytes + 13,
  );
  packet.writeUInt16BE(0xffff, ipBytes + 14);
  packet.set(payload, ipBytes + tcpHeaderBytes);
  // RFC 9293 §3.1: with addresses, protocol and length before it.
  const pseudo = sum(source, 0, source.length) + sum(target, 0, target.length) + TCP + tcpBytes;
  packet.writeUInt16BE(fold(pseudo + sum(packet, ipBytes, packet.length)), ipBytes + 16);
  return packet;
}

/** RFC 1071, without folding. */
function sum(bytes: Uint8Array, start: number, end: number): number {
  let total = 0;
  for (let at = start; at + 1 < end; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if ((end - start) % 2 === 1) total += (bytes[end - 1] ?? 0) << 8;
  return total;
}

function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** @param address IPv4 or IPv6, without a zone */
function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  if (!isIPv6(address)) return Uint8Array.of(0, 0, 0, 0);
  const [head = '', tail] = withoutDots(address).split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}

/** `::ffff:192.0.2.1` → `::ffff:c000:201` */
function withoutDots(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_whole, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
}
