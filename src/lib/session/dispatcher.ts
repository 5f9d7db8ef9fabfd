/**
 * Incoming stanzas, given to everybody who asked for them, in order of arrival.
 */
import { JID } from '../jid/jid.js';
import type { Element } from '../xml/element.js';
import { StanzaReader } from './reader.js';
import type { StanzaFilter } from './session.js';
import { stringAttribute } from './stream.js';
import { interruption } from './wait.js';

interface Subscription {
  matches: (stanza: Element) => boolean;
  deliver: (stanza: Element) => void;
}

export class Dispatcher {
  /** Replaced on change, so that a handler may add and remove handlers while it runs. */
  #subscriptions: readonly Subscription[] = [];
  readonly #readers = new Set<StanzaReader>();
  readonly #onCrowdChange: () => void;

  /** @param onCrowdChange some reader has become too slow, or has caught up */
  constructor(onCrowdChange: () => void) {
    this.#onCrowdChange = onCrowdChange;
  }

  get isCrowded(): boolean {
    for (const reader of this.#readers) if (reader.isCrowded) return true;
    return false;
  }

  handle(filter: StanzaFilter, handler: (stanza: Element) => void): Disposable {
    return this.#subscribe({ matches: matcherFor(filter), deliver: (stanza) => callSafely(handler, stanza) });
  }

  read(filter: StanzaFilter, signal: AbortSignal | undefined): StanzaReader {
    const stop = (): void => {
      subscription[Symbol.dispose]();
      this.#readers.delete(reader);
      signal?.removeEventListener('abort', onAbort);
    };
    const reader = new StanzaReader({ onCrowdChange: this.#onCrowdChange, onReturn: stop });
    const subscription = this.#subscribe({
      matches: matcherFor(filter),
      deliver: (stanza) => reader.push(stanza),
    });
    const onAbort = (): void => {
      stop();
      reader.end(interruption(signal, 'waiting for stanzas'));
      this.#onCrowdChange();
    };
    this.#readers.add(reader);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
    return reader;
  }

  #subscribe(subscription: Subscription): Disposable {
    this.#subscriptions = [...this.#subscriptions, subscription];
    return {
      [Symbol.dispose]: () => {
        this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription);
      },
    };
  }

  dispatch(stanza: Element): void {
    for (const { matches, deliver } of this.#subscriptions) {
      if (matches(stanza)) deliver(stanza);
    }
  }

  /** Ends every iteration; with an error, after what is unread. Handlers go on as long as something arrives. */
  endReaders(error: Error | undefined): void {
    for (const reader of this.#readers) reader.end(error);
    this.#readers.clear();
  }
}

/** A handler that throws is a bug of its own: it must not take the stream with it, and must not go unseen. */
function callSafely(handler: (stanza: Element) => void, stanza: Element): void {
  try {
    handler(stanza);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** A bare `from` matches every resource of that address, a full one only itself. */
export function matcherFor({ name, type, child, from }: StanzaFilter): (stanza: Element) => boolean {
  const types = type === undefined ? undefined : new Set(typeof type === 'string' ? [type] : type);
  const isFrom = from === undefined ? undefined : senderMatcher(from);
  return (stanza) =>
    (name === undefined || stanza.name === name) &&
    (types === undefined || types.has(typeOf(stanza))) &&
    (child === undefined || hasChild(stanza, child)) &&
    (isFrom === undefined || isFrom(stringAttribute(stanza, 'from')));
}

/** The type, with the one that is meant where it is left out (RFC 6121 §5.2.2; presence has none for available). */
function typeOf(stanza: Element): string {
  return stringAttribute(stanza, 'type') ?? (stanza.name === 'message' ? 'normal' : '');
}

function hasChild(stanza: Element, { name, namespace }: { name?: string; namespace: string }): boolean {
  return stanza.children.some(
    (child) =>
      typeof child !== 'string' &&
      child.getNS() === namespace &&
      (name === undefined || child.getName() === name),
  );
}

function senderMatcher(wanted: JID): (from: string | undefined) => boolean {
  const exact = wanted.toString();
  return (from) => {
    if (from === undefined) return false;
    if (from === exact) return true;
    const sender = JID.fromServer(from);
    return (wanted.isBare ? sender.bare : sender).equals(wanted);
  };
}
