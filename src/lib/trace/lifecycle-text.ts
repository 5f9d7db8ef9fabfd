/** Lifecycle events as lines for people, in the manner of `curl -v`. */
import type { LifecycleEvent } from './events.js';

type Facts = Readonly<Record<string, unknown>>;

const titles: Readonly<Record<LifecycleEvent['name'], string>> = {
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  websocket: 'WebSocket',
  stream: 'stream opened',
  sasl: 'SASL',
  bind: 'bound',
  sm: 'stream management',
  reconnect: 'reconnect',
  close: 'closed',
  error: 'error',
};

/** The lines, without their mark. They may hold anything a server sent: neutralise them before a terminal sees them. */
export function describeLifecycle(name: LifecycleEvent['name'], detail: Facts): string[] {
  const { error, ...facts } = detail;
  const [first = '', ...more] = describe(name, facts);
  // A newer recorder may know events that we do not.
  const title = (titles as Readonly<Record<string, string>>)[name] ?? name;
  const failed = error === undefined ? '' : `${first === '' ? '' : ': '}${show(error)}`;
  return [[title, first + failed].filter((part) => part !== '').join(' '), ...more];
}

function describe(name: LifecycleEvent['name'], facts: Facts): string[] {
  switch (name) {
    case 'dns': {
      const { query, type, answers, ...rest } = facts;
      const found = Array.isArray(answers) ? `: ${answers.map(showAnswer).join(', ') || 'nothing'}` : '';
      return [[`${show(type)} ${show(query)}${found}`, ...listFacts(rest)].join(', ')];
    }
    case 'tcp': {
      const { address, port, family: _family, ...rest } = facts;
      const host = show(address);
      return [[`${host.includes(':') ? `[${host}]` : host}:${show(port)}`, ...listFacts(rest)].join(', ')];
    }
    case 'tls':
      return describeTls(facts);
    default:
      return [listFacts(facts).join(', ')];
  }
}

function describeTls(facts: Facts): string[] {
  const { name, version, cipher, alpn, isVerified, certificate, ...rest } = facts;
  const session = [
    ...(version === undefined ? [] : [show(version).replace(/^TLSv/, '')]),
    ...(cipher === undefined ? [] : [show(cipher)]),
    ...(alpn ? [`ALPN ${show(alpn)}`] : []),
    ...(name === undefined ? [] : [`for ${show(name)}`]),
    ...listFacts(rest),
  ];
  if (isVerified === undefined && certificate === undefined) return [session.join(', ')];
  const verdict = isVerified === undefined ? [] : [isVerified === true ? 'verified' : 'NOT VERIFIED'];
  if (typeof certificate !== 'object' || certificate === null) return [[...session, ...verdict].join(', ')];
  return [
    session.join(', '),
    `${['certificate', ...verdict].join(' ')}: ${listFacts(certificate as Facts).join(', ')}`,
  ];
}

function showAnswer(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return show(answer);
  const { target, port, priority, weight } = answer as Facts;
  return `${show(target)}:${show(port)} (priority ${show(priority)}, weight ${show(weight)})`;
}

/** Values that need no name before them. */
const plainKeys: ReadonlySet<string> = new Set(['jid', 'message', 'what']);

function listFacts(facts: Facts): string[] {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([key, value]) => {
      if (value === true) return words(key);
      if (value === false) return `not ${words(key)}`;
      if (key.endsWith('Ms') && typeof value === 'number') return `${words(key.slice(0, -2))} ${value} ms`;
      return plainKeys.has(key) ? show(value) : `${words(key)} ${show(value)}`;
    });
}

/** `channelBinding` → `channel binding` */
function words(key: string): string {
  return key
    .replace('fingerprintSha256', 'SHA-256')
    .replace(
      /([a-z])([A-Z])/g,
      (_whole, before: string, after: string) => `${before} ${after.toLowerCase()}`,
    );
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(show).join(' ');
  if (typeof value === 'object' && value !== null) return `(${listFacts(value as Facts).join(', ')})`;
  return String(value);
}
