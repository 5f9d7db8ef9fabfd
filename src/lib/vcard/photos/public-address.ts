/**
 * Addresses that belong to somebody on the Internet, as against this computer, the network it is in, and those that
 * stand for others (RFC 6890 and the registries of IANA it made): what somebody wrote into a card must not make this
 * computer ask its neighbours.
 */
import { lookup as lookupAll } from 'node:dns';
import { BlockList, isIPv4, isIPv6, type LookupFunction } from 'node:net';

const special = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(network, bits, 'ipv4');

const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
/** Within what is global: for documentation and protocols, and those that stand for IPv4 addresses. */
const special6 = new BlockList();
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special6.addSubnet(network, bits, 'ipv6');

/** @param address without brackets */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return false;
  return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6');
}

/** The code of the error where a name has no address that is public. */
export const NOT_PUBLIC = 'ENOTPUBLIC';

/** Finds such addresses only; who connects to what it finds cannot be sent elsewhere by a second answer. */
export function lookupOnly(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, { all, family, hints }, callback) => {
    lookupAll(hostname, { all: true, ...(family !== undefined && { family }), hints }, (error, addresses) => {
      if (error) {
        callback(error, '');
        return;
      }
      const found = addresses.filter(({ address }) => isAllowed(address));
      const [first] = found;
      if (!first) {
        const refusal: NodeJS.ErrnoException = new Error(`${hostname} has no public address`);
        refusal.code = NOT_PUBLIC;
        callback(refusal, '');
      } else if (all === true) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}
