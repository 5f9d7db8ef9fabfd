/**
 * XEP-0284: Shared XML Editing, version 0.1.4: what goes over the wire.
 *
 * Not here: the TXT records of serverless messaging (§6), and the rewriting of edits by a server component (§10.4.1).
 * What the specification leaves open is decided in CLARIFICATIONS.md.
 */
import { DecodeError } from '../errors.js';
import { element, pathOf } from '../xml/codec.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { attr, children, childTexts, optional, withDefault } from '../xml/fields.js';
import { editElements, readItems } from './edit-elements.js';
import type { SnapshotBegin, SnapshotEnd, StateItem } from './edits.js';
import { decodeProlog, encodeProlog } from './prolog.js';

export const NS_SXE = 'urn:xmpp:sxe:0';
export const NS_JINGLE_SXE = 'urn:xmpp:jingle:transports:sxe';
/** What kind of document it is: the application types of Jingle (§4.1). */
export const NS_XHTML_EDITING = 'urn:xmpp:jingle:apps:xhtml';
export const NS_XML_EDITING = 'urn:xmpp:jingle:apps:xml';
/** Our own: what a snapshot contains of each sender (CLARIFICATIONS 15). */
export const NS_SXE_SEEN = 'urn:xmppctl:sxe-seen:0';

export type SxeContent =
  | { kind: 'connect' }
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

/** The transport of a Jingle session, with the hosts that relay (XEP-0284 §4). */
export const SxeTransport = element(NS_JINGLE_SXE, 'transport', { hosts: childTexts('host') });

const SxeAttributes = element(NS_SXE, 'sxe', {
  session: attr('session'),
  id: withDefault(attr('id'), ''),
  name: optional(attr('name')),
});
const DocumentBegin = element(NS_SXE, 'document-begin', { prolog: withDefault(attr('prolog'), '') });
const Seen = element(NS_SXE_SEEN, 'seen', { sender: attr('sender'), id: attr('id') });
const DocumentEnd = element(NS_SXE, 'document-end', {
  lastSender: withDefault(attr('last-sender'), ''),
  lastId: withDefault(attr('last-id'), ''),
  seen: children(Seen),
});
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
    if (child.getNS() !== NS_SXE) continue;
    const kind = child.getName();
    if (kind === 'connect' || kind === 'accept-state' || kind === 'refuse-state') return { kind };
    if (kind === 'state-offer') return { kind, descriptions: childElements(child) };
    if (kind === 'state') return { kind, items: readItems(child, decodeItem) };
  }
  return { kind: 'advertisement' };
}

function decodeItem(child: Element): StateItem | undefined {
  if (DocumentBegin.matches(child)) {
    return { kind: 'document-begin', prolog: decodeProlog(DocumentBegin.decode(child).prolog) };
  }
  if (DocumentEnd.matches(child)) return { kind: 'document-end', ...DocumentEnd.decode(child) };
  return edits.decode(child);
}

export function encodeSxe({ session, id, name, content }: SxeMessage): Element {
  const target = xml('sxe', { xmlns: NS_SXE, session, id: id === '' ? undefined : id, name });
  if (content.kind === 'state') {
    const state = xml('state');
    for (const item of content.items) state.cnode(encodeItem(item));
    target.cnode(state);
  } else if (content.kind === 'state-offer') target.cnode(xml('state-offer', {}, content.descriptions));
  else if (content.kind !== 'advertisement') target.cnode(xml(content.kind));
  return target;
}

function encodeItem(item: StateItem): Element {
  switch (item.kind) {
    case 'document-begin':
      return encodeBegin(item);
    case 'document-end':
      return encodeEnd(item);
    default:
      return edits.encode(item, NS_SXE);
  }
}

function encodeBegin({ prolog }: SnapshotBegin): Element {
  return xml('document-begin', { prolog: encodeProlog(prolog) });
}

/** The attributes are required, also when they are empty. */
function encodeEnd({ lastSender, lastId, seen }: SnapshotEnd): Element {
  return xml(
    'document-end',
    { 'last-sender': lastSender, 'last-id': lastId },
    seen.map((message) => Seen.encode(message)),
  );
}
