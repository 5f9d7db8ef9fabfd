/**
 * Keeps a session to a schema (XEP-0284 §10.2, CLARIFICATIONS 24): looks at the document when it has changed, and where it
 * is not valid any more answers with edits that take back what made it so. Of those who have a schema only one does it.
 */
import { TimeoutError } from '../../errors.js';
import type { SchemaFault } from '../schema/compile-schema.js';
import { findCorrection } from '../schema/find-correction.js';
import { describeFault, type Schema } from '../schema/schema.js';
import type { Change } from '../edits.js';
import type { Participant } from '../participant.js';
import type { SxeContent } from '../stanzas.js';
import { lowestName } from '../weight-order.js';
import { writeWorkingCopy } from '../working-copy.js';
import { Alarm, type Clock } from './clock.js';

/** So long after a change the document is looked at: what is changed together comes together. */
const LOOK_MS = 250;
/** More corrections than this in the time below: somebody, or something, does not give in. */
const MAX_CORRECTIONS = 10;
const CORRECTIONS_MS = 60_000;

export type GuardEvent =
  /** The document is not valid; it says so once, until it is. */
  | { kind: 'invalid'; reason: string }
  /** It is again. */
  | { kind: 'valid' }
  /** What made it so has been taken back. */
  | { kind: 'corrected'; edits: number; reason: string };

export interface GuardPorts {
  clock: Clock;
  /** Undefined while nobody could hear a correction. */
  participant(): Participant | undefined;
  isPresent(name: string): boolean;
  edit(changes: readonly Change[]): void;
  sendTo(name: string, content: SxeContent): void;
  tell(event: GuardEvent): void;
}

export class SchemaGuard {
  /** What the document was when it was last valid; undefined: it has not been yet. */
  #good: string | undefined;
  #isValid = true;
  /** The others who have a schema: this one or another. */
  readonly #others = new Set<string>();
  readonly #alarm: Alarm;
  readonly #pause: Alarm;
  #corrections = 0;
  #isLooking = false;
  #isStopped = false;

  constructor(
    private readonly schema: Schema,
    private readonly ports: GuardPorts,
  ) {
    this.#alarm = new Alarm(ports.clock);
    this.#pause = new Alarm(ports.clock);
  }

  /** The session begins with a document that has been checked. */
  begin(text: string): void {
    this.#good = text;
  }

  /** Somebody has come, who is told that we have a schema. */
  present(name: string): void {
    this.ports.sendTo(name, { kind: 'schema' });
  }

  /** Somebody else has a schema as well. */
  hears(name: string): void {
    this.#others.add(name);
  }

  gone(name: string): void {
    this.#others.delete(name);
    // It may be our turn now.
    if (!this.#isValid) this.changed();
  }

  /** The document may have changed. */
  changed(): void {
    if (!this.#alarm.isSet && !this.#isStopped) this.#alarm.set(LOOK_MS, () => void this.#look());
  }

  stop(): void {
    this.#isStopped = true;
    this.#alarm.cancel();
    this.#pause.cancel();
  }

  /**
   * Why a text is not to become the document. While the document itself is not valid everything is: it may be a step to
   * what is.
   */
  async judge(text: string): Promise<string | undefined> {
    // What is known may be what it was before the last change.
    if (this.#good === undefined || !this.#isValid) await this.#look();
    if (!this.#isValid) return undefined;
    const fault = await this.#check(text);
    return fault && describeFault(fault);
  }

  /** What cannot be told is taken for valid. */
  async #check(text: string): Promise<SchemaFault | undefined> {
    try {
      return await this.schema.check(text);
    } catch (error) {
      if (error instanceof TimeoutError) return undefined;
      throw error;
    }
  }

  async #look(): Promise<void> {
    const participant = this.ports.participant();
    if (!participant) return;
    if (this.#isLooking || !participant.isSettled) {
      this.changed();
      return;
    }
    this.#isLooking = true;
    try {
      const text = writeWorkingCopy(participant);
      const fault = text === this.#good ? undefined : await this.#check(text);
      if (this.#isStopped) return;
      if (fault) await this.#onFault(participant, text, describeFault(fault));
      else this.#onValid(text);
    } finally {
      this.#isLooking = false;
    }
  }

  #onValid(text: string): void {
    this.#good = text;
    if (this.#isValid) return;
    this.#isValid = true;
    this.ports.tell({ kind: 'valid' });
  }

  async #onFault(participant: Participant, text: string, reason: string): Promise<void> {
    if (this.#isValid) this.ports.tell({ kind: 'invalid', reason });
    this.#isValid = false;
    const good = this.#good;
    if (good === undefined || !this.#isOurTurn(participant)) return;
    if (this.#corrections >= MAX_CORRECTIONS) return;
    const { changes, authors } = await findCorrection(
      participant,
      good,
      async (other) => (await this.#check(other)) === undefined,
    );
    if (this.#isStopped) return;
    const now = this.ports.participant();
    if (now !== participant || !now.isSettled || writeWorkingCopy(now) !== text) {
      this.changed();
      return;
    }
    this.#count();
    this.ports.edit(changes);
    this.ports.tell({ kind: 'corrected', edits: changes.length, reason });
    for (const name of authors)
      if (name !== participant.name && this.ports.isPresent(name))
        this.ports.sendTo(name, { kind: 'not-valid', reason });
    // It was looked at before it was sent.
    this.#onValid(writeWorkingCopy(now));
  }

  #isOurTurn({ name }: Participant): boolean {
    return lowestName([name, ...this.#others]) === name;
  }

  #count(): void {
    this.#corrections += 1;
    if (this.#pause.isSet) return;
    this.#pause.set(CORRECTIONS_MS, () => {
      this.#corrections = 0;
      this.changed();
    });
  }
}
