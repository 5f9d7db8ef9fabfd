/**
 * Which resources of whom are available, as far as presence tells (RFC 6121 §4), from the moment of the making.
 *
 * Pure but for the one subscription: who asks is told what is known now, or woken when it changes.
 */
import { JID } from '../jid/jid.js';
import type { Session } from '../session/session.js';
import type { Element } from '../xml/element.js';

export interface Resource {
  /** The full address. */
  jid: JID;
  /** From -128 to 127. */
  priority: number;
}

/** A contact may have many resources; a server may lie. */
const MAX_RESOURCES = 1000;

export class PresenceWatch implements Disposable {
  readonly #resources = new Map<string, Resource>();
  readonly #subscriptions: Disposable[];
  readonly #wakers = new Set<() => void>();

  constructor(session: Pick<Session, 'handle' | 'on'>) {
    this.#subscriptions = [
      session.handle({ name: 'presence' }, (presence) => this.#receive(presence)),
      // On a new stream everybody's presence is sent again.
      session.on('reconnected', () => this.#resources.clear()),
    ];
  }

  /** Those of one account, the highest priority first; of one full address, that resource. */
  of(address: JID): Resource[] {
    const isMeant = ({ jid }: Resource): boolean =>
      address.isBare ? jid.bare.equals(address) : jid.equals(address);
    return [...this.#resources.values()].filter(isMeant).sort((a, b) => b.priority - a.priority);
  }

  /** Resolves at the next change of anybody's presence. */
  changed(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wakers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#wakers.add(wake);
      signal?.addEventListener('abort', wake);
      if (signal?.aborted === true) wake();
    });
  }

  [Symbol.dispose](): void {
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#wake();
  }

  #receive(presence: Element): void {
    const { from, type } = presence.attrs as Record<string, unknown>;
    if (typeof from !== 'string') return;
    const jid = JID.fromServer(from);
    if (type === 'unavailable' || type === 'error') {
      this.#resources.delete(jid.toString());
      if (jid.isBare) this.#forget(jid);
    } else if (type === undefined) {
      if (jid.isBare || this.#resources.size >= MAX_RESOURCES) return;
      this.#resources.set(jid.toString(), { jid, priority: priorityOf(presence) });
    } else {
      return;
    }
    this.#wake();
  }

  #forget(bare: JID): void {
    for (const { jid } of this.of(bare)) this.#resources.delete(jid.toString());
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}

function priorityOf(presence: Element): number {
  const text: unknown = presence.getChildText('priority');
  const value = typeof text === 'string' && /^\s*-?\d+\s*$/.test(text) ? Number(text) : 0;
  return Math.max(-128, Math.min(127, value));
}
