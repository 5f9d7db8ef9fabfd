/**
 * Getting what one has missed from those who have it (CLARIFICATIONS 22).
 *
 * The document is a function of the messages that came, whatever their order, so after a gap nobody needs another document:
 * everybody says what it has, and asks whoever has more for the rest, one after the other. Who has got something in this
 * way says again what it has; when nobody has anything more to say, all have the same.
 */
import type { SeenMessage } from '../edits.js';
import { hasMore } from '../message-log.js';
import type { SxeContent } from '../stanzas.js';
import { Alarm, type Clock } from './clock.js';

/** So long nothing has to come from who was asked before another one is. */
const ANSWER_MS = 5_000;
/** So often one says again what one has when nobody answers, until something comes. */
const MAX_TRIES = 8;

export interface CatchUpPorts {
  clock: Clock;
  /** What is here. */
  seen(): SeenMessage[];
  /** To everybody. */
  announce(content: SxeContent): void;
  send(name: string, content: SxeContent): void;
}

export class CatchUp {
  /** What others have said that they have, while there may be more in it than we have. */
  readonly #heard = new Map<string, readonly SeenMessage[]>();
  #asked: string | undefined;
  #hasGrown = false;
  #tries = 0;
  readonly #alarm: Alarm;

  constructor(private readonly ports: CatchUpPorts) {
    this.#alarm = new Alarm(ports.clock);
  }

  /** Who was asked and has not given everything yet. */
  get asked(): string | undefined {
    return this.#asked;
  }

  /** Says what is here: after a gap, after a snapshot, and when something seems to be missing. */
  announce(): void {
    this.ports.announce({ kind: 'connect', seen: this.ports.seen() });
  }

  /** As `announce`, a few times at most. */
  announceAgain(): void {
    if (this.#tries >= MAX_TRIES) return;
    this.#tries += 1;
    this.announce();
  }

  /** @param isAnnounced to everybody: who says so may have less than we have */
  heard(name: string, theirs: readonly SeenMessage[], isAnnounced: boolean): void {
    const mine = this.ports.seen();
    if (isAnnounced && hasMore(mine, theirs)) this.ports.send(name, { kind: 'have', seen: mine });
    this.#heard.set(name, theirs);
    this.#ask();
  }

  /** Something has come from who was asked. */
  received(isLast: boolean): void {
    this.#hasGrown = true;
    this.#tries = 0;
    if (isLast) this.#finish();
    else this.#alarm.set(ANSWER_MS, () => this.#giveUp());
  }

  /**
   * Who was asked has not kept all of it, and offers a snapshot instead.
   * @returns whether somebody else has it
   */
  askOther(): boolean {
    this.#forgetAsked();
    this.#ask();
    return this.#asked !== undefined;
  }

  gone(name: string): void {
    this.#heard.delete(name);
    if (name === this.#asked) this.#giveUp();
  }

  /** The stream is lost, or the session over. */
  stop(): void {
    this.#heard.clear();
    this.#hasGrown = false;
    this.#tries = 0;
    this.#forgetAsked();
  }

  #forgetAsked(): void {
    this.#asked = undefined;
    this.#alarm.cancel();
  }

  #finish(): void {
    this.#forgetAsked();
    this.#ask();
    if (this.#asked !== undefined || !this.#hasGrown) return;
    this.#hasGrown = false;
    this.announce();
  }

  /** Others may have it as well. */
  #giveUp(): void {
    this.#finish();
    if (this.#asked === undefined) this.announceAgain();
  }

  #ask(): void {
    if (this.#asked !== undefined) return;
    const mine = this.ports.seen();
    for (const [name, theirs] of this.#heard) {
      this.#heard.delete(name);
      if (!hasMore(theirs, mine)) continue;
      this.#asked = name;
      this.ports.send(name, { kind: 'want', seen: mine });
      this.#alarm.set(ANSWER_MS, () => this.#giveUp());
      return;
    }
  }
}
