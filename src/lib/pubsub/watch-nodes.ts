/**
 * What happens at nodes, as it happens: notifications of the own account and its contacts by interest (XEP-0163 §4.3),
 * of services by a subscription that lasts as long as the watch.
 */
import { StanzaError } from '../errors.js';
import { JID } from '../jid/jid.js';
import { sendPresence } from '../roster/send-presence.js';
import type { Session } from '../session/session.js';
import { Deferred } from '../session/wait.js';
import type { Element } from '../xml/element.js';
import { readEvents, NS_PUBSUB_EVENT, type PubsubEvent } from './events.js';
import { readItems } from './read-items.js';
import { isNothingThere, type NodeAddress } from './requester.js';
import type { SeenItems } from './seen-items.js';
import { fetchSubscriptions, subscribe, unsubscribe } from './subscriptions.js';

export interface WatchOptions {
  /** The service or account; the own account when undefined. */
  service: JID | undefined;
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

const NS_DELAY = 'urn:xmpp:delay';

/** @throws StanzaError a node may not be subscribed to @throws ConnectionLostError @throws InterruptedError */
export async function* watchNodes(
  session: Session,
  options: WatchOptions,
): AsyncGenerator<WatchedEvent, void, undefined> {
  const watch = new NodeWatch(session, options);
  // From here on nothing is missed, however long it takes to get going.
  const messages = session.stanzas(
    { name: 'message', child: { namespace: NS_PUBSUB_EVENT } },
    { signal: options.signal },
  );
  let gap = new Deferred<'gap'>();
  using _reconnected = session.on('reconnected', () => gap.resolve('gap'));
  await watch.begin();
  try {
    yield* watch.catchUp();
    for (let next = messages.next(); ;) {
      const result = await Promise.race([next, gap.promise]);
      if (result === 'gap') {
        gap = new Deferred();
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

class NodeWatch {
  readonly #session: Session;
  readonly #options: WatchOptions;
  readonly #service: JID;
  readonly #interests: Disposable;
  #ends: (() => Promise<void>)[] = [];
  #hasBegun = false;

  constructor(session: Session, options: WatchOptions) {
    this.#session = session;
    this.#options = options;
    this.#service = options.service ?? session.jid.bare;
    this.#interests = session.advertise(...options.nodes.map((node) => `${node}+notify`));
  }

  get #isOwn(): boolean {
    return this.#service.equals(this.#session.jid.bare);
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

  async *catchUp(): AsyncGenerator<WatchedEvent> {
    const { seen, nodes, signal } = this.#options;
    if (!seen) return;
    for (const node of nodes) {
      const ids = new Set<string>();
      const address: NodeAddress = { node, ...(!this.#isOwn && { service: this.#service }) };
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
            service: this.#service.toString(),
            isCatchUp: true,
          };
        }
      } catch (error) {
        if (!isNothingThere(error)) throw error;
      }
      seen.keepOnly(node, ids);
    }
  }

  *read(message: Element): Generator<WatchedEvent> {
    const { nodes, seen } = this.#options;
    const from: unknown = message.attrs['from'];
    const sender =
      typeof from === 'string' && from !== '' ? JID.fromServer(from).bare : this.#session.jid.bare;
    if (!sender.equals(this.#service)) return;
    const stamp: unknown = message.getChild('delay', NS_DELAY)?.attrs['stamp'];
    for (const event of readEvents(message)) {
      if (!nodes.includes(event.node)) continue;
      if (seen && !isNew(seen, event)) continue;
      yield {
        ...event,
        service: sender.toString(),
        ...(typeof stamp === 'string' && { time: stamp }),
        isCatchUp: false,
      };
    }
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
