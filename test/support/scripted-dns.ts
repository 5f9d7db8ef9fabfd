/** A DNS server on loopback that answers by UDP and TCP whatever a test wants, byte for byte. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { encodeName, uint16, uint32, type TestRecord } from './dns-signer.js';
import { listenOnLoopback } from './loopback.js';

export interface DnsQuestion {
  name: string;
  type: number;
  id: number;
  isCheckingDisabled: boolean;
  wantsSignatures: boolean;
  transport: 'udp' | 'tcp';
  /** Where it came from, by UDP. */
  port: number;
  bytes: Buffer;
}

export interface DnsReply {
  rcode?: number;
  /** AA, TC, RA and AD, as in the header; RA unless told. */
  flags?: number;
  answers?: readonly TestRecord[];
  authorities?: readonly TestRecord[];
  /** Says that it knows EDNS, unless told otherwise. */
  hasEdns?: boolean;
}

export const FLAG_RA = 0x0080;
export const FLAG_AD = 0x0020;
export const FLAG_TC = 0x0200;

export interface ScriptedDns extends AsyncDisposable {
  address: string;
  port: number;
  questions: DnsQuestion[];
}

/** What the server sends: replies, or whole messages, in this order; nothing at all for an empty list. */
export type DnsScript = (question: DnsQuestion) => DnsReply | readonly (DnsReply | Buffer)[];

export async function startScriptedDns(script: DnsScript): Promise<ScriptedDns> {
  const questions: DnsQuestion[] = [];
  const answer = (bytes: Buffer, transport: 'udp' | 'tcp', port: number): Buffer[] => {
    const question = { ...readQuestion(bytes), transport, port };
    questions.push(question);
    const sent = script(question);
    return (Array.isArray(sent) ? (sent as readonly (DnsReply | Buffer)[]) : [sent as DnsReply]).map((one) =>
      Buffer.isBuffer(one) ? one : encodeReply(question, one),
    );
  };
  const tcp = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      for (const reply of answer(chunk.subarray(2), 'tcp', 0))
        socket.write(Buffer.concat([uint16(reply.length), reply]));
    });
  });
  const listening = await listenOnLoopback(tcp);
  const udp = createSocket('udp4');
  udp.on('message', (bytes, { address, port }) => {
    for (const reply of answer(bytes, 'udp', port)) udp.send(reply, port, address);
  });
  await new Promise<void>((resolve) => udp.bind(listening.port, '127.0.0.1', resolve));
  return {
    address: '127.0.0.1',
    port: listening.port,
    questions,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => udp.close(() => resolve()));
      await listening[Symbol.asyncDispose]();
    },
  };
}

function readQuestion(bytes: Buffer): Omit<DnsQuestion, 'transport' | 'port'> {
  const labels: string[] = [];
  let at = 12;
  for (let length = bytes[at]; length; length = bytes[at]) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return {
    id: bytes.readUInt16BE(),
    isCheckingDisabled: (bytes.readUInt16BE(2) & 0x10) !== 0,
    wantsSignatures: bytes.readUInt16BE(10) === 1 && (bytes.readUInt16BE(at + 12) & 0x8000) !== 0,
    name: labels.join('.') || '.',
    type: bytes.readUInt16BE(at + 1),
    bytes,
  };
}

/** The whole message; `id`, `name` and `type` may be wrong on purpose. */
export function encodeReply(
  { id, name, type }: Pick<DnsQuestion, 'id' | 'name' | 'type'>,
  { rcode = 0, flags = FLAG_RA, answers = [], authorities = [], hasEdns = true }: DnsReply,
): Buffer {
  return Buffer.concat([
    uint16(id),
    uint16(0x8000 | flags | rcode),
    ...[1, answers.length, authorities.length, hasEdns ? 1 : 0].map(uint16),
    encodeName(name),
    uint16(type),
    uint16(1),
    ...[...answers, ...authorities].map(encodeRecord),
    ...(hasEdns ? [Buffer.of(0), uint16(41), uint16(1232), uint32(0x8000), uint16(0)] : []),
  ]);
}

function encodeRecord(record: TestRecord): Buffer {
  return Buffer.concat([
    encodeName(record.name),
    uint16(record.type),
    uint16(1),
    uint32(record.ttlSeconds),
    uint16(record.rdata.length),
    record.rdata,
  ]);
}
