/**
 * What can be inside a message, each declared once:
 * XEP-0066: Out of Band Data, version 1.5 · XEP-0085: Chat State Notifications, version 2.1 · XEP-0184: Message Delivery Receipts, version 1.4.0 ·
 * XEP-0203: Delayed Delivery, version 2.0 · XEP-0280: Message Carbons, version 1.0.1 · XEP-0297: Stanza Forwarding, version 1.0 ·
 * XEP-0308: Last Message Correction, version 1.2.1 · XEP-0313: Message Archive Management, version 1.1.3 ·
 * XEP-0359: Unique and Stable Stanza IDs, version 0.7.0 · XEP-0380: Explicit Message Encryption, version 0.4.0 ·
 * XEP-0428: Fallback Indication, version 0.2.1 · XEP-0444: Message Reactions, version 0.2.1 · XEP-0461: Message Replies, version 0.2.1.
 *
 * Not here: the ranges of XEP-0428, archive preferences, and XEP-0091 (the old form of a delay).
 */
import { PageInfo, PageRequest } from '../rsm/stanzas.js';
import { DataForm } from '../forms/stanzas.js';
import { element, emptyElement } from '../xml/codec.js';
import { attr, child, childText, childTexts, optional, rawChild, withDefault } from '../xml/fields.js';
import { jid } from '../xml/jid-scalar.js';
import { bool, dateTime, token } from '../xml/scalars.js';

export const NS_OOB = 'jabber:x:oob';
export const NS_CHAT_STATES = 'http://jabber.org/protocol/chatstates';
export const NS_RECEIPTS = 'urn:xmpp:receipts';
export const NS_DELAY = 'urn:xmpp:delay';
export const NS_CARBONS = 'urn:xmpp:carbons:2';
export const NS_FORWARD = 'urn:xmpp:forward:0';
export const NS_CORRECTION = 'urn:xmpp:message-correct:0';
export const NS_MAM = 'urn:xmpp:mam:2';
export const NS_STANZA_ID = 'urn:xmpp:sid:0';
export const NS_ENCRYPTION = 'urn:xmpp:eme:0';
export const NS_FALLBACK = 'urn:xmpp:fallback:0';
export const NS_REACTIONS = 'urn:xmpp:reactions:0';
export const NS_REPLY = 'urn:xmpp:reply:0';

export const OutOfBand = element(NS_OOB, 'x', {
  url: childText('url', token),
  description: optional(childText('desc')),
});

export const ReceiptRequest = emptyElement(NS_RECEIPTS, 'request');
export const Receipt = element(NS_RECEIPTS, 'received', { id: attr('id', token) });

export const Delay = element(NS_DELAY, 'delay', {
  stamp: attr('stamp', dateTime),
  from: optional(attr('from', jid)),
});

/** A message inside another, with the time at which it was first seen. */
export const Forwarded = element(NS_FORWARD, 'forwarded', {
  delay: optional(child(Delay)),
  message: rawChild({ name: 'message' }),
});
export const CarbonReceived = element(NS_CARBONS, 'received', { forwarded: child(Forwarded) });
export const CarbonSent = element(NS_CARBONS, 'sent', { forwarded: child(Forwarded) });

export const Correction = element(NS_CORRECTION, 'replace', { id: attr('id', token) });
export const StanzaId = element(NS_STANZA_ID, 'stanza-id', { id: attr('id', token), by: attr('by', jid) });
export const OriginId = element(NS_STANZA_ID, 'origin-id', { id: attr('id', token) });
export const Encryption = element(NS_ENCRYPTION, 'encryption', {
  namespace: attr('namespace', token),
  name: optional(attr('name')),
});
export const Fallback = element(NS_FALLBACK, 'fallback', { for: optional(attr('for')) });
export const Reactions = element(NS_REACTIONS, 'reactions', {
  id: attr('id', token),
  reactions: childTexts('reaction'),
});
export const Reply = element(NS_REPLY, 'reply', { id: attr('id', token), to: optional(attr('to', jid)) });

/** XEP-0313 §4.1. */
export const ArchiveQuery = element(NS_MAM, 'query', {
  queryId: attr('queryid'),
  form: optional(child(DataForm)),
  page: optional(child(PageRequest)),
});
/** One archived message (§4.2). */
export const ArchiveResult = element(NS_MAM, 'result', {
  queryId: optional(attr('queryid')),
  id: attr('id', token),
  forwarded: child(Forwarded),
});
/** The end of a page (§4.3). */
export const ArchiveEnd = element(NS_MAM, 'fin', {
  isComplete: withDefault(attr('complete', bool), false),
  page: optional(child(PageInfo)),
});
