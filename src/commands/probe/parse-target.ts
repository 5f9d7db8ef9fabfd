/** What is typed about where a probe looks, and how much it may spend. */
import { isIP } from 'node:net';
import { UsageError } from '../../lib/errors.js';
import { services, type Service } from '../../lib/probe/facts/facts.js';
import type { GivenEndpoint, ProbeTarget } from '../../lib/probe/probe-server.js';
import { defaultLimits, type BudgetLimits } from '../../lib/probe/wire/budget.js';

/** `xmpp-client=192.0.2.7:5222`, `web=[2001:db8::7]:443`. @throws UsageError */
export function parseEndpoints(
  texts: readonly string[],
): Pick<ProbeTarget, 'endpoints' | 'webServer' | 'stunServers'> {
  const endpoints: GivenEndpoint[] = [];
  const stunServers: { kind: 'stun' | 'turn'; host: string; port: number }[] = [];
  let webServer: ProbeTarget['webServer'];
  for (const text of texts) {
    const [name, place] = splitOnce(text, '=');
    const { host, port } = parsePlace(place, text);
    if (name === 'web') webServer = { host, port };
    else if (name === 'stun' || name === 'turn') stunServers.push({ kind: name, host, port });
    else if (isService(name)) endpoints.push({ service: name, host, port });
    else {
      throw new UsageError(`${JSON.stringify(name)} is no service that can be probed`, {
        hint: `one of ${[...services, 'web', 'stun', 'turn'].join(', ')}`,
      });
    }
  }
  return { endpoints, webServer, stunServers };
}

const isService = (name: string): name is Service => (services as readonly string[]).includes(name);

function parsePlace(place: string, text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(place);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (host === '' || port < 1 || port > 65_535) {
    throw new UsageError(`${JSON.stringify(text)} does not say where: SERVICE=HOST:PORT`, {
      hint: 'for example xmpp-client=192.0.2.7:5222',
    });
  }
  return { host: host.toLowerCase(), port };
}

/** `xmpp.example.org=192.0.2.7`. @throws UsageError */
export function parseAddresses(texts: readonly string[]): Map<string, string[]> {
  const addresses = new Map<string, string[]>();
  for (const text of texts) {
    const [name, address] = splitOnce(text, '=');
    const bare = address.replace(/^\[|\]$/g, '');
    if (name === '' || isIP(bare) === 0) {
      throw new UsageError(`${JSON.stringify(text)} is no name with its address`, {
        hint: 'write NAME=ADDRESS, for example xmpp.example.org=192.0.2.7',
      });
    }
    const key = name.toLowerCase();
    addresses.set(key, [...(addresses.get(key) ?? []), bare]);
  }
  return addresses;
}

/** `connections=300`, `time=60`. @param stepSeconds what --timeout says. @throws UsageError */
export function parseBudget(texts: readonly string[], stepSeconds: number | undefined): BudgetLimits {
  const limits = { ...defaultLimits, ...(stepSeconds !== undefined && { stepMs: stepSeconds * 1000 }) };
  for (const text of texts) {
    const [name, value] = splitOnce(text, '=');
    const number = Number(value);
    if (!(number > 0) || !Number.isFinite(number))
      throw new UsageError(`--budget ${text}: not a number above 0`);
    switch (name) {
      case 'connections':
        limits.connections = Math.floor(number);
        break;
      case 'concurrency':
        limits.concurrency = Math.max(1, Math.floor(number));
        break;
      case 'rate':
        limits.perSecond = number;
        break;
      case 'bytes':
        limits.bytes = Math.floor(number);
        break;
      case 'time':
        limits.totalMs = number * 1000;
        break;
      default:
        throw new UsageError(`--budget knows no ${JSON.stringify(name)}`, {
          hint: 'connections, rate, concurrency, bytes and time',
        });
    }
  }
  return limits;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
