/** Which messages are wanted. */
import type { JID } from '../jid/jid.js';
import { jid } from '../xml/jid-scalar.js';
import type { Message, MessageType } from './message.js';

export interface MessageCriteria {
  /** An address without a resource stands for all of them. */
  from: readonly JID[];
  rooms: readonly JID[];
  types: readonly MessageType[];
}

/** Senders and rooms are alternatives; without either everybody is wanted. Of a copy of what we sent, the recipient counts. */
export function messageFilter({ from, rooms, types }: MessageCriteria): (message: Message) => boolean {
  const wantedTypes: ReadonlySet<MessageType> = new Set(types);
  const wanted: ReadonlySet<string> = new Set([...from, ...rooms].map(String));
  return (message) => {
    if (wantedTypes.size > 0 && !wantedTypes.has(message.type)) return false;
    if (wanted.size === 0) return true;
    const text = message.carbon === 'sent' ? message.to : message.from;
    if (text === undefined) return false;
    const address = jid.read(text);
    return address !== undefined && (wanted.has(address.toString()) || wanted.has(address.bare.toString()));
  };
}
