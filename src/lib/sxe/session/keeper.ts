/** What keeps the document of a session beyond the end of the program. */
import type { Message } from '../inbox.js';
import type { Participant } from '../participant.js';
import type { Snapshot } from '../snapshot.js';

export interface Keeper {
  /** The document is another one from here on; later messages change it. */
  begin(participant: Participant): void;
  /** A message of anybody, in the order in which they come. */
  add(message: Message): void;
}

/** What was kept. */
export interface KeptDocument {
  /** Under which name the snapshot was made. */
  name: string;
  snapshot: Snapshot;
  messages: readonly Message[];
}
