/**
 * One negotiation of XEP-0260: offers, tries, agrees and activates.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { DecodeError, StanzaError, TimeoutError } from '../../errors.js';
import {
  TransportFailedError,
  type Bytestream,
  type TransportContext,
  type TransportNegotiation,
} from '../../jingle/transport.js';
import { Deferred, within } from '../../session/wait.js';
import type { Element } from '../../xml/element.js';
import { destinationOf, nominate, usable, type Candidate } from './candidates.js';
import { dial, dialFirst, placeOf, type Dialed } from './dial.js';
import { earliestReadable } from './earliest-readable.js';
import { ownCandidates } from './own-candidates.js';
import { socketBytestream } from './socket-bytestream.js';
import type { Socks5Surroundings } from './socks5-transport.js';
import {
  NS_JINGLE_SOCKS5,
  decodeInfo,
  decodeParameters,
  encodeActivation,
  encodeInfo,
  encodeParameters,
  type Socks5Info,
  type Socks5Parameters,
} from './stanzas.js';

/** Once the other party has reached us, what may still be better is waited for this long. */
const BETTER_WITHIN_MS = 1000;

export class Socks5Negotiation implements TransportNegotiation {
  readonly namespace = NS_JINGLE_SOCKS5;
  readonly #context: TransportContext;
  readonly #around: Socks5Surroundings;
  readonly #over = new AbortController();
  readonly #notes: string[] = [];
  #sid: string = randomUUID();
  #own: readonly Candidate[] = [];
  #theirs: readonly Candidate[] = [];
  #theirDestination: string | undefined;
  #listening: Disposable | undefined;
  /** Connections of the other party to us, in order of arrival. */
  readonly #arrived: Socket[] = [];
  #arrival = new Deferred<undefined>();
  /** Which of our candidates they have connected to; undefined: none. */
  readonly #theirChoice = new Deferred<Candidate | undefined>();
  #theirChoicePriority = 0;
  /** They have activated their proxy, or could not. */
  readonly #activation = new Deferred<undefined>();

  constructor(context: TransportContext, around: Socks5Surroundings) {
    this.#context = context;
    this.#around = around;
  }

  get sid(): string {
    return this.#sid;
  }

  async offer(): Promise<Element> {
    return encodeParameters(await this.#gather());
  }

  async answer(theirs: Element): Promise<Element> {
    this.#read(theirs);
    return encodeParameters(await this.#gather());
  }

  setAnswer(theirs: Element): void {
    this.#read(theirs);
  }

  receiveInfo(transport: Element): void {
    const info = decodeInfo(transport);
    switch (info?.kind) {
      case 'candidate-used': {
        const candidate = this.#own.find(({ cid }) => cid === info.cid);
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
        this.#addCandidates(transport);
    }
  }

  async connect(): Promise<Bytestream> {
    const { role, timeoutMs, signal } = this.#context;
    const [ours, theirs] = await within(Promise.all([this.#dialTheirs(), this.#theirChoice.promise]), {
      doing: 'agreeing on a SOCKS5 candidate',
      timeoutMs,
      signal,
    });
    try {
      switch (nominate(ours?.candidate.priority, theirs?.priority, role === 'initiator')) {
        case 'ours':
          return await this.#useOurs(required(ours));
        case 'theirs':
          ours?.socket.destroy();
          return await this.#useTheirs(required(theirs));
        case 'tie-ours':
          return await this.#breakTie(required(ours), required(theirs), 'ours');
        case 'tie-theirs':
          return await this.#breakTie(required(ours), required(theirs), 'theirs');
        case 'none': {
          const tried = this.#notes.length > 0 ? `: ${this.#notes.join('; ')}` : '';
          throw new TransportFailedError(`no SOCKS5 candidate can be reached${tried}`);
        }
      }
    } catch (error) {
      ours?.socket.destroy();
      throw error;
    }
  }

  abandon(): void {
    this.#over.abort();
    this.#listening?.[Symbol.dispose]();
    for (const socket of this.#arrived.splice(0)) socket.destroy();
  }

  /** Everything we can be reached at. @throws TransportFailedError nothing, and nothing of theirs to try */
  async #gather(): Promise<Socks5Parameters> {
    const { session, peer, timeoutMs } = this.#context;
    const { direct, advertised, listener } = this.#around;
    const self = session.jid.toString();
    const other = peer.toString();
    const [port, proxies] = await Promise.all([
      direct ? this.#listen(listener) : undefined,
      this.#around.proxies(session, timeoutMs),
    ]);
    this.#own = ownCandidates({
      jid: self,
      server: session.info.endpoint,
      port,
      advertised,
      proxies,
      theirs: this.#theirs,
    });
    return {
      sid: this.#sid,
      destination: destinationOf(this.#sid, self, other),
      candidates: this.#own,
    };
  }

  async #listen(listener: Socks5Surroundings['listener']): Promise<number> {
    const registration = await listener.expect(this.#bothOrders(), (socket) => {
      this.#arrived.push(socket);
      this.#arrival.resolve(undefined);
      this.#arrival = new Deferred();
    });
    this.#listening = registration;
    if (this.#over.signal.aborted) registration[Symbol.dispose]();
    return registration.port;
  }

  /**
   * COMPAT(Gajim 1.7, iris): the specification leaves open in which order the parties stand in the hash of a direct
   * candidate of the responder; both are taken, and both are tried.
   */
  #bothOrders(): [theirsFirst: string, oursFirst: string] {
    const self = this.#context.session.jid.toString();
    const other = this.#context.peer.toString();
    return [destinationOf(this.#sid, other, self), destinationOf(this.#sid, self, other)];
  }

  #destinationsOf(candidate: Candidate): string[] {
    const [offererFirst, oursFirst] = this.#bothOrders();
    // A proxy lets everybody in and joins those who asked for the same: only the offerer's own value will do.
    if (candidate.type === 'proxy') return [this.#theirDestination ?? offererFirst];
    return [
      ...new Set([...(this.#theirDestination ? [this.#theirDestination] : []), offererFirst, oursFirst]),
    ];
  }

  #read(transport: Element): void {
    try {
      const { sid, destination, candidates } = decodeParameters(transport);
      this.#sid = sid;
      this.#theirDestination = destination;
      this.#theirs = this.#wanted(candidates);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new TransportFailedError(`the other party's SOCKS5 transport is not usable: ${error.reason}`, {
        cause: error,
      });
    }
  }

  #addCandidates(transport: Element): void {
    try {
      this.#theirs = this.#wanted([...this.#theirs, ...decodeParameters(transport).candidates]);
    } catch {
      // Without a sid it is about nothing that we know.
    }
  }

  #wanted(candidates: readonly Candidate[]): Candidate[] {
    const { direct, usesProxies } = this.#around;
    return usable(candidates).filter(({ type }) => (type === 'proxy' ? usesProxies : direct));
  }

  /** Tries what they offer, and tells them what came of it. */
  async #dialTheirs(): Promise<Dialed | undefined> {
    const enough = new AbortController();
    void this.#theirChoice.promise.then((choice) => {
      if (choice && choice.type !== 'proxy') setTimeout(() => enough.abort(), BETTER_WITHIN_MS).unref();
    });
    const dialed = await dialFirst(this.#theirs, {
      destinationsOf: (candidate) => this.#destinationsOf(candidate),
      signal: AbortSignal.any([this.#over.signal, enough.signal]),
      floor: () => this.#theirChoicePriority,
      note: (fact) => this.#note(fact),
    });
    if (this.#over.signal.aborted) {
      dialed?.socket.destroy();
      return undefined;
    }
    try {
      await this.#tell(
        dialed ? { kind: 'candidate-used', cid: dialed.candidate.cid } : { kind: 'candidate-error' },
      );
    } catch (error) {
      dialed?.socket.destroy();
      throw error;
    }
    return dialed;
  }

  async #useOurs({ candidate, socket }: Dialed): Promise<Bytestream> {
    if (candidate.type === 'proxy') {
      await this.#bounded(this.#activation.promise, 'waiting for the other party to activate its proxy');
      return socketBytestream(socket, 'proxy', placeOf(candidate));
    }
    return socketBytestream(socket, 'direct', placeOf(candidate));
  }

  async #useTheirs(candidate: Candidate): Promise<Bytestream> {
    if (candidate.type === 'proxy') return this.#useOwnProxy(candidate);
    const socket = await this.#takeArrived(candidate);
    return socketBytestream(
      socket,
      'direct',
      placeOf({ host: remoteOf(socket), port: socket.remotePort ?? 0 }),
    );
  }

  /** The offerer of a proxy connects to it as well, activates it, and says so (§2.4). */
  async #useOwnProxy(candidate: Candidate): Promise<Bytestream> {
    const { session, peer, timeoutMs, signal } = this.#context;
    let socket: Socket | undefined;
    try {
      const [, oursFirst] = this.#bothOrders();
      socket = await dial(candidate, [oursFirst], this.#over.signal);
      await session.request(
        { type: 'set', to: candidate.jid, payload: encodeActivation(this.#sid, peer.toString()) },
        { timeoutMs, ...(signal && { signal }) },
      );
    } catch (error) {
      socket?.destroy();
      if (signal?.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#note(`proxy ${placeOf(candidate)}: ${reason}`);
      await this.#tell({ kind: 'proxy-error' });
      throw new TransportFailedError(`the proxy ${placeOf(candidate)} could not be used: ${reason}`, {
        cause: error,
      });
    }
    await this.#tell({ kind: 'activated', cid: candidate.cid });
    return socketBytestream(socket, 'proxy', placeOf(candidate));
  }

  /**
   * COMPAT(Dino 0.4): both have connected, with the same priority: XEP-0260 §2.4 takes what the initiator has chosen,
   * Dino what the initiator has offered. Where data arrives on the other one, that is what the other party meant.
   */
  async #breakTie(ours: Dialed, theirs: Candidate, standing: 'ours' | 'theirs'): Promise<Bytestream> {
    // A proxy is told apart by who activates it.
    if (ours.candidate.type === 'proxy' || theirs.type === 'proxy')
      return standing === 'ours' ? this.#useOurs(ours) : this.#useTheirs(theirs);
    const arrived = await this.#takeArrived(theirs);
    const [nominated, other] = standing === 'ours' ? [ours.socket, arrived] : [arrived, ours.socket];
    const chosen = await earliestReadable(nominated, other);
    (chosen === nominated ? other : nominated).destroy();
    const place = { host: remoteOf(chosen), port: chosen.remotePort ?? 0 };
    return socketBytestream(chosen, 'direct', placeOf(place));
  }

  /** Of several connections the one to that address of ours; behind a forwarded port it cannot be told. */
  async #takeArrived({ host }: Candidate): Promise<Socket> {
    for (;;) {
      const open = this.#arrived.filter((socket) => !socket.destroyed);
      const chosen = open.find(({ localAddress }) => plain(localAddress) === host) ?? open[0];
      if (chosen) {
        this.#arrived.splice(this.#arrived.indexOf(chosen), 1);
        for (const socket of this.#arrived.splice(0)) socket.destroy();
        return chosen;
      }
      await this.#bounded(
        this.#arrival.promise,
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
      if (error instanceof TimeoutError) throw new TransportFailedError(error.message, { cause: error });
      throw error;
    }
  }

  async #tell(info: Socks5Info): Promise<void> {
    try {
      await this.#context.sendInfo(encodeInfo(this.#sid, info));
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      throw new TransportFailedError(
        `the other party does not go along with ${info.kind}: ${error.message}`,
        {
          cause: error,
        },
      );
    }
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

/** `::ffff:192.0.2.1` is how a socket for both families shows an IPv4 address. */
function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '');
}

function remoteOf(socket: Socket): string {
  return plain(socket.remoteAddress) ?? 'a closed connection';
}
