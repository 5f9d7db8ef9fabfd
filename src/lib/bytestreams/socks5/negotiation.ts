/**
 * One negotiation of XEP-0260: offers, tries, agrees and activates.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { StanzaError, TimeoutError } from '../../errors.js';
import {
  TransportFailedError,
  type Bytestream,
  type TransportContext,
  type TransportNegotiation,
} from '../../jingle/transport.js';
import { Deferred, within } from '../../session/wait.js';
import type { Element } from '../../xml/element.js';
import { plainAddress } from './arrivals.js';
import { destinationOf, nominate, type Candidate } from './candidates.js';
import { dialFirst, placeOf, type Dialed } from './dial.js';
import { earliestData } from './earliest-data.js';
import { OwnOffer } from './own-offer.js';
import { activateOwnProxy } from './own-proxy.js';
import { socketBytestream } from './socket-bytestream.js';
import type { Socks5Surroundings } from './socks5-transport.js';
import { NS_JINGLE_SOCKS5, decodeInfo, encodeInfo, encodeParameters, type Socks5Info } from './stanzas.js';
import { TheirOffer, type BothOrders } from './their-offer.js';

/** Once the other party has reached us, what may still be better is waited for this long. */
const BETTER_WITHIN_MS = 1000;
/** Where it has reached only a proxy, a direct connection gets at least this long, which is time for a packet to get lost. */
const DIRECT_WITHIN_MS = 2500;

/** What was agreed on. */
interface Path {
  socket: Socket;
  method: 'direct' | 'proxy';
  place: string;
}

export class Socks5Negotiation implements TransportNegotiation {
  readonly namespace = NS_JINGLE_SOCKS5;
  readonly #context: TransportContext;
  readonly #over = new AbortController();
  readonly #notes: string[] = [];
  #sid: string = randomUUID();
  readonly #own: OwnOffer;
  readonly #theirs: TheirOffer;
  /** Connections that have been made and not been handed out. */
  readonly #loose = new Set<Socket>();
  /** Why their answer is of no use. */
  #unusable: TransportFailedError | undefined;
  /** Which of our candidates they have connected to; undefined: none. */
  readonly #theirChoice = new Deferred<Candidate | undefined>();
  #theirChoicePriority = 0;
  /** They have activated their proxy, or could not. */
  readonly #activation = new Deferred<undefined>();

  constructor(context: TransportContext, around: Socks5Surroundings) {
    this.#context = context;
    this.#own = new OwnOffer(context, around, (fact) => this.#note(fact));
    this.#theirs = new TheirOffer(around);
  }

  get sid(): string {
    return this.#sid;
  }

  offer(): Promise<Element> {
    return this.#gather();
  }

  async answer(theirs: Element): Promise<Element> {
    this.#sid = this.#theirs.read(theirs);
    return this.#gather();
  }

  setAnswer(theirs: Element): void {
    try {
      this.#theirs.read(theirs);
    } catch (error) {
      if (!(error instanceof TransportFailedError)) throw error;
      this.#unusable = error;
    }
  }

  receiveInfo(transport: Element): void {
    const info = decodeInfo(transport);
    switch (info?.kind) {
      case 'candidate-used': {
        const candidate = this.#own.candidates.find(({ cid }) => cid === info.cid);
        this.#theirChoicePriority = candidate?.priority ?? 0;
        this.#theirChoice.resolve(candidate);
        return;
      }
      case 'candidate-error':
        this.#theirChoice.resolve(undefined);
        return;
      case 'activated':
        this.#activation.resolve(undefined);
        return;
      case 'proxy-error':
        this.#activation.reject(new TransportFailedError('the other party could not activate its proxy'));
        return;
      case undefined:
        // Further candidates, one a message (§2.2), come before anything is agreed on.
        this.#theirs.add(transport);
    }
  }

  async connect(): Promise<Bytestream> {
    try {
      if (this.#unusable) throw this.#unusable;
      const { socket, method, place } = await this.#agree();
      this.#loose.delete(socket);
      return socketBytestream(socket, method, place);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  abandon(): void {
    this.#over.abort();
    this.#own.end();
    for (const socket of this.#loose) socket.destroy();
    this.#loose.clear();
    const error = new TransportFailedError('the SOCKS5 negotiation was given up');
    this.#theirChoice.reject(error);
    this.#activation.reject(error);
  }

  async #agree(): Promise<Path> {
    const { role, timeoutMs, signal } = this.#context;
    const [ours, theirs] = await within(Promise.all([this.#dialTheirs(), this.#theirChoice.promise]), {
      doing: 'agreeing on a SOCKS5 candidate',
      timeoutMs,
      signal,
    });
    switch (nominate(ours?.candidate.priority, theirs?.priority, role === 'initiator')) {
      case 'ours':
        return this.#useOurs(required(ours));
      case 'theirs':
        ours?.socket.destroy();
        return this.#useTheirs(required(theirs));
      case 'tie-ours':
        return this.#breakTie(required(ours), required(theirs), 'ours');
      case 'tie-theirs':
        return this.#breakTie(required(ours), required(theirs), 'theirs');
      case 'none':
        throw this.#failed('no SOCKS5 candidate can be reached');
    }
  }

  async #gather(): Promise<Element> {
    const orders = this.#bothOrders();
    const [, destination] = orders;
    const candidates = await this.#own.gather(orders, this.#theirs.candidates);
    return encodeParameters({ sid: this.#sid, destination, candidates });
  }

  /** Whoever asks for either of them is let in (see `TheirOffer.destinationsOf`). */
  #bothOrders(): BothOrders {
    const self = this.#context.session.jid.toString();
    const other = this.#context.peer.toString();
    return [destinationOf(this.#sid, other, self), destinationOf(this.#sid, self, other)];
  }

  /** Tries what they offer, and tells them what came of it. */
  async #dialTheirs(): Promise<Dialed | undefined> {
    const orders = this.#bothOrders();
    const enough = new AbortController();
    const begunAt = performance.now();
    this.#theirChoice.promise.then(
      (choice) => {
        if (!choice) return;
        const givenMs = choice.type === 'proxy' ? DIRECT_WITHIN_MS - (performance.now() - begunAt) : 0;
        setTimeout(() => enough.abort(), Math.max(BETTER_WITHIN_MS, givenMs)).unref();
      },
      () => undefined,
    );
    const dialed = await dialFirst(this.#theirs.elsewhere(this.#own.candidates), {
      destinationsOf: (candidate) => this.#theirs.destinationsOf(candidate, orders),
      signal: AbortSignal.any([this.#over.signal, enough.signal]),
      // Half of the time, so that the other party hears of our failure before it gives up on us.
      timeoutMs: this.#context.timeoutMs / 2,
      mayReachLoopback: this.#own.isAtHome,
      floor: () => this.#theirChoicePriority,
      note: (fact) => this.#note(fact),
    });
    if (dialed) this.#keep(dialed.socket);
    if (this.#over.signal.aborted) return undefined;
    await this.#tell(
      dialed ? { kind: 'candidate-used', cid: dialed.candidate.cid } : { kind: 'candidate-error' },
    );
    return dialed;
  }

  /** Closes it when it is not handed out. */
  #keep(socket: Socket): void {
    if (this.#over.signal.aborted) socket.destroy();
    else this.#loose.add(socket);
  }

  async #useOurs({ candidate, socket }: Dialed): Promise<Path> {
    if (candidate.type === 'proxy') {
      await this.#bounded(this.#activation.promise, 'waiting for the other party to activate its proxy');
      return { socket, method: 'proxy', place: placeOf(candidate) };
    }
    return { socket, method: 'direct', place: placeOf(candidate) };
  }

  async #useTheirs(candidate: Candidate): Promise<Path> {
    if (candidate.type === 'proxy') return this.#useOwnProxy(candidate);
    const socket = await this.#takeArrived(candidate);
    return directPath(socket);
  }

  /** The offerer of a proxy connects to it as well, activates it, and says so (§2.4). */
  async #useOwnProxy(candidate: Candidate): Promise<Path> {
    const [, destination] = this.#bothOrders();
    let socket: Socket;
    try {
      socket = await activateOwnProxy({
        context: this.#context,
        candidate,
        sid: this.#sid,
        destination,
        mayReachLoopback: this.#own.isAtHome,
        signal: this.#over.signal,
      });
    } catch (error) {
      if (this.#context.signal?.aborted || this.#over.signal.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#note(`proxy ${placeOf(candidate)}: ${reason}`);
      await this.#tell({ kind: 'proxy-error' });
      throw this.#failed('the own proxy could not be used');
    }
    this.#keep(socket);
    await this.#tell({ kind: 'activated', cid: candidate.cid });
    return { socket, method: 'proxy', place: placeOf(candidate) };
  }

  /**
   * COMPAT(Dino 0.4): both have connected, with the same priority: XEP-0260 §2.4 takes what the initiator has chosen,
   * Dino what the initiator has offered. Where data arrives on the other one, that is what the other party meant.
   */
  async #breakTie(ours: Dialed, theirs: Candidate, standing: 'ours' | 'theirs'): Promise<Path> {
    // A proxy is told apart by who activates it.
    if (ours.candidate.type === 'proxy' || theirs.type === 'proxy')
      return standing === 'ours' ? this.#useOurs(ours) : this.#useTheirs(theirs);
    const arrived = await this.#takeArrived(theirs);
    const [nominated, other] = standing === 'ours' ? [ours.socket, arrived] : [arrived, ours.socket];
    const chosen = await earliestData(nominated, other);
    (chosen === nominated ? other : nominated).destroy();
    return directPath(chosen);
  }

  async #takeArrived({ host }: Candidate): Promise<Socket> {
    for (;;) {
      const socket = this.#own.arrivals.take(host);
      if (socket) {
        this.#keep(socket);
        return socket;
      }
      await this.#bounded(
        this.#own.arrivals.next,
        'waiting for the connection that the other party says it made',
      );
    }
  }

  async #bounded<T>(work: Promise<T>, doing: string): Promise<T> {
    const { timeoutMs, signal } = this.#context;
    try {
      return await within(work, { doing, timeoutMs, signal });
    } catch (error) {
      // The other party is alive, only this path is not.
      throw error instanceof TimeoutError ? this.#failed(error.message) : error;
    }
  }

  async #tell(info: Socks5Info): Promise<void> {
    try {
      await this.#context.sendInfo(encodeInfo(this.#sid, info));
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      throw this.#failed(`the other party does not go along with ${info.kind}: ${error.message}`);
    }
  }

  /** With all that was tried. */
  #failed(what: string): TransportFailedError {
    return new TransportFailedError([what, this.#notes.join('; ')].filter(Boolean).join(': '));
  }

  #note(fact: string): void {
    this.#notes.push(fact);
    this.#context.note?.(fact);
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a candidate was nominated that nobody has chosen');
  return value;
}

function directPath(socket: Socket): Path {
  const host = plainAddress(socket.remoteAddress) ?? 'a closed connection';
  return { socket, method: 'direct', place: placeOf({ host, port: socket.remotePort ?? 0 }) };
}
