/**
 * XEP-0166: Jingle, version 1.1.2: what goes over the wire.
 *
 * Descriptions, transports and payloads of session-info are kept as elements: applications and transports read them.
 */
import { DecodeError } from '../errors.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { pathOf } from '../xml/codec.js';

export const NS_JINGLE = 'urn:xmpp:jingle:1';
export const NS_JINGLE_ERRORS = 'urn:xmpp:jingle:errors:1';

export type Role = 'initiator' | 'responder';
export type Senders = Role | 'both' | 'none';

const actions = [
  'content-accept',
  'content-add',
  'content-modify',
  'content-reject',
  'content-remove',
  'description-info',
  'security-info',
  'session-accept',
  'session-info',
  'session-initiate',
  'session-terminate',
  'transport-accept',
  'transport-info',
  'transport-reject',
  'transport-replace',
] as const;
export type Action = (typeof actions)[number];

/** One `<content/>`: an application format and a transport for it (XEP-0166 §7.3). */
export interface Content {
  /** Who added it to the session; with the name it identifies the content. */
  creator: Role;
  name: string;
  /** Who sends; `both` when the attribute is not there. */
  senders: Senders;
  disposition?: string;
  description?: Element;
  transport?: Element;
  security?: Element;
}

/** Why something ended (XEP-0166 §7.4). */
export interface Reason {
  /** A condition of the specification, or whatever else was sent: peers invent their own. */
  condition: string;
  text?: string;
  /** The session to go on with, for `alternative-session`. */
  alternativeSid?: string;
  /** Elements beside the condition, which say more about it. */
  details: readonly Element[];
}

export interface JingleMessage {
  action: Action;
  sid: string;
  initiator?: string;
  responder?: string;
  contents: readonly Content[];
  reason?: Reason;
  /** Children that are neither contents nor a reason: the payload of session-info. */
  payload: readonly Element[];
}

/**
 * Reads a `<jingle/>` element.
 * @throws DecodeError something required is missing; an action or a value is none of the specification's
 */
export function decodeJingle(element: Element): JingleMessage {
  const action = actions.find((candidate) => candidate === element.attrs['action']);
  if (action === undefined) throw new DecodeError(`${pathOf(element)}@action`, 'it is no action of Jingle');
  const message: JingleMessage = { action, sid: required(element, 'sid'), contents: [], payload: [] };
  const { initiator, responder } = element.attrs as Record<string, unknown>;
  if (typeof initiator === 'string') message.initiator = initiator;
  if (typeof responder === 'string') message.responder = responder;
  const contents: Content[] = [];
  const payload: Element[] = [];
  for (const child of childElements(element)) {
    if (child.getNS() !== NS_JINGLE) payload.push(child);
    else if (child.getName() === 'content') contents.push(decodeContent(child));
    else if (child.getName() === 'reason') message.reason = decodeReason(child);
  }
  return { ...message, contents, payload };
}

function decodeContent(element: Element): Content {
  const content: Content = {
    creator: oneOf(element, 'creator', ['initiator', 'responder']),
    name: required(element, 'name'),
    senders:
      element.attrs['senders'] === undefined
        ? 'both'
        : oneOf(element, 'senders', ['initiator', 'responder', 'both', 'none']),
  };
  const disposition: unknown = element.attrs['disposition'];
  if (typeof disposition === 'string') content.disposition = disposition;
  for (const child of childElements(element)) {
    const name = child.getName();
    if (name === 'description' || name === 'transport' || name === 'security') content[name] ??= child;
  }
  return content;
}

/** COMPAT(Dino 0.4): `<failed_transport/>` is sent for `failed-transport`; underscores are read as hyphens. */
function decodeReason(element: Element): Reason {
  let condition: Element | undefined;
  let text: string | undefined;
  const details: Element[] = [];
  for (const child of childElements(element)) {
    if (child.getNS() !== NS_JINGLE) details.push(child);
    else if (child.getName() === 'text') text = child.getText();
    else condition ??= child;
  }
  const sid = condition?.getName() === 'alternative-session' ? condition.getChildText('sid') : undefined;
  return {
    condition: condition?.getName().replaceAll('_', '-') ?? 'general-error',
    ...(text !== undefined && { text }),
    ...(typeof sid === 'string' && { alternativeSid: sid }),
    details,
  };
}

function required(element: Element, name: string): string {
  const value: unknown = element.attrs[name];
  if (typeof value !== 'string' || value === '')
    throw new DecodeError(`${pathOf(element)}@${name}`, 'it is missing');
  return value;
}

function oneOf<const T extends string>(element: Element, name: string, values: readonly T[]): T {
  const given = required(element, name);
  const value = values.find((candidate) => candidate === given);
  if (value === undefined)
    throw new DecodeError(`${pathOf(element)}@${name}`, `it is none of ${values.join(', ')}`);
  return value;
}

export function encodeJingle(message: JingleMessage): Element {
  return xml(
    'jingle',
    {
      xmlns: NS_JINGLE,
      action: message.action,
      sid: message.sid,
      initiator: message.initiator,
      responder: message.responder,
    },
    ...message.contents.map(encodeContent),
    ...message.payload,
    message.reason && encodeReason(message.reason),
  );
}

function encodeContent(content: Content): Element {
  return xml(
    'content',
    {
      creator: content.creator,
      name: content.name,
      // `both` is the default, and some readers know only the values that are written.
      senders: content.senders === 'both' ? undefined : content.senders,
      disposition: content.disposition,
    },
    content.description,
    content.transport,
    content.security,
  );
}

function encodeReason(reason: Reason): Element {
  return xml(
    'reason',
    {},
    xml(
      reason.condition,
      {},
      reason.alternativeSid === undefined ? undefined : xml('sid', {}, reason.alternativeSid),
    ),
    reason.text === undefined ? undefined : xml('text', {}, reason.text),
    ...reason.details,
  );
}
