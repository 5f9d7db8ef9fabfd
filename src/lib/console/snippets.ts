/** Stanzas by name: those built in, and those of the user's own in files. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { escapeAnywhere } from '../xml/escape.js';

export interface Snippet {
  name: string;
  does: string;
  /** With `{id}`, `{me}`, `{bare}`, `{domain}`, and `{to}`, `{node}`, `{text}` for what is typed behind the name. */
  template: string;
}

const iq = (type: string, payload: string, to = ' to="{to}"'): string =>
  `<iq type="${type}"${to} id="{id}">${payload}</iq>`;

/** In the order in which they are listed. */
export const builtInSnippets: readonly Snippet[] = [
  {
    name: 'message',
    does: 'a chat message',
    template: '<message type="chat" to="{to}" id="{id}"><body>{text}</body></message>',
  },
  { name: 'presence', does: 'become available', template: '<presence/>' },
  {
    name: 'away',
    does: 'be away',
    template: '<presence><show>away</show><status>{text}</status></presence>',
  },
  { name: 'unavailable', does: 'go offline', template: '<presence type="unavailable"/>' },
  { name: 'subscribe', does: 'ask for presence', template: '<presence type="subscribe" to="{to}"/>' },
  { name: 'ping', does: 'XEP-0199', template: iq('get', '<ping xmlns="urn:xmpp:ping"/>') },
  {
    name: 'disco-info',
    does: 'what an entity is and can do (XEP-0030)',
    template: iq('get', '<query xmlns="http://jabber.org/protocol/disco#info"/>'),
  },
  {
    name: 'disco-items',
    does: 'what it has (XEP-0030)',
    template: iq('get', '<query xmlns="http://jabber.org/protocol/disco#items"/>'),
  },
  { name: 'version', does: 'XEP-0092', template: iq('get', '<query xmlns="jabber:iq:version"/>') },
  { name: 'last', does: 'XEP-0012', template: iq('get', '<query xmlns="jabber:iq:last"/>') },
  { name: 'time', does: 'XEP-0202', template: iq('get', '<time xmlns="urn:xmpp:time"/>') },
  {
    name: 'roster',
    does: 'the contacts (RFC 6121)',
    template: iq('get', '<query xmlns="jabber:iq:roster"/>', ''),
  },
  {
    name: 'roster-add',
    does: 'a contact (RFC 6121)',
    template: iq('set', '<query xmlns="jabber:iq:roster"><item jid="{to}" name="{text}"/></query>', ''),
  },
  { name: 'vcard', does: 'vcard-temp (XEP-0054)', template: iq('get', '<vCard xmlns="vcard-temp"/>') },
  {
    name: 'carbons',
    does: 'copies of messages (XEP-0280)',
    template: iq('set', '<enable xmlns="urn:xmpp:carbons:2"/>', ''),
  },
  {
    name: 'archive',
    does: 'the last 10 messages (XEP-0313)',
    template: iq(
      'set',
      '<query xmlns="urn:xmpp:mam:2"><set xmlns="http://jabber.org/protocol/rsm"><max>10</max><before/></set></query>',
      '',
    ),
  },
  {
    name: 'pubsub-items',
    does: 'items of a node (XEP-0060)',
    template: iq('get', '<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="{node}"/></pubsub>'),
  },
  {
    name: 'pubsub-publish',
    does: 'an item (XEP-0060)',
    template: iq(
      'set',
      '<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="{node}"><item>{text}</item></publish></pubsub>',
      '',
    ),
  },
  {
    name: 'muc-join',
    does: 'enter a room (XEP-0045)',
    template:
      '<presence to="{to}/{nick}"><x xmlns="http://jabber.org/protocol/muc"><history maxstanzas="10"/></x></presence>',
  },
  {
    name: 'muc-message',
    does: 'say something in a room (XEP-0045)',
    template: '<message type="groupchat" to="{to}" id="{id}"><body>{text}</body></message>',
  },
  {
    name: 'commands',
    does: 'ad-hoc commands (XEP-0050)',
    template: iq(
      'get',
      '<query xmlns="http://jabber.org/protocol/disco#items" node="http://jabber.org/protocol/commands"/>',
    ),
  },
  { name: 'sm-enable', does: 'stream management (XEP-0198)', template: '<enable xmlns="urn:xmpp:sm:3"/>' },
  { name: 'sm-ask', does: 'ask for an acknowledgement (XEP-0198)', template: '<r xmlns="urn:xmpp:sm:3"/>' },
  { name: 'csi-inactive', does: 'nobody looks (XEP-0352)', template: '<inactive xmlns="urn:xmpp:csi:0"/>' },
  { name: 'csi-active', does: 'somebody looks (XEP-0352)', template: '<active xmlns="urn:xmpp:csi:0"/>' },
  {
    name: 'stream',
    does: 'the header of a stream, with --raw',
    template:
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{domain}' version='1.0'>",
  },
  {
    name: 'starttls',
    does: 'ask for TLS, with --raw; then /starttls',
    template: "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  },
  {
    name: 'sasl-anonymous',
    does: 'log in as nobody, with --raw',
    template: "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>",
  },
  {
    name: 'bind',
    does: 'bind a resource, with --raw',
    template: "<iq type='set' id='{id}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
  },
];

const maxFiles = 500;
const maxLength = 256 * 1024;

/** Reads the user's own: `NAME.xml` in a folder, which need not be there. Those that cannot be read are left out. */
export async function readOwnSnippets(folder: string): Promise<Snippet[]> {
  const files = await readdir(folder).catch(() => []);
  const own: Snippet[] = [];
  for (const file of files.sort().slice(0, maxFiles)) {
    const name = file.replace(/\.xml$/, '');
    if (name === file || !/^[\w.-]+$/.test(name)) continue;
    const template = await readFile(path.join(folder, file), 'utf8').catch(() => '');
    if (template.trim() === '' || template.length > maxLength) continue;
    own.push({ name, does: 'of your own', template: template.trim().replace(/\s*\n\s*/g, ' ') });
  }
  return own;
}

export interface SnippetValues {
  me: string;
  bare: string;
  domain: string;
}

/**
 * Fills a template in. What is typed behind the name goes, word by word, to what it asks for in its order; a text
 * takes all that is left. An address that was not typed is the domain's; anything else stays to be typed.
 */
export function fillSnippet({ template }: Snippet, words: readonly string[], values: SnippetValues): string {
  const asked = [...new Set([...template.matchAll(/\{(to|node|nick|text)\}/g)].map(([, name = '']) => name))];
  const typed = new Map<string, string>();
  for (const [index, name] of asked.entries()) {
    const word = name === 'text' ? words.slice(index).join(' ') : words[index];
    if (word !== undefined && word !== '') typed.set(name, escapeAnywhere(word));
  }
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    if (name === 'id') return randomUUID();
    if (name === 'me' || name === 'bare' || name === 'domain') return escapeAnywhere(values[name]);
    return (
      typed.get(name) ?? (name === 'to' ? escapeAnywhere(values.domain) : asked.includes(name) ? '' : whole)
    );
  });
}

/** @throws UsageError there is none of that name */
export function findSnippet(snippets: readonly Snippet[], name: string): Snippet {
  const found = snippets.find((snippet) => snippet.name === name);
  if (!found) throw new UsageError(`there is no snippet ${name}; /snippet lists them`);
  return found;
}
