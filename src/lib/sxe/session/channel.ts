/** The way from one participant of an editing session to the others: a room, or one other account. */
import type { SxeContent, SxeMessage } from '../stanzas.js';
import type { Dialect } from './dialect.js';

export type ChannelEvent =
  /** Own messages may come back, as in a room. `isPrivate`: in a room, but to nobody else. */
  | { kind: 'message'; sender: string; message: SxeMessage; isPrivate?: boolean }
  /** Somebody is in the session. */
  | { kind: 'present'; name: string }
  | { kind: 'gone'; name: string }
  /** The connection is broken. It may go on as if nothing had been (`resumed`), or be lost. */
  | { kind: 'cut' | 'resumed' }
  /** The stream was lost: nothing is known from here on. */
  | { kind: 'lost' }
  /** There is a new one: what was sent since the last one has been missed. */
  | { kind: 'gap' };

export interface Channel {
  /** The name under which the others know us. */
  readonly name: string;
  /** The id of the session. */
  readonly session: string;
  /** Our own messages come back. */
  readonly isEchoing: boolean;
  readonly dialect: Dialect;
  /** In order; ends when the session is over, or throws. */
  readonly events: AsyncIterableIterator<ChannelEvent>;
  /** To everybody in the session. */
  send(content: SxeContent, id: string): Promise<void>;
  /** To one of them. */
  sendTo(name: string, content: SxeContent, id: string): Promise<void>;
  /** Says goodbye. Never throws. */
  close(): Promise<void>;
}
