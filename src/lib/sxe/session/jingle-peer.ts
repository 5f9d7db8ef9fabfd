/** A session of two, begun by Jingle (XEP-0284 §4): who begins it is the host. */
import { NegativeError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { shareEndpoint } from '../../jingle/endpoint.js';
import type { JingleSession } from '../../jingle/jingle-session.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { xml } from '../../xml/element.js';
import { NS_XHTML_EDITING, NS_XML_EDITING, SxeTransport } from '../stanzas.js';
import type { Channel } from './channel.js';
import { standardDialect } from './dialect.js';
import { PeerChannel, type PeerLink } from './peer-channel.js';

type Wait = WaitOptions & { signal: AbortSignal };

/** @throws NegativeError it was declined @throws StanzaError it was refused @throws InterruptedError */
export async function offerByJingle(
  session: Session,
  resource: JID,
  application: string,
  wait: Wait,
): Promise<Channel> {
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
    const channel = new PeerChannel(session, new JingleLink(jingle, shared), standardDialect);
    await accepted(jingle, resource);
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

/**
 * Waits until somebody offers a session.
 *
 * @param from whose offers are taken; others are declined
 * @param stop when another way has been found
 * @returns undefined: it was stopped
 */
export async function takeJingleOffer(
  session: Session,
  from: JID,
  wait: Wait,
  stop: AbortSignal,
): Promise<Channel | undefined> {
  const shared = shareEndpoint(session);
  const offers = [NS_XHTML_EDITING, NS_XML_EDITING].map((application) =>
    shared.endpoint.incoming({ application }),
  );
  const end = (): void => {
    for (const queue of offers) void queue.return?.();
  };
  stop.addEventListener('abort', end);
  try {
    if (stop.aborted) end();
    const jingle = await Promise.race(offers.map((queue) => firstFrom(queue, from)));
    if (!jingle) {
      shared[Symbol.dispose]();
      return undefined;
    }
    const channel = new PeerChannel(session, new JingleLink(jingle, shared), standardDialect);
    await jingle.accept(jingle.offered, wait);
    channel.follow();
    return channel;
  } catch (error) {
    shared[Symbol.dispose]();
    throw error;
  } finally {
    stop.removeEventListener('abort', end);
    end();
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

class JingleLink implements PeerLink {
  constructor(
    private readonly jingle: JingleSession,
    private readonly shared: Disposable,
  ) {}

  get session(): string {
    return this.jingle.sid;
  }

  get peer(): JID {
    return this.jingle.peer;
  }

  get isOver(): boolean {
    return this.jingle.phase === 'ended';
  }

  async untilOver(): Promise<void> {
    for await (const event of this.jingle.events) if (event.kind === 'terminated') break;
  }

  async close(): Promise<void> {
    await this.jingle.terminate({ condition: 'success' });
  }

  [Symbol.dispose](): void {
    this.shared[Symbol.dispose]();
  }
}
