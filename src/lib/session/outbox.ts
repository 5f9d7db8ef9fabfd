/**
 * What goes out: in order, never more than the socket and the server's acknowledgements keep up with, and kept across
 * a lost stream until the server has said that it has it.
 */
import { ConnectionLostError } from '../errors.js';
import { xml, type Element } from '../xml/element.js';
import { serialize } from '../xml/serialize.js';
import { Acknowledgement, type SentStanza } from './acknowledgement.js';
import { isDelayed, NS_DELAY } from '../xml/delay.js';
import type { Managed } from './negotiate.js';
import { acknowledgementText, ENABLE, REQUEST, StreamManagement } from './stream-management.js';
import type { XmppStream } from './stream.js';
import { Deferred, within, type Bounds } from './wait.js';

interface Waiting {
  stanza: Element;
  isTracked: boolean;
  written: Deferred<void>;
}

export interface OutboxOptions {
  now: () => number;
  /** Asks the server for any reply at all; resolves when it came (a server without XEP-0198). */
  ping: () => Promise<unknown>;
}

/** `off`: acknowledged by pings. `offered`: managed from the first stanza on that needs an acknowledgement. */
type Mode =
  | { kind: 'off' }
  | { kind: 'offered' }
  | { kind: 'requested'; management: StreamManagement }
  | { kind: 'enabled'; management: StreamManagement };

export class Outbox {
  readonly #options: OutboxOptions;
  readonly acknowledgement: Acknowledgement;
  #stream: XmppStream | undefined;
  #mode: Mode = { kind: 'off' };
  #isFull = false;
  /** The count of received stanzas that the server was told last. */
  #told = 0;
  /** In the order of the calls; a set, so that one that gives up leaves without a search. */
  readonly #waiting = new Set<Waiting>();
  #drained: Deferred<void> | undefined;
  #closed: Error | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.acknowledgement = new Acknowledgement(() => this.#ask(), options.now);
  }

  /** The counters of the managed stream, once the server has confirmed them. */
  get management(): StreamManagement | undefined {
    return this.#mode.kind === 'enabled' ? this.#mode.management : undefined;
  }

  get isManaged(): boolean {
    return this.#mode.kind !== 'off';
  }

  /** Somebody waits for the server or for the socket. */
  get isBlocked(): boolean {
    return this.#waiting.size > 0 || !this.acknowledgement.hasRoom || this.acknowledgement.isFlushing;
  }

  /**
   * Sends a stanza when its turn comes.
   *
   * @param isTracked whether it has to be acknowledged; an IQ request has its reply for that
   * @throws UsageError a character that XML forbids
   * @throws ConnectionLostError @throws TimeoutError @throws InterruptedError it was not sent
   */
  send(stanza: Element, isTracked: boolean, bounds: Bounds): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    let text: string;
    try {
      text = serialize(stanza);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.#canWrite && this.#waiting.size === 0) {
      if (this.#write(text, stanza, isTracked)) return Promise.resolve();
      this.#drained ??= new Deferred<void>();
      return within(this.#drained.promise, bounds);
    }
    const waiting: Waiting = { stanza, isTracked, written: new Deferred<void>() };
    this.#waiting.add(waiting);
    return within(waiting.written.promise, bounds).finally(() => this.#waiting.delete(waiting));
  }

  get #canWrite(): boolean {
    return this.#stream !== undefined && !this.#isFull && this.acknowledgement.hasRoom;
  }

  #write(text: string, stanza: Element, isTracked: boolean, sentAt?: number): boolean {
    const stream = this.#stream;
    if (!stream) return true;
    if (isTracked && this.#mode.kind === 'offered') {
      // XEP-0198 §3: counting starts with <enable/>, so it goes out just before the first stanza that counts.
      this.#mode = { kind: 'requested', management: new StreamManagement() };
      stream.write(ENABLE);
    }
    this.#isFull = !stream.write(stream.frame(text, stanza));
    if (isTracked || this.#mode.kind === 'requested' || this.#mode.kind === 'enabled') {
      this.acknowledgement.record(stanza, sentAt);
    }
    return !this.#isFull;
  }

  #pump(): void {
    for (const waiting of this.#waiting) {
      if (!this.#canWrite) return;
      this.#waiting.delete(waiting);
      this.#write(serialize(waiting.stanza), waiting.stanza, waiting.isTracked);
      waiting.written.resolve();
    }
  }

  #ask(): void {
    if (!this.#stream) return;
    if (this.#mode.kind === 'requested' || this.#mode.kind === 'enabled') {
      this.#stream.write(REQUEST);
      return;
    }
    const through = this.acknowledgement.next;
    const asked = this.#stream;
    this.#options.ping().then(
      () => {
        if (this.#stream === asked) this.#acknowledgeThrough(through);
      },
      // A time-out or a lost stream is told to whoever waits, by their own limits.
      () => undefined,
    );
  }

  /** Resolves when everything sent so far is acknowledged. */
  flush(): Promise<void> {
    if (this.#closed && !this.acknowledgement.isEmpty) return Promise.reject(this.#closed);
    return this.acknowledgement.flush();
  }

  /** Asks for a sign of life, even with nothing to acknowledge. */
  probe(): void {
    this.acknowledgement.suspend();
    if (this.management) this.#stream?.write(REQUEST);
    else this.#ask();
  }

  #acknowledgeThrough(through: number): void {
    this.acknowledgement.acknowledgeThrough(through);
    this.#pump();
  }

  onDrain(): void {
    this.#isFull = false;
    this.#drained?.resolve();
    this.#drained = undefined;
    this.#pump();
  }

  /** `<a/>` @throws ProtocolError */
  onAcknowledged(element: Element): void {
    this.#count(element);
    this.#pump();
  }

  #count(element: Element): void {
    if (this.#mode.kind !== 'requested' && this.#mode.kind !== 'enabled') return;
    this.acknowledgement.acknowledge(this.#mode.management.advance(element));
  }

  /** `<r/>` */
  onAsked(): void {
    if (!this.management) return;
    this.#told = this.management.inbound;
    this.#stream?.write(acknowledgementText(this.#told));
  }

  /** XEP-0198 §4: the last count is told before the stream ends, unless the server knows it. */
  tellLastCount(): void {
    if (this.management && this.management.inbound !== this.#told) this.onAsked();
  }

  /** `<enabled/>` */
  onEnabled(element: Element): void {
    if (this.#mode.kind !== 'requested') return;
    this.#mode.management.onEnabled(element);
    this.#mode = { kind: 'enabled', management: this.#mode.management };
  }

  /** `<failed/>` in answer to `<enable/>`: pings do it then. */
  onEnableFailed(): void {
    if (this.#mode.kind !== 'requested') return;
    this.#mode = { kind: 'off' };
    this.acknowledgement.suspend();
    this.acknowledgement.ask();
  }

  /** A stream to write to. */
  attach(stream: XmppStream, managed: Managed): void {
    this.#stream = stream;
    this.#isFull = false;
    switch (managed.kind) {
      case 'missing':
        this.#mode = { kind: 'off' };
        break;
      case 'offered':
        this.#mode = { kind: 'offered' };
        break;
      case 'enabled':
      case 'resumed':
        this.#mode = { kind: 'enabled', management: managed.management };
    }
  }

  /** The stream is gone. What waits goes on waiting. */
  detach(): void {
    this.#stream = undefined;
    this.#drained?.resolve();
    this.#drained = undefined;
    this.acknowledgement.suspend();
  }

  /** The stream goes on: sends again what the server has not seen, and asks for its answer. @throws ProtocolError */
  resumeWith(resumed: Element): void {
    this.#count(resumed);
    for (const stanza of this.acknowledgement.stanzas()) {
      this.#isFull = !this.#stream?.write(this.#stream.frame(serialize(stanza), stanza));
    }
    if (this.acknowledgement.isEmpty) this.#stream?.write(REQUEST);
    else this.acknowledgement.ask();
    this.#pump();
  }

  /**
   * Takes what a new stream has to send again, because the old one could not be resumed: messages. Presence belongs to
   * the lost stream, and so do requests and replies.
   *
   * @param failed the answer to the resumption; says how much arrived after all
   */
  takeUndelivered(failed: Element | undefined): SentStanza[] {
    if (failed?.attrs['h'] !== undefined) this.#count(failed);
    return this.acknowledgement.takeAll().filter(({ stanza }) => stanza.name === 'message');
  }

  /** Requests that have not been sent end with the stream they were meant for, as those do that have been. */
  dropRequests(error: Error): void {
    for (const waiting of this.#waiting) {
      const { name, attrs } = waiting.stanza;
      if (name !== 'iq' || (attrs['type'] !== 'get' && attrs['type'] !== 'set')) continue;
      this.#waiting.delete(waiting);
      waiting.written.reject(error);
    }
  }

  /** Sends messages again, saying when they were sent first (XEP-0203), and then what has been waiting. */
  sendAgain(undelivered: readonly SentStanza[], from: string): void {
    for (const { stanza, sentAt } of undelivered) {
      const delayed = withDelay(stanza, from, sentAt);
      this.#write(serialize(delayed), delayed, true, sentAt);
    }
    this.acknowledgement.moveFlushes();
    this.#pump();
  }

  /** Ends every wait; with `isForGood` also every later one. */
  fail(error: Error, isForGood: boolean): void {
    if (isForGood) this.#closed = error;
    for (const { written } of this.#waiting) written.reject(error);
    this.#waiting.clear();
    this.acknowledgement.fail(error);
    this.#drained?.reject(error);
    this.#drained = undefined;
  }
}

/** XEP-0203: Delayed Delivery. */
function withDelay(stanza: Element, from: string, sentAt: number): Element {
  if (isDelayed(stanza)) return stanza;
  const stamp = new Date(sentAt).toISOString();
  const copy = xml(stanza.name, stanza.attrs);
  // Not `cnode`: the children stay the original's.
  copy.children = [...stanza.children];
  copy.cnode(xml('delay', { xmlns: NS_DELAY, from, stamp }));
  return copy;
}

export const sessionClosed = (): ConnectionLostError => new ConnectionLostError('the session is closed');
