/**
 * An editing session of two, begun by Jingle (XEP-0284 §4): who begins it is the host, and the edits go from one to the
 * other in messages.
 */
import { DecodeError, NegativeError, StanzaError, TimeoutError } from '../../errors.js';
import { queryInfo } from '../../disco/query.js';
import { JID } from '../../jid/jid.js';
import { shareEndpoint } from '../../jingle/endpoint.js';
import { EventQueue } from '../../event-queue.js';
import type { JingleSession } from '../../jingle/jingle-session.js';
import { PresenceWatch } from '../../roster/presence-watch.js';
import { presenceSettled, sendPresence } from '../../roster/send-presence.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { xml, type Element } from '../../xml/element.js';
import {
  decodeSxe,
  encodeSxe,
  NS_JINGLE_SXE,
  NS_SXE,
  NS_XHTML_EDITING,
  NS_XML_EDITING,
  SxeTransport,
  type SxeContent,
} from '../stanzas.js';
import type { Channel, ChannelEvent } from './channel.js';

const MAX_EVENTS = 200_000;

/** Says, as long as it lives, that sessions of this kind can be had here (§5). */
export function advertiseEditing(session: Session): Disposable {
  return session.advertise(NS_SXE, NS_JINGLE_SXE, NS_XHTML_EDITING, NS_XML_EDITING);
}

/**
 * Offers a session to somebody: the resource that can do it, as soon as there is one.
 *
 * @throws NegativeError it was declined @throws StanzaError it was refused @throws InterruptedError
 */
export async function offerTo(
  session: Session,
  peer: JID,
  application: string,
  wait: WaitOptions & { signal: AbortSignal; onWaiting: () => void },
): Promise<Channel> {
  using presences = new PresenceWatch(session);
  await sendPresence(session, { signal: wait.signal });
  // Whoever is no contact is told directly, and answers in the same way.
  await sendPresence(session, { to: peer, signal: wait.signal });
  await presenceSettled(session, peer.domain, { signal: wait.signal });
  const resource = await findResource(session, presences, peer, wait);
  const shared = shareEndpoint(session);
  const content = {
    creator: 'initiator' as const,
    name: 'document',
    senders: 'both' as const,
    description: xml('description', { xmlns: application }),
    transport: SxeTransport.encode({ hosts: [session.jid.toString()] }),
  };
  try {
    const jingle = await shared.endpoint.initiate(resource, [content], wait);
    const channel = new PeerChannel(session, jingle, shared);
    await accepted(jingle, peer);
    channel.follow();
    return channel;
  } catch (error) {
    shared[Symbol.dispose]();
    throw error;
  }
}

/** Until somebody declines, or takes it. One by one: the events go on to be read afterwards. */
async function accepted(jingle: JingleSession, peer: JID): Promise<void> {
  for (;;) {
    const next = await jingle.events.next();
    if (next.done === true) throw new NegativeError(`${peer.toString()} has gone`);
    const event = next.value;
    if (event.kind === 'accepted') return;
    if (event.kind === 'terminated')
      throw new NegativeError(`${peer.toString()} does not take the session: ${event.reason.condition}`);
  }
}

async function findResource(
  session: Session,
  presences: PresenceWatch,
  peer: JID,
  { signal, onWaiting, ...wait }: WaitOptions & { signal: AbortSignal; onWaiting: () => void },
): Promise<JID> {
  const asked = new Map<string, boolean>();
  for (let hasSaid = false; ; hasSaid = true) {
    const candidates = peer.isBare ? presences.of(peer).map(({ jid }) => jid) : [peer];
    for (const jid of candidates) {
      const name = jid.toString();
      if (!asked.has(name)) asked.set(name, await canEdit(session, jid, { ...wait, signal }));
      if (asked.get(name) === true) return jid;
    }
    if (!hasSaid) onWaiting();
    await presences.changed(signal);
    signal.throwIfAborted();
  }
}

async function canEdit(session: Session, jid: JID, wait: WaitOptions): Promise<boolean> {
  try {
    const { features } = await queryInfo(session, jid, undefined, wait);
    return features.includes(NS_SXE);
  } catch (error) {
    if (error instanceof StanzaError || error instanceof TimeoutError) return false;
    throw error;
  }
}

/**
 * Waits until somebody offers a session.
 *
 * @param from whose offers are taken; others are declined
 * @throws InterruptedError
 */
export async function takeOffer(
  session: Session,
  from: JID,
  wait: WaitOptions & { signal: AbortSignal; onWaiting: () => void },
): Promise<{ channel: Channel; host: string }> {
  const shared = shareEndpoint(session);
  try {
    const offers = [NS_XHTML_EDITING, NS_XML_EDITING].map((application) =>
      shared.endpoint.incoming({ application }),
    );
    // Contacts are told by presence; whoever is none is told directly: now, and as soon as it is there.
    using _presences = session.handle({ name: 'presence' }, (presence) => {
      const sender: unknown = presence.attrs['from'];
      if (presence.attrs['type'] !== undefined || typeof sender !== 'string') return;
      const jid = JID.fromServer(sender);
      if (jid.bare.equals(from.bare) && !jid.equals(session.jid))
        sendPresence(session, { to: jid }).catch(() => undefined);
    });
    await sendPresence(session, { signal: wait.signal });
    await sendPresence(session, { to: from, signal: wait.signal });
    wait.onWaiting();
    const stop = (): void => {
      for (const queue of offers) void queue.return?.();
    };
    wait.signal.addEventListener('abort', stop);
    try {
      const jingle = await Promise.race(offers.map((queue) => firstFrom(queue, from)));
      wait.signal.throwIfAborted();
      if (!jingle) throw new NegativeError('no session was offered');
      const channel = new PeerChannel(session, jingle, shared);
      await jingle.accept(jingle.offered, wait);
      channel.follow();
      return { channel, host: jingle.peer.toString() };
    } finally {
      wait.signal.removeEventListener('abort', stop);
      stop();
    }
  } catch (error) {
    shared[Symbol.dispose]();
    throw error;
  }
}

async function firstFrom(
  offers: AsyncIterableIterator<JingleSession>,
  from: JID,
): Promise<JingleSession | undefined> {
  for await (const offer of offers) {
    const isMeant = from.isBare ? offer.peer.bare.equals(from) : offer.peer.equals(from);
    if (isMeant) return offer;
    await offer.terminate({ condition: 'decline' });
  }
  return undefined;
}

class PeerChannel implements Channel {
  readonly isEchoing = false;
  readonly name: string;
  readonly #queue = new EventQueue<ChannelEvent>(MAX_EVENTS);
  readonly #subscriptions: Disposable[];

  constructor(
    private readonly stream: Session,
    private readonly jingle: JingleSession,
    shared: Disposable,
  ) {
    this.name = stream.jid.toString();
    this.#subscriptions = [
      shared,
      stream.handle(
        { name: 'message', from: jingle.peer, child: { name: 'sxe', namespace: NS_SXE } },
        (message) => this.#onMessage(message),
      ),
      stream.on('reconnected', () =>
        this.#end(new NegativeError('the connection was lost, and with it the session')),
      ),
    ];
  }

  get session(): string {
    return this.jingle.sid;
  }

  get events(): AsyncIterableIterator<ChannelEvent> {
    return this.#queue;
  }

  /** From here on the session ends when the other one ends it. */
  follow(): void {
    this.#queue.push({ kind: 'present', name: this.jingle.peer.toString() });
    void this.#untilTerminated();
  }

  async send(content: SxeContent, id: string): Promise<void> {
    await this.sendTo(this.jingle.peer.toString(), content, id);
  }

  async sendTo(name: string, content: SxeContent, id: string): Promise<void> {
    if (this.jingle.phase === 'ended') return;
    await this.stream.send(xml('message', { to: name }, encodeSxe({ session: this.session, id, content })));
  }

  async close(): Promise<void> {
    this.#end();
    if (this.stream.state === 'online') await this.jingle.terminate({ condition: 'success' });
  }

  async #untilTerminated(): Promise<void> {
    try {
      for await (const event of this.jingle.events) if (event.kind === 'terminated') break;
      this.#queue.push({ kind: 'gone', name: this.jingle.peer.toString() });
      this.#end();
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error?: unknown): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]();
    this.#queue.end(error);
  }

  #onMessage(message: Element): void {
    if (message.attrs['type'] === 'error') return;
    const sxe = message.getChild('sxe', NS_SXE);
    try {
      const decoded = sxe && decodeSxe(sxe);
      if (decoded?.session !== this.session) return;
      this.#queue.push({ kind: 'message', sender: this.jingle.peer.toString(), message: decoded });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
}
