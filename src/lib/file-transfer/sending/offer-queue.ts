/**
 * The order in which files are offered to one other party, and in which session.
 *
 * The first goes by session-initiate. When that is accepted, the second is added to the session; if the other party
 * goes along with that, all that wait are added, several in one message. If not, each gets a session of its own, when
 * the one before has come to its end.
 */
import { NegativeError, StanzaError, TimeoutError } from '../../errors.js';
import { Deferred } from '../../session/wait.js';
import type { PreparedOffer, SendingOne } from './offer-file.js';
import type { OutgoingSession } from './outgoing-session.js';
import { CannotReceiveError } from '../reasons.js';

export interface OfferQueueOptions {
  newSession: () => OutgoingSession;
  /** The id of the first session, where it was announced. */
  sid: string | undefined;
  /** All files under way or waiting. */
  active: ReadonlySet<SendingOne>;
}

interface Waiting {
  one: SendingOne;
  made: Deferred<undefined>;
}

/** Offers in one message: small enough for every server's limit on stanzas. */
const MAX_TOGETHER = 8;

export class OfferQueue {
  readonly #options: OfferQueueOptions;
  #waiting: Waiting[] = [];
  #isWorking = false;
  #current: OutgoingSession | undefined;
  /** Whether the other party takes several files in one session. */
  #takesSeveral: boolean | undefined;
  #unable: Error | undefined;
  #sid: string | undefined;

  constructor(options: OfferQueueOptions) {
    this.#options = options;
    this.#sid = options.sid;
  }

  /** Resolves when the offer has been made, which is before it is answered. */
  offer(one: SendingOne): Promise<void> {
    const made = new Deferred<undefined>();
    this.#waiting.push({ one, made });
    if (!this.#isWorking) void this.#work();
    return made.promise;
  }

  /** Every file that is not offered yet fails with this. */
  giveUp(error: Error): void {
    this.#unable ??= error;
  }

  /** Nothing more will be offered. */
  async end(): Promise<void> {
    await this.#current?.end({ condition: 'success' });
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0) {
      const isKnownToTakeSeveral = this.#takesSeveral === true && this.#current?.phase === 'active';
      const together = this.#waiting.splice(0, isKnownToTakeSeveral ? MAX_TOGETHER : 1);
      try {
        await this.#offerTogether(together);
      } catch (error) {
        const reason = error instanceof Error ? error : new Error(String(error));
        for (const { made } of together) made.reject(reason);
      }
    }
    this.#isWorking = false;
  }

  async #offerTogether(together: readonly Waiting[]): Promise<void> {
    if (this.#unable) throw this.#unable;
    const current = this.#current;
    if (current && this.#takesSeveral !== false && current.phase === 'active') {
      if (await this.#addTo(current, together)) return;
    }
    const [first, ...rest] = together;
    this.#waiting = [...rest, ...this.#waiting];
    if (first) await this.#offerInNewSession(first, current);
  }

  /** @returns false when the other party wants no further file in this session */
  async #addTo(current: OutgoingSession, together: readonly Waiting[]): Promise<boolean> {
    const prepared = together.map(({ one }) => one.prepareIn(current, 'content-add'));
    try {
      await current.add(prepared);
    } catch (error) {
      if (!(error instanceof StanzaError) && current.phase !== 'ended') throw error;
      this.#takesSeveral = this.#takesSeveral === true;
      for (const { one } of together) one.withdraw();
      return false;
    }
    for (const { made } of together) made.resolve(undefined);
    const [first] = together;
    if (this.#takesSeveral === undefined && first) {
      // Until that is known, no other file is offered.
      const outcome = await first.one.answered();
      this.#takesSeveral = outcome === 'accepted' || outcome instanceof NegativeError;
    }
    return true;
  }

  async #offerInNewSession({ one, made }: Waiting, previous: OutgoingSession | undefined): Promise<void> {
    // Whoever takes no second file in a session is still busy with the first.
    const others = [...this.#options.active].filter((other) => other !== one);
    await Promise.all(others.map((other) => other.attempt ?? Promise.resolve()));
    await previous?.end({ condition: 'success' });
    const session = this.#options.newSession();
    const offer: PreparedOffer = one.prepareIn(session, 'session-initiate');
    const sid = this.#sid;
    this.#sid = undefined;
    await session.initiate(offer, sid);
    this.#current = session;
    made.resolve(undefined);
    // A session that is not accepted yet takes no further contents.
    const outcome = await one.answered();
    if (outcome instanceof TimeoutError || outcome instanceof CannotReceiveError) this.giveUp(outcome);
  }
}
