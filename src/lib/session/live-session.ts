/**
 * A `Session` over one stream after another: gives what arrives to those who wait for it, keeps what goes out until it
 * is acknowledged, and gets a new stream when the old one is lost.
 */
import { ConnectionLostError, InterruptedError, ProtocolError, StanzaError, UsageError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { xml, type Element } from '../xml/element.js';
import { Discovery } from './discovery.js';
import { Dispatcher } from './dispatcher.js';
import type { Established } from './establish.js';
import { EventRegistry } from './event-registry.js';
import { Incoming } from './incoming.js';
import { IqRequests } from './iq-requests.js';
import { Liveness } from './liveness.js';
import { NS_PING } from './namespaces.js';
import type { ConnectOptions } from './options.js';
import { Outbox, sessionClosed } from './outbox.js';
import { isFatal, reconnect } from './reconnect.js';
import { Responders, type ResponderKey } from './responders.js';
import { isAboutOldBytes, ResumptionCheck } from './resumption-check.js';
import type {
  ConnectionInfo,
  IqHandler,
  IqRequest,
  Session,
  SessionEvents,
  SessionState,
  StanzaFilter,
  WaitOptions,
} from './session.js';
import type { StreamManagement } from './stream-management.js';
import type { SessionTuning } from './tuning.js';
import { interruption, within, type Bounds } from './wait.js';

export class LiveSession implements Session {
  readonly kind: 'client' | 'component';
  readonly #options: ConnectOptions;
  readonly #tuning: SessionTuning;
  readonly #events = new EventRegistry<SessionEvents>();
  readonly #requests = new IqRequests();
  readonly #responders: Responders;
  readonly #discovery: Discovery;
  readonly #dispatcher = new Dispatcher(() => this.#adjustReading());
  readonly #outbox: Outbox;
  readonly #incoming: Incoming;
  readonly #liveness: Liveness;
  readonly #resumptionCheck: ResumptionCheck;
  /** Ends an attempt to reconnect when the session is closed meanwhile. */
  readonly #closing = new AbortController();
  readonly #onAbort = (): void => this.#interrupt();
  #established: Established;
  #state: SessionState = 'online';
  #isReading = true;
  #end: { error: Error | undefined } | undefined;

  constructor(established: Established, options: ConnectOptions, tuning: SessionTuning) {
    this.kind = options.kind ?? 'client';
    this.#options = options;
    this.#tuning = tuning;
    this.#established = established;
    this.#responders = new Responders((message) => options.warn?.(message));
    this.#discovery = new Discovery(this.#responders, this.kind, tuning.now);
    this.#outbox = new Outbox({ now: tuning.now, ping: () => this.#ping() });
    this.#incoming = new Incoming({
      outbox: this.#outbox,
      requests: this.#requests,
      dispatcher: this.#dispatcher,
      responders: this.#responders,
      own: () => this.jid,
      onAcknowledged: () => this.#onAcknowledged(),
      onUnsent: (error) => this.#established.trace?.event('error', { message: String(error) }),
    });
    this.#liveness = new Liveness({
      idleMs: tuning.idleMs,
      replyMs: options.timeoutMs,
      bytesReceived: () => this.#established.stream.bytesReceived,
      probe: () => this.#outbox.probe(),
      onSilence: (afterMs) =>
        this.#established.stream.abort(
          new ConnectionLostError(`the server has not answered for ${afterMs / 1000} s`),
        ),
    });
    this.#resumptionCheck = new ResumptionCheck({
      quietMs: Math.min(tuning.resumedQuietMs, options.timeoutMs),
      limitMs: options.timeoutMs,
      bytesReceived: () => this.#established.stream.bytesReceived,
      onDeaf: () =>
        this.#established.stream.abort(
          new ProtocolError('the server resumed the stream, but does not answer on it'),
        ),
    });
    options.signal?.addEventListener('abort', this.#onAbort);
    this.#outbox.attach(established.stream, established.managed);
    options.onOnline?.(this);
    this.#consume(established);
  }

  get jid(): JID {
    return this.#established.jid;
  }

  get state(): SessionState {
    return this.#state;
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  get features(): Element {
    return this.#established.features;
  }

  get info(): ConnectionInfo {
    return {
      ...this.#established.info,
      isStreamManaged: this.#outbox.isManaged,
      isResumable: this.#outbox.management?.id !== undefined,
    };
  }

  async request({ type, to, payload }: IqRequest, options: WaitOptions = {}): Promise<Element> {
    const address = to?.toString();
    if (address === undefined && this.kind === 'component') {
      throw new UsageError('a component has to say whom a request is for');
    }
    const { id, reply } = this.#requests.expect(address);
    const iq = xml('iq', { type, id, to: address, from: this.#ownFrom() }, payload);
    const bounds = {
      doing: `waiting for ${address ?? 'the server'} to answer`,
      timeoutMs: options.timeoutMs ?? this.#options.timeoutMs,
      signal: options.signal,
    };
    this.#adjustReading();
    try {
      return await within(
        this.#outbox.send(iq, false, { doing: bounds.doing }).then(() => reply),
        bounds,
      );
    } finally {
      this.#requests.forget(id);
      this.#adjustReading();
    }
  }

  async send(stanza: Element, options: WaitOptions = {}): Promise<void> {
    const sent = this.#outbox.send(this.#addressed(stanza), true, this.#boundsFor('sending', options));
    if (!this.#isReading) this.#adjustReading();
    await sent;
  }

  async flush(options: WaitOptions = {}): Promise<void> {
    const flushed = this.#outbox.flush();
    this.#adjustReading();
    try {
      await within(flushed, this.#boundsFor('waiting for the server to acknowledge what was sent', options));
    } finally {
      this.#adjustReading();
    }
  }

  /** A resumable session waits out an interruption, unless the caller has set a limit. */
  #boundsFor(doing: string, { signal, timeoutMs }: WaitOptions): Bounds {
    return {
      doing,
      signal,
      timeoutMs: timeoutMs ?? (this.#options.resume ? undefined : this.#options.timeoutMs),
    };
  }

  unacknowledged(): readonly Element[] {
    return this.#outbox.acknowledgement.stanzas();
  }

  handle(filter: StanzaFilter, handler: (stanza: Element) => void): Disposable {
    return this.#dispatcher.handle(filter, handler);
  }

  respond(key: ResponderKey, handler: IqHandler): Disposable {
    return this.#responders.respond(key, handler);
  }

  advertise(...features: string[]): Disposable {
    return this.#responders.advertise(features);
  }

  capabilities(): Promise<Element> {
    return this.#discovery.capabilities();
  }

  stanzas(
    filter: StanzaFilter = {},
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncIterableIterator<Element> {
    const reader = this.#dispatcher.read(filter, signal);
    if (this.#end) reader.end(this.#end.error);
    return reader;
  }

  on<K extends keyof SessionEvents>(event: K, listener: (detail: SessionEvents[K]) => void): Disposable {
    return this.#events.on(event, listener);
  }

  async close(): Promise<void> {
    const { stream } = this.#established;
    if (!this.#end) {
      this.#outbox.tellLastCount();
      this.#finish(undefined);
    }
    await stream.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A component has to say who it is in every stanza (XEP-0114); a client's server knows. */
  #ownFrom(): string | undefined {
    return this.kind === 'component' ? this.jid.toString() : undefined;
  }

  #addressed(stanza: Element): Element {
    if (this.kind === 'component' && stanza.attrs['from'] === undefined) {
      stanza.attrs['from'] = this.jid.toString();
    }
    return stanza;
  }

  /** Any reply will do. */
  #ping(): Promise<unknown> {
    // A component's own domain is routed back to ourselves, so the server has seen it too.
    const request = this.request({
      type: 'get',
      to: this.jid.domain,
      payload: xml('ping', { xmlns: NS_PING }),
    });
    return request.catch((error: unknown) => {
      if (!(error instanceof StanzaError)) throw error;
    });
  }

  #consume(established: Established): void {
    if (this.#options.resume) this.#liveness.start();
    established.stream.handOver({
      onElement: (element) => this.#receive(established, element),
      onDrain: () => this.#outbox.onDrain(),
      onEnd: (error) => this.#onStreamLost(established, error),
    });
    if (!this.#isReading) established.stream.pause();
  }

  #receive(established: Established, element: Element): void {
    try {
      this.#incoming.receive(element);
    } catch (error) {
      established.stream.abort(error);
    }
  }

  /** Reading pauses while a reader is slow, but never while somebody waits for what only reading can bring. */
  #adjustReading(): void {
    const isReading =
      !this.#dispatcher.isCrowded ||
      this.#requests.size > 0 ||
      this.#outbox.isBlocked ||
      this.#resumptionCheck.isPending;
    if (isReading === this.#isReading) return;
    this.#isReading = isReading;
    this.#liveness.suspend(!isReading);
    if (isReading) this.#established.stream.resume();
    else this.#established.stream.pause();
  }

  #onAcknowledged(): void {
    if (!this.#resumptionCheck.isPending) return;
    this.#resumptionCheck.onAcknowledged(this.#outbox.acknowledgement.acknowledgedThrough);
    this.#adjustReading();
  }

  #onStreamLost(established: Established, error: Error): void {
    if (this.#end || established !== this.#established) return;
    const isLeftover = this.#resumptionCheck.isPending && isAboutOldBytes(error);
    this.#liveness.stop();
    this.#resumptionCheck.stop();
    this.#outbox.detach();
    const isHopeless = isFatal(error) && !isLeftover;
    const willRetry = this.#options.resume === true && !isHopeless && !this.#options.signal?.aborted;
    if (!willRetry) {
      this.#finish(error);
      this.#events.emit('disconnected', { error, willRetry });
      return;
    }
    this.#state = 'reconnecting';
    this.#events.emit('disconnected', { error, willRetry });
    // What broke the stream would break it again when the server repeats it.
    const isSpoilt = error instanceof ProtocolError || isLeftover;
    void this.#reconnect(isSpoilt ? undefined : this.#outbox.management);
  }

  async #reconnect(resumable: StreamManagement | undefined): Promise<void> {
    const usable = resumable?.id === undefined ? undefined : resumable;
    const jid = this.kind === 'client' && usable ? this.jid : this.#options.jid;
    try {
      const established = await reconnect({
        connect: { ...this.#options, jid, signal: this.#closing.signal },
        tuning: this.#tuning,
        resumable: usable,
        trace: this.#established.trace,
      });
      if (this.#end) await established.stream.close();
      else this.#adopt(established);
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #adopt(established: Established): void {
    this.#established = established;
    const { managed, stream, failed } = established;
    this.#state = 'online';
    try {
      if (managed.kind === 'resumed') {
        this.#outbox.attach(stream, managed);
        this.#outbox.resumeWith(managed.resumed);
        this.#resumptionCheck.start(this.#outbox.acknowledgement.next);
        this.#adjustReading();
        this.#events.emit('resumed', {});
      } else {
        const lost = new ConnectionLostError('the stream was lost before the answer came');
        this.#requests.rejectAll(lost);
        this.#outbox.dropRequests(lost);
        const undelivered = this.#outbox.takeUndelivered(failed);
        this.#outbox.attach(stream, managed);
        // First the listeners, who join rooms again; what was meant for a room then follows.
        this.#events.emit('reconnected', { jid: this.jid });
        this.#outbox.sendAgain(undelivered, this.jid.toString());
      }
    } catch (error) {
      stream.abort(error);
    }
    this.#consume(established);
  }

  /** Ctrl-C: ends every wait. The stream stays for `close`, so that a command can still take its leave. */
  #interrupt(): void {
    const error = interruption(this.#options.signal, 'waiting');
    if (this.#state === 'reconnecting') {
      this.#finish(error);
      return;
    }
    this.#requests.rejectAll(error);
    this.#outbox.fail(error, false);
    this.#dispatcher.endReaders(error);
  }

  /** The end, once: nothing is waited for any more, and no timer is left. */
  #finish(error: Error | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    this.#state = 'closed';
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#liveness.stop();
    this.#resumptionCheck.stop();
    this.#closing.abort(new InterruptedError('the session was closed'));
    const reason = error ?? sessionClosed();
    this.#requests.rejectAll(reason);
    this.#outbox.fail(reason, true);
    this.#dispatcher.endReaders(error);
    this.#events.emit('closed', { error });
  }
}
