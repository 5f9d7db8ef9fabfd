/**
 * The way of one content from a list of transports to a bytestream, and to another one when that breaks
 * (XEP-0166 §6.5 and §7.2.15, XEP-0260 §3).
 *
 * The initiator offers the first transport; each that fails is replaced by the next inside the same session. The
 * responder waits for that, but a responder that replaces by itself is served too.
 *
 * How the application's facts travel: `describe` is asked for a `<description/>` whenever a transport-replace or
 * transport-accept is sent, and that of the other party comes back with the connection. File transfer says in it
 * where to go on after a break (`<file><range offset='…'/></file>`); XEP-0166 allows it, and nobody who does not
 * look for it sees it.
 */
import { RemoteError, StanzaError, TimeoutError } from '../errors.js';
import type { Session } from '../session/session.js';
import { Deferred, within } from '../session/wait.js';
import type { Element } from '../xml/element.js';
import type { TransportEvent } from './content-router.js';
import { isGone, isTieBreak, type JingleSession } from './jingle-session.js';
import { IllegalActionError } from './session-state.js';
import type { Action, Content } from './stanzas.js';
import {
  TransportFailedError,
  type Bytestream,
  type JingleTransport,
  type TransportNegotiation,
} from './transport.js';

/** What of a Jingle session a negotiation needs; the session itself may not have begun when the first offer is made. */
export type NegotiatingSession = Pick<JingleSession, 'peer' | 'role' | 'phase' | 'request'>;

export interface NegotiatorOptions {
  session: Session;
  jingle: NegotiatingSession;
  content: Pick<Content, 'creator' | 'name' | 'senders'>;
  /** In the order in which they are tried. */
  transports: readonly JingleTransport[];
  /** For each step. */
  timeoutMs: number;
  signal?: AbortSignal;
  describe?: () => Element | undefined;
  /** Told one line for each path that was tried and what became of it. */
  note?: (fact: string) => void;
}

export interface Connection {
  bytestream: Bytestream;
  /** That of the other party's last transport-replace or transport-accept for this content. */
  description: Element | undefined;
  /** Why an earlier transport was given up. */
  reason: string | undefined;
}

/** The other party offers none of our transports. */
export class UnsupportedTransportError extends RemoteError {
  override readonly name = 'UnsupportedTransportError';
}

/** Replacements by the other party that are gone along with. */
const MAX_THEIR_REPLACES = 8;
/** How often a transport that carried something before it broke is tried again. */
const MAX_RETRIES = 3;
const KEPT_INFOS = 50;

export class TransportNegotiator {
  readonly #options: NegotiatorOptions;
  #index = -1;
  #retries = 0;
  #current: TransportNegotiation | undefined;
  #bytestream: Bytestream | undefined;
  #description: Element | undefined;
  #reason: string | undefined;
  /** A transport-replace of the other party that has not been answered. */
  #theirs: Content | undefined;
  #theirReplaces = 0;
  /** Resolved when `#theirs` is set. */
  #theirsCame = new Deferred<undefined>();
  /** The answer to our transport-replace; `undefined` is a transport-reject. */
  #answer: Deferred<Content | undefined> | undefined;
  /** Of the transport that we are preparing an answer to: infos for it are kept until then. */
  #expectedSid: unknown;
  #early: Element[] = [];

  constructor(options: NegotiatorOptions) {
    this.#options = options;
  }

  /** Our `<transport/>` for session-initiate or content-add. @throws TransportFailedError none can be offered */
  async offer(): Promise<Element> {
    let why: Error = new TransportFailedError('no transport is left to try');
    while (this.#index + 1 < this.#options.transports.length) {
      try {
        return await this.#begin(this.#nextTransport()).offer();
      } catch (error) {
        why = this.#giveUp(error);
      }
    }
    throw why;
  }

  /**
   * Our `<transport/>` for session-accept or content-accept.
   * @throws UnsupportedTransportError
   */
  async answer(theirs: Element | undefined): Promise<Element> {
    const transport = this.#find(theirs);
    if (!transport || !theirs) {
      throw new UnsupportedTransportError(
        `the other party offers only ${theirs?.getNS() ?? 'no transport'}, which is not supported`,
      );
    }
    this.#index = this.#options.transports.indexOf(transport);
    return this.#prepareAnswer(transport, theirs);
  }

  /** The answer to our offer. */
  setAnswer(theirs: Element | undefined): void {
    if (theirs) this.#current?.setAnswer(theirs);
  }

  /** What the other party sends about the transports of this content. */
  receive({ kind, content }: TransportEvent): void {
    switch (kind) {
      case 'transport-info':
        if (content.transport) this.#receiveInfo(content.transport);
        return;
      case 'transport-offered':
        this.#theirs = content;
        this.#theirsCame.resolve(undefined);
        this.#bytestream?.stream.destroy(new TransportFailedError('the other party replaces the transport'));
        return;
      case 'transport-accepted':
        this.#answer?.resolve(content);
        return;
      case 'transport-rejected':
        this.#answer?.resolve(undefined);
    }
  }

  /**
   * Connects, by way of replacements where one is needed.
   * @throws TransportFailedError nothing is left to try @throws TimeoutError the other party fell silent
   */
  async connect(): Promise<Connection> {
    for (;;) {
      try {
        const bytestream = await this.#connectCurrent();
        // Whoever reads and writes sees what breaks it; at a moment when nobody does, it must not end the program.
        bytestream.stream.on('error', () => undefined);
        this.#bytestream = bytestream;
        return { bytestream, description: this.#description, reason: this.#reason };
      } catch (error) {
        await this.#replace(this.#giveUp(error));
      }
    }
  }

  /**
   * A new path after the bytestream broke. One that has carried something is worth another try.
   * @throws as `connect`
   */
  async reconnect(why: Error, hasCarried: boolean): Promise<Connection> {
    this.#giveUp(new TransportFailedError(why.message, { cause: why }));
    if (hasCarried && this.#retries < MAX_RETRIES) {
      this.#retries += 1;
      this.#index -= 1;
    } else {
      this.#retries = 0;
    }
    await this.#replace(why);
    return this.connect();
  }

  /** Frees whatever is being negotiated; the stream of a connection stays. */
  close(): void {
    this.#current?.abandon();
    this.#current = undefined;
    this.#bytestream = undefined;
  }

  #begin(transport: JingleTransport): TransportNegotiation {
    this.#current?.abandon();
    const { session, jingle, timeoutMs, signal, note } = this.#options;
    return (this.#current = transport.begin({
      session,
      peer: jingle.peer,
      role: jingle.role,
      timeoutMs,
      ...(signal && { signal }),
      ...(note && { note }),
      sendInfo: (info) => this.#send('transport-info', { senders: 'both', transport: info }),
    }));
  }

  async #connectCurrent(): Promise<Bytestream> {
    const current = this.#current;
    if (!current) throw new TransportFailedError('there is no transport to connect');
    const connecting = current.connect();
    const replaced = this.#theirsCame.promise.then(() => {
      throw new TransportFailedError('the other party replaces the transport');
    });
    try {
      return await this.#bounded(Promise.race([connecting, replaced]), 'connecting');
    } catch (error) {
      // What it still comes to is nobody's.
      connecting.then(
        ({ stream }) => stream.on('error', () => undefined).destroy(),
        () => undefined,
      );
      throw error;
    }
  }

  /** Leaves the current transport. @throws the error itself, where another transport would not help */
  #giveUp(error: unknown): Error {
    this.#current?.abandon();
    this.#current = undefined;
    this.#bytestream = undefined;
    if (!(error instanceof RemoteError || error instanceof TimeoutError)) throw error;
    this.#reason = error.message;
    this.#options.note?.(error.message);
    return error;
  }

  /** Agrees on another transport, which then is the current one. @throws `why`, when there is none */
  async #replace(why: Error): Promise<void> {
    for (;;) {
      if (!this.#theirs && this.#options.jingle.role === 'responder') await this.#waitForTheirs(why);
      if (this.#theirs) {
        if (await this.#takeTheirs(why)) return;
        continue;
      }
      if (this.#index + 1 >= this.#options.transports.length) throw why;
      if (await this.#propose(this.#nextTransport(), why)) return;
    }
  }

  async #propose(transport: JingleTransport, why: Error): Promise<boolean> {
    const answer = (this.#answer = new Deferred<Content | undefined>());
    try {
      const negotiation = this.#begin(transport);
      const offer = await negotiation.offer();
      if (this.#theirs) return false;
      await this.#send('transport-replace', { transport: offer, ...this.#described() });
      const accepted = await this.#bounded(
        Promise.race([answer.promise, this.#theirsCame.promise]),
        'waiting for an answer to the replacement of the transport',
        this.#options.timeoutMs,
      );
      if (!accepted?.transport) {
        this.#options.note?.(`the other party does not want ${transport.namespace}`);
        return false;
      }
      negotiation.setAnswer(accepted.transport);
      this.#description = accepted.description;
      return true;
    } catch (error) {
      if (this.#options.jingle.phase === 'ended' || isGone(error)) throw why;
      // Theirs is on its way, or has been received and not been given to us yet.
      if (isTieBreak(error) || error instanceof IllegalActionError) await this.#waitForTheirs(why);
      else if (!(error instanceof StanzaError || error instanceof TransportFailedError)) throw error;
      return false;
    } finally {
      this.#answer = undefined;
    }
  }

  /** @returns false when we do not want it, and have said so */
  async #takeTheirs(why: Error): Promise<boolean> {
    const theirs = this.#theirs;
    this.#theirs = undefined;
    this.#theirsCame = new Deferred();
    const transport = this.#find(theirs?.transport);
    this.#theirReplaces += 1;
    if (this.#theirReplaces > MAX_THEIR_REPLACES) throw why;
    if (!theirs?.transport || !transport) {
      await this.#send('transport-reject', { ...(theirs?.transport && { transport: theirs.transport }) });
      return false;
    }
    const answer = await this.#prepareAnswer(transport, theirs.transport);
    this.#description = theirs.description;
    await this.#send('transport-accept', { transport: answer, ...this.#described() });
    return true;
  }

  async #prepareAnswer(transport: JingleTransport, theirs: Element): Promise<Element> {
    const negotiation = this.#begin(transport);
    this.#expectedSid = theirs.attrs['sid'];
    const answer = await negotiation.answer(theirs);
    this.#expectedSid = undefined;
    for (const info of this.#early.splice(0)) this.#receiveInfo(info);
    return answer;
  }

  async #waitForTheirs(why: Error): Promise<void> {
    try {
      await this.#bounded(this.#theirsCame.promise, 'waiting for another transport', this.#options.timeoutMs);
    } catch (error) {
      throw error instanceof TimeoutError ? why : error;
    }
  }

  #receiveInfo(info: Element): void {
    const sid: unknown = info.attrs['sid'];
    const current = this.#current;
    if (sid !== undefined && (sid === this.#expectedSid || sid === this.#theirs?.transport?.attrs['sid'])) {
      if (this.#early.length < KEPT_INFOS) this.#early.push(info);
    } else if (current && current.namespace === info.getNS() && (sid === undefined || sid === current.sid)) {
      current.receiveInfo(info);
    }
  }

  #nextTransport(): JingleTransport {
    this.#index += 1;
    const transport = this.#options.transports[this.#index];
    if (!transport) throw new TransportFailedError('no transport is left to try');
    return transport;
  }

  #find(theirs: Element | undefined): JingleTransport | undefined {
    return this.#options.transports.find(({ namespace }) => namespace === theirs?.getNS());
  }

  #described(): { description?: Element } {
    const description = this.#options.describe?.();
    return description ? { description } : {};
  }

  #send(action: Action, parts: Partial<Content>): Promise<void> {
    const { jingle, content, timeoutMs, signal } = this.#options;
    return jingle.request(
      { action, contents: [{ ...content, ...parts }], payload: [] },
      { timeoutMs, ...(signal && { signal }) },
    );
  }

  #bounded<T>(work: Promise<T>, doing: string, timeoutMs?: number): Promise<T> {
    return within(work, { doing, signal: this.#options.signal, timeoutMs });
  }
}
