/** What the tab key offers: commands, and elements, attributes, namespaces and addresses where they fit. */

export interface CompletionWords {
  /** With the slash. */
  commands: readonly string[];
  snippets: readonly string[];
  /** Addresses that were seen. */
  addresses: readonly string[];
}

const elements = [
  'message',
  'presence',
  'iq',
  'body',
  'subject',
  'thread',
  'show',
  'status',
  'priority',
  'query',
  'ping',
  'pubsub',
  'items',
  'item',
  'publish',
  'subscribe',
  'vCard',
  'time',
  'error',
  'enable',
  'x',
  'field',
  'value',
  'command',
];

/** Those that are typed most; a specification names the others. */
const namespaces = [
  'http://jabber.org/protocol/caps',
  'http://jabber.org/protocol/chatstates',
  'http://jabber.org/protocol/commands',
  'http://jabber.org/protocol/disco#info',
  'http://jabber.org/protocol/disco#items',
  'http://jabber.org/protocol/ibb',
  'http://jabber.org/protocol/muc',
  'http://jabber.org/protocol/muc#admin',
  'http://jabber.org/protocol/muc#owner',
  'http://jabber.org/protocol/muc#user',
  'http://jabber.org/protocol/nick',
  'http://jabber.org/protocol/pubsub',
  'http://jabber.org/protocol/pubsub#event',
  'http://jabber.org/protocol/pubsub#owner',
  'http://jabber.org/protocol/rsm',
  'jabber:iq:last',
  'jabber:iq:private',
  'jabber:iq:register',
  'jabber:iq:roster',
  'jabber:iq:version',
  'jabber:x:conference',
  'jabber:x:data',
  'jabber:x:oob',
  'urn:ietf:params:xml:ns:xmpp-bind',
  'urn:ietf:params:xml:ns:xmpp-sasl',
  'urn:ietf:params:xml:ns:xmpp-stanzas',
  'urn:ietf:params:xml:ns:xmpp-tls',
  'urn:xmpp:avatar:data',
  'urn:xmpp:avatar:metadata',
  'urn:xmpp:blocking',
  'urn:xmpp:bookmarks:1',
  'urn:xmpp:carbons:2',
  'urn:xmpp:chat-markers:0',
  'urn:xmpp:csi:0',
  'urn:xmpp:delay',
  'urn:xmpp:hints',
  'urn:xmpp:http:upload:0',
  'urn:xmpp:jingle:1',
  'urn:xmpp:mam:2',
  'urn:xmpp:message-correct:0',
  'urn:xmpp:ping',
  'urn:xmpp:receipts',
  'urn:xmpp:sid:0',
  'urn:xmpp:sm:3',
  'urn:xmpp:time',
  'vcard-temp',
];

const types: Readonly<Record<string, readonly string[]>> = {
  iq: ['get', 'set', 'result', 'error'],
  message: ['chat', 'groupchat', 'headline', 'normal', 'error'],
  presence: ['unavailable', 'subscribe', 'subscribed', 'unsubscribe', 'unsubscribed', 'probe', 'error'],
};

/**
 * @param before everything in front of the cursor, with the earlier lines of a stanza that is not complete
 * @returns what could stand there, and the part that it would take the place of
 */
export function complete(before: string, words: CompletionWords): [string[], string] {
  const command = /^\/(?:(\w+)\s+)?(\S*)$/.exec(before);
  if (command) {
    const [, name, partial = ''] = command;
    if (name === undefined) return fitting(words.commands, `/${partial}`);
    return fitting(name === 'snippet' ? words.snippets : words.addresses, partial);
  }
  const [, closing] = /<\/([^\s<>]*)$/.exec(before) ?? [];
  if (closing !== undefined) {
    const open = openElements(before).at(-1);
    return open === undefined ? [[], closing] : fitting([`${open}>`], closing);
  }
  const tag = /<([^\s<>/"'=]*)((?:[^<>"']|"[^"]*"|'[^']*')*)(?:(["'])([^"'<>]*))?$/.exec(before);
  if (!tag) return [[], ''];
  const [, name = '', attributes = '', quote, value = ''] = tag;
  if (quote !== undefined)
    return fitting(valuesOf(/([^\s=]+)\s*=\s*$/.exec(attributes)?.[1], name, words), value);
  if (attributes === '') return fitting(elements, name);
  const partial = /\s([^\s=]*)$/.exec(attributes)?.[1];
  if (partial === undefined) return [[], ''];
  return fitting(
    ['to="', 'from="', 'type="', 'id="', 'xmlns="', 'node="', 'jid="', 'var="', 'xml:lang="'],
    partial,
  );
}

function valuesOf(attribute: string | undefined, element: string, words: CompletionWords): readonly string[] {
  switch (attribute) {
    case 'xmlns':
      return namespaces;
    case 'node':
    case 'var':
      return namespaces;
    case 'type':
      return types[element] ?? [];
    case 'to':
    case 'from':
    case 'jid':
      return words.addresses;
    default:
      return [];
  }
}

function fitting(candidates: readonly string[], partial: string): [string[], string] {
  return [candidates.filter((candidate) => candidate.startsWith(partial)), partial];
}

/** The names of what is open where the text ends. */
function openElements(text: string): string[] {
  const open: string[] = [];
  for (const [, slash, name = '', rest = ''] of text.matchAll(
    /<(\/?)([^\s<>/!?"'=]+)((?:[^<>"']|"[^"]*"|'[^']*')*)>/g,
  )) {
    if (slash === '/') open.pop();
    else if (!rest.endsWith('/')) open.push(name);
  }
  return open;
}
