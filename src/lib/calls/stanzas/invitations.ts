/**
 * XEP-0482: Call Invites, version 0.1.0, and what Dino sent before it was written (`urn:xmpp:call-message:1`).
 *
 * Both are written side by side into one message, as Dino does since; of both, the first is read. Not here: `<external/>`.
 */
import { JID } from '../../jid/jid.js';
import { DecodeError } from '../../errors.js';
import { NS_JINGLE_MESSAGE } from '../../jingle/message-initiation.js';
import { childElements, xml, type Element } from '../../xml/element.js';
import { MujiRoom } from './muji.js';

export const NS_CALL_INVITES = 'urn:xmpp:call-invites:0';
export const NS_DINO_CALL = 'urn:xmpp:call-message:1';
const NS_HINTS = 'urn:xmpp:hints';
const NS_STANZA_ID = 'urn:xmpp:sid:0';
const MAX_ID = 256;

/** How to join. */
export type CallMethod =
  | { kind: 'muji'; room: JID }
  /** The one who invites offers this session, from this address, when the invitation is accepted. */
  | { kind: 'jingle'; sid: string; jid?: JID };

export type CallAction = 'invite' | 'retract' | 'accept' | 'reject' | 'left';

export interface CallMessage {
  action: CallAction;
  id: string;
  /** Of the invitation, and of its acceptance. */
  method?: CallMethod;
  isVideo: boolean;
}

const dinoActions: Readonly<Record<CallAction, string>> = {
  invite: 'propose',
  retract: 'retract',
  accept: 'accept',
  reject: 'reject',
  left: 'finish',
};
const actions = Object.keys(dinoActions) as CallAction[];

/**
 * What a message says of a call; undefined when it is not about one, or cannot be understood.
 * An invitation that stands beside a proposal of XEP-0353 is left to that.
 */
export function readCallMessage(message: Element): CallMessage | undefined {
  for (const child of childElements(message)) {
    const namespace = child.getNS();
    if (namespace !== NS_CALL_INVITES && namespace !== NS_DINO_CALL) continue;
    const isDino = namespace === NS_DINO_CALL;
    const action = actions.find((name) => child.getName() === (isDino ? dinoActions[name] : name));
    const id = idOf(message, child, action === 'invite' && !isDino);
    if (action === undefined || id === undefined) continue;
    const method = methodOf(child, namespace);
    if (action === 'invite' && (method === undefined || hasProposal(message))) continue;
    const isVideo = child.attrs['video'] === 'true' || child.attrs['video'] === '1';
    return { action, id, isVideo, ...(method && { method }) };
  }
  return undefined;
}

function hasProposal(message: Element): boolean {
  return childElements(message).some((child) => child.getNS() === NS_JINGLE_MESSAGE);
}

/**
 * §"Using the correct ID": an invitation is called by the message it came in, in a room by what the room calls that.
 * COMPAT(Dino): it gives the invitation an id of its own, and knows no other.
 */
function idOf(message: Element, child: Element, mayBeOfMessage: boolean): string | undefined {
  const given: unknown = child.attrs['id'];
  const named = typeof given === 'string' && given !== '' ? given : undefined;
  const id = named ?? (mayBeOfMessage ? messageIdOf(message) : undefined);
  return id !== undefined && id.length <= MAX_ID ? id : undefined;
}

function messageIdOf(message: Element): string | undefined {
  const { from, id, type } = message.attrs as Record<string, unknown>;
  if (type === 'groupchat') {
    const room = typeof from === 'string' ? JID.fromServer(from).bare.toString() : undefined;
    const assigned = message.getChildren('stanza-id', NS_STANZA_ID).find(({ attrs }) => attrs['by'] === room);
    return textOf(assigned?.attrs['id']);
  }
  return textOf(message.getChild('origin-id', NS_STANZA_ID)?.attrs['id']) ?? textOf(id);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function methodOf(element: Element, namespace: string): CallMethod | undefined {
  for (const child of childElements(element)) {
    if (MujiRoom.matches(child)) {
      try {
        return { kind: 'muji', room: MujiRoom.decode(child).room.bare };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
    const sid: unknown = child.attrs['sid'];
    if (child.getName() !== 'jingle' || child.getNS() !== namespace || typeof sid !== 'string' || sid === '')
      continue;
    const jid: unknown = child.attrs['jid'];
    return { kind: 'jingle', sid, ...(typeof jid === 'string' && { jid: JID.fromServer(jid) }) };
  }
  return undefined;
}

/** @param to.type as the invitation was sent: what is answered to a room goes to the room. */
export function encodeCallMessage(
  { action, id, method, isVideo }: CallMessage,
  to: { jid: JID; type: 'chat' | 'groupchat' },
): Element {
  const attributes = {
    id,
    ...(action === 'invite' && { video: String(isVideo), multi: String(method?.kind === 'muji') }),
  };
  return xml(
    'message',
    // The invitation is called by the message it is in.
    { to: to.jid.toString(), type: to.type, id: action === 'invite' ? id : undefined },
    xml(action, { xmlns: NS_CALL_INVITES, ...attributes }, method && encodeMethod(method)),
    xml(dinoActions[action], { xmlns: NS_DINO_CALL, ...attributes }, method && encodeMethod(method)),
    xml('store', { xmlns: NS_HINTS }),
  );
}

function encodeMethod(method: CallMethod): Element {
  return method.kind === 'muji'
    ? MujiRoom.encode({ room: method.room })
    : xml('jingle', { sid: method.sid, jid: method.jid?.toString() });
}
