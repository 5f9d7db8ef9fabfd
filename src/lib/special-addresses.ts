/**
 * What an IP address is for, by RFC 6890 and the registries of IANA that it made: most are somebody's on the internet,
 * and the others are this computer's, a network's own, examples, or stand for other addresses.
 */
import { BlockList, isIPv6 } from 'node:net';

/**
 * - `local`: this computer, private, link-local, multicast and reserved ones
 * - `documentation`: for examples
 * - `translation`: it stands for an address of the other version, or for whichever relay is near
 * - `unassigned`: IPv6 outside of what is given to anybody
 */
export type AddressKind = 'global' | 'local' | 'documentation' | 'translation' | 'unassigned';

const networks = {
  local: {
    ipv4: [
      ['0.0.0.0', 8],
      ['10.0.0.0', 8],
      ['100.64.0.0', 10],
      ['127.0.0.0', 8],
      ['169.254.0.0', 16],
      ['172.16.0.0', 12],
      ['192.0.0.0', 24],
      ['192.168.0.0', 16],
      ['198.18.0.0', 15],
      ['224.0.0.0', 4],
      ['240.0.0.0', 4],
    ],
    ipv6: [
      ['::', 127],
      ['fc00::', 7],
      ['fe80::', 10],
      ['ff00::', 8],
    ],
  },
  documentation: {
    ipv4: [
      ['192.0.2.0', 24],
      ['198.51.100.0', 24],
      ['203.0.113.0', 24],
    ],
    ipv6: [
      ['2001:db8::', 32],
      ['3fff::', 20],
    ],
  },
  translation: {
    ipv4: [['192.88.99.0', 24]],
    ipv6: [
      ['64:ff9b::', 96],
      ['64:ff9b:1::', 48],
      ['2001::', 23],
      ['2002::', 16],
    ],
  },
} as const;

const lists = (['local', 'documentation', 'translation'] as const).map((kind) => {
  const list = new BlockList();
  for (const [network, bits] of networks[kind].ipv4) list.addSubnet(network, bits, 'ipv4');
  for (const [network, bits] of networks[kind].ipv6) list.addSubnet(network, bits, 'ipv6');
  return { kind, list };
});
const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');
const assigned = new BlockList();
assigned.addSubnet('2000::', 3, 'ipv6');

/** @param address an IP address of either version, without brackets; what is local as `::ffff:127.0.0.1` is local */
export function classifyAddress(address: string): AddressKind {
  const bare = address.replace(/%.*$/, '');
  const family = isIPv6(bare) ? 'ipv6' : 'ipv4';
  const found = lists.find(({ list }) => list.check(bare, family));
  if (found) return found.kind;
  if (family === 'ipv4' || assigned.check(bare, family)) return 'global';
  return mapped.check(bare, family) ? 'translation' : 'unassigned';
}
