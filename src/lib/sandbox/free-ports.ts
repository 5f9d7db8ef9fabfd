/** Ports for servers that cannot be told to pick one themselves and report it. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take the ports of outgoing connections (Linux 32768, others 49152): such a port
 * stays free while a server restarts. Above everything with a well-known service.
 */
const LOWEST = 20_000;
const HIGHEST = 32_700;

/**
 * @param count how many different ports
 * @param addresses each port is free on all of these
 * @returns ports on which nothing listened a moment ago; who binds them late must be ready to try again
 */
export async function findFreePorts(count: number, addresses: readonly string[]): Promise<number[]> {
  const found = new Set<number>();
  for (let attempts = 0; found.size < count && attempts < 50 * count; attempts++) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!found.has(port) && (await isFree(port, addresses))) found.add(port);
  }
  if (found.size < count) throw new Error(`no ${count} free ports between ${LOWEST} and ${HIGHEST}`);
  return [...found];
}

async function isFree(port: number, addresses: readonly string[]): Promise<boolean> {
  for (const address of addresses) {
    if (!(await canListen(address, port))) return false;
  }
  return true;
}

/** The loopback addresses of this machine: IPv6 is missing in many containers. */
export async function loopbackAddresses(): Promise<string[]> {
  return (await canListen('::1', 0)) ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
