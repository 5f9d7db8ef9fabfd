/**
 * XEP-0284: Shared XML Editing, version 0.1.4: what goes over the wire.
 *
 * Not here: the TXT records of serverless messaging (§6), and the rewriting of edits by a server component (§10.4.1).
 * What the specification leaves open is decided in CLARIFICATIONS.md.
 */
import { DecodeError } from '../errors.js';
import { element, pathOf } from '../xml/codec.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { attr, child, children, childTexts, optional, withDefault } from '../xml/fields.js';
import { bool, uint } from '../xml/scalars.js';
import { editElements, readItems } from './edit-elements.js';
import type { OwedWords, SeenMessage, SetChange, SnapshotBegin, SnapshotEnd, StateItem } from './edits.js';
import type { Message } from './inbox.js';
import { decodeProlog, encodeProlog } from './prolog.js';

export const NS_SXE = 'urn:xmpp:sxe:0';
export const NS_JINGLE_SXE = 'urn:xmpp:jingle:transports:sxe';
/** What kind of document it is: the application types of Jingle (§4.1). */
export const NS_XHTML_EDITING = 'urn:xmpp:jingle:apps:xhtml';
export const NS_XML_EDITING = 'urn:xmpp:jingle:apps:xml';
/** Our own: what somebody has of each sender (CLARIFICATIONS 15 and 22). */
export const NS_SXE_SEEN = 'urn:xmppctl:sxe-seen:0';
/** Our own: who has a schema, and what was not valid by it (CLARIFICATIONS 24). */
export const NS_SXE_SCHEMA = 'urn:xmppctl:sxe-schema:0';

export type SxeContent =
  /** `seen`: who says so has the document, and wants what it has missed of these (CLARIFICATIONS 22). */
  | { kind: 'connect'; seen?: readonly SeenMessage[] }
  /** Our own: what somebody has, and what somebody who has this asks for. */
  | { kind: 'have' | 'want'; seen: readonly SeenMessage[] }
  /** Our own: messages that somebody has asked for; `isLast`: and no more. */
  | { kind: 'missed'; messages: readonly Message[]; isLast: boolean }
  /** Our own: who says so has a schema (CLARIFICATIONS 24). */
  | { kind: 'schema' }
  /** Our own: what somebody has written was taken back, and why. */
  | { kind: 'not-valid'; reason: string }
  /** The descriptions of the session-initiate, for others to understand. */
  | { kind: 'state-offer'; descriptions: readonly Element[] }
  | { kind: 'accept-state' }
  | { kind: 'refuse-state' }
  | { kind: 'state'; items: readonly StateItem[] }
  /** In presence: there is a session. */
  | { kind: 'advertisement' };

export interface SxeMessage {
  session: string;
  /** Unique among those of its sender; empty in presence. */
  id: string;
  /** What the session is called, in presence. */
  name?: string | undefined;
  content: SxeContent;
}

const NOBODY: SeenMessage = { sender: '', id: '' };

/** The transport of a Jingle session, with the hosts that relay (XEP-0284 §4). */
export const SxeTransport = element(NS_JINGLE_SXE, 'transport', { hosts: childTexts('host') });

const SxeAttributes = element(NS_SXE, 'sxe', {
  session: attr('session'),
  id: withDefault(attr('id'), ''),
  name: optional(attr('name')),
});
const DocumentBegin = element(NS_SXE, 'document-begin', { prolog: withDefault(attr('prolog'), '') });
const Seen = element(NS_SXE_SEEN, 'seen', { sender: attr('sender'), id: attr('id') });
const Following = element(NS_SXE_SEEN, 'following', { count: attr('count', uint) });
const Owed = element(NS_SXE_SEEN, 'owed', { author: attr('author'), target: attr('target') });
const DocumentEnd = element(NS_SXE, 'document-end', {
  lastSender: withDefault(attr('last-sender'), ''),
  lastId: withDefault(attr('last-id'), ''),
  seen: children(Seen),
  following: optional(child(Following)),
});
const Connect = element(NS_SXE, 'connect', { seen: children(Seen) });
const Have = element(NS_SXE_SEEN, 'have', { seen: children(Seen) });
const Want = element(NS_SXE_SEEN, 'want', { seen: children(Seen) });
const Missed = element(NS_SXE_SEEN, 'missed', { isLast: withDefault(attr('last', bool), false) });
const MissedMessage = element(NS_SXE_SEEN, 'message', { sender: attr('sender'), id: attr('id') });
const HasSchema = element(NS_SXE_SCHEMA, 'schema', {});
const NotValid = element(NS_SXE_SCHEMA, 'not-valid', { reason: withDefault(attr('reason'), '') });
const edits = editElements(NS_SXE, 'target');

/** @throws DecodeError it is no `<sxe/>`, or has no session */
export function decodeSxe(source: Element): SxeMessage {
  const { session, id, name } = SxeAttributes.decode(source);
  if (session === '') throw new DecodeError(`${pathOf(source)}@session`, 'it is empty');
  return { session, id, name, content: decodeContent(source) };
}

/** The first child that says what it is; what nobody knows is taken for an advertisement and does nothing. */
function decodeContent(source: Element): SxeContent {
  for (const child of childElements(source)) {
    if (Have.matches(child)) return { kind: 'have', ...Have.decode(child) };
    if (Want.matches(child)) return { kind: 'want', ...Want.decode(child) };
    if (Missed.matches(child)) return decodeMissed(child);
    if (HasSchema.matches(child)) return { kind: 'schema' };
    if (NotValid.matches(child)) return { kind: 'not-valid', ...NotValid.decode(child) };
    if (child.getNS() !== NS_SXE) continue;
    const kind = child.getName();
    if (kind === 'connect') return decodeConnect(child);
    if (kind === 'accept-state' || kind === 'refuse-state') return { kind };
    if (kind === 'state-offer') return { kind, descriptions: childElements(child) };
    if (kind === 'state') return { kind, items: readItems(child, decodeItem) };
  }
  return { kind: 'advertisement' };
}

/** Who has nothing but the beginning has seen nothing, and says so with a `<seen/>` of nobody. */
function decodeConnect(child: Element): SxeContent {
  const { seen } = Connect.decode(child);
  if (seen.length === 0) return { kind: 'connect' };
  return { kind: 'connect', seen: seen.filter(({ id }) => id !== '') };
}

function decodeMissed(child: Element): SxeContent {
  const messages = readItems(child, (inner) =>
    MissedMessage.matches(inner)
      ? { ...MissedMessage.decode(inner), edits: readItems(inner, (one) => edits.decode(one)) }
      : undefined,
  );
  return { kind: 'missed', messages, ...Missed.decode(child) };
}

function decodeItem(child: Element): StateItem | undefined {
  if (DocumentBegin.matches(child)) {
    return { kind: 'document-begin', prolog: decodeProlog(DocumentBegin.decode(child).prolog) };
  }
  if (DocumentEnd.matches(child)) {
    const { following, ...end } = DocumentEnd.decode(child);
    return { kind: 'document-end', ...end, following: following?.count ?? 0 };
  }
  if (Owed.matches(child)) return decodeOwed(child);
  return edits.decode(child);
}

function decodeOwed(child: Element): OwedWords {
  const changes = readItems(child, (inner): SetChange | undefined => {
    const edit = edits.decode(inner);
    if (edit?.kind !== 'set') return undefined;
    const { version: _version, author: _author, ...change } = edit;
    return change;
  });
  return { kind: 'owed', ...Owed.decode(child), changes };
}

export function encodeSxe({ session, id, name, content }: SxeMessage): Element {
  const target = xml('sxe', { xmlns: NS_SXE, session, id: id === '' ? undefined : id, name });
  const child = encodeContent(content);
  if (child) target.cnode(child);
  return target;
}

function encodeContent(content: SxeContent): Element | undefined {
  switch (content.kind) {
    case 'advertisement':
      return undefined;
    case 'state':
      return xml('state', {}, content.items.map(encodeItem));
    case 'state-offer':
      return xml('state-offer', {}, content.descriptions);
    case 'connect':
      return Connect.encode({ seen: content.seen ? [...content.seen, NOBODY] : [] }, NS_SXE);
    case 'have':
      return Have.encode({ seen: [...content.seen] }, NS_SXE);
    case 'want':
      return Want.encode({ seen: [...content.seen] }, NS_SXE);
    case 'missed':
      return encodeMissed(content);
    case 'schema':
      return HasSchema.encode({}, NS_SXE);
    case 'not-valid':
      return NotValid.encode(content, NS_SXE);
    default:
      return xml(content.kind);
  }
}

function encodeMissed({ messages, isLast }: Extract<SxeContent, { kind: 'missed' }>): Element {
  const missed = Missed.encode({ isLast }, NS_SXE);
  for (const { sender, id, edits: some } of messages) {
    const message = MissedMessage.encode({ sender, id }, NS_SXE_SEEN);
    for (const edit of some) message.cnode(edits.encode(edit, NS_SXE_SEEN));
    missed.cnode(message);
  }
  return missed;
}

function encodeItem(item: StateItem): Element {
  switch (item.kind) {
    case 'document-begin':
      return encodeBegin(item);
    case 'document-end':
      return encodeEnd(item);
    case 'owed':
      return encodeOwed(item);
    default:
      return edits.encode(item, NS_SXE);
  }
}

function encodeBegin({ prolog }: SnapshotBegin): Element {
  return xml('document-begin', { prolog: encodeProlog(prolog) });
}

/** The attributes are required, also when they are empty. */
function encodeEnd({ lastSender, lastId, seen, following }: SnapshotEnd): Element {
  const children = seen.map((message) => Seen.encode(message));
  if (following > 0) children.push(Following.encode({ count: following }));
  return xml('document-end', { 'last-sender': lastSender, 'last-id': lastId }, children);
}

/** Their versions are nobody's yet. */
function encodeOwed({ author, target, changes }: OwedWords): Element {
  const owed = Owed.encode({ author, target }, NS_SXE);
  for (const change of changes) owed.cnode(edits.encode({ ...change, version: 0 }, NS_SXE_SEEN));
  return owed;
}
