/** Which addresses may be found on the internet, and which belong to somebody's own network. */
import { classifyAddress } from '../../special-addresses.js';

/** False for loopback, private, link-local, multicast and reserved addresses. Those for documentation count as public. */
export function isPublicAddress(address: string): boolean {
  return classifyAddress(address) !== 'local';
}
