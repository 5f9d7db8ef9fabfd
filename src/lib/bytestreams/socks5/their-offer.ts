/** What the other party offers to be reached at, and which hash each of it is asked for. */
import { DecodeError } from '../../errors.js';
import { TransportFailedError } from '../../jingle/transport.js';
import type { Element } from '../../xml/element.js';
import { usable, type Candidate } from './candidates.js';
import { placeOf } from './dial.js';
import { MAX_CANDIDATES, decodeParameters } from './stanzas.js';

export interface Wanted {
  /** Whether the other party itself may be connected to. */
  direct: boolean;
  usesProxies: boolean;
}

/** The hash with the other party first, and the one with us first. */
export type BothOrders = readonly [theirsFirst: string, oursFirst: string];

export class TheirOffer {
  readonly #wanted: Wanted;
  #destination: string | undefined;
  #candidates: readonly Candidate[] = [];

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  /** @returns the sid @throws TransportFailedError */
  read(transport: Element): string {
    try {
      const { sid, destination, candidates } = decodeParameters(transport);
      this.#destination = destination;
      this.#candidates = this.#choose(candidates);
      return sid;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw new TransportFailedError(`the other party's SOCKS5 transport is not usable: ${error.reason}`, {
        cause: error,
      });
    }
  }

  /** Further candidates in a transport-info (XEP-0260 §2.2). Without a sid it is about nothing that we know. */
  add(transport: Element): void {
    if (typeof transport.attrs['sid'] !== 'string') return;
    const more = [...this.#candidates, ...decodeParameters(transport).candidates];
    this.#candidates = this.#choose(more.slice(0, MAX_CANDIDATES));
  }

  /**
   * Without those where we listen ourselves: behind two routers both may have the same private address, and with the
   * same port we would connect to ourselves.
   */
  elsewhere(own: readonly Candidate[]): Candidate[] {
    const here = new Set(own.filter(({ type }) => type !== 'proxy').map(placeOf));
    return this.#candidates.filter(
      (candidate) => candidate.type === 'proxy' || !here.has(placeOf(candidate)),
    );
  }

  /**
   * COMPAT(Gajim 1.7, iris): the specification leaves open in which order the parties stand in the hash of a direct
   * candidate of the responder, so both are tried.
   */
  destinationsOf({ type }: Candidate, [theirsFirst, oursFirst]: BothOrders): string[] {
    // A proxy lets everybody in and joins those who asked for the same: only the offerer's own value will do.
    if (type === 'proxy') return [this.#destination ?? theirsFirst];
    return [...new Set([this.#destination ?? theirsFirst, theirsFirst, oursFirst])];
  }

  #choose(candidates: readonly Candidate[]): Candidate[] {
    const { direct, usesProxies } = this.#wanted;
    return usable(candidates).filter(({ type }) => (type === 'proxy' ? usesProxies : direct));
  }
}
