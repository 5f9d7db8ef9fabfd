/**
 * The messages of a session as they came, for those who have missed some of them (CLARIFICATIONS 22). It is as long as is
 * allowed; who has missed more gets a snapshot.
 */
import type { Change, SeenMessage } from './edits.js';
import { readNumberedId, type Message } from './inbox.js';
import { bytesIn } from './split-change.js';

/** Characters of all messages together. */
const MAX_LENGTH = 32 * 1024 * 1024;

export class MessageLog {
  /** In the order in which they came, by sender and id. */
  readonly #messages = new Map<string, Message>();
  #length = 0;

  constructor(private readonly maxLength = MAX_LENGTH) {}

  /** Also what waits for messages before it, and one's own. @returns false: it is there already */
  add(message: Message): boolean {
    const key = keyOf(message.sender, message.id);
    if (this.#messages.has(key)) return false;
    this.#messages.set(key, message);
    this.#length += lengthOfMessage(message);
    for (const [oldest, { edits, ...rest }] of this.#messages) {
      if (this.#length <= this.maxLength) break;
      this.#messages.delete(oldest);
      this.#length -= lengthOfMessage({ ...rest, edits });
    }
    return true;
  }

  all(): IterableIterator<Message> {
    return this.#messages.values();
  }

  /** The last ones, in order. */
  recent(maxLength: number): Message[] {
    const messages = [...this.#messages.values()];
    let first = messages.length;
    for (let length = 0; first > 0; first--) {
      const message = messages[first - 1];
      length += message ? lengthOfMessage(message) : 0;
      if (length > maxLength) break;
    }
    return messages.slice(first);
  }

  /**
   * What somebody who has seen `theirs` has not got, in an order in which it can be taken.
   *
   * @param mine what is here
   * @returns `undefined`: something of it is not kept any more
   */
  missedBy(theirs: readonly SeenMessage[], mine: readonly SeenMessage[]): Message[] | undefined {
    const seen = readSeen(theirs);
    const missed: Message[] = [];
    for (const { sender, id } of mine) {
      const numbered = readNumberedId(id);
      if (!numbered) {
        const message = this.#messages.get(keyOf(sender, id));
        if (message && !seen.ids.has(keyOf(sender, id))) missed.push(message);
        continue;
      }
      const { site, number: last } = numbered;
      for (let number = (seen.last.get(keyOf(sender, site)) ?? 0) + 1; number <= last; number++) {
        const message = this.#messages.get(keyOf(sender, `${site}.${number}`));
        if (!message) return undefined;
        missed.push(message);
      }
    }
    return missed;
  }
}

/** Whether somebody who has seen `theirs` has something that one who has seen `mine` has not. */
export function hasMore(theirs: readonly SeenMessage[], mine: readonly SeenMessage[]): boolean {
  const seen = readSeen(mine);
  return theirs.some(({ sender, id }) => {
    const numbered = readNumberedId(id);
    if (!numbered) return !seen.ids.has(keyOf(sender, id));
    return numbered.number > (seen.last.get(keyOf(sender, numbered.site)) ?? 0);
  });
}

interface Seen {
  /** The last number, by sender and site. */
  last: Map<string, number>;
  /** Ids without a number, with their senders. */
  ids: Set<string>;
}

function readSeen(messages: readonly SeenMessage[]): Seen {
  const seen: Seen = { last: new Map(), ids: new Set() };
  for (const { sender, id } of messages) {
    const numbered = readNumberedId(id);
    if (numbered) seen.last.set(keyOf(sender, numbered.site), numbered.number);
    else seen.ids.add(keyOf(sender, id));
  }
  return seen;
}

const keyOf = (sender: string, id: string): string => `${sender}\n${id}`;

/** About as long as it is on the wire, in UTF-8. */
export function lengthOfMessage({ sender, id, edits }: Message): number {
  return edits.reduce((length, edit) => length + lengthOfEdit(edit), 60 + sender.length + id.length);
}

/** About as long as it is on the wire, in UTF-8. */
export function lengthOfEdit(edit: Change): number {
  let length = 60;
  for (const value of Object.values(edit)) length += 14 + (typeof value === 'string' ? bytesIn(value) : 8);
  return length;
}
