/**
 * Whether the other party is still there. A server says nothing when one of its clients vanishes, and acknowledgements
 * that do not come may just mean that the reader at the other end is slow: so after a silence it is asked.
 */
import { RemoteError, StanzaError, TimeoutError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { NS_DISCO_INFO } from '../../disco/stanzas.js';
import type { Session } from '../../session/session.js';
import { timedOut } from '../../session/wait.js';
import { xml } from '../../xml/element.js';

/** Silences in a row, each answered with a sign of life, until that is not believed any more. */
const MAX_SILENCES = 30;

export interface PeerWatchOptions {
  session: Pick<Session, 'request'>;
  peer: JID;
  timeoutMs: number;
  /** What the other party owes us; undefined when it may be silent as long as it likes. */
  awaited: () => 'acknowledgements' | 'data' | undefined;
  onGone: (error: Error) => void;
  signal: AbortSignal;
}

export class PeerWatch {
  readonly #options: PeerWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #hasHeard = true;
  #silences = 0;

  constructor(options: PeerWatchOptions) {
    this.#options = options;
    this.#wait();
  }

  /** Something came. */
  hear(): void {
    this.#hasHeard = true;
    this.#silences = 0;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      void this.#look();
    }, this.#options.timeoutMs);
    // What waits for the stream keeps the program running, not this.
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { session, peer, timeoutMs, awaited, onGone, signal } = this.#options;
    const what = awaited();
    if (this.#hasHeard || what === undefined) {
      this.#hasHeard = false;
      this.#wait();
      return;
    }
    this.#silences += 1;
    try {
      // Every client that transfers anything answers this (XEP-0030 §7); a server answers a ping for one that is gone
      // just as a client does that knows no pings.
      const payload = xml('query', { xmlns: NS_DISCO_INFO });
      await session.request({ type: 'get', to: peer, payload }, { timeoutMs, signal });
    } catch (error) {
      if (signal.aborted) return;
      onGone(
        error instanceof StanzaError
          ? new RemoteError(`${peer.toString()} is gone: the server answered ${error.condition}`, {
              cause: error,
            })
          : error instanceof TimeoutError
            ? timedOut(`waiting for a sign of life from ${peer.toString()}`, timeoutMs)
            : (error as Error),
      );
      return;
    }
    // Where data is awaited, how long a live sender may think is for whoever reads to say.
    if (what === 'acknowledgements' && this.#silences >= MAX_SILENCES) {
      onGone(timedOut(`waiting for ${peer.toString()} to take what was sent`, timeoutMs * MAX_SILENCES));
    } else {
      this.#wait();
    }
  }
}
