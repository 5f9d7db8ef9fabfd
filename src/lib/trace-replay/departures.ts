/** Counts and tells what became of each line. */
import type { Direction } from '../trace/events.js';
import type { Departure, ReplayEvent, ReplaySummary } from './events.js';
import type { Expectation, Match } from './expectations.js';

interface Said {
  n: number;
  dir: Direction;
  what: string;
}

export class Departures {
  #sent = 0;
  #received = 0;
  #skipped = 0;
  #count = 0;
  #first: Departure | undefined;

  constructor(private readonly report: (event: ReplayEvent) => void) {}

  /** How many departures there were. */
  get count(): number {
    return this.#count;
  }

  sent(said: Said): void {
    this.#sent += 1;
    this.report({ event: 'sent', ...said });
  }

  skipped(said: Said, reason: string): void {
    this.#skipped += 1;
    this.report({ event: 'skipped', ...said, reason });
  }

  /** Not chosen by the user: nothing to tell. */
  leaveOut(): void {
    this.#skipped += 1;
  }

  /** @param xml what came */
  matched({ expectation, isLate, changes }: Match, xml: string): void {
    this.#received += 1;
    const said = saidIn(expectation);
    if (changes.length === 0) {
      this.report({ event: 'received', ...said, ...(isLate && { isLate: true as const }) });
      return;
    }
    this.#depart({ event: 'departure', kind: 'different', ...said, changes, xml });
  }

  beyond(dir: Direction, what: string): void {
    this.report({ event: 'beyond', dir, what });
  }

  missing(expectation: Expectation): void {
    this.#depart({ event: 'departure', kind: 'missing', ...saidIn(expectation) });
  }

  additional(dir: Direction, what: string, xml: string): void {
    this.#depart({ event: 'departure', kind: 'additional', dir, what, xml });
  }

  unsupported(said: Said, reason: string): void {
    this.#depart({ event: 'departure', kind: 'unsupported', ...said, reason });
  }

  ended(reason: string, left: number): void {
    this.#depart({ event: 'departure', kind: 'ended', reason, left });
  }

  summary(): ReplaySummary {
    return {
      sent: this.#sent,
      received: this.#received,
      skipped: this.#skipped,
      departures: this.#count,
      first: this.#first,
    };
  }

  #depart(departure: Departure): void {
    this.#count += 1;
    this.#first ??= departure;
    this.report(departure);
  }
}

function saidIn({ line, item }: Expectation): Said {
  return { n: line.n, dir: line.dir, what: item.what };
}
