/** Pairs of candidates and the order in which they are tried (RFC 8445 §6.1.2); no sockets, no clock. */
import type { IceCandidate } from '../media-link.js';
import { pairPriority } from './candidates.js';
import type { LocalBase } from './local-candidates.js';

export interface Pair {
  base: LocalBase;
  /** What the peer sees of us on this pair; the base's own candidate until a check told (RFC 8445 §7.2.5.3). */
  local: IceCandidate;
  remote: IceCandidate;
  state: 'waiting' | 'in-progress' | 'succeeded' | 'failed';
  /** Checks that wait for their answer. */
  pending: number;
  /** The controlling side chose it: it is used as soon as it works. */
  isNominated: boolean;
  roundTripMs?: number;
}

/** RFC 8445 §6.1.2.5. */
const MAX_PAIRS = 100;

export class CheckList {
  readonly #pairs: Pair[] = [];
  readonly #triggered: Pair[] = [];

  constructor(private readonly isControlling: () => boolean) {}

  get pairs(): readonly Pair[] {
    return this.#pairs;
  }

  /** @returns the pair, also one that is there already; undefined when the two cannot be one, or there are too many */
  add(base: LocalBase, remote: IceCandidate): Pair | undefined {
    const known = this.find(base, remote.ip, remote.port);
    if (known) return known;
    if (!canPair(base, remote) || this.#pairs.length >= MAX_PAIRS) return undefined;
    const pair: Pair = {
      base,
      local: base.candidate,
      remote,
      state: 'waiting',
      pending: 0,
      isNominated: false,
    };
    this.#pairs.push(pair);
    return pair;
  }

  find(base: LocalBase, ip: string, port: number): Pair | undefined {
    return this.#pairs.find(
      (pair) => pair.base === base && pair.remote.port === port && pair.remote.ip === ip,
    );
  }

  /** Puts a check before all others (RFC 8445 §7.3.1.4). */
  trigger(pair: Pair): void {
    if (!this.#triggered.includes(pair)) this.#triggered.push(pair);
  }

  next(): Pair | undefined {
    return this.#triggered.shift() ?? this.#best(({ state }) => state === 'waiting');
  }

  get bestSucceeded(): Pair | undefined {
    return this.#best(({ state }) => state === 'succeeded');
  }

  /** Whether something better may still succeed. */
  mayBeat(pair: Pair): boolean {
    const priority = this.priorityOf(pair);
    return this.#pairs.some(
      (other) =>
        (other.state === 'waiting' || other.state === 'in-progress') && this.priorityOf(other) > priority,
    );
  }

  get isExhausted(): boolean {
    return this.#triggered.length === 0 && this.#pairs.every(({ state }) => state === 'failed');
  }

  priorityOf({ base, remote }: Pair): bigint {
    const local = base.candidate.priority;
    return this.isControlling() ? pairPriority(local, remote.priority) : pairPriority(remote.priority, local);
  }

  #best(isWanted: (pair: Pair) => boolean): Pair | undefined {
    let best: Pair | undefined;
    for (const pair of this.#pairs) {
      if (isWanted(pair) && (!best || this.priorityOf(pair) > this.priorityOf(best))) best = pair;
    }
    return best;
  }
}

/** A socket that is bound to loopback reaches nothing else, and nothing else reaches it. */
function canPair(base: LocalBase, remote: IceCandidate): boolean {
  if (base.candidate.ip.includes(':') !== remote.ip.includes(':')) return false;
  if (base.candidate.type === 'relay') return true;
  return isLoopback(base.candidate.ip) === isLoopback(remote.ip);
}

export function isLoopback(ip: string): boolean {
  return ip === '::1' || ip.startsWith('127.');
}
