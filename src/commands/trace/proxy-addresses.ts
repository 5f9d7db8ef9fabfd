/** `--listen` and `--to`. */
import { isIP } from 'node:net';
import { UsageError } from '../../lib/errors.js';
import { parseService } from '../../lib/session/transport/endpoints.js';

export interface Target {
  /** What is served, and what the server's certificate must be valid for. */
  domain: string;
  /** Where the server is; undefined: what DNS says. */
  service: string | undefined;
}

/**
 * `127.0.0.1:5222`, `[::1]:0`, `localhost:5222`, or a port alone for 127.0.0.1.
 * @throws UsageError
 */
export function parseListen(text: string): { host: string; port: number } {
  const { host = '127.0.0.1', port } =
    /^(?:(?<host>\[[^\]]+\]|[^:]+):)?(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) {
    throw new UsageError(`--listen takes an address and a port, not ${text}`, {
      hint: 'for example 127.0.0.1:5222, or 127.0.0.1:0 for a free port',
    });
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/**
 * A bare domain is looked up in DNS; anything with a port or a scheme says where the server is.
 * @throws UsageError an address says nothing about the domain
 */
export function parseTarget(to: string, domain: string | undefined): Target {
  const [, scheme, rest = ''] = /^(?:([a-z]+):\/\/)?(.*?)\/?$/i.exec(to) ?? [];
  const host = rest.replace(/\/.*$/, '').replace(/^(\[[^\]]*\]|[^:]*):\d+$/, '$1');
  const bare = host.replace(/^\[|\]$/g, '');
  const isPlace = scheme !== undefined || host !== rest || isIP(bare) !== 0;
  if (domain === undefined && (isIP(bare) !== 0 || bare === '')) {
    throw new UsageError(`${to} does not say which domain is served`, {
      hint: 'add --domain, which the certificates are for',
    });
  }
  const service = isPlace || domain !== undefined ? to : undefined;
  if (service !== undefined) checkService(service);
  return { domain: domain ?? bare, service };
}

/** What cannot be understood is said now, and not to the first client. */
function checkService(service: string): void {
  try {
    parseService(service);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.message.replace('--service', '--to'), {
      hint: 'write a domain, host:port, xmpp://host:port, xmpps://host:port or wss://host/path',
    });
  }
}
