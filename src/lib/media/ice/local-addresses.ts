/** Which addresses of this machine are used (RFC 8445 §5.1.1.1). */
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { UsageError } from '../../errors.js';
import { canonicalAddress } from './stun-message.js';

export interface LocalAddress {
  ip: string;
  family: 4 | 6;
  isLoopback: boolean;
}

/** Candidates are a few; a machine with hundreds of addresses does not tell them all. */
const MAX_ADDRESSES = 16;

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/**
 * Loopback is among them, last: calls on one machine go over it. Link-local addresses are not, as nobody can use them
 * without knowing the link (RFC 8445 §5.1.1.1).
 *
 * @param chosen names or addresses; empty: all
 * @throws UsageError for one that this machine does not have
 */
export function findLocalAddresses(
  chosen: readonly string[],
  interfaces: Interfaces = networkInterfaces(),
): LocalAddress[] {
  const all = Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos
      .filter(({ address }) => !/^(fe[89ab][0-9a-f]:|169\.254\.)/i.test(address))
      .map(({ address, family, internal }) => ({
        name,
        ip: canonicalAddress(address.replace(/%.*$/, '')),
        family: family === 'IPv6' ? (6 as const) : (4 as const),
        isLoopback: internal,
      })),
  );
  for (const each of chosen) {
    if (!all.some((address) => isNamed(address, each))) {
      throw new UsageError(`no interface or address "${each}" here`, {
        hint: `there are: ${[...new Set(all.flatMap(({ name, ip }) => [name, ip]))].join(', ')}`,
      });
    }
  }
  const wanted = all.filter(
    (address) => chosen.length === 0 || chosen.some((each) => isNamed(address, each)),
  );
  return wanted
    .map(({ ip, family, isLoopback }) => ({ ip, family, isLoopback }))
    .sort((one, other) => Number(one.isLoopback) - Number(other.isLoopback))
    .slice(0, MAX_ADDRESSES);
}

function isNamed({ name, ip }: { name: string; ip: string }, chosen: string): boolean {
  return name === chosen || ip === chosen.toLowerCase();
}
