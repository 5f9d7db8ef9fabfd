/** Stanzas as people type them: what can be sent, and what is better not sent (RFC 6120 §8). */
import { randomUUID } from 'node:crypto';
import { UsageError } from '../errors.js';
import { JID } from '../jid/jid.js';
import { childElements, type Element } from '../xml/element.js';
import { parseTypedXml } from '../xml/parse.js';
import { serialize } from '../xml/serialize.js';

const NS_CLIENT = 'jabber:client';
const stanzaNames: readonly string[] = ['message', 'presence', 'iq'];
const iqTypes: readonly string[] = ['get', 'set', 'result', 'error'];

/** Attributes of a stanza that are there. */
export function attributesOf(element: Element): Readonly<Record<string, string | undefined>> {
  return element.attrs;
}

/** Whether an answer is due. */
export function isRequest(element: Element): boolean {
  const { type } = attributesOf(element);
  return element.getName() === 'iq' && (type === 'get' || type === 'set');
}

/**
 * Makes a typed stanza one that can be sent: an iq gets an id where it has none.
 * @throws UsageError it is no stanza
 */
export function checkStanza(element: Element): Element {
  const name = element.getName();
  if (!stanzaNames.includes(name) || element.getNS() !== NS_CLIENT) {
    throw new UsageError(`<${name}/> is not a stanza`, { hint: 'send message, presence or iq elements' });
  }
  checkIq(element);
  if (name === 'iq' && element.attrs['id'] === undefined) element.attrs['id'] = randomUUID();
  // The stream is in its own namespace, which for a component is another.
  delete element.attrs['xmlns'];
  serialize(element);
  return element;
}

function checkIq(element: Element): void {
  if (element.getName() === 'iq' && !iqTypes.includes(attributesOf(element)['type'] ?? ''))
    throw new UsageError('an iq needs a type: get, set, result or error');
}

export interface TypedElement {
  element: Element;
  /** What is sent: as it was typed, with an id where an iq had none. */
  text: string;
}

/**
 * Checks one element that is about to be sent, and leaves its text as it was typed.
 * @throws UsageError it is not well-formed, beyond the limits, or not what a server takes from a client
 */
export function checkTypedElement(typed: string): TypedElement {
  const text = typed.trim();
  const [element, second] = parseTypedXml(text, { defaultNamespace: NS_CLIENT });
  if (!element || second) throw new UsageError('one element is expected');
  if (/^<(?:!|\?)/.test(text))
    throw new UsageError('comments and instructions are not allowed in XMPP (RFC 6120 §11.1)');
  if (element.getNS() !== NS_CLIENT) return { element, text };
  const name = element.getName();
  if (!stanzaNames.includes(name))
    throw new UsageError(`<${name}/> in ${NS_CLIENT} is no stanza`, {
      hint: 'message, presence and iq are; anything else needs a namespace of its own',
    });
  checkIq(element);
  for (const key of ['to', 'from'] as const) {
    const address = attributesOf(element)[key];
    if (address !== undefined) JID.parse(address);
  }
  if (isRequest(element) && childElements(element).length !== 1)
    throw new UsageError('an iq of type get or set has exactly one child (RFC 6120 §8.2.3)');
  if (name !== 'iq' || attributesOf(element)['id'] !== undefined) return { element, text };
  const id = randomUUID();
  element.attrs['id'] = id;
  return { element, text: text.replace(/^(<[^\s<>/]+)/, `$1 id="${id}"`) };
}

/** The one who was asked; our account's server may answer as the account, as itself, or without saying (RFC 6120 §8.1.2.1). */
export function isAnswerer(from: string | undefined, to: string | undefined, me: JID): boolean {
  const own = [me.toString(), me.bare.toString(), me.domain];
  if (from === undefined) return to === undefined || own.includes(to);
  if (to === undefined) return own.includes(from);
  return JID.fromServer(from).equals(JID.fromServer(to));
}
