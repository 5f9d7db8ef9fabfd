/**
 * One Jingle session in which we send files: the first is offered by session-initiate, others by content-add
 * (XEP-0234 §5.3).
 */
import { RemoteError, type StanzaError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { ContentRouter } from '../../jingle/content-router.js';
import type { JingleEndpoint } from '../../jingle/endpoint.js';
import type { JingleSession } from '../../jingle/jingle-session.js';
import type { NegotiatingSession, NegotiatorOptions } from '../../jingle/negotiate-transport.js';
import type { JingleTransport } from '../../jingle/transport.js';
import type { SessionPhase } from '../../jingle/session-state.js';
import type { Content, JingleMessage, Reason } from '../../jingle/stanzas.js';
import type { WaitOptions } from '../../session/session.js';
import { Deferred } from '../../session/wait.js';
import type { Element } from '../../xml/element.js';
import type { PreparedOffer } from './offer-file.js';
import { OutgoingContent } from './outgoing-content.js';
import { CannotReceiveError } from '../reasons.js';
import { readInfo } from '../stanzas.js';
import { watchPresence } from '../watch-presence.js';

type OurReason = Pick<Reason, 'condition' | 'text'> & Partial<Reason>;

export interface OutgoingSessionOptions extends Omit<NegotiatorOptions, 'content' | 'jingle' | 'signal'> {
  peer: JID;
  endpoint: JingleEndpoint;
  /** Ends the waiting for what concerns several files. */
  stop: AbortSignal;
}

/** Candidates, their answers and the nomination are some 4 KiB on their way through the server. */
const TINY_BYTES = 8 * 1024;

export class OutgoingSession implements NegotiatingSession {
  readonly peer: JID;
  readonly role = 'initiator';
  readonly #options: OutgoingSessionOptions;
  readonly #contents = new Map<string, OutgoingContent>();
  readonly #attached = new Map<string, Disposable>();
  #jingle: JingleSession | undefined;
  #router: ContentRouter | undefined;
  #presence: Disposable | undefined;
  #count = 0;
  #isEnded = false;

  constructor(options: OutgoingSessionOptions) {
    this.#options = options;
    this.peer = options.peer;
  }

  get phase(): SessionPhase {
    return this.#isEnded ? 'ended' : (this.#jingle?.phase ?? 'pending');
  }

  /** How many files have been offered in it. */
  get offeredCount(): number {
    return this.#count;
  }

  /** A file for this session, not yet offered. */
  prepare(sizeBytes: number | undefined): OutgoingContent {
    this.#count += 1;
    return new OutgoingContent(`file-${this.#count}`, {
      ...this.#options,
      jingle: this,
      transports: this.#transportsFor(sizeBytes),
    });
  }

  /**
   * A further file that is as small as what is said about the path to it goes the shortest way. The first one goes the
   * usual way, so that what was asked for is known to work.
   */
  #transportsFor(sizeBytes: number | undefined): readonly JingleTransport[] {
    const { transports } = this.#options;
    if (this.#count === 1 || sizeBytes === undefined || sizeBytes > TINY_BYTES) return transports;
    const quick = transports.filter(({ isQuickToOpen }) => isQuickToOpen);
    return [...quick, ...transports.filter((transport) => !quick.includes(transport))];
  }

  /** @throws StanzaError the other party refused it at once */
  async initiate({ content, description }: PreparedOffer, sid: string | undefined): Promise<void> {
    const offer = await this.#offerOf(content, description);
    const { endpoint, timeoutMs } = this.#options;
    const options = { timeoutMs, signal: content.signal, ...(sid !== undefined && { sid }) };
    // It may go while it is being asked.
    const known = new Deferred<undefined>();
    this.#presence = watchPresence({
      session: this.#options.session,
      peer: this.peer,
      ping: () => known.promise.then(() => this.ping()),
      onGone: (error) => this.giveUp(error),
    });
    let jingle: JingleSession;
    try {
      jingle = await endpoint.initiate(this.peer, [offer], options);
    } catch (error) {
      this.#presence[Symbol.dispose]();
      content.negotiator.close();
      throw error;
    }
    this.#jingle = jingle;
    this.#router = new ContentRouter(jingle, {
      offered: (contents) => void this.#decline(contents),
      info: ({ payload }) => this.#receiveInfo(payload),
      terminated: (reason) => this.#end((file) => file.end(reason)),
      ended: (error) =>
        this.#end((file) =>
          file.abort(error ?? new RemoteError(`${this.peer.toString()} has left the session`)),
        ),
    });
    this.#attach(content);
    known.resolve(undefined);
  }

  /** Nobody is there any more. */
  giveUp({ condition }: StanzaError): void {
    this.#end((file) =>
      file.abort(new CannotReceiveError(`${this.peer.toString()} has gone away`, condition)),
    );
    void this.end({ condition: 'gone' });
  }

  /** @throws StanzaError the other party wants no further files in this session */
  async add(offers: readonly PreparedOffer[]): Promise<void> {
    const contents = await Promise.all(
      offers.map(({ content, description }) => this.#offerOf(content, description)),
    );
    for (const { content } of offers) this.#attach(content);
    try {
      await this.request(
        { action: 'content-add', contents, payload: [] },
        { timeoutMs: this.#options.timeoutMs, signal: this.#options.stop },
      );
    } catch (error) {
      for (const { content } of offers) {
        this.#detach(content);
        content.negotiator.close();
      }
      throw error;
    }
  }

  async request(message: Omit<JingleMessage, 'sid'>, options?: WaitOptions): Promise<void> {
    if (!this.#jingle) throw new TypeError('the session has not begun');
    await this.#jingle.request(message, options);
  }

  /** @throws StanzaError nobody is there any more */
  async ping(): Promise<void> {
    await this.#jingle?.ping({ timeoutMs: this.#options.timeoutMs, signal: this.#options.stop });
  }

  /** The file is out of the session: sent, or with a reason why not. Never throws: the other party may be gone. */
  async leave(
    content: OutgoingContent,
    reason: OurReason | undefined,
    timeoutMs = this.#options.timeoutMs,
  ): Promise<void> {
    content.negotiator.close();
    const isKnown = this.#detach(content);
    this.#jingle?.release(content.key);
    if (!reason || !isKnown || this.phase === 'ended') return;
    if (this.#contents.size === 0) {
      await this.end(reason, timeoutMs);
      return;
    }
    const contents = [{ ...content.key, senders: 'both' as const }];
    const message = { action: 'content-remove' as const, contents, payload: [] };
    await this.request({ ...message, reason: { details: [], ...reason } }, { timeoutMs }).catch(
      () => undefined,
    );
  }

  async end(reason: OurReason, timeoutMs = this.#options.timeoutMs): Promise<void> {
    this.#isEnded = true;
    this.#presence?.[Symbol.dispose]();
    await this.#jingle?.terminate(reason, { timeoutMs });
  }

  #attach(content: OutgoingContent): void {
    const { name } = content.key;
    this.#contents.set(name, content);
    const attached = this.#router?.attach(content.key, (event) => content.receive(event));
    if (attached) this.#attached.set(name, attached);
  }

  #detach({ key: { name } }: OutgoingContent): boolean {
    this.#attached.get(name)?.[Symbol.dispose]();
    this.#attached.delete(name);
    return this.#contents.delete(name);
  }

  async #offerOf(content: OutgoingContent, description: Element): Promise<Content> {
    return { ...content.key, description, transport: await content.negotiator.offer() };
  }

  /** We are here to send. */
  async #decline(contents: readonly Content[]): Promise<void> {
    const reason: Reason = { condition: 'decline', details: [] };
    await this.request({ action: 'content-reject', contents, payload: [], reason }).catch(() => undefined);
  }

  #receiveInfo(payload: Element | undefined): void {
    const info = payload && readInfo(payload);
    if (info?.kind !== 'received') return;
    const { name } = info.key;
    const [only, ...others] = this.#contents.values();
    const content = name === undefined ? (others.length === 0 ? only : undefined) : this.#contents.get(name);
    content?.confirm('received');
  }

  #end(finish: (content: OutgoingContent) => void): void {
    this.#isEnded = true;
    this.#presence?.[Symbol.dispose]();
    for (const content of [...this.#contents.values()]) finish(content);
    this.#contents.clear();
  }
}
