/**
 * Having a SOCKS5 bytestream opened without Jingle (XEP-0065 §5.3, §6.3): the requester offers streamhosts, its own and
 * proxies, and we connect to one of them.
 */
import { ConnectionLostError, InterruptedError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { TransportFailedError, type Bytestream } from '../../jingle/transport.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { StanzaReply } from '../../session/stanza-reply.js';
import { Deferred, within } from '../../session/wait.js';
import type { Element } from '../../xml/element.js';
import { destinationOf, usable } from './candidates.js';
import { dialFirst, placeOf } from './dial.js';
import { isLoopback, serverOf } from './local-addresses.js';
import { socketBytestream } from './socket-bytestream.js';
import { NS_BYTESTREAMS, decodeStreamhosts, encodeStreamhostUsed } from './stanzas.js';

export interface Socks5Acceptor extends Disposable {
  /** @throws TransportFailedError nothing that was offered can be reached @throws TimeoutError it was not opened */
  readonly opened: Promise<Bytestream>;
}

type Socks5Session = Pick<Session, 'jid' | 'respond' | 'on' | 'timeoutMs' | 'info'>;
type Listener = (query: Element) => Promise<Element>;

/** Who waits for what, on each connection: by the requester's full address and the sid. */
const expectations = new WeakMap<Socks5Session, Map<string, Listener>>();

/** Waits, from the moment of the call, for one party to open one stream. Disposing ends that. */
export function acceptSocks5Bytestream(
  session: Socks5Session,
  { peer, sid }: { peer: JID; sid: string },
  wait: WaitOptions = {},
): Socks5Acceptor {
  const opened = new Deferred<Bytestream>();
  const ending = new AbortController();
  const expected = expectedOn(session);
  const key = `${peer.toString()} ${sid}`;
  expected.set(key, async (query) => {
    expected.delete(key);
    const facts: string[] = [];
    const streamhosts = decodeStreamhosts(query);
    const dialed = await dialFirst(
      usable(
        streamhosts.map((streamhost, index) => ({
          ...streamhost,
          cid: String(index),
          // In the order in which the requester would have them.
          priority: streamhosts.length - index,
          type: streamhost.jid === peer.toString() ? 'direct' : 'proxy',
        })),
      ),
      {
        destinationsOf: () => [destinationOf(sid, peer.toString(), session.jid.toString())],
        signal: ending.signal,
        mayReachLoopback: isLoopback(serverOf(session)),
        floor: () => 0,
        note: (fact) => facts.push(fact),
      },
    );
    if (!dialed) {
      opened.reject(
        new TransportFailedError(
          `no SOCKS5 bytestream: ${facts.length > 0 ? facts.join('; ') : 'no streamhost was offered'}`,
        ),
      );
      throw new StanzaReply({ condition: 'item-not-found', type: 'cancel' });
    }
    const { candidate, socket } = dialed;
    const method = candidate.type === 'direct' ? 'direct' : 'proxy';
    // After the answer has been written: with it the requester begins.
    setImmediate(() => {
      if (ending.signal.aborted) socket.destroy();
      else opened.resolve(socketBytestream(socket, method, placeOf(candidate)));
    });
    return encodeStreamhostUsed(sid, candidate.jid);
  });
  const closed = session.on('closed', ({ error }) =>
    opened.reject(error ?? new ConnectionLostError('the session was closed')),
  );
  const doing = `waiting for ${peer.toString()} to open a SOCKS5 bytestream`;
  const bounded = within(opened.promise, {
    doing,
    ...wait,
    timeoutMs: wait.timeoutMs ?? session.timeoutMs,
  }).finally(() => {
    expected.delete(key);
    closed[Symbol.dispose]();
  });
  // What comes too late is nobody's.
  bounded.catch(() => ending.abort());
  return {
    opened: bounded,
    [Symbol.dispose]: () => opened.reject(new InterruptedError(`interrupted ${doing}`)),
  };
}

function expectedOn(session: Socks5Session): Map<string, Listener> {
  const known = expectations.get(session);
  if (known) return known;
  const expected = new Map<string, Listener>();
  expectations.set(session, expected);
  // What is advertised is decided by whoever offers or accepts bytestreams.
  session.respond(
    { type: 'set', name: 'query', namespace: NS_BYTESTREAMS, feature: [] },
    ({ payload, from }) => {
      const { sid, mode } = payload.attrs as Record<string, unknown>;
      const listener = typeof sid === 'string' ? expected.get(`${from.toString()} ${sid}`) : undefined;
      // XEP-0065 §5.3.2.
      if (!listener || mode === 'udp') throw new StanzaReply({ condition: 'not-acceptable', type: 'cancel' });
      return listener(payload);
    },
  );
  return expected;
}
