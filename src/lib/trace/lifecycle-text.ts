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
  proxy: 'proxy',
  error: 'error',
};

/** The lines, without their mark. They may hold anything a server sent: neutralise them before a terminal sees them. */
export function describeLifecycle(name: LifecycleEvent['name'], detail: Facts): string[] {
  const { error, ...facts } = detail;
  const [first = '', ...more] = describe(name, facts);
  // A newer recorder may know events that we do not.
  const title = Object.hasOwn(titles, name) ? titles[name] : name;
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
  const { version, cipher, alpn, serverName, isVerified, certificate, ...rest } = facts;
  const session = [
    ...(version === undefined ? [] : [show(version).replace(/^TLSv/, '')]),
    ...(cipher === undefined ? [] : [show(cipher)]),
    ...(alpn ? [`ALPN ${show(alpn)}`] : []),
    ...(serverName === undefined ? [] : [`server name ${show(serverName)}`]),
    ...listFacts(rest),
  ];
  const verdict = isVerified === undefined ? [] : [isVerified === true ? 'verified' : 'NOT VERIFIED'];
  if (typeof certificate !== 'object' || certificate === null) return [[...session, ...verdict].join(', ')];
  return [session.join(', '), ...describeCertificate(certificate as Facts, verdict)];
}

function describeCertificate(certificate: Facts, verdict: readonly string[]): string[] {
  const { subject, issuer, names, validFrom, validTo, fingerprintSha256, ...rest } = certificate;
  const day = (time: unknown): string => show(time).replace(/T.*/, '');
  return [
    [
      `certificate ${[...verdict, show(subject)].join(': ')}`,
      ...(issuer === undefined ? [] : [`issued by ${show(issuer)}`]),
      ...(validTo === undefined ? [] : [`valid ${day(validFrom)} to ${day(validTo)}`]),
      ...listFacts(rest),
    ].join(', '),
    ...(Array.isArray(names) ? [`  for ${names.map(show).join(', ')}`] : []),
    ...(fingerprintSha256 === undefined ? [] : [`  SHA-256 ${show(fingerprintSha256)}`]),
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
  return key.replace(
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
