/** Priorities, foundations and limits of candidates (RFC 8445 §5.1, §6.1.2). */
import { createHash } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import type { IceCandidate } from '../media-link.js';
import { canonicalAddress } from './stun-message.js';

/** RFC 8445 §5.1.2.2. */
const typePreferences = { host: 126, prflx: 110, srflx: 100, relay: 0 } as const;

/** RFC 8445 §5.1.2.1. @param localPreference 0 to 65535: which of several addresses is liked best */
export function candidatePriority(type: IceCandidate['type'], localPreference: number): number {
  return typePreferences[type] * 2 ** 24 + localPreference * 2 ** 8 + 255;
}

/** The same for candidates of one type, base and server (RFC 8445 §5.1.1.3); at most 32 characters. */
export function foundationOf(type: IceCandidate['type'], base: string, server = ''): string {
  return createHash('sha256').update(`${type} ${base} ${server}`).digest('hex').slice(0, 8);
}

/** RFC 8445 §6.1.2.3: 64 bits. */
export function pairPriority(controlling: number, controlled: number): bigint {
  const [low, high] = controlling < controlled ? [controlling, controlled] : [controlled, controlling];
  return (BigInt(low) << 32n) + 2n * BigInt(high) + (controlling > controlled ? 1n : 0n);
}

/**
 * What is not an address of one host is refused: a peer must not make us send to a group or a whole network.
 *
 * @returns the candidate with its address in the one form it is compared in; undefined when it cannot be used
 */
export function usableCandidate(candidate: IceCandidate): IceCandidate | undefined {
  const { ip, port, priority, component } = candidate;
  if (isIP(ip) === 0 || !Number.isInteger(port) || port < 1 || port > 65535 || component !== 1)
    return undefined;
  if (!Number.isInteger(priority) || priority < 0 || priority > 0xffffffff) return undefined;
  const address = canonicalAddress(ip.replace(/%.*$/, ''));
  if (!isUnicast(address)) return undefined;
  return { ...candidate, ip: address };
}

function isUnicast(ip: string): boolean {
  if (isIPv4(ip)) {
    const first = Number(ip.split('.')[0]);
    return first !== 0 && first < 224;
  }
  return ip !== '::' && !ip.startsWith('ff');
}
