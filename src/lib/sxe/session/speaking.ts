/**
 * When to say again what conflicts have undone: as soon as nothing has come for a moment, and for those who have gone as
 * well (CLARIFICATIONS 11 and 12). What seems to be missing by then is asked for.
 */
import type { Message } from '../inbox.js';
import type { Participant } from '../participant.js';
import { Absent } from './absent.js';
import { Alarm, type Clock } from './clock.js';

/** So long nothing has to come before what a conflict has undone is said again. */
const QUIET_MS = 150;
/** The same after a gap, when others may have something to say that was missed. */
const SETTLED_MS = 1_000;
/** So long after something seems to be missing it is asked for. */
const MISSING_MS = 2_000;

export interface SpeakingPorts {
  clock: Clock;
  /** Undefined while there is no document that may be changed. */
  participant(): Participant | undefined;
  isPresent(name: string): boolean;
  /** Somebody is giving us what we have missed. */
  isCatchingUp(): boolean;
  say(message: Message): void;
  /** Messages that others have seem to be missing here. */
  askForMissing(): void;
}

export class Speaking {
  readonly #quiet: Alarm;
  readonly #missing: Alarm;
  /** Those whose words we wait for, and who are not there. */
  readonly #absent: Absent;

  constructor(private readonly ports: SpeakingPorts) {
    this.#quiet = new Alarm(ports.clock);
    this.#missing = new Alarm(ports.clock);
    this.#absent = new Absent(ports.clock);
  }

  /** Something has come, or changed: until nothing more does. */
  waitForQuiet(): void {
    const ms = this.ports.participant()?.isHolding === true ? SETTLED_MS : QUIET_MS;
    this.#quiet.set(ms, () => this.#onQuiet());
  }

  isBack(name: string): void {
    this.#absent.isBack(name);
  }

  speak(participant: Participant): void {
    for (let message = participant.speak(); message; message = participant.speak()) this.ports.say(message);
  }

  /** Everything at once, before leaving. */
  flush(participant: Participant): void {
    for (let message = participant.flush(); message; message = participant.flush()) this.ports.say(message);
  }

  stop(): void {
    this.#quiet.cancel();
    this.#missing.cancel();
    this.#absent.stop();
  }

  #onQuiet(): void {
    const participant = this.ports.participant();
    if (!participant) return;
    if (this.ports.isCatchingUp()) {
      this.waitForQuiet();
      return;
    }
    participant.isHolding = false;
    this.speak(participant);
    for (const name of participant.waitingFor()) {
      if (this.ports.isPresent(name)) continue;
      this.#absent.waitFor(name, () => {
        participant.left(name);
        this.waitForQuiet();
      });
    }
    if (hasGaps(participant) && !this.#missing.isSet) this.#missing.set(MISSING_MS, () => this.#ask());
  }

  #ask(): void {
    const participant = this.ports.participant();
    if (!participant || !hasGaps(participant) || this.ports.isCatchingUp()) return;
    this.ports.askForMissing();
    this.waitForQuiet();
  }
}

const hasGaps = ({ inbox }: Participant): boolean => inbox.gaps().length > 0;
