/** Lifecycle events as one line for people, in the manner of `curl -v`. */
import type { LifecycleEvent } from './events.js';

const titles: Readonly<Record<LifecycleEvent['name'], string>> = {
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  websocket: 'WebSocket',
  stream: 'stream',
  sasl: 'SASL',
  bind: 'bound',
  sm: 'stream management',
  reconnect: 'reconnect',
  close: 'closed',
  error: 'error',
};

/** The line, without its mark. The text may hold anything a server sent: neutralise it before a terminal sees it. */
export function describeLifecycle(name: LifecycleEvent['name'], detail: LifecycleEvent['detail']): string {
  const { error, ...facts } = detail;
  const said = describeFacts(name, facts);
  const failed = error === undefined ? [] : [`failed: ${show(error)}`];
  const all = [...said, ...failed];
  // A newer recorder may know events that we do not.
  const title = (titles as Readonly<Record<string, string>>)[name] ?? name;
  return all.length === 0 ? title : `${title} ${all.join(', ')}`;
}

function describeFacts(name: LifecycleEvent['name'], facts: Readonly<Record<string, unknown>>): string[] {
  if (name === 'tcp' && facts['address'] !== undefined) {
    const { address, port, family: _family, ...rest } = facts;
    const host = show(address);
    return [`connected to ${host.includes(':') ? `[${host}]` : host}:${show(port)}`, ...listFacts(rest)];
  }
  if (name === 'tls' && facts['version'] !== undefined) {
    const { version, cipher, alpn, authorized, certificate, ...rest } = facts;
    return [
      show(version).replace(/^TLSv/, ''),
      ...(cipher === undefined ? [] : [show(cipher)]),
      ...(alpn ? [`ALPN ${show(alpn)}`] : []),
      ...(certificate === undefined ? [] : [`certificate ${show(certificate)}`]),
      ...(authorized === undefined ? [] : [authorized === true ? 'verified' : 'NOT VERIFIED']),
      ...listFacts(rest),
    ];
  }
  return listFacts(facts);
}

function listFacts(facts: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => {
      if (value === true) return words(key);
      if (value === false) return `not ${words(key)}`;
      if (key.endsWith('Ms') && typeof value === 'number') return `${words(key.slice(0, -2))} ${value} ms`;
      return key === 'jid' || key === 'message' || key === 'what'
        ? show(value)
        : `${words(key)} ${show(value)}`;
    });
}

/** `channelBinding` → `channel binding` */
function words(key: string): string {
  return key.replace(
    /([a-z])([A-Z])/g,
    (_whole, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  );
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(show).join(' ');
  if (typeof value === 'object' && value !== null)
    return `(${listFacts(value as Record<string, unknown>).join(', ')})`;
  return String(value);
}
