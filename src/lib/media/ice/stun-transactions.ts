/** Requests that wait for their answer, and are sent again until it comes (RFC 8489 §6.2.1). */
import type { ReceivedStunMessage, TransportAddress } from './stun-message.js';

export interface StunAnswer {
  message: ReceivedStunMessage;
  from: TransportAddress;
}

export interface RetransmissionTimes {
  /** The first wait; each one after it is twice as long. */
  firstWaitMs: number;
  sendings: number;
}

/** Nothing came back: not thrown at the user, only told to who asked. */
export class StunTimeoutError extends Error {
  override readonly name = 'StunTimeoutError';
}

interface Pending {
  accepts(answer: StunAnswer): boolean;
  resolve(answer: StunAnswer): void;
  reject(error: Error): void;
}

export class StunTransactions {
  readonly #pending = new Map<string, Pending>();

  constructor(private readonly times: RetransmissionTimes) {}

  /**
   * @param send is called for each sending
   * @param accepts whether an answer is genuine; what is not is ignored
   * @throws StunTimeoutError when nothing came, or `cancelAll` was called
   */
  async run(
    transactionId: Buffer,
    send: () => void,
    accepts: (answer: StunAnswer) => boolean,
    times: RetransmissionTimes = this.times,
  ): Promise<StunAnswer> {
    const key = transactionId.toString('hex');
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<StunAnswer>((resolve, reject) => {
        this.#pending.set(key, { accepts, resolve, reject });
        let sent = 0;
        const sendAgain = (): void => {
          if (sent === times.sendings) {
            reject(new StunTimeoutError('no answer'));
            return;
          }
          timer = setTimeout(sendAgain, times.firstWaitMs * 2 ** sent);
          sent += 1;
          send();
        };
        sendAgain();
      });
    } finally {
      clearTimeout(timer);
      this.#pending.delete(key);
    }
  }

  /** @returns whether it was the answer to something that waits here */
  settle(answer: StunAnswer): boolean {
    const pending = this.#pending.get(answer.message.transactionId.toString('hex'));
    if (!pending?.accepts(answer)) return false;
    pending.resolve(answer);
    return true;
  }

  cancelAll(): void {
    for (const pending of this.#pending.values()) pending.reject(new StunTimeoutError('given up'));
  }
}
