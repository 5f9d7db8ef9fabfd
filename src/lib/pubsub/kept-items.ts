/**
 * How many of the published items a node keeps: a node of an account (PEP) keeps one unless it is configured otherwise, so
 * that of many items only the last is there afterwards (XEP-0060 §16.4.4, `pubsub#max_items`).
 */
import { XmppctlError } from '../errors.js';
import { formValue } from '../forms/values.js';
import type { WaitOptions } from '../session/session.js';
import { fetchConfiguration } from './nodes.js';
import type { IqRequester, NodeAddress } from './requester.js';

/** A node that keeps more surprises nobody; so many ids are remembered at most. */
const LARGEST_WATCHED = 10_000;

/**
 * Counts what is published. The node is asked once, beside the publishing, and not before there are two items: a single
 * one costs nothing.
 */
export class KeptItems {
  readonly #requester: IqRequester;
  readonly #address: NodeAddress;
  readonly #options: WaitOptions;
  readonly #onExceeded: (maxItems: number) => void;
  /** Those that are different: an item that replaces one of the same id takes no place of its own. */
  readonly #ids = new Set<string>();
  #maxItems: number | undefined;
  #asking: Promise<void> | undefined;
  #isDone = false;

  /** @param onExceeded called once, with what the node keeps, when it has been given more */
  constructor(
    requester: IqRequester,
    address: NodeAddress,
    onExceeded: (maxItems: number) => void,
    options: WaitOptions = {},
  ) {
    this.#requester = requester;
    this.#address = address;
    this.#onExceeded = onExceeded;
    this.#options = options;
  }

  add(id: string): void {
    if (this.#isDone) return;
    this.#ids.add(id);
    if (this.#ids.size > 1) this.#asking ??= this.#ask();
    this.#check();
  }

  /** Resolves when it is known of all that was added. */
  async finish(): Promise<void> {
    await this.#asking;
  }

  /** Whoever is not the owner is not told, and a node that does not say how many keeps them, for all that is known. */
  async #ask(): Promise<void> {
    try {
      const form = await fetchConfiguration(this.#requester, this.#address, this.#options);
      const value = form && formValue(form, 'pubsub#max_items');
      this.#maxItems = value !== undefined && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : Infinity;
    } catch (error) {
      if (!(error instanceof XmppctlError)) throw error;
      this.#maxItems = Infinity;
    }
    this.#check();
  }

  #check(): void {
    const maxItems = this.#maxItems;
    if (maxItems !== undefined && this.#ids.size > maxItems) this.#onExceeded(maxItems);
    else if (this.#ids.size <= LARGEST_WATCHED && (maxItems ?? 0) <= LARGEST_WATCHED) return;
    this.#isDone = true;
    this.#ids.clear();
  }
}
