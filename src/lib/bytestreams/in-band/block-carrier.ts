/**
 * How one block gets to the other party, and how it is known to be there (XEP-0047 §2.2 and §4).
 */
import { randomUUID } from 'node:crypto';
import type { JID } from '../../jid/jid.js';
import type { Session } from '../../session/session.js';
import { Deferred } from '../../session/wait.js';
import { xml, type Element } from '../../xml/element.js';
import { stanzaErrorFrom } from '../../xml/stanza-error.js';
import { StanzaError } from '../../errors.js';
import type { StanzaKind } from './stanzas.js';

/** Progress is watched for the stream as a whole: one block may take as long as those before it in the queue. */
export const UNLIMITED_MS = 2 ** 31 - 1;

const NS_PING = 'urn:xmpp:ping';
const NS_HINTS = 'urn:xmpp:hints';

export type CarrierSession = Pick<Session, 'request' | 'send' | 'handle'>;

export interface BlockCarrier extends Disposable {
  /** Resolves when the block has arrived. @throws StanzaError it was refused, or could not be delivered */
  carry(data: Element): Promise<void>;
}

export interface CarrierOptions {
  session: CarrierSession;
  peer: JID;
  /** Ends every wait. */
  signal: AbortSignal;
}

export function carrierFor(kind: StanzaKind, options: CarrierOptions): BlockCarrier {
  return kind === 'iq' ? new RequestCarrier(options) : new MessageCarrier(options);
}

class RequestCarrier implements BlockCarrier {
  readonly #options: CarrierOptions;

  constructor(options: CarrierOptions) {
    this.#options = options;
  }

  async carry(data: Element): Promise<void> {
    const { session, peer, signal } = this.#options;
    await session.request({ type: 'set', to: peer, payload: data }, { signal, timeoutMs: UNLIMITED_MS });
  }

  [Symbol.dispose](): void {
    // Nothing is held.
  }
}

/**
 * Messages are not acknowledged, so a ping follows them, one at a time: stanzas between two parties keep their order
 * (RFC 6120 §10.1), and any answer to it, an error too, means that what was sent before has arrived, unless it came back.
 */
class MessageCarrier implements BlockCarrier {
  readonly #options: CarrierOptions;
  readonly #bounces: Disposable;
  /** Sent, not known to have arrived; oldest first. */
  readonly #underWay = new Map<string, Deferred<void>>();
  #isAsking = false;

  constructor(options: CarrierOptions) {
    this.#options = options;
    this.#bounces = options.session.handle(
      { name: 'message', type: 'error', from: options.peer },
      (message) => {
        const id: unknown = message.attrs['id'];
        if (typeof id === 'string') this.#underWay.get(id)?.reject(stanzaErrorFrom(message));
      },
    );
  }

  async carry(data: Element): Promise<void> {
    const { session, peer, signal } = this.#options;
    const id = randomUUID();
    const arrived = new Deferred<void>();
    this.#underWay.set(id, arrived);
    const message = xml(
      'message',
      { id, to: peer.toString() },
      data,
      // Of no use to an archive or to another resource.
      xml('no-store', { xmlns: NS_HINTS }),
      xml('no-copy', { xmlns: NS_HINTS }),
    );
    try {
      await session.send(message, { signal });
      if (!this.#isAsking) void this.#ask();
      await arrived.promise;
    } finally {
      this.#underWay.delete(id);
    }
  }

  async #ask(): Promise<void> {
    const { session, peer, signal } = this.#options;
    this.#isAsking = true;
    while (this.#underWay.size > 0 && !signal.aborted) {
      const before = [...this.#underWay.values()];
      try {
        const payload = xml('ping', { xmlns: NS_PING });
        await session.request({ type: 'get', to: peer, payload }, { signal, timeoutMs: UNLIMITED_MS });
      } catch (error) {
        if (!(error instanceof StanzaError)) {
          const reason = error instanceof Error ? error : new Error(String(error));
          for (const arrived of before) arrived.reject(reason);
          break;
        }
      }
      for (const arrived of before) arrived.resolve();
      // Lets whoever waited leave the list.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isAsking = false;
  }

  [Symbol.dispose](): void {
    this.#bounces[Symbol.dispose]();
  }
}
