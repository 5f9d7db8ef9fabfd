/** What `send-file` and `receive-file` have in common: how the bytes may travel. */
import { isIPv6 } from 'node:net';
import { Option } from '@commander-js/extra-typings';
import { UsageError } from '../lib/errors.js';
import { parseSize } from '../lib/input/size.js';
import type { JingleTransport } from '../lib/jingle/transport.js';

export const transportNames = ['auto', 's5b', 'ibb', 'upload'] as const;
export type TransportName = (typeof transportNames)[number];

/** By what, and how. */
export interface WayOptions {
  transport: TransportName;
  usesDirect: boolean;
  usesProxies: boolean;
  /** As the last resort. */
  usesUploads: boolean;
  /** Where a router forwards to us. */
  addresses: { host: string; port: number | undefined }[];
  /** Where we listen; any free port when undefined. */
  port: number | undefined;
  blockBytes: number | undefined;
}

export const transportOption = new Option(
  '--transport <name>',
  'auto, s5b (SOCKS5), ibb (in-band) or upload; nothing else is tried then',
).default('auto');
export const directOption = new Option(
  '--no-direct',
  'no connections between the two machines, so that neither learns the address of the other',
);
export const proxyOption = new Option('--no-proxy', 'no SOCKS5 proxies, neither ours nor theirs');
export const uploadOption = new Option('--no-upload', 'nothing by upload and link');
export const addressOption = new Option(
  '--s5b-address <host[:port]>',
  'an address of ours to offer, for example of a router that forwards to us (repeatable)',
)
  .argParser((value: string, list: string[]) => [...list, value])
  .default([] as string[]);
export const portOption = new Option(
  '--s5b-port <port>',
  'where we listen for direct connections; that of the first --s5b-address, or any free one',
);
export const blockSizeOption = new Option('--block-size <bytes>', 'of in-band blocks, at most 65535');

export const wayCompletes = {
  '--transport': transportNames,
  '--s5b-address': 'none',
  '--s5b-port': 'none',
  '--block-size': 'none',
} as const;

export function toWayOptions(flags: {
  transport: string;
  direct: boolean;
  proxy: boolean;
  upload: boolean;
  s5bAddress: string[];
  s5bPort?: string | undefined;
  blockSize?: string | undefined;
}): WayOptions {
  const transport = transportNames.find((name) => name === flags.transport);
  if (!transport)
    throw new UsageError(`--transport takes ${transportNames.join(', ')}, not ${flags.transport}`);
  if (transport === 'upload' && !flags.upload)
    throw new UsageError('--transport upload and --no-upload exclude each other');
  if (transport === 's5b' && !flags.direct && !flags.proxy)
    throw new UsageError('--transport s5b with --no-direct and --no-proxy leaves no way');
  const blockBytes = flags.blockSize === undefined ? undefined : parseSize(flags.blockSize);
  if (flags.blockSize !== undefined && !(blockBytes !== undefined && blockBytes >= 1 && blockBytes <= 65_535))
    throw new UsageError(`--block-size takes a number of bytes from 1 to 65535, not ${flags.blockSize}`);
  const addresses = flags.s5bAddress.map(parsePlace);
  const port = flags.s5bPort === undefined ? undefined : Number(flags.s5bPort);
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
    throw new UsageError(`--s5b-port takes a number from 1 to 65535, not ${flags.s5bPort ?? ''}`);
  return {
    transport,
    usesDirect: flags.direct,
    usesProxies: flags.proxy,
    usesUploads: flags.upload && (transport === 'auto' || transport === 'upload'),
    addresses,
    // A router usually forwards to the same port.
    port: port ?? addresses.find((address) => address.port !== undefined)?.port,
    blockBytes,
  };
}

/** `203.0.113.7`, `203.0.113.7:7777`, `[2001:db8::1]:7777`, `home.example.org:7777` */
function parsePlace(text: string): { host: string; port: number | undefined } {
  const [, bracketed, plain, portText] = /^(?:\[([0-9a-f:.]+)\]|([^[\]:\s]+))(?::(\d+))?$/i.exec(text) ?? [];
  const bareV6 = isIPv6(text) ? text : undefined;
  const host = bareV6 ?? bracketed ?? plain;
  const port = bareV6 !== undefined || portText === undefined ? undefined : Number(portText);
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535)))
    throw new UsageError(`--s5b-address takes a host, or a host and a port, not ${text}`, {
      hint: 'for example 203.0.113.7:7777 or [2001:db8::1]:7777',
    });
  return { host, port };
}

/** In the order in which they are tried. */
export async function jingleTransports({
  transport,
  usesDirect,
  usesProxies,
  addresses,
  port,
  blockBytes,
}: WayOptions): Promise<JingleTransport[]> {
  const [{ socks5Transport }, { inBandTransport }] = await Promise.all([
    import('../lib/bytestreams/socks5/socks5-transport.js'),
    import('../lib/bytestreams/in-band/in-band-transport.js'),
  ]);
  const socks5 = (): JingleTransport =>
    socks5Transport({
      direct: usesDirect,
      proxies: usesProxies,
      advertised: addresses,
      ...(port !== undefined && { listen: { port } }),
    });
  const inBand = (): JingleTransport =>
    inBandTransport(blockBytes === undefined ? {} : { blockSize: blockBytes });
  switch (transport) {
    case 'auto':
      return [socks5(), inBand()];
    case 's5b':
      return [socks5()];
    case 'ibb':
      return [inBand()];
    case 'upload':
      return [];
  }
}
