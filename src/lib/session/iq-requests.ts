/**
 * IQ requests that wait for their reply (RFC 6120 §8.2.3).
 *
 * Ours, because @xmpp/iq matches a reply by its id alone, so that anybody who guesses an id answers for the bank.
 */
import { randomUUID } from 'node:crypto';
import { JID } from '../jid/jid.js';
import { stanzaErrorFrom } from '../xml/stanza-error.js';
import type { Element } from '../xml/element.js';
import { stringAttribute } from './stream.js';
import { Deferred } from './wait.js';

interface Pending {
  /** As it was asked for, for the quick comparison. */
  to: string | undefined;
  deferred: Deferred<Element>;
}

export class IqRequests {
  readonly #pending = new Map<string, Pending>();

  get size(): number {
    return this.#pending.size;
  }

  /** A fresh id that nobody can guess, and the reply to it. Call `forget` when the wait is over. */
  expect(to: string | undefined): { id: string; reply: Promise<Element> } {
    const id = randomUUID();
    const deferred = new Deferred<Element>();
    this.#pending.set(id, { to, deferred });
    return { id, reply: deferred.promise };
  }

  forget(id: string): void {
    this.#pending.delete(id);
  }

  /**
   * Gives a reply to the request it belongs to.
   *
   * @param own our own address, as bound
   * @returns false when no request waits for it
   */
  deliver(iq: Element, own: JID | undefined): boolean {
    const id = stringAttribute(iq, 'id');
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || !pending || !isFromAddressee(pending.to, stringAttribute(iq, 'from'), own))
      return false;
    this.#pending.delete(id);
    if (iq.attrs['type'] === 'error') pending.deferred.reject(stanzaErrorFrom(iq));
    else pending.deferred.resolve(iq);
    return true;
  }

  /** The stream is lost for good. */
  rejectAll(error: Error): void {
    for (const { deferred } of this.#pending.values()) deferred.reject(error);
    this.#pending.clear();
  }
}

/**
 * Whether a reply comes from where the request went.
 *
 * A request without `to`, or to our own account, is answered by the server for the account: without `from` (which only our
 * own server can leave out, RFC 6120 §8.1.2.1), from the bare or the full address, or from the server's own domain, as
 * older servers do. Everything else is exact.
 */
export function isFromAddressee(
  to: string | undefined,
  from: string | undefined,
  own: JID | undefined,
): boolean {
  if (to !== undefined && to === from) return true;
  const addressee = to === undefined ? undefined : JID.fromServer(to);
  const sender = from === undefined ? undefined : JID.fromServer(from);
  if (addressee !== undefined && sender?.equals(addressee)) return true;
  // Before binding only the server can answer.
  if (own === undefined) return from === undefined || to === undefined;
  const isAccount = addressee === undefined || addressee.equals(own.bare);
  if (sender === undefined) {
    return isAccount || addressee.equals(own) || addressee.toString() === own.domain;
  }
  if (!isAccount) return false;
  return sender.equals(own.bare) || sender.equals(own) || sender.toString() === own.domain;
}
