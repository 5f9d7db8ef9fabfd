/**
 * Where this machine can be reached, the best first.
 */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import type { Session } from '../../session/session.js';

const MAX_ADDRESSES = 8;

/** What says "every address" when it is listened on. */
const everyIpv4 = '0.0.0.0';
const everyAddress = '::';

export interface LocalAddressOptions {
  /**
   * Where the own stream goes to; when that is this machine itself, the other party may be on it as well, and loopback
   * is worth offering.
   */
  server: string;
  /** Addresses that are listened on; every one of the machine when left out. */
  listenedOn?: readonly string[] | undefined;
  interfaces?: readonly Pick<NetworkInterfaceInfo, 'address' | 'internal'>[];
}

export function localAddresses({
  server,
  listenedOn = [everyAddress],
  interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? []),
}: LocalAddressOptions): string[] {
  const isListenedOn = (address: string): boolean =>
    listenedOn.includes(everyAddress) ||
    listenedOn.includes(address) ||
    (listenedOn.includes(everyIpv4) && !address.includes(':'));
  // COMPAT(Linux): only one address of 127.0.0.0/8 is listed, and all of them work.
  const more = listenedOn
    .filter((address) => isLoopback(address))
    .map((address) => ({ address, internal: true }));
  const all = [...interfaces, ...more].filter(({ address }) => isListenedOn(address));
  const reachable = all
    .filter(({ internal, address }) => !internal && !isLinkLocal(address))
    .map(({ address }) => address)
    // IPv6 needs no port forwarding; private addresses come last, as they are only good at home.
    .sort((left, right) => rankOf(left) - rankOf(right));
  const ownOnly = isLoopback(server)
    ? all
        .filter(({ internal }) => internal)
        .map(({ address }) => address)
        .sort()
    : [];
  return [...new Set([...ownOnly, ...reachable])].slice(0, MAX_ADDRESSES);
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
/** What connects to this machine, too, without being an address of it. */
const unspecified = new BlockList();
unspecified.addSubnet('0.0.0.0', 8, 'ipv4');
unspecified.addAddress('::', 'ipv6');

/** The host that the own stream goes to. */
export function serverOf({ info: { endpoint } }: Pick<Session, 'info'>): string {
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : '';
}

export function isLoopback(host: string): boolean {
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  return isIP(plain) === 0 ? /^(.*\.)?localhost\.?$/i.test(plain) : isIn(loopback, plain);
}

/** Whether a connection to it stays on this machine. Of a name, only once it has been resolved. */
export function leadsBack(host: string): boolean {
  return isLoopback(host) || isIn(unspecified, host);
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

function isLinkLocal(address: string): boolean {
  return /^(169\.254\.|fe[89ab][0-9a-f]:)/i.test(address);
}

function rankOf(address: string): number {
  if (address.includes(':')) return /^f[cd]/i.test(address) ? 2 : 0;
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address) ? 1 : 0;
}
