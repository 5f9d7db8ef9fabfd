/**
 * Questions to the DNS, bounded and traced.
 */
import type * as Dns from 'node:dns/promises';
import { DnsError, UsageError } from '../../errors.js';
import type { ConnectionTrace } from '../../trace/events.js';
import { within } from '../wait.js';
import { ipVersion } from './ip-address.js';
import { report } from './trace-details.js';

export interface DnsOptions {
  /** DNS servers (`address`, `address:port`, `[v6]:port`) instead of the system's. */
  dnsServers?: readonly string[] | undefined;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  trace?: ConnectionTrace | undefined;
}

export interface SrvRecord {
  target: string;
  port: number;
  priority: number;
  weight: number;
}

export interface Address {
  address: string;
  family: 4 | 6;
}

/** How long one try may take before the DNS is asked again. */
const TRY_MS = 2000;

/**
 * The SRV records of a name such as `_xmpp-client._tcp.example.org`, in no order; none when the name does not exist.
 *
 * @throws DnsError the DNS could not be asked @throws TimeoutError
 */
export async function resolveSrv(query: string, options: DnsOptions): Promise<SrvRecord[]> {
  try {
    const records = await ask(options, `looking up ${query}`, (resolver) => resolver.resolveSrv(query));
    const answers = records.map(({ name, port, priority, weight }) => ({
      target: name,
      port,
      priority,
      weight,
    }));
    report(options.trace, 'dns', { query, type: 'SRV', answers });
    return answers;
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    report(options.trace, 'dns', { query, type: 'SRV', error: code });
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw dnsFailure(query, code, error);
  }
}

/**
 * The addresses of a host, the system's favourite first. An address stands for itself.
 *
 * @throws DnsError @throws TimeoutError
 */
export async function resolveAddresses(host: string, options: DnsOptions): Promise<Address[]> {
  const family = ipVersion(host);
  if (family !== 0) return [{ address: host, family }];
  // RFC 6761 §6.3: these names are loopback, and are none of the DNS' business.
  if (isLoopbackName(host)) {
    return [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
  }
  try {
    const addresses = options.dnsServers?.length
      ? await askForAddresses(host, options)
      : await within((await loadDns()).lookup(host, { all: true, verbatim: true }), {
          doing: `looking up ${host}`,
          timeoutMs: options.timeoutMs,
          signal: options.signal,
        });
    report(options.trace, 'dns', {
      query: host,
      type: 'A/AAAA',
      answers: addresses.map(({ address }) => address),
    });
    return addresses.map(({ address, family }) => ({ address, family: family === 4 ? 4 : 6 }));
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    report(options.trace, 'dns', { query: host, type: 'A/AAAA', error: code });
    throw dnsFailure(host, code, error);
  }
}

export function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/** Both families at once (RFC 8305 §3); one is enough. */
async function askForAddresses(host: string, options: DnsOptions): Promise<Address[]> {
  return ask(options, `looking up ${host}`, async (resolver) => {
    const [v6, v4] = await Promise.allSettled([resolver.resolve6(host), resolver.resolve4(host)]);
    const addresses: Address[] = [
      ...(v6.status === 'fulfilled' ? v6.value.map((address) => ({ address, family: 6 as const })) : []),
      ...(v4.status === 'fulfilled' ? v4.value.map((address) => ({ address, family: 4 as const })) : []),
    ];
    if (addresses.length === 0 && v4.status === 'rejected') throw v4.reason;
    return addresses;
  });
}

/** Loaded for the first question: an address needs none. */
const loadDns = (): Promise<typeof Dns> => import('node:dns/promises');

async function ask<T>(
  options: DnsOptions,
  doing: string,
  question: (resolver: Dns.Resolver) => Promise<T>,
): Promise<T> {
  const { timeoutMs, signal } = options;
  const dns = await loadDns();
  const resolver = new dns.Resolver({ timeout: Math.min(TRY_MS, timeoutMs), tries: 3 });
  if (options.dnsServers?.length) {
    try {
      resolver.setServers(options.dnsServers);
    } catch (cause) {
      throw new UsageError(`the DNS servers ${options.dnsServers.join(', ')} are not addresses`, {
        hint: 'write address, address:port or [IPv6 address]:port',
        cause,
      });
    }
  }
  try {
    return await within(question(resolver), { doing, timeoutMs, signal });
  } catch (error) {
    resolver.cancel();
    throw error;
  }
}

/** The code of an error of node:dns; other errors are none of ours to explain. */
function codeOf(error: unknown): string | undefined {
  const isFromDns = error instanceof Error && 'code' in error && 'syscall' in error;
  return isFromDns && typeof error.code === 'string' ? error.code : undefined;
}

function dnsFailure(name: string, code: string, cause: unknown): DnsError {
  const details = { name, code };
  switch (code) {
    case 'ENOTFOUND':
      return new DnsError(`there is no host ${name} in the DNS`, {
        hint: 'check the spelling of the domain, or say where its server is with --service',
        details,
        cause,
      });
    case 'ENODATA':
      return new DnsError(`${name} has no address in the DNS`, {
        hint: 'say where the server is with --service',
        details,
        cause,
      });
    default:
      return new DnsError(`the DNS gave no answer about ${name} (${code})`, {
        hint: 'check the network, or say where the server is with --service',
        details,
        cause,
      });
  }
}
