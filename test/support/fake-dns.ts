/** A DNS server on loopback that knows a few names. */
import { createSocket } from 'node:dgram';
import { decode, encode, type Answer } from 'dns-packet';

export type DnsZone = Readonly<Record<string, readonly Answer[] | 'NXDOMAIN' | 'SERVFAIL' | 'SILENT'>>;

export interface FakeDns extends AsyncDisposable {
  /** `127.0.0.1:port`, for `dnsServers`. */
  server: string;
  /** `SRV _xmpp-client._tcp.example.org` and so on, in the order they came. */
  questions: string[];
}

const RCODE: Readonly<Record<string, number>> = { SERVFAIL: 2, NXDOMAIN: 3 };
const AUTHORITATIVE_ANSWER = 0x0400;

/** @param zone answers by `TYPE name`; what is missing has no records (NODATA) if its name is known, else NXDOMAIN. */
export async function startFakeDns(zone: DnsZone): Promise<FakeDns> {
  const socket = createSocket('udp4');
  const questions: string[] = [];
  socket.on('message', (message, { address, port }) => {
    const { id, questions: [question] = [] } = decode(message);
    if (!question) return;
    const name = question.name.toLowerCase();
    questions.push(`${question.type} ${name}`);
    const isKnown = Object.keys(zone).some((key) => key.endsWith(` ${name}`));
    const found = zone[`${question.type} ${name}`] ?? (isKnown ? [] : 'NXDOMAIN');
    if (found === 'SILENT') return;
    const rcode = typeof found === 'string' ? (RCODE[found] ?? 0) : 0;
    const answers = typeof found === 'string' ? [] : [...found];
    const flags = AUTHORITATIVE_ANSWER | rcode;
    socket.send(
      encode({ type: 'response', id: id ?? 0, flags, questions: [question], answers }),
      port,
      address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    server: `127.0.0.1:${socket.address().port}`,
    questions,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

export function srv(name: string, target: string, port: number, priority = 0, weight = 0): Answer {
  return { type: 'SRV', name, ttl: 60, data: { target, port, priority, weight } };
}

export function a(name: string, address: string): Answer {
  return { type: 'A', name, ttl: 60, data: address };
}

export function aaaa(name: string, address: string): Answer {
  return { type: 'AAAA', name, ttl: 60, data: address };
}
