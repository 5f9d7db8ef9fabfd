/** Getting the document of a session from somebody who has it: one offer is taken, and whoever made it is given time. */
import type { StateItem } from '../edits.js';
import { Joining, type JoinStep } from '../joining.js';
import type { SxeContent } from '../stanzas.js';
import { Alarm, type Clock } from './clock.js';

/** So long whoever has offered the document may say nothing. */
const SILENCE_MS = 10_000;
const MAX_ATTEMPTS = 8;
/** Several may come at once, and may have an offer on its way. */
const NEWCOMER_MS = 1_000;

export interface FetchingPorts {
  clock: Clock;
  /** Our own name. */
  name: string;
  /** For whom the document is (CLARIFICATIONS 14). */
  site: string;
  /** Asks everybody; not there when only whoever has offered it is meant. */
  ask: (() => void) | undefined;
  answer(name: string, content: SxeContent): void;
  /** Nobody sends it. */
  fail(): void;
}

export class Fetching {
  readonly #joining: Joining;
  readonly #alarm: Alarm;
  readonly #newcomer: Alarm;
  #attempts = 0;

  constructor(private readonly ports: FetchingPorts) {
    this.#joining = new Joining({ name: ports.name, site: ports.site });
    this.#alarm = new Alarm(ports.clock);
    this.#newcomer = new Alarm(ports.clock);
  }

  /** Asks everybody, and waits for an offer. */
  ask(waitMs: number): void {
    this.ports.ask?.();
    this.#alarm.set(waitMs, () => this.ports.fail());
  }

  /** Somebody has come who has not heard that we ask. */
  present(): void {
    if (this.#joining.accepted !== undefined || this.#newcomer.isSet) return;
    this.#newcomer.set(NEWCOMER_MS, () => {
      if (this.#joining.accepted === undefined) this.ports.ask?.();
    });
  }

  gone(name: string): void {
    if (this.#joining.left(name)) this.#askAgain();
  }

  offered(name: string): void {
    // It has been told already.
    if (this.#joining.accepted === name) return;
    const answer = this.#joining.offered(name);
    this.ports.answer(name, { kind: answer });
    if (answer === 'accept-state') this.#giveTime(name);
  }

  /** Whether something is part of the document that was offered, or has to wait for it. */
  isMeantFor(name: string, items: readonly StateItem[]): boolean {
    const isSnapshot = items.some(({ kind }) => kind === 'document-begin' || kind === 'document-end');
    return isSnapshot || this.#joining.isSending(name);
  }

  receive(name: string, id: string, items: readonly StateItem[]): JoinStep {
    const step = this.#joining.receive(name, id, items);
    if (step.kind === 'joined') this.stop();
    else if (this.#joining.isSending(name)) this.#giveTime(name);
    return step;
  }

  stop(): void {
    this.#newcomer.cancel();
    this.#alarm.cancel();
  }

  #giveTime(name: string): void {
    this.#alarm.set(SILENCE_MS, () => {
      if (this.#joining.left(name)) this.#askAgain();
    });
  }

  #askAgain(): void {
    this.#attempts += 1;
    if (!this.ports.ask || this.#attempts >= MAX_ATTEMPTS) this.ports.fail();
    else this.ask(SILENCE_MS);
  }
}
