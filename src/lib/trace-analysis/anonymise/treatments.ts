/** What becomes of each value of a stream: by attribute, by element, and of everything else the same: it is replaced. */
import { REDACTION_MARKER } from '../../trace/record.js';
import { NS_AUTH, NS_BIND, NS_REGISTER, NS_SASL, NS_SASL2, NS_STANZAS } from '../namespaces.js';
import type { Pseudonyms } from './pseudonyms.js';
import {
  isCipher,
  isDate,
  isLanguage,
  isMechanism,
  isMediaType,
  isNumber,
  isSystemReason,
  isToken,
} from './vocabulary.js';

export type Treatment =
  | 'jid'
  | 'user'
  | 'resource'
  | 'id'
  | 'number'
  | 'date'
  | 'token'
  | 'language'
  | 'mechanism'
  | 'cipher'
  | 'mediaType'
  | 'namespace'
  | 'node'
  | 'url'
  | 'host'
  | 'value'
  | 'reason'
  | 'secret'
  | 'text';

const checks: Partial<Record<Treatment, (text: string) => boolean>> = {
  number: isNumber,
  date: isDate,
  token: (text) => isToken(text) || isMediaType(text),
  language: isLanguage,
  mechanism: isMechanism,
  cipher: isCipher,
  mediaType: isMediaType,
  reason: isSystemReason,
  // Of a form's field nobody knows what it is about.
  value: (text) => isToken(text) || /^\d{1,6}$/.test(text) || isDate(text),
};

/** The replacement of a value. What is not what it should be is replaced as a text. */
export function treat(treatment: Treatment, value: string, names: Pseudonyms): string {
  if (value.trim() === '' || value === REDACTION_MARKER) return value;
  if (checks[treatment]?.(value) === true) return value;
  switch (treatment) {
    case 'jid':
      return names.jid(value);
    case 'user':
      return names.user(value);
    case 'resource':
      return names.resource(value);
    case 'id':
      return names.id(value);
    case 'namespace':
      return names.namespace(value);
    case 'node':
      return names.node(value);
    case 'url':
      return names.url(value);
    case 'host':
      return names.domain(value);
    case 'secret':
      return REDACTION_MARKER;
    case 'value':
    case 'reason':
    case 'text':
    case 'number':
    case 'date':
    case 'token':
    case 'language':
    case 'mechanism':
    case 'cipher':
    case 'mediaType':
      return treatText(value, names);
  }
}

function treatText(value: string, names: Pseudonyms): string {
  if (value === 'true' || value === 'false' || value === '0' || value === '1') return value;
  const text = value.trim();
  if (/^[^\s@]+@[^\s@/]+(\/[^\s]*)?$/.test(text)) return names.jid(text);
  if (/^(https?|wss?|aesgcm|xmpp):\S+$/i.test(text)) return names.url(text);
  return names.text(value);
}

const attributes = new Map<string, Treatment>();
const byTreatment: readonly (readonly [Treatment, string])[] = [
  ['jid', 'from to jid by initiator responder owner inviter creator-jid'],
  ['id', 'id sid previd cid tid uid rid stream sessionid session parent foundation ufrag ver msid seq ssrc'],
  [
    'number',
    'h max code port priority size width height seconds maxchars maxstanzas generation component network block-size seq rel-port channels clockrate ptime count index min revision version length offset timeout wait hold requests w hash-count iterations retry-after min-bytes',
  ],
  ['date', 'stamp since start end until expires time'],
  [
    'token',
    'type affiliation role subscription ask action creator senders category protocol status algo hash media disposition profile mode operation encoding content-type media-type transport tcptype send what outcome channelBinding subprotocol alpn autojoin resume',
  ],
  ['language', 'xml:lang lang'],
  ['mechanism', 'mechanism'],
  ['node', 'node var'],
  ['url', 'url uri href src target desturi'],
  ['host', 'host ip address rel-addr domain'],
  ['secret', 'password token secret pwd key-params pass'],
];
for (const [treatment, names] of byTreatment)
  for (const name of names.split(' ')) if (!attributes.has(name)) attributes.set(name, treatment);

export function attributeTreatment(name: string): Treatment {
  if (name === 'xmlns' || name.startsWith('xmlns:')) return 'namespace';
  return attributes.get(name) ?? 'text';
}

const contents: Readonly<Record<string, Readonly<Record<string, Treatment>>>> = {
  [NS_BIND]: { jid: 'jid', resource: 'resource' },
  [NS_SASL]: {
    mechanism: 'mechanism',
    auth: 'secret',
    challenge: 'secret',
    response: 'secret',
    success: 'secret',
  },
  [NS_SASL2]: {
    mechanism: 'mechanism',
    'authorization-identifier': 'jid',
    'initial-response': 'secret',
    challenge: 'secret',
    response: 'secret',
    'additional-data': 'secret',
  },
  [NS_STANZAS]: { gone: 'url', redirect: 'url' },
  [NS_AUTH]: { username: 'user', resource: 'resource', password: 'secret', digest: 'secret' },
  [NS_REGISTER]: { username: 'user', password: 'secret', key: 'secret' },
  'jabber:component:accept': { handshake: 'secret' },
  'jabber:server:dialback': { result: 'secret', verify: 'secret' },
  'http://jabber.org/protocol/rsm': {
    max: 'number',
    count: 'number',
    index: 'number',
    first: 'id',
    last: 'id',
    before: 'id',
    after: 'id',
  },
  'jabber:x:data': { value: 'value' },
  'urn:xmpp:time': { utc: 'date', tzo: 'date' },
  'jabber:iq:time': { utc: 'date' },
  'http://jabber.org/protocol/nick': { nick: 'resource' },
  'http://jabber.org/protocol/muc': { password: 'secret' },
  'http://jabber.org/protocol/muc#user': { password: 'secret' },
  'urn:xmpp:bookmarks:1': { nick: 'resource', password: 'secret' },
  'storage:bookmarks': { nick: 'resource', password: 'secret' },
  'urn:xmpp:http:upload:0': { 'max-file-size': 'number', header: 'secret' },
  'urn:xmpp:jingle:apps:file-transfer:5': { size: 'number', date: 'date', 'media-type': 'mediaType' },
  'http://jabber.org/protocol/bytestreams': { 'streamhost-used': 'jid', activate: 'jid' },
};

/** Elements of the content namespace, which a component or a server calls otherwise. */
const stanzaContents: Readonly<Record<string, Treatment>> = {
  show: 'token',
  priority: 'number',
  thread: 'id',
};
const stanzaNamespaces = new Set(['jabber:client', 'jabber:server', 'jabber:component:accept']);

export function contentTreatment(namespace: string, name: string): Treatment {
  const table = Object.hasOwn(contents, namespace) ? contents[namespace] : undefined;
  if (table !== undefined && Object.hasOwn(table, name)) return table[name] ?? 'text';
  if (stanzaNamespaces.has(namespace) && Object.hasOwn(stanzaContents, name))
    return stanzaContents[name] ?? 'text';
  return 'text';
}

/** Of the facts of an event, where they are not called as an attribute is. */
const facts: Readonly<Record<string, Treatment>> = {
  query: 'host',
  target: 'host',
  serverName: 'host',
  names: 'host',
  answers: 'host',
  version: 'cipher',
  cipher: 'cipher',
  mechanism: 'mechanism',
  validFrom: 'date',
  validTo: 'date',
  reason: 'reason',
  error: 'reason',
  message: 'reason',
  from: 'jid',
  jid: 'jid',
};

export function factTreatment(key: string): Treatment {
  return Object.hasOwn(facts, key) ? (facts[key] ?? 'text') : attributeTreatment(key);
}
