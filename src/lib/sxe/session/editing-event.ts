/** What a session tells, and what it is begun with. */
import type { MergedText } from '../merge-working-copy.js';
import type { Received } from '../participant.js';
import type { Schema } from '../schema/schema.js';
import type { Surroundings } from './clock.js';
import type { Keeper } from './keeper.js';
import type { GuardEvent } from './schema-guard.js';

export type EditingEvent =
  /**
   * The document is here: at the beginning, and again when so much was missed that it had to be sent anew. `unmerged`: what
   * was written here could not be brought into it; the text has both, between marks.
   */
  | { kind: 'document'; isAgain: boolean; unmerged?: MergedText }
  /** Others have changed it. */
  | { kind: 'changed'; received: readonly Received[] }
  | { kind: 'joined' | 'left'; name: string }
  /** What was changed here has been taken back by somebody who has a schema. */
  | { kind: 'taken-back'; name: string; reason: string }
  | GuardEvent;

export interface EditingOptions {
  surroundings?: Surroundings;
  keeper?: Keeper | undefined;
  /** What the document has to be like. */
  schema?: Schema | undefined;
}
