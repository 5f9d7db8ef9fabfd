/**
 * One content of an outgoing Jingle session: what the receiver says about one file.
 */
import { RemoteError } from '../../errors.js';
import type { ContentEvent } from '../../jingle/content-router.js';
import { TransportNegotiator, type NegotiatorOptions } from '../../jingle/negotiate-transport.js';
import type { Content, Reason } from '../../jingle/stanzas.js';
import { Deferred } from '../../session/wait.js';
import { errorOfReason } from '../reasons.js';

/** The offer has to be made again: the session is over, or the receiver cannot go on in it. */
export class OfferAgainError extends RemoteError {
  override readonly name = 'OfferAgainError';
}

/** `received`: it is stored, and right. `done`: the receiver ended it, and did not say more. */
export type Confirmation = 'received' | 'done';

export class OutgoingContent {
  readonly key: Pick<Content, 'creator' | 'name' | 'senders'>;
  readonly negotiator: TransportNegotiator;
  /** Aborted with the error that ends this file. */
  readonly signal: AbortSignal;
  readonly #ending = new AbortController();
  readonly #accepted = new Deferred<Content>();
  readonly #confirmed = new Deferred<Confirmation>();
  readonly #peer: string;
  #isAccepted = false;
  #confirmation: Confirmation | undefined;

  constructor(name: string, options: Omit<NegotiatorOptions, 'content' | 'signal' | 'describe'>) {
    this.signal = this.#ending.signal;
    this.key = { creator: 'initiator', name, senders: 'initiator' };
    this.#peer = options.jingle.peer.toString();
    this.negotiator = new TransportNegotiator({ ...options, content: this.key, signal: this.signal });
  }

  get accepted(): Promise<Content> {
    return this.#accepted.promise;
  }

  get confirmed(): Promise<Confirmation> {
    return this.#confirmed.promise;
  }

  get confirmation(): Confirmation | undefined {
    return this.#confirmation;
  }

  receive(event: ContentEvent): void {
    switch (event.kind) {
      case 'accepted':
        this.#isAccepted = true;
        this.#accepted.resolve(event.content);
        return;
      case 'rejected':
        this.abort(errorOfReason(this.#peer, event.reason));
        return;
      case 'removed':
        this.end(event.reason ?? { condition: 'success', details: [] });
        return;
      case 'transport-info':
      case 'transport-offered':
      case 'transport-accepted':
      case 'transport-rejected':
        this.negotiator.receive(event);
        return;
      default:
    }
  }

  confirm(confirmation: Confirmation): void {
    this.#confirmation ??= confirmation;
    this.#confirmed.resolve(confirmation);
  }

  /** The receiver ended the session or removed the content. */
  end(reason: Reason): void {
    if (reason.condition !== 'success') this.abort(errorOfReason(this.#peer, reason));
    else if (this.#isAccepted) this.confirm('done');
    else this.abort(new OfferAgainError(`${this.#peer} ended the session before the file's turn came`));
  }

  abort(error: Error): void {
    this.#accepted.reject(error);
    this.#ending.abort(error);
  }
}
