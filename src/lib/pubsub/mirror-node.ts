/** Keeps one node as another one is. */
import { StanzaError } from '../errors.js';
import type { Session, WaitOptions } from '../session/session.js';
import { publishItem, retractItem } from './items.js';
import { purgeNode } from './nodes.js';
import { publishItems, type OutgoingItem } from './publish-items.js';
import { readItems, readItemsOldestFirst } from './read-items.js';
import { isNothingThere, type NodeAddress } from './requester.js';
import { SeenItems } from './seen-items.js';
import { watchNodes } from './watch-nodes.js';

export interface MirrorOptions extends WaitOptions {
  source: NodeAddress;
  target: NodeAddress;
  /** What is not in the source is taken from the target. */
  removes: boolean;
  /** Goes on with what happens later, until the signal. */
  follows: boolean;
  retries: number;
  signal: AbortSignal;
  warn: (text: string) => void;
}

export type MirrorEvent =
  { kind: 'published' | 'retracted'; id: string } | { kind: 'purged' } | { kind: 'in-step'; items: number };

/** @throws StanzaError a node is not there, or may not be read or written @throws ConnectionLostError */
export async function* mirrorNode(
  session: Session,
  options: MirrorOptions,
): AsyncGenerator<MirrorEvent, void, undefined> {
  const mirror = new Mirror(session, options);
  yield* mirror.copy();
  if (options.follows) yield* mirror.follow();
}

class Mirror {
  readonly #session: Session;
  readonly #options: MirrorOptions;
  /** What the target has, under the name of the source. */
  readonly #there = SeenItems.empty();
  #ids = new Set<string>();

  constructor(session: Session, options: MirrorOptions) {
    this.#session = session;
    this.#options = options;
  }

  async *copy(): AsyncGenerator<MirrorEvent> {
    const { source, target, retries, signal } = this.#options;
    for await (const { id, payload } of readItems(this.#session, target, { signal })) {
      this.#there.add(source.node, id, payload);
      this.#ids.add(id);
    }
    const sourceIds = new Set<string>();
    const publishing = publishItems(this.#session, this.#missing(sourceIds), {
      address: target,
      publishOptions: undefined,
      creates: false,
      reconfigures: false,
      retries,
    });
    for await (const { item, error } of publishing) {
      if (error) throw error;
      this.#ids.add(item.id);
      yield { kind: 'published', id: item.id };
    }
    yield* this.#removeOthers(sourceIds);
    yield { kind: 'in-step', items: sourceIds.size };
  }

  async *#missing(sourceIds: Set<string>): AsyncGenerator<OutgoingItem> {
    const { source, signal } = this.#options;
    for await (const { id, payload } of readItemsOldestFirst(this.#session, source, { signal })) {
      sourceIds.add(id);
      if (payload && this.#there.add(source.node, id, payload)) yield { id, payload };
    }
  }

  async *#removeOthers(sourceIds: ReadonlySet<string>): AsyncGenerator<MirrorEvent> {
    if (!this.#options.removes) return;
    for (const id of [...this.#ids]) if (!sourceIds.has(id)) yield* this.#retract(id);
  }

  async *#retract(id: string): AsyncGenerator<MirrorEvent> {
    const { source, target, signal } = this.#options;
    try {
      await retractItem(this.#session, { ...target, id }, { signal });
    } catch (error) {
      if (!isNothingThere(error)) throw error;
    }
    this.#ids.delete(id);
    this.#there.remove(source.node, id);
    yield { kind: 'retracted', id };
  }

  async *follow(): AsyncGenerator<MirrorEvent> {
    const { source, target, removes, signal, warn } = this.#options;
    const events = watchNodes(this.#session, {
      service: source.service,
      nodes: [source.node],
      seen: this.#there,
      signal,
      warn,
    });
    for await (const event of events) {
      if (event.kind === 'item' && event.payload) {
        await publishItem(this.#session, { ...target, id: event.id, payload: event.payload }, { signal });
        this.#ids.add(event.id);
        yield { kind: 'published', id: event.id };
      } else if (event.kind === 'caught-up') {
        yield* this.#removeOthers(event.ids);
        yield { kind: 'in-step', items: this.#ids.size };
      } else if (event.kind === 'retract' && removes) {
        yield* this.#retract(event.id);
      } else if (event.kind === 'purge' && removes) {
        await purgeNode(this.#session, target, { signal });
        this.#ids = new Set();
        yield { kind: 'purged' };
      } else if (event.kind === 'delete') {
        throw new StanzaError(
          'gone',
          'cancel',
          `the node ${source.node} was deleted`,
          undefined,
          event.service,
        );
      }
    }
  }
}
