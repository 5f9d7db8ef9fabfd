/**
 * Telling addresses from names, cheaply: node:net compiles a long expression for IPv6 the first time it is asked, which
 * costs 4 ms of a start. Without two colons there is no IPv6 address: names and `host:port` need not be held against it.
 */
import { isIPv4, isIPv6 as matchesIPv6 } from 'node:net';

export function isIPv6(text: string): boolean {
  return text.indexOf(':') !== text.lastIndexOf(':') && matchesIPv6(text);
}

/** 4 or 6; 0 for a name. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (isIPv6(text)) return 6;
  return isIPv4(text) ? 4 : 0;
}
