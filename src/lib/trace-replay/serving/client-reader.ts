/** What a client says, unit by unit, with a bounded wait for each; or handed out as it comes. */
import { ConnectionLostError } from '../../errors.js';
import { within } from '../../session/wait.js';
import type { ClientLeg } from '../../trace-proxy/client-leg.js';
import { StanzaCutter, type Piece } from '../../trace-proxy/stanza-cutter.js';

export class ClientReader {
  readonly #client: ClientLeg;
  #cutter = this.#newCutter();
  #waiting: Piece[] = [];
  #take: ((piece: Piece) => void) | undefined;
  #wake: (() => void) | undefined;
  #end: string | undefined;
  #onEnd: ((reason: string) => void) | undefined;

  constructor(client: ClientLeg) {
    this.#client = client;
    client.onClose = ({ reason }) => {
      this.#end ??= reason === undefined ? 'the client hung up' : `the client was lost: ${reason}`;
      this.#wake?.();
      this.#onEnd?.(this.#end);
    };
  }

  /** A new stream begins: in TLS, or after authentication. What is left of the old one is forgotten. */
  restart(): void {
    this.#cutter = this.#newCutter();
    this.#waiting = [];
    this.#client.flow((bytes) => this.#cutter.push(bytes));
  }

  /** Stops listening, for TLS. */
  stop(): void {
    this.#client.flow(undefined);
  }

  /**
   * The next header, element or end of a stream.
   * @throws ConnectionLostError @throws TimeoutError @throws InterruptedError
   */
  async next(doing: string, timeoutMs: number, signal: AbortSignal): Promise<Piece> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece) return piece;
      if (this.#end !== undefined) throw new ConnectionLostError(this.#end);
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await within(woken, { doing, timeoutMs, signal });
    }
  }

  /** From now on everything is given to `take` as it comes, and the end to `onEnd`. */
  listen(take: (piece: Piece) => void, onEnd: (reason: string) => void): void {
    this.#take = take;
    this.#onEnd = onEnd;
    for (const piece of this.#waiting.splice(0)) take(piece);
    if (this.#end !== undefined) onEnd(this.#end);
  }

  #newCutter(): StanzaCutter {
    return new StanzaCutter('out', (piece) => {
      if (piece.kind === 'space') return;
      if (this.#take) this.#take(piece);
      else {
        this.#waiting.push(piece);
        this.#wake?.();
      }
    });
  }
}
