/** What a session is spoken in: XEP-0284, or the older dialect of Psi (`psi-dialect.ts`). */
import type { Element } from '../../xml/element.js';
import type { StateItem } from '../edits.js';
import { snapshotItems, type Snapshot } from '../snapshot.js';
import { decodeSxe, encodeSxe, NS_SXE, type SxeMessage } from '../stanzas.js';
import type { ChannelEvent } from './channel.js';

export type Said =
  | { kind: 'message'; message: SxeMessage }
  /** A message of ours is in the document that somebody gives us. */
  | { kind: 'arrived'; session: string; id: string }
  /** Who says so has left the session. */
  | { kind: 'left'; session: string };

/** One for each session: it may remember what was said. */
export interface Dialect {
  readonly namespace: string;
  /** Who has missed something can ask for it, and need not take the whole document (CLARIFICATIONS 22). */
  readonly canCatchUp: boolean;
  /** Presence tells who is in the session (XEP-0284 §5); else they are in it from the first thing they say. */
  readonly announces: boolean;
  /** A document for who has none. */
  snapshotItems(snapshot: Snapshot): StateItem[];
  /** @param to undefined: everybody @returns undefined: there are no words for it, and nothing is sent */
  encode(message: SxeMessage, to: string | undefined): Element | undefined;
  /** What is said to everybody before leaving, where presence does not tell. */
  goodbye(session: string): Element | undefined;
  /** @param own our name @throws DecodeError */
  decode(source: Element, sender: string, own: string): Said[];
}

export const standardDialect: Dialect = {
  namespace: NS_SXE,
  canCatchUp: true,
  announces: true,
  snapshotItems,
  encode: (message) => encodeSxe(message),
  goodbye: () => undefined,
  decode: (source) => [{ kind: 'message', message: decodeSxe(source) }],
};

/** What was said in a message, as a channel tells it. */
export function eventsOf(
  dialect: Dialect,
  source: Element,
  { session, sender, own, isPrivate }: { session: string; sender: string; own: string; isPrivate: boolean },
): ChannelEvent[] {
  const events: ChannelEvent[] = [];
  for (const said of dialect.decode(source, sender, own)) {
    if ((said.kind === 'message' ? said.message : said).session !== session) continue;
    if (said.kind === 'message') events.push({ kind: 'message', sender, message: said.message, isPrivate });
    else if (said.kind === 'left') events.push({ kind: 'gone', name: sender });
    else {
      const message: SxeMessage = { session, id: said.id, content: { kind: 'state', items: [] } };
      events.push({ kind: 'message', sender: own, message });
    }
  }
  return events;
}
