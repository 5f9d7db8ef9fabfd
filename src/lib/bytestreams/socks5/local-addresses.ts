/**
 * Where this machine can be reached, the best first.
 */
import { networkInterfaces } from 'node:os';

const MAX_ADDRESSES = 8;

/**
 * @param server where the own stream goes to; when that is this machine itself, the other party may be on it as well,
 *   and loopback is worth offering
 */
export function localAddresses(server: string): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const reachable = all
    .filter(({ internal, address }) => !internal && !isLinkLocal(address))
    // IPv6 needs no port forwarding; private addresses come last, as they are only good at home.
    .sort((left, right) => rankOf(left.address) - rankOf(right.address))
    .map(({ address }) => address);
  const loopback = isLoopback(server)
    ? all.some(({ address }) => address === '::1')
      ? ['127.0.0.1', '::1']
      : ['127.0.0.1']
    : [];
  return [...new Set([...loopback, ...reachable])].slice(0, MAX_ADDRESSES);
}

export function isLoopback(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|\[?::1\]?|localhost|.*\.localhost)$/i.test(host);
}

function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(address);
}

function rankOf(address: string): number {
  if (address.includes(':')) return /^f[cd]/i.test(address) ? 2 : 0;
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address) ? 1 : 0;
}
