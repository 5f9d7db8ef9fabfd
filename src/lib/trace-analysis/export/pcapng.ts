/**
 * A trace as a capture (pcapng, draft-ietf-opsawg-pcapng) for Wireshark: made-up packets of TCP that carry the recorded
 * bytes, on the port of XMPP, so that they are shown as XMPP. What was inside of TLS is in the clear, on a connection of
 * its own: Wireshark expects TLS behind `<proceed/>`. Events are comments of the packet that follows them.
 */
import { isIP } from 'node:net';
import { safeText } from '../../output/safe-text.js';
import type { Direction } from '../../trace/events.js';
import { describeLifecycle } from '../../trace/lifecycle-text.js';
import { recordBytes, type DataRecord, type EventRecord, type TraceRecord } from '../../trace/record.js';
import { tcpPacket, type Endpoint, type Flag } from './tcp-packets.js';

/** One TCP connection of the capture. */
interface Flow {
  client: Endpoint;
  server: Endpoint;
  /** The next number of each side. */
  seq: Record<Direction, number>;
}

interface Connection {
  server: Endpoint | undefined;
  flow: Flow | undefined;
  /** Said with the next packet. */
  comments: string[];
}

const port = 5222;
/** RFC 5737 and RFC 3849: for documentation, as the client is nowhere recorded. */
const clientAddresses = {
  4: ['192.0.2.1', '192.0.2.2'],
  6: ['2001:db8::1', '2001:db8::2'],
};
const unknownServer: Endpoint = { address: '198.51.100.1', port };
const firstClientPort = 49_152;
const clientPorts = 65_536 - firstClientPort;

const LINKTYPE_RAW = 101;
const maxPayload = 65_000;
const maxComments = 20;
const maxCommentLength = 1000;
const opposite = { in: 'out', out: 'in' } as const;

export class PcapngWriter {
  readonly #connections = new Map<number, Connection>();
  #blocks: Buffer[] = [];
  #startedMs = 0;
  #flows = 0;

  /** Takes the next records and returns their blocks. */
  push(records: readonly TraceRecord[]): Buffer {
    for (const record of records) this.#take(record);
    const blocks = Buffer.concat(this.#blocks);
    this.#blocks = [];
    return blocks;
  }

  #take(record: TraceRecord): void {
    switch (record.kind) {
      case 'header':
        this.#startedMs = Date.parse(record.started);
        this.#blocks.push(sectionHeader(record.tool), interfaceDescription());
        return;
      case 'connection':
        this.#comment(this.#connection(record.conn), record.label);
        return;
      case 'data':
        this.#data(record);
        return;
      case 'event':
        this.#event(record);
        return;
      case 'gap':
        for (const connection of this.#connections.values()) {
          this.#comment(connection, `records ${record.from} to ${record.to} are missing: ${record.reason}`);
          // A hole, so that nobody puts together what does not belong together.
          if (connection.flow) for (const dir of ['in', 'out'] as const) connection.flow.seq[dir] += 1;
        }
        return;
    }
  }

  #event({ conn, t, name, detail }: EventRecord): void {
    const connection = this.#connection(conn);
    if (name === 'close') {
      if (connection.flow) {
        for (const line of describeLifecycle(name, detail)) this.#comment(connection, line);
        this.#end(connection, t, detail['clean'] !== false);
      }
      this.#connections.delete(conn);
      return;
    }
    const { error, address } = detail;
    const isSecured = name === 'tls' || (name === 'proxy' && detail['what'] === 'TLS with the client');
    if (isSecured && error === undefined) this.#end(connection, t, true);
    if (name === 'tcp' && error === undefined && typeof address === 'string' && isIP(address) > 0) {
      this.#end(connection, t, true);
      connection.server = { address, port };
    }
    for (const line of describeLifecycle(name, detail)) this.#comment(connection, line);
  }

  #data(record: DataRecord): void {
    const { conn, dir, t } = record;
    const connection = this.#connection(conn);
    const flow = (connection.flow ??= this.#begin(connection, t));
    if (record.redacted) this.#comment(connection, 'secrets were taken out when this was recorded');
    const bytes = recordBytes(record);
    for (let at = 0; at < bytes.length; at += maxPayload)
      this.#send(connection, flow, dir, t, ['PSH', 'ACK'], bytes.subarray(at, at + maxPayload));
  }

  #begin(connection: Connection, t: number): Flow {
    const server = connection.server ?? unknownServer;
    const clientPort = firstClientPort + (this.#flows % clientPorts);
    this.#flows += 1;
    const addresses = clientAddresses[isIP(server.address) === 6 ? 6 : 4];
    const address = addresses.find((each) => each !== server.address) ?? '';
    const flow: Flow = { client: { address, port: clientPort }, server, seq: { in: 0, out: 0 } };
    this.#send(connection, flow, 'out', t, ['SYN']);
    this.#send(connection, flow, 'in', t, ['SYN', 'ACK']);
    this.#send(connection, flow, 'out', t, ['ACK']);
    return flow;
  }

  #end(connection: Connection, t: number, isClean: boolean): void {
    const { flow } = connection;
    if (!flow) return;
    connection.flow = undefined;
    if (!isClean) {
      this.#send(connection, flow, 'in', t, ['RST', 'ACK']);
      return;
    }
    this.#send(connection, flow, 'out', t, ['FIN', 'ACK']);
    this.#send(connection, flow, 'in', t, ['FIN', 'ACK']);
    this.#send(connection, flow, 'out', t, ['ACK']);
  }

  #send(
    connection: Connection,
    flow: Flow,
    dir: Direction,
    t: number,
    flags: readonly Flag[],
    payload: Uint8Array = Buffer.alloc(0),
  ): void {
    const [from, to] = dir === 'out' ? [flow.client, flow.server] : [flow.server, flow.client];
    const ack = flags.includes('ACK') ? flow.seq[opposite[dir]] : 0;
    const packet = tcpPacket(from, to, flags, { seq: flow.seq[dir], ack }, payload);
    this.#blocks.push(enhancedPacket(packet, this.#startedMs + t, dir, connection.comments));
    connection.comments = [];
    // RFC 9293 §3.4: SYN and FIN take a number as well.
    flow.seq[dir] += payload.length + (flags.includes('SYN') || flags.includes('FIN') ? 1 : 0);
  }

  #comment({ comments }: Connection, text: string): void {
    if (comments.length >= maxComments) return;
    comments.push(safeText(text, { singleLine: true }).slice(0, maxCommentLength));
  }

  #connection(conn: number): Connection {
    let connection = this.#connections.get(conn);
    if (!connection) {
      connection = { server: undefined, flow: undefined, comments: [] };
      this.#connections.set(conn, connection);
    }
    return connection;
  }
}

function sectionHeader(tool: string): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(0x1a2b3c4d, 0);
  // Version 1.0, and a section of unknown length.
  body.writeUInt16LE(1, 4);
  body.writeBigInt64LE(-1n, 8);
  return block(0x0a0d0d0a, [body, option(4, Buffer.from(tool)), endOfOptions]);
}

function interfaceDescription(): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_RAW, 0);
  // Times in microseconds.
  return block(1, [body, option(9, Buffer.of(6)), endOfOptions]);
}

function enhancedPacket(packet: Buffer, timeMs: number, dir: Direction, comments: readonly string[]): Buffer {
  const micros = Math.round(timeMs * 1000);
  const body = Buffer.alloc(20);
  body.writeUInt32LE(Math.floor(micros / 2 ** 32), 4);
  body.writeUInt32LE(micros % 2 ** 32, 8);
  body.writeUInt32LE(packet.length, 12);
  body.writeUInt32LE(packet.length, 16);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(dir === 'in' ? 1 : 2);
  return block(6, [
    ...[body, padded(packet)],
    ...comments.map((comment) => option(1, Buffer.from(comment))),
    ...[option(2, flags), endOfOptions],
  ]);
}

const endOfOptions = Buffer.alloc(4);

function option(code: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, padded(value)]);
}

function padded(bytes: Buffer): Buffer {
  const missing = (4 - (bytes.length % 4)) % 4;
  return missing === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(missing)]);
}

function block(type: number, parts: readonly Buffer[]): Buffer {
  const length = 12 + parts.reduce((total, part) => total + part.length, 0);
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(length, 0);
  return Buffer.concat([head, ...parts, tail]);
}
