/** Which resolvers to ask. */
import dns from 'node:dns';
import { isIP } from 'node:net';
import { DnsError, UsageError } from '../errors.js';

export interface DnsServer {
  address: string;
  port: number;
}

const DNS_PORT = 53;

/**
 * `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`.
 *
 * @throws {UsageError} for anything else; a resolver is named by its address
 */
export function parseResolver(text: string): DnsServer {
  const bracketed = /^\[(?<address>[^\]]+)\](?::(?<port>\d{1,5}))?$/.exec(text)?.groups;
  const plain = /^(?<address>[^:]+)(?::(?<port>\d{1,5}))?$/.exec(text)?.groups;
  const { address = text, port = String(DNS_PORT) } = bracketed ?? plain ?? {};
  const isValid = isIP(address) === (bracketed ? 6 : plain ? 4 : 6);
  if (!isValid || Number(port) < 1 || Number(port) > 65_535)
    throw new UsageError(`${JSON.stringify(text)} is not the address of a resolver`, {
      hint: 'write ADDRESS, ADDRESS:PORT or [IPV6]:PORT',
    });
  return { address, port: Number(port) };
}

/** @throws {DnsError} when the system names none */
export function systemResolvers(): DnsServer[] {
  const servers = dns.getServers().map(parseResolver);
  if (servers.length === 0) throw new DnsError('this system has no DNS resolver configured');
  return servers;
}

/** For messages: `192.0.2.1:53`, `[2001:db8::1]:53`. */
export function describeServer({ address, port }: DnsServer): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
