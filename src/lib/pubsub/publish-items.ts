/**
 * Publishing many items on one stream: several are under way at a time, in order, and each is confirmed.
 *
 * An item has its id before it is sent. What was under way when the stream was lost is sent again under the same id,
 * so it is there once, whether or not it had arrived; what the service had confirmed and then lost, too.
 */
import { ConnectionLostError, NegativeError, StanzaError } from '../errors.js';
import type { Session } from '../session/session.js';
import type { Element } from '../xml/element.js';
import { ConfirmedItems } from './confirmed-items.js';
import { publishItem } from './items.js';
import { changeConfiguration, createNode } from './nodes.js';
import { isPreconditionNotMet, type NodeAddress } from './requester.js';

export interface OutgoingItem {
  id: string;
  payload: Element;
}

export interface PublishManyOptions {
  address: NodeAddress;
  /** By field name without `pubsub#`. */
  publishOptions: Readonly<Record<string, string>> | undefined;
  /** Make the node, with these options, when it is not there. */
  creates: boolean;
  /** Configure the node when it is not as the options want it. */
  reconfigures: boolean;
  /** How often an item is sent again after the stream was lost. */
  retries: number;
}

export type PublishOutcome = { item: OutgoingItem } & (
  { id: string; error?: undefined } | { id?: undefined; error: StanzaError }
);

/** How many wait for their confirmation at a time: enough to fill the round trip, few enough to be sent again. */
const WINDOW = 50;

/**
 * One outcome for each item, in order. A refusal is an outcome, too; whatever else fails is thrown.
 *
 * @throws ConnectionLostError the stream was lost more often than `retries` allows @throws TimeoutError
 * @throws NegativeError the service has lost what it had confirmed, and it cannot be brought back
 */
export async function* publishItems(
  session: Session,
  items: AsyncIterable<OutgoingItem> | Iterable<OutgoingItem>,
  options: PublishManyOptions,
): AsyncGenerator<PublishOutcome, void, undefined> {
  const publisher = new Publisher(session, options);
  const underWay: Promise<PublishOutcome>[] = [];
  const input = iterate(items);
  let next: Promise<IteratorResult<OutgoingItem, undefined>> | undefined = input.next();
  let failure: unknown;
  // Whatever comes first: the next item, or the confirmation of the oldest. A slow producer is told at once.
  while (next !== undefined || underWay.length > 0) {
    const [oldest] = underWay;
    const isInput: boolean = await Promise.race([
      ...(next !== undefined && underWay.length < WINDOW ? [next.then(yes, yes)] : []),
      ...(oldest ? [oldest.then(no, no)] : []),
    ]);
    if (!isInput) {
      const outcome = await underWay.shift();
      if (outcome) yield outcome;
      continue;
    }
    try {
      const result: IteratorResult<OutgoingItem, undefined> | undefined = await next;
      next = result === undefined || result.done === true ? undefined : input.next();
      if (result?.value === undefined) continue;
      const outcome = publisher.publish(result.value);
      // It is awaited in its turn; until then its failure is nobody's.
      outcome.catch(() => undefined);
      underWay.push(outcome);
    } catch (error) {
      // What has been sent is told all the same.
      failure = error;
      next = undefined;
    }
  }
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- passed on as it came
  if (failure !== undefined) throw failure;
}

const yes = (): boolean => true;
const no = (): boolean => false;

async function* iterate<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
}

class Publisher {
  readonly #session: Session;
  readonly #options: PublishManyOptions;
  /** What has to be done about the node is done once, whoever finds out first. */
  #mending: Promise<void> | undefined;
  readonly #confirmed = new ConfirmedItems();
  /** What was lost with the stream is brought back before anything else is published. */
  #restoring: Promise<void> | undefined;

  constructor(session: Session, options: PublishManyOptions) {
    this.#session = session;
    this.#options = options;
  }

  async publish(item: OutgoingItem): Promise<PublishOutcome> {
    const { retries } = this.#options;
    let lost = 0;
    let isMended = false;
    for (;;) {
      try {
        if (this.#restoring) await this.#restoring;
        const id = await this.#publishOnce(item);
        this.#confirmed.add(item);
        return { item, id };
      } catch (error) {
        if (error instanceof ConnectionLostError && lost < retries && this.#session.state !== 'closed') {
          lost += 1;
          this.#restoring ??= this.#restoreAndForget();
          // Whoever waits for it finds out.
          this.#restoring.catch(() => undefined);
          continue;
        }
        if (!(error instanceof StanzaError)) throw error;
        const mend = isMended ? undefined : this.#mendFor(error);
        if (!mend) return { item, error };
        isMended = true;
        this.#mending ??= mend();
        await this.#mending;
      }
    }
  }

  async #publishOnce(item: OutgoingItem): Promise<string> {
    const { address, publishOptions } = this.#options;
    const publication = { ...address, ...item, ...(publishOptions && { publishOptions }) };
    const id = await publishItem(this.#session, publication);
    return id === '' ? item.id : id;
  }

  /** What cannot be restored stays so: nothing is published after it. */
  async #restoreAndForget(): Promise<void> {
    try {
      await this.#restore();
      this.#restoring = undefined;
    } catch (error) {
      if (error instanceof ConnectionLostError) this.#restoring = undefined;
      throw error;
    }
  }

  async #restore(): Promise<void> {
    const { address, creates, publishOptions } = this.#options;
    const { items, older, isNodeLost } = await this.#confirmed.findLost(this.#session, address);
    if (isNodeLost) {
      // A node that the service makes by itself may be open to people whom the lost one kept out.
      if (older > 0 || !(creates || publishOptions)) {
        throw new NegativeError(`the service has lost the node ${address.node}, and all that was in it`, {
          hint: 'make it again, as it was configured, and publish again',
          details: { lost: items.length + older },
        });
      }
      if (creates) await this.#createNode();
    }
    for (const item of items) await this.#publishOnce(item);
  }

  /** One that is there already stays as it is. */
  async #createNode(): Promise<void> {
    try {
      await createNode(this.#session, this.#options.address, this.#answers());
    } catch (refusal) {
      if (!(refusal instanceof StanzaError) || refusal.condition !== 'conflict') throw refusal;
    }
  }

  #answers(): Record<string, string[]> {
    return Object.fromEntries(
      Object.entries(this.#options.publishOptions ?? {}).map(([name, value]) => [name, [value]]),
    );
  }

  #mendFor(error: StanzaError): (() => Promise<void>) | undefined {
    const { address, creates, reconfigures } = this.#options;
    if (creates && error.condition === 'item-not-found') return () => this.#createNode();
    if (reconfigures && isPreconditionNotMet(error))
      return () => changeConfiguration(this.#session, address, this.#answers());
    return undefined;
  }
}
