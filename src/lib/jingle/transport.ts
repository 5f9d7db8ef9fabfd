/**
 * The contract between Jingle and its transports (XEP-0166 §9): `jingle/` knows none of them by name.
 */
import type { Duplex } from 'node:stream';
import { RemoteError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { Session } from '../session/session.js';
import type { Element } from '../xml/element.js';
import type { Role } from './stanzas.js';

/** No path between the two parties was found: time for a transport-replace. */
export class TransportFailedError extends RemoteError {
  override readonly name = 'TransportFailedError';
}

/** A connection for plain bytes. Ending the writable half tells the other party that everything was sent. */
export interface Bytestream {
  readonly stream: Duplex;
  readonly method: 'direct' | 'proxy' | 'in-band';
  /** For people: which path it took, for example `proxy.example.org:5000`. */
  readonly path: string;
  /** How many of the bytes we wrote have been taken: by the other party (in-band) or by the operating system (SOCKS5). */
  confirmedBytes(): number;
  /** They count when the other party has them: after the end of the writable half all of them have arrived. */
  readonly isAcknowledged?: boolean;
}

export interface TransportContext {
  session: Session;
  /** The other party's full JID, exactly as it is on the wire. */
  peer: JID;
  role: Role;
  /** Sends a transport-info with this `<transport/>`. */
  sendInfo: (info: Element) => Promise<void>;
  /** For each step, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** Told one line for each path that was tried and what became of it: for --verbose and for errors. */
  note?: (fact: string) => void;
}

/** A kind of transport, as a session chooses among them: its settings are given to whatever makes it. */
export interface JingleTransport {
  /** Of its `<transport/>`; also what service discovery advertises. */
  readonly namespace: string;
  readonly features: readonly string[];
  /** Opens without a connection of its own, so that for a few bytes it is done before another one has agreed on a path. */
  readonly isQuickToOpen?: boolean;
  begin(context: TransportContext): TransportNegotiation;
}

/** One attempt at a transport for one content. */
export interface TransportNegotiation {
  readonly namespace: string;
  readonly sid: string;
  /** Our `<transport/>` for session-initiate, content-add or transport-replace. */
  offer(): Promise<Element>;
  /** Reads the other party's offer and gives our `<transport/>` for session-accept, content-accept or transport-accept. */
  answer(theirs: Element): Promise<Element>;
  /** The other party's answer to our offer. */
  setAnswer(theirs: Element): void;
  /** A transport-info; one may come before the answer. */
  receiveInfo(info: Element): void;
  /**
   * Connects, once offer and answer have been exchanged.
   * @throws TransportFailedError no path works
   * @throws TimeoutError the other party fell silent
   */
  connect(): Promise<Bytestream>;
  /** Frees listeners and sockets; safe to call at any time, and after `connect`, which then keeps its stream. */
  abandon(): void;
}
