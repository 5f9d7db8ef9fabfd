/**
 * Addresses that belong to somebody on the Internet, as against this computer, the network it is in, and those that
 * stand for others: what somebody wrote into a card must not make this computer ask its neighbours.
 */
import { lookup as lookupAll } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { classifyAddress } from '../../special-addresses.js';

/** @param address without brackets */
export function isPublicAddress(address: string): boolean {
  return isIP(address) !== 0 && !address.includes('%') && classifyAddress(address) === 'global';
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
