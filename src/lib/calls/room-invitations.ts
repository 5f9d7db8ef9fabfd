/**
 * Invitations of others to calls in rooms: to the call itself (XEP-0482, and as Dino sends it), or, where that is wanted,
 * only to the room (XEP-0249).
 *
 * Nothing is answered to those who are not wanted: they do not learn that somebody is here.
 */
import { JID } from '../jid/jid.js';
import { readDirectInvitation, type DirectInvitation } from '../muc/direct-invitation.js';
import type { Session } from '../session/session.js';
import { isDelayed } from '../xml/delay.js';
import type { Element } from '../xml/element.js';
import {
  encodeCallMessage,
  readCallMessage,
  type CallAction,
  type CallMessage,
  type CallMethod,
} from './stanzas/invitations.js';

export interface RoomInvitation {
  kind: 'invitation';
  id: string;
  /** In a room, the occupant. */
  from: JID;
  room: JID;
  password: string | undefined;
  isVideo: boolean;
  /** Aborted when it is taken back. */
  signal: AbortSignal;
  accept(): Promise<void>;
  reject(): Promise<void>;
  /** We have left the call. */
  left(): Promise<void>;
}

export interface RoomInvitationsOptions {
  session: Pick<Session, 'jid' | 'send'>;
  isWanted: (from: JID, room: JID) => boolean;
  /** Invitations to a room alone count, too. */
  takesPlain: boolean;
  emit: (invitation: RoomInvitation) => void;
}

const MAX_OPEN = 100;
/** Where both kinds are sent, they come one after the other. */
const OTHER_KIND_MS = 1000;

export class RoomInvitations implements Disposable {
  readonly #options: RoomInvitationsOptions;
  readonly #open = new Map<string, AbortController>();
  /** By inviter and room: what the invitation to the room says beside the one to the call. */
  readonly #passwords = new Map<string, string>();
  /** By inviter and room: those that wait for an invitation to the call. */
  readonly #plain = new Map<string, NodeJS.Timeout>();
  /** By inviter and room: those that have come. */
  readonly #known = new Map<string, true>();

  constructor(options: RoomInvitationsOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    for (const timer of this.#plain.values()) clearTimeout(timer);
    this.#plain.clear();
  }

  /** For every message. Those that were stored while nobody was here are too late. */
  receive(message: Element): void {
    const from = senderOf(message);
    if (!from || from.equals(this.#options.session.jid) || isDelayed(message)) return;
    const direct = readDirectInvitation(message);
    if (direct) this.#receiveDirect(from, direct);
    const call = readCallMessage(message);
    if (call?.action === 'retract') this.#open.get(openKey(from, call.id))?.abort();
    if (call?.action !== 'invite' || call.method?.kind !== 'muji') return;
    this.#receiveCall(from, message.attrs['type'] === 'groupchat', call, call.method);
  }

  #receiveDirect(from: JID, { room, password }: DirectInvitation): void {
    const { isWanted, takesPlain, emit } = this.#options;
    if (!isWanted(from, room.bare)) return;
    const key = plainKey(from, room);
    if (password !== undefined) remember(this.#passwords, key, password);
    if (!takesPlain || this.#known.has(key) || this.#plain.has(key) || this.#plain.size >= MAX_OPEN) return;
    const nothing = (): Promise<void> => Promise.resolve();
    const timer = setTimeout(() => {
      this.#plain.delete(key);
      remember(this.#known, key, true);
      emit({
        kind: 'invitation',
        id: '',
        from,
        room: room.bare,
        password,
        isVideo: false,
        signal: new AbortController().signal,
        // It has no answers.
        accept: nothing,
        reject: nothing,
        left: nothing,
      });
    }, OTHER_KIND_MS);
    this.#plain.set(key, timer);
  }

  #receiveCall(
    from: JID,
    isGroupchat: boolean,
    { id, isVideo }: CallMessage,
    method: Extract<CallMethod, { kind: 'muji' }>,
  ): void {
    const { session, isWanted, emit } = this.#options;
    const key = openKey(from, id);
    if (!isWanted(from, method.room) || this.#open.has(key)) return;
    const controller = new AbortController();
    remember(this.#open, key, controller);
    const plain = plainKey(from, method.room);
    clearTimeout(this.#plain.get(plain));
    this.#plain.delete(plain);
    remember(this.#known, plain, true);
    // What is answered to a room goes to all in it, as the invitation did.
    const to = isGroupchat
      ? { jid: from.bare, type: 'groupchat' as const }
      : { jid: from, type: 'chat' as const };
    const answer = (action: CallAction): Promise<void> =>
      session.send(encodeCallMessage({ action, id, isVideo, ...(action === 'accept' && { method }) }, to));
    emit({
      kind: 'invitation',
      id,
      from,
      room: method.room,
      password: this.#passwords.get(plain),
      isVideo,
      signal: controller.signal,
      accept: () => answer('accept'),
      reject: () => answer('reject'),
      left: () => answer('left'),
    });
  }
}

/** Of a message that is no error. */
export function senderOf({ attrs }: Element): JID | undefined {
  const { from, type } = attrs as Record<string, unknown>;
  return typeof from === 'string' && type !== 'error' ? JID.fromServer(from) : undefined;
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MAX_OPEN) break;
    map.delete(oldest);
  }
}

/** In a room whoever invites may have changed the nickname since. */
function openKey(from: JID, id: string): string {
  return `${from.bare.toString()} ${id}`;
}

function plainKey(from: JID, room: JID): string {
  return `${from.bare.toString()} ${room.bare.toString()}`;
}
