/**
 * Reading a message (RFC 6121 §5, and the extensions that `stanzas.ts` names) into what a person wants to know of it.
 */
import { DecodeError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { Element } from '../xml/element.js';
import { jid } from '../xml/jid-scalar.js';
import { stanzaErrorFrom } from '../xml/stanza-error.js';
import * as wire from './stanzas.js';

export type MessageType = 'chat' | 'error' | 'groupchat' | 'headline' | 'normal';

/** One message, as `listen --json` prints it. What a message does not have is left out. */
export interface Message {
  from: string | undefined;
  to?: string | undefined;
  type: MessageType;
  id?: string;
  /** When it was sent, as far as known: the stamp of a delayed message, or when it arrived. ISO 8601. */
  time: string;
  /** It was kept somewhere on the way: an offline message, the history of a room, an archive. */
  isDelayed?: true;
  /** A copy of what another of our clients received or sent (XEP-0280). */
  carbon?: 'received' | 'sent';
  /** It comes from an archive (XEP-0313). */
  isArchived?: true;
  /** The id in the archive of our account or of the room, by which one can go on later: a mark. */
  stanzaId?: string;
  originId?: string;
  body?: string;
  /** All bodies by language, when there are several. */
  bodies?: Record<string, string>;
  subject?: string;
  thread?: string;
  lang?: string;
  /** The sender wants to know that it arrived (XEP-0184). */
  wantsReceipt?: true;
  /** It says that the message with this id arrived. */
  receiptFor?: string;
  /** It takes the place of the message with this id (XEP-0308). */
  replaces?: string;
  replyTo?: { id: string; to?: string };
  reactions?: { id: string; reactions: string[] };
  /** `active`, `composing`, `paused`, `inactive`, `gone` (XEP-0085). */
  chatState?: string;
  attachments?: { url: string; description?: string }[];
  /** Namespace of the encryption; the body is a notice for those who cannot read it (XEP-0380). */
  encryption?: string;
  /** The body is for clients that do not know these namespaces (XEP-0428). */
  fallbackFor?: string[];
  error?: { condition: string; type?: string; text?: string };
}

const types: ReadonlySet<string> = new Set(['chat', 'error', 'groupchat', 'headline', 'normal']);
const chatStates: ReadonlySet<string> = new Set(['active', 'composing', 'paused', 'inactive', 'gone']);

export interface ReadOptions {
  /** Our own address: copies and archive results are believed only from our own account. */
  me: JID;
  /** Milliseconds since the epoch. */
  now: number;
}

/**
 * Reads a stanza as it arrived.
 * @returns `undefined` for a copy that did not come from our own account and for an archive result: neither is a message to us
 * @throws DecodeError a copy that holds no message
 */
export function readMessage(stanza: Element, options: ReadOptions): Message | undefined {
  for (const inner of stanza.children) {
    if (!(inner instanceof Element)) continue;
    const namespace = inner.getNS();
    if (namespace === wire.NS_MAM && inner.getName() === 'result') return undefined;
    if (namespace !== wire.NS_CARBONS) continue;
    const carbon = inner.getName();
    if (carbon !== 'received' && carbon !== 'sent') continue;
    if (!isFromOwnAccount(stanza, options.me)) return undefined;
    const codec = carbon === 'received' ? wire.CarbonReceived : wire.CarbonSent;
    const { forwarded } = codec.decode(inner);
    return { ...readPlainMessage(forwarded.message, options, forwarded.delay?.stamp), carbon };
  }
  return readPlainMessage(stanza, options);
}

/** A message that an archive gave back; `id` is its id there. */
export function readArchivedMessage(
  result: { id: string; forwarded: { message: Element; delay?: { stamp: Date } | undefined } },
  options: ReadOptions,
): Message {
  const { message, delay } = result.forwarded;
  return { ...readPlainMessage(message, options, delay?.stamp), isArchived: true, stanzaId: result.id };
}

/**
 * XEP-0280 §11, XEP-0313 §7: from anybody else it is forged (CVE-2017-5589 and its kin). The server may also leave out
 * `from`, which then means our own account (RFC 6120 §8.1.2.1).
 */
export function isFromOwnAccount(stanza: Element, me: JID): boolean {
  const from: unknown = stanza.attrs['from'];
  if (from === undefined) return true;
  const sender = typeof from === 'string' ? jid.read(from) : undefined;
  return sender !== undefined && sender.isBare && sender.equals(me.bare);
}

/** @param stamp when the one who forwarded it first saw it */
function readPlainMessage(stanza: Element, { me, now }: ReadOptions, stamp?: Date): Message {
  const from = attribute(stanza, 'from');
  const to = attribute(stanza, 'to');
  const id = attribute(stanza, 'id');
  const lang = attribute(stanza, 'xml:lang');
  const type = attribute(stanza, 'type') ?? 'normal';
  const message: Message = {
    from,
    ...(to !== undefined && { to }),
    // RFC 6121 §5.2.2: an unknown type is a normal message.
    type: isMessageType(type) ? type : 'normal',
    ...(id !== undefined && { id }),
    time: new Date(stamp ?? now).toISOString(),
    ...(stamp && { isDelayed: true as const }),
    ...(lang !== undefined && { lang }),
  };
  const namespace = stanza.getNS();
  const authority = message.type === 'groupchat' ? bareText(from) : me.bare.toString();
  for (const child of stanza.children) {
    if (!(child instanceof Element)) continue;
    try {
      const childNamespace = child.getNS();
      if (childNamespace === namespace) readCoreChild(message, child);
      else readExtension(message, child, childNamespace, authority);
    } catch (error) {
      // An extension that is broken does not take the message with it.
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  if (message.type === 'error') {
    const { condition, type: kind, text } = stanzaErrorFrom(stanza);
    message.error = { condition, ...(kind && { type: kind }), ...(text !== undefined && { text }) };
  }
  return message;
}

function readCoreChild(message: Message, child: Element): void {
  const text = child.getText();
  switch (child.getName()) {
    case 'body':
      readBody(message, child, text);
      return;
    case 'subject':
      message.subject ??= text;
      return;
    case 'thread':
      if (text !== '') message.thread ??= text;
  }
}

/** The body without a language is the body; beside bodies in other languages all are kept (RFC 6121 §5.2.3). */
function readBody(message: Message, child: Element, text: string): void {
  const lang = attribute(child, 'xml:lang') ?? message.lang ?? '';
  if (message.body === undefined) {
    message.body = text;
    if (lang !== '') message.lang = lang;
    return;
  }
  message.bodies ??= { [message.lang ?? '']: message.body };
  if (!Object.hasOwn(message.bodies, lang)) message.bodies[lang] = text;
}

function readExtension(
  message: Message,
  child: Element,
  namespace: string | undefined,
  authority: string | undefined,
): void {
  switch (namespace ?? '') {
    case wire.NS_DELAY: {
      const { stamp } = wire.Delay.decode(child);
      if (message.isDelayed) return;
      message.time = stamp.toISOString();
      message.isDelayed = true;
      return;
    }
    case wire.NS_STANZA_ID:
      if (child.getName() === 'origin-id') {
        message.originId = wire.OriginId.decode(child).id;
      } else {
        // XEP-0359 §6: an id counts only from the one that may give it; anybody can write the others.
        const { id, by } = wire.StanzaId.decode(child);
        if (by.toString() === authority) message.stanzaId = id;
      }
      return;
    case wire.NS_RECEIPTS:
      if (child.getName() === 'request') message.wantsReceipt = true;
      else message.receiptFor = wire.Receipt.decode(child).id;
      return;
    case wire.NS_CHAT_STATES:
      if (chatStates.has(child.getName())) message.chatState = child.getName();
      return;
    case wire.NS_OOB: {
      const { url, description } = wire.OutOfBand.decode(child);
      (message.attachments ??= []).push({ url, ...(description !== undefined && { description }) });
      return;
    }
    case wire.NS_CORRECTION:
      message.replaces = wire.Correction.decode(child).id;
      return;
    case wire.NS_ENCRYPTION:
      message.encryption = wire.Encryption.decode(child).namespace;
      return;
    case wire.NS_FALLBACK:
      (message.fallbackFor ??= []).push(wire.Fallback.decode(child).for ?? '');
      return;
    case wire.NS_REACTIONS:
      message.reactions = wire.Reactions.decode(child);
      return;
    case wire.NS_REPLY: {
      const { id, to } = wire.Reply.decode(child);
      message.replyTo = { id, ...(to && { to: to.toString() }) };
    }
  }
}

/** Whether there is something in it to read: text, a link, or an encrypted payload. */
export function hasContent(message: Message): boolean {
  return (
    message.body !== undefined ||
    message.subject !== undefined ||
    message.attachments !== undefined ||
    message.encryption !== undefined
  );
}

function isMessageType(type: string): type is MessageType {
  return types.has(type);
}

function attribute(element: Element, name: string): string | undefined {
  const value: unknown = element.attrs[name];
  return typeof value === 'string' ? value : undefined;
}

/** The address without its resource. The room's own address came through the server, so it is prepared already. */
function bareText(from: string | undefined): string | undefined {
  return from?.split('/', 1)[0];
}
