/**
 * Where secrets stand in XMPP: the data that the scanner works from.
 *
 * Not here on purpose: what people write to each other (a body, a file's link with its key), stanza and stream
 * management ids, ICE credentials. Payloads that are encrypted already (OMEMO, OpenPGP) are no secret of the stream.
 */

/** A name as the scanner compares it: 32 bits of FNV-1a over its UTF-8 bytes. Equal names are always found; a chance match only redacts too much. */
export type NameHash = number;

export const EMPTY_HASH: NameHash = 0x811c9dc5 | 0;

export function addToHash(hash: NameHash, byte: number): NameHash {
  return Math.imul(hash ^ byte, 0x01000193);
}

export function hashName(name: string): NameHash {
  let hash = EMPTY_HASH;
  for (const byte of Buffer.from(name, 'utf8')) hash = addToHash(hash, byte);
  return hash;
}

export const XMLNS: NameHash = hashName('xmlns');

/** An element whose content is secret. */
interface ContentRule {
  reason: string;
  /** Only in these namespaces; in any when left out. */
  namespaces?: readonly string[];
  names: readonly string[];
}

const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const NS_SASL2 = ['urn:xmpp:sasl:2', 'urn:xmpp:sasl:1', 'urn:xmpp:sasl:0'];

const contentRules: readonly ContentRule[] = [
  // RFC 6120 §6
  { reason: 'sasl', namespaces: [NS_SASL], names: ['auth', 'challenge', 'response', 'success'] },
  // XEP-0388: additional-data stands in <success/> and in <continue/>; task-data and hash belong to the upgrades of XEP-0480
  { reason: 'sasl', names: ['initial-response', 'additional-data', 'task-data'] },
  { reason: 'sasl', namespaces: NS_SASL2, names: ['challenge', 'response'] },
  { reason: 'sasl', namespaces: ['urn:xmpp:scram-upgrade:0'], names: ['hash', 'salt'] },
  // XEP-0077, XEP-0078, XEP-0045 (joining, inviting, destroying), XEP-0048, XEP-0402, and whatever else calls it so
  { reason: 'password', names: ['password'] },
  {
    reason: 'password',
    namespaces: ['jabber:iq:auth', 'jabber:iq:auth:0k'],
    names: ['digest', 'hash', 'token'],
  },
  { reason: 'password', namespaces: ['jabber:iq:register'], names: ['key'] },
  // XEP-0114
  {
    reason: 'handshake',
    namespaces: ['jabber:component:accept', 'jabber:component:connect'],
    names: ['handshake'],
  },
  // XEP-0220
  { reason: 'dialback', namespaces: ['jabber:server:dialback'], names: ['result', 'verify'] },
];

/** Attributes that are secret on any element. */
const secretAttributes: Readonly<Record<string, string>> = {
  // XEP-0215, XEP-0249
  password: 'password',
  // XEP-0484 (FAST), XEP-0401 and XEP-0445 (invitations)
  token: 'token',
  secret: 'secret',
};

/** Attributes that are secret on one element. */
const secretAttributesOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // XEP-0167 §7: SDES puts the media key here
  crypto: { 'key-params': 'key' },
  // XEP-0397
  'isr-enabled': { key: 'token' },
};

/** Form fields that are named like a secret (XEP-0077, XEP-0133, XEP-0045 `muc#roomconfig_roomsecret`, XEP-0357 `secret`). */
const secretFieldName = /passw|passphrase|secret|token|credential/i;
const harmlessFieldNames: ReadonlySet<string> = new Set(['muc#roomconfig_passwordprotectedroom']);

/** Whether the values of a form field (XEP-0004) are secret. */
export function isSecretField(type: string, name: string): boolean {
  if (type === 'text-private') return true;
  return type !== 'boolean' && !harmlessFieldNames.has(name) && secretFieldName.test(name);
}

/** Whether a header's content is secret (XEP-0363 §5, XEP-0131). */
export function isSecretHeader(name: string): boolean {
  return /^(proxy-)?authorization$|cookie/i.test(name);
}

/** Content rules by element name. */
export const contentRulesByName: ReadonlyMap<NameHash, readonly CompiledRule[]> = compileContentRules();

export interface CompiledRule {
  reason: string;
  namespaces: ReadonlySet<NameHash> | undefined;
}

function compileContentRules(): ReadonlyMap<NameHash, CompiledRule[]> {
  const byName = new Map<NameHash, CompiledRule[]>();
  for (const { reason, namespaces, names } of contentRules) {
    const compiled = { reason, namespaces: namespaces && new Set(namespaces.map(hashName)) };
    for (const name of names) {
      const hash = hashName(name);
      byName.set(hash, [...(byName.get(hash) ?? []), compiled]);
    }
  }
  return byName;
}

const anywhere = compileAttributes(secretAttributes);
const onElement: ReadonlyMap<NameHash, ReadonlyMap<NameHash, string>> = new Map(
  Object.entries(secretAttributesOf).map(([name, attributes]) => [
    hashName(name),
    compileAttributes(attributes),
  ]),
);

function compileAttributes(attributes: Readonly<Record<string, string>>): ReadonlyMap<NameHash, string> {
  return new Map(Object.entries(attributes).map(([name, reason]) => [hashName(name), reason]));
}

/** Answers most questions with one look at a byte: most names are in no rule. */
function quickTable(names: Iterable<NameHash>): Uint8Array {
  const table = new Uint8Array(4096);
  for (const name of names) table[name & 4095] = 1;
  return table;
}

const quickNames = quickTable(contentRulesByName.keys());
const quickAttributes = quickTable([
  ...anywhere.keys(),
  ...[...onElement.values()].flatMap((attributes) => [...attributes.keys()]),
]);

/** Whether the content of an element may be secret, depending on its namespace. */
export function mayHaveContentRule(name: NameHash): boolean {
  return quickNames[name & 4095] === 1 && contentRulesByName.has(name);
}

/** Whether an attribute may be secret, depending on its element. */
export function isRemarkableAttribute(attribute: NameHash): boolean {
  return quickAttributes[attribute & 4095] === 1;
}

/** Why an attribute's value is secret, or undefined. */
export function secretAttributeReason(element: NameHash, attribute: NameHash): string | undefined {
  if (!isRemarkableAttribute(attribute)) return undefined;
  return anywhere.get(attribute) ?? onElement.get(element)?.get(attribute);
}
