/** What a replay tells while it goes on. */
import type { Change } from '../trace-analysis/diff/compare-elements.js';
import type { Direction } from '../trace/events.js';

interface Said {
  /** The record that it has in the recording. */
  n: number;
  dir: Direction;
  /** What it is, for people. */
  what: string;
}

export type Departure =
  /** What the other side said in the recording did not come. */
  | ({ event: 'departure'; kind: 'missing' } & Said)
  /** What came is in the recording otherwise. */
  | ({ event: 'departure'; kind: 'different'; changes: Change[]; xml: string } & Said)
  /** What came is not in the recording. */
  | { event: 'departure'; kind: 'additional'; dir: Direction; what: string; xml: string }
  /** What was said in the recording cannot be said here. */
  | ({ event: 'departure'; kind: 'unsupported'; reason: string } & Said)
  /** The other side ended the conversation before the recording does; so many lines of it were left. */
  | { event: 'departure'; kind: 'ended'; reason: string; left: number };

export type ReplayEvent =
  | Departure
  /** Our side's line was said. */
  | ({ event: 'sent' } & Said)
  /** The other side said what it says in the recording; `isLate` when it had been given up. */
  | ({ event: 'received'; isLate?: true } & Said)
  /** The other side answered what the recording ends too early to have an answer to. */
  | { event: 'beyond'; dir: Direction; what: string }
  /** Our side's line was left out, for a reason that is no departure. */
  | ({ event: 'skipped'; reason: string } & Said);

export interface ReplaySummary {
  sent: number;
  received: number;
  skipped: number;
  departures: number;
  /** The first of them. */
  first: Departure | undefined;
}
