/**
 * What a probe allows itself against one endpoint: how many connections, how many at a time, how fast, and until when.
 * A server belongs to somebody else, and a hostile one must not be able to keep us.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectError, TimeoutError } from '../../errors.js';

export interface BudgetLimits {
  /** Connections to one endpoint. */
  connections: number;
  /** Connections to one endpoint at a time. COMPAT(ejabberd 23.01): its listeners have a backlog of 5. */
  concurrency: number;
  /** New connections to one endpoint in a second; Infinity for no limit. */
  perSecond: number;
  /** Bytes that are read from one connection. */
  bytes: number;
  /** Milliseconds for one endpoint, everything together. */
  totalMs: number;
  /** Milliseconds for one step: a connection, a handshake, an answer. */
  stepMs: number;
}

export const defaultLimits: BudgetLimits = {
  connections: 150,
  concurrency: 5,
  perSecond: 15,
  bytes: 256 * 1024,
  totalMs: 30_000,
  stepMs: 5000,
};

/** Some of these are bad luck. With the steps that run side by side, a run ends after about three steps. */
const MAX_SILENCES = 8;

/** Nothing more may be spent on an endpoint. */
export class BudgetSpentError extends ConnectError {
  override readonly name = 'BudgetSpentError';
}

export class Budget {
  readonly limits: BudgetLimits;
  /** Aborted when the time is over, or the user stops the program. */
  readonly signal: AbortSignal;
  #used = 0;
  #running = 0;
  #nextAt = 0;
  #silences = 0;
  readonly #overdue = new AbortController();
  readonly #waiting: (() => void)[] = [];

  constructor(limits: BudgetLimits, signal: AbortSignal | undefined) {
    this.limits = limits;
    const deadline = AbortSignal.timeout(limits.totalMs);
    deadline.addEventListener('abort', () =>
      this.#overdue.abort(
        new TimeoutError(`the ${limits.totalMs / 1000} s that one endpoint may take are over`, {
          hint: 'a longer time can be given with --budget time=SECONDS',
        }),
      ),
    );
    const all = signal ? AbortSignal.any([signal, this.#overdue.signal]) : this.#overdue.signal;
    // Everything that is under way waits with it, which is more than the ten that Node takes for a leak.
    setMaxListeners(0, all);
    this.signal = all;
  }

  /** A step took all the time it may: who does that again and again wants to keep us, and is left alone. */
  reportSilence(): void {
    this.#silences += 1;
    if (this.#silences < MAX_SILENCES) return;
    this.#overdue.abort(
      new TimeoutError('the endpoint was left alone, because it kept us waiting again and again'),
    );
  }

  get connectionsUsed(): number {
    return this.#used;
  }

  /**
   * Waits until a connection may be made. Dispose of the result when it is closed.
   *
   * @throws BudgetSpentError all connections have been used
   */
  async take(): Promise<Disposable> {
    while (this.#running >= this.limits.concurrency) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.signal.throwIfAborted();
    if (this.#used >= this.limits.connections) {
      this.#waiting.shift()?.();
      throw new BudgetSpentError(
        `the ${this.limits.connections} connections allowed to one endpoint are used up`,
        {
          hint: 'more can be allowed with --budget connections=N',
        },
      );
    }
    this.#used += 1;
    this.#running += 1;
    await this.#pace();
    let isReleased = false;
    return {
      [Symbol.dispose]: () => {
        if (isReleased) return;
        isReleased = true;
        this.#running -= 1;
        this.#waiting.shift()?.();
      },
    };
  }

  async #pace(): Promise<void> {
    if (!Number.isFinite(this.limits.perSecond)) return;
    const now = performance.now();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + 1000 / this.limits.perSecond;
    // An interruption ends the wait; whoever uses the connection is told by the signal.
    if (at > now) await delay(at - now, undefined, { signal: this.signal }).catch(() => undefined);
  }
}
