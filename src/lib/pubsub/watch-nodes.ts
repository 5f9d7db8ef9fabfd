/**
 * What happens at nodes, as it happens: notifications of the own account and its contacts by interest (XEP-0163 §4.3),
 * of services by a subscription that lasts as long as the watch.
 */
import { StanzaError } from '../errors.js';
import { JID } from '../jid/jid.js';
import { sendPresence } from '../roster/send-presence.js';
import type { Session } from '../session/session.js';
import { NS_DELAY } from '../xml/delay.js';
import type { Element } from '../xml/element.js';
import { canonicalXml } from '../xml/canonical.js';
import { readEvents, NS_PUBSUB_EVENT, type PubsubEvent } from './events.js';
import { readItems } from './read-items.js';
import { isNothingThere, type NodeAddress } from './requester.js';
import type { SeenItems } from './seen-items.js';
import { fetchSubscriptions, subscribe, unsubscribe } from './subscriptions.js';

export interface WatchOptions {
  /** The service or account; the own account when undefined. `contacts`: whoever tells the own account, without catching up. */
  service: JID | 'contacts' | undefined;
  nodes: readonly string[];
  /** What was seen before: items that are there and not in it come first, and nothing comes twice. */
  seen: SeenItems | undefined;
  signal: AbortSignal;
  warn: (text: string) => void;
}

export type WatchedEvent = PubsubEvent & {
  service: string;
  /** ISO 8601, where the notification was kept on the way. */
  time?: string;
  /** It was there before the watch began, or came while the connection was lost. */
  isCatchUp: boolean;
};

/** With `seen`: all that a node has has been told of. Nobody is told of what was retracted in the meantime: `ids` tells. */
export interface CaughtUp {
  kind: 'caught-up';
  node: string;
  ids: ReadonlySet<string>;
}

/** @throws StanzaError a node may not be subscribed to @throws ConnectionLostError @throws InterruptedError */
export async function* watchNodes(
  session: Session,
  options: WatchOptions,
): AsyncGenerator<WatchedEvent | CaughtUp, void, undefined> {
  const watch = new NodeWatch(session, options);
  // From here on nothing is missed, however long it takes to get going.
  const messages = session.stanzas(
    { name: 'message', child: { namespace: NS_PUBSUB_EVENT } },
    { signal: options.signal },
  );
  const gap = new Gap();
  using _reconnected = session.on('reconnected', () => gap.open());
  await watch.begin();
  try {
    yield* watch.catchUp();
    for (let next = messages.next(); ;) {
      const result = await gap.orElse(next);
      if (result === 'gap') {
        await watch.begin();
        yield* watch.catchUp();
        continue;
      }
      if (result.done === true) return;
      next = messages.next();
      yield* watch.read(result.value);
    }
  } finally {
    await watch.end();
  }
}

/** A new stream has begun; what came between the two has been missed. */
class Gap {
  #isOpen = false;
  #tell: (() => void) | undefined;

  open(): void {
    this.#isOpen = true;
    this.#tell?.();
  }

  /** Whatever comes first. Not a race with one promise for all times: that would remember everybody who ever waited. */
  async orElse<T>(next: Promise<T>): Promise<T | 'gap'> {
    const result = this.#isOpen
      ? 'gap'
      : await new Promise<T | 'gap'>((resolve, reject) => {
          this.#tell = () => resolve('gap');
          next.then(resolve, reject);
        });
    this.#tell = undefined;
    if (result === 'gap') this.#isOpen = false;
    return result;
  }
}

class NodeWatch {
  readonly #session: Session;
  readonly #options: WatchOptions;
  /** Undefined: everybody. */
  readonly #service: JID | undefined;
  readonly #interests: Disposable;
  #ends: (() => Promise<void>)[] = [];
  #hasBegun = false;
  #last: { node: string; id: string; payload: string } | undefined;

  constructor(session: Session, options: WatchOptions) {
    this.#session = session;
    this.#options = options;
    this.#service = options.service === 'contacts' ? undefined : (options.service ?? session.jid.bare);
    this.#interests = session.advertise(...options.nodes.map((node) => `${node}+notify`));
  }

  get #isOwn(): boolean {
    return this.#service?.equals(this.#session.jid.bare) === true;
  }

  async begin(): Promise<void> {
    const { signal, seen, warn } = this.#options;
    if (this.#hasBegun && !seen)
      warn('the connection was lost; what happened meanwhile is not shown (--mark catches up)');
    this.#hasBegun = true;
    await sendPresence(this.#session, { signal });
    if (!this.#isOwn) await this.#subscribe();
  }

  async #subscribe(): Promise<void> {
    const { nodes, signal } = this.#options;
    const service = this.#service;
    if (!service) return;
    const wait = { signal };
    const have = await fetchSubscriptions(this.#session, service, undefined, wait).catch(noneOf);
    this.#ends = [];
    for (const node of nodes) {
      const isThere = have.some(
        (one) =>
          one.node === node &&
          one.state === 'subscribed' &&
          [this.#session.jid, this.#session.jid.bare].some((own) => own.equals(one.jid)),
      );
      // Whoever has subscribed the account is told on every client, and stays subscribed.
      if (isThere) continue;
      const own = this.#session.jid;
      const { subid } = await subscribe(this.#session, { service, node }, own, wait);
      this.#ends.push(() => unsubscribe(this.#session, { service, node }, own, subid));
    }
  }

  async *catchUp(): AsyncGenerator<WatchedEvent | CaughtUp> {
    const { seen, nodes, signal } = this.#options;
    const service = this.#service;
    if (!seen || !service) return;
    for (const node of nodes) {
      const ids = new Set<string>();
      const address: NodeAddress = { node, ...(!this.#isOwn && { service }) };
      try {
        for await (const { id, publisher, payload } of readItems(this.#session, address, { signal })) {
          ids.add(id);
          if (!seen.add(node, id, payload)) continue;
          yield {
            kind: 'item',
            node,
            id,
            ...(publisher !== undefined && { publisher }),
            payload,
            service: service.toString(),
            isCatchUp: true,
          };
        }
      } catch (error) {
        if (!isNothingThere(error)) throw error;
      }
      seen.keepOnly(node, ids);
      yield { kind: 'caught-up', node, ids };
    }
  }

  *read(message: Element): Generator<WatchedEvent> {
    const { nodes, seen } = this.#options;
    const from: unknown = message.attrs['from'];
    const sender =
      typeof from === 'string' && from !== '' ? JID.fromServer(from).bare : this.#session.jid.bare;
    if (this.#service && !sender.equals(this.#service)) return;
    const stamp: unknown = message.getChild('delay', NS_DELAY)?.attrs['stamp'];
    for (const event of readEvents(message)) {
      if (!nodes.includes(event.node) || this.#isRepeated(event)) continue;
      if (seen && !isNew(seen, event)) continue;
      yield {
        ...event,
        service: sender.toString(),
        ...(typeof stamp === 'string' && { time: stamp }),
        isCatchUp: false,
      };
    }
  }

  /**
   * COMPAT(ejabberd 23.01): what an account publishes while it becomes available comes twice: as news, and as the last item.
   */
  #isRepeated(event: PubsubEvent): boolean {
    const last = this.#last;
    if (event.kind !== 'item' || this.#service?.local === undefined) {
      this.#last = undefined;
      return false;
    }
    const { node, id } = event;
    const payload = event.payload ? canonicalXml(event.payload) : '';
    this.#last = { node, id, payload };
    return last?.node === node && last.id === id && last.payload === payload;
  }

  async end(): Promise<void> {
    this.#interests[Symbol.dispose]();
    // The end of the connection ends them, too, where it cannot be said any more.
    if (this.#session.state === 'online') await Promise.allSettled(this.#ends.map((end) => end()));
  }
}

function isNew(seen: SeenItems, event: PubsubEvent): boolean {
  switch (event.kind) {
    case 'item':
      return seen.add(event.node, event.id, event.payload);
    case 'retract':
      seen.remove(event.node, event.id);
      return true;
    case 'purge':
    case 'delete':
      seen.clear(event.node);
      return true;
    case 'configuration':
    case 'subscription':
      return true;
  }
}

/** A service that does not list subscriptions. */
function noneOf(error: unknown): [] {
  if (error instanceof StanzaError) return [];
  throw error;
}
