/**
 * Whose files are taken: the listed senders', or those a person at the terminal says yes to. Everybody else is not even
 * told that somebody is here.
 */
import type { JID } from '../../jid/jid.js';
import type { Contact } from '../../roster/roster.js';
import { Refusal, type FileOffer } from './incoming-file.js';

export interface AdmissionOptions {
  /** Taken without a question; a bare address stands for all resources. Empty: nobody is. */
  from: readonly JID[];
  /** Everybody in the contact list is taken without a question, too. */
  areContactsTaken: boolean;
  /** People who are not in the contact list may ask, too. */
  mayStrangersAsk: boolean;
  roster: ReadonlyMap<string, Contact>;
  maxSizeBytes: number | undefined;
  /** A question to a person; undefined where there is nobody to ask. */
  ask: ((offer: FileOffer) => Promise<boolean>) | undefined;
}

export class Admission {
  readonly #options: AdmissionOptions;
  /** One question at a time. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether somebody's offers are looked at at all. */
  admits(peer: JID): boolean {
    if (this.#isTaken(peer)) return true;
    const { ask, mayStrangersAsk } = this.#options;
    return ask !== undefined && (mayStrangersAsk || this.#isContact(peer));
  }

  /** @returns why not, or undefined for yes */
  async refusalOf(offer: FileOffer): Promise<Refusal | undefined> {
    const { maxSizeBytes, ask } = this.#options;
    const { sizeBytes } = offer.file;
    if (maxSizeBytes !== undefined && sizeBytes !== undefined && sizeBytes > maxSizeBytes)
      return new Refusal('file-too-large', `not more than ${maxSizeBytes} bytes`);
    if (this.#isTaken(offer.peer)) return undefined;
    if (!ask || !this.admits(offer.peer)) return new Refusal('decline');
    const answer = this.#asking.then(() => ask(offer));
    this.#asking = answer.catch(() => undefined);
    return (await answer) ? undefined : new Refusal('decline');
  }

  #isTaken(peer: JID): boolean {
    const { from, areContactsTaken } = this.#options;
    const isListed = from.some((listed) => (listed.isBare ? listed.equals(peer.bare) : listed.equals(peer)));
    return isListed || (areContactsTaken && this.#isContact(peer));
  }

  #isContact(peer: JID): boolean {
    return this.#options.roster.has(peer.bare.toString());
  }
}
