/** A session of two: the edits go from one to the other in messages (XEP-0284 §4). */
import { DecodeError, NegativeError } from '../../errors.js';
import { EventQueue } from '../../event-queue.js';
import type { JID } from '../../jid/jid.js';
import type { Session } from '../../session/session.js';
import { xml, type Element } from '../../xml/element.js';
import type { SxeContent } from '../stanzas.js';
import type { Channel, ChannelEvent } from './channel.js';
import { eventsOf, type Dialect } from './dialect.js';

const MAX_EVENTS = 200_000;

/** What holds the two together: a Jingle session, or an invitation that was accepted. */
export interface PeerLink extends Disposable {
  /** The id of the session. */
  readonly session: string;
  readonly peer: JID;
  readonly isOver: boolean;
  /** Until the other one has ended it. Throws when it is lost. */
  untilOver(): Promise<void>;
  /** Ends it. Never throws. */
  close(): Promise<void>;
}

export class PeerChannel implements Channel {
  readonly isEchoing = false;
  readonly name: string;
  readonly #queue = new EventQueue<ChannelEvent>(MAX_EVENTS);
  readonly #subscriptions: Disposable[];

  /** @param invitation what has been said already, and offers the document */
  constructor(
    private readonly stream: Session,
    private readonly link: PeerLink,
    readonly dialect: Dialect,
    private readonly invitation?: Element,
  ) {
    this.name = stream.jid.toString();
    this.#subscriptions = [
      link,
      stream.handle(
        { name: 'message', from: link.peer, child: { name: 'sxe', namespace: dialect.namespace } },
        (message) => this.#onMessage(message),
      ),
      stream.on('reconnected', () =>
        this.end(new NegativeError('the connection was lost, and with it the session')),
      ),
    ];
  }

  get session(): string {
    return this.link.session;
  }

  get events(): AsyncIterableIterator<ChannelEvent> {
    return this.#queue;
  }

  /** From here on the session ends when the other one ends it. */
  follow(): void {
    this.#queue.push({ kind: 'present', name: this.link.peer.toString() });
    void this.#untilOver();
  }

  async send(content: SxeContent, id: string): Promise<void> {
    // The document has been offered before anybody could ask for it.
    if (content.kind === 'connect' && this.invitation) this.#takeSaid(this.invitation);
    else await this.#send(this.link.peer.toString(), content, id, undefined);
  }

  async sendTo(name: string, content: SxeContent, id: string): Promise<void> {
    await this.#send(name, content, id, name);
  }

  async close(): Promise<void> {
    this.end();
    if (this.stream.state === 'online') await this.link.close();
  }

  end(error?: unknown): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]();
    this.#queue.end(error);
  }

  async #send(to: string, content: SxeContent, id: string, dialectTo: string | undefined): Promise<void> {
    if (this.link.isOver) return;
    const sxe = this.dialect.encode({ session: this.session, id, content }, dialectTo);
    if (sxe) await this.stream.send(xml('message', { to }, sxe));
  }

  async #untilOver(): Promise<void> {
    try {
      await this.link.untilOver();
      this.#queue.push({ kind: 'gone', name: this.link.peer.toString() });
      this.end();
    } catch (error) {
      this.end(error);
    }
  }

  #onMessage(message: Element): void {
    if (message.attrs['type'] === 'error') return;
    const sxe = message.getChild('sxe', this.dialect.namespace);
    if (sxe) this.#takeSaid(sxe);
  }

  #takeSaid(sxe: Element): void {
    const { session, name: own } = this;
    const sender = this.link.peer.toString();
    try {
      for (const event of eventsOf(this.dialect, sxe, { session, sender, own, isPrivate: false })) {
        this.#queue.push(event);
        if (event.kind === 'gone') this.end();
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
}
