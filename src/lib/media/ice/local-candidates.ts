/**
 * Our own candidates (RFC 8445 §5.1.1): sockets on the addresses of this machine, what STUN servers see of them, and
 * addresses of TURN servers. No server is asked but those that are named.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { IceCandidate, IceServer } from '../media-link.js';
import { candidatePriority, foundationOf } from './candidates.js';
import { isLoopback } from './check-list.js';
import { bindDatagramPath, type DatagramPath } from './datagram-path.js';
import { findLocalAddresses, type LocalAddress } from './local-addresses.js';
import {
  canonicalAddress,
  encodeStun,
  newTransactionId,
  readAddress,
  StunAttribute,
  StunMethod,
  type TransportAddress,
} from './stun-message.js';
import { StunTimeoutError, type StunTransactions } from './stun-transactions.js';
import { TurnAllocation } from './turn-allocation.js';

/** Something that datagrams are sent from. */
export interface LocalBase {
  candidate: IceCandidate;
  path: DatagramPath;
}

export interface GatheringOptions {
  servers: readonly IceServer[];
  isRelayOnly: boolean;
  interfaces: readonly string[];
}

interface Listener {
  /** Datagrams can be sent from it and come to it. */
  opened(base: LocalBase): void;
  found(candidate: IceCandidate): void;
}

/** A server that does not answer does not hold up the rest for longer. */
const LOOKUP_TIMEOUT_MS = 4_000;
const STUN_TIMES = { firstWaitMs: 250, sendings: 4 };
const MAX_SERVERS = 8;

export class LocalCandidates {
  readonly bases: LocalBase[] = [];
  /** Why servers gave nothing, for the reason of a call that finds no way. */
  readonly problems: string[] = [];
  readonly #reflexive: IceCandidate[] = [];
  readonly #relays = new Map<IceServer, { base: LocalBase; path: TurnAllocation }>();
  #generation = 0;

  constructor(
    private readonly options: GatheringOptions,
    private readonly transactions: StunTransactions,
    private readonly listener: Listener,
  ) {}

  /** What the peer sees of a base: the candidate with this address, if it is one of ours. */
  findByAddress({ ip, port }: TransportAddress): IceCandidate | undefined {
    const all = [...this.bases.map(({ candidate }) => candidate), ...this.#reflexive];
    return all.find((candidate) => candidate.ip === ip && candidate.port === port);
  }

  /**
   * Ends when all servers answered or were given up; what was found is told at once. Called again it keeps what is still
   * there, adds what is new, and drops sockets whose address this machine has no more.
   *
   * @throws UsageError for an interface that is not there
   */
  async gather(generation: number): Promise<void> {
    this.#generation = generation;
    this.problems.length = 0;
    this.#reflexive.length = 0;
    const addresses = findLocalAddresses(this.options.interfaces);
    this.#dropLost(addresses);
    for (const base of this.bases) {
      base.candidate = { ...base.candidate, generation };
      // Whether a relay still has what was allocated there is to be seen.
      if (base.candidate.type !== 'relay') this.listener.found(base.candidate);
    }
    const servers = this.options.servers.slice(0, MAX_SERVERS);
    if (!this.options.isRelayOnly) await this.#openSockets(addresses);
    const stun = this.options.isRelayOnly ? [] : servers.filter(({ kind }) => kind === 'stun');
    const turn = servers.filter(({ kind }) => kind === 'turn');
    await Promise.all([
      ...stun.map((server) => this.#askStun(server)),
      ...turn.map((server, index) => this.#allocate(server, index, addresses)),
    ]);
  }

  close(): void {
    for (const { path } of this.bases) path.close();
    this.bases.length = 0;
  }

  #dropLost(addresses: readonly LocalAddress[]): void {
    const lost = this.bases.filter(
      ({ candidate }) => candidate.type === 'host' && !addresses.some(({ ip }) => ip === candidate.ip),
    );
    for (const base of lost) {
      base.path.close();
      this.bases.splice(this.bases.indexOf(base), 1);
    }
  }

  async #openSockets(addresses: readonly LocalAddress[]): Promise<void> {
    const wanted = addresses.filter(
      ({ ip }) => !this.bases.some(({ candidate }) => candidate.type === 'host' && candidate.ip === ip),
    );
    await Promise.all(
      wanted.map(async ({ ip, family, isLoopback: isLocal }, index) => {
        try {
          const path = await bindDatagramPath(ip);
          // IPv6 before IPv4, loopback last (RFC 8421 §4).
          const preference = (isLocal ? 0 : 32768) + (family === 6 ? 16384 : 0) + 8192 - index;
          this.#open({ path, candidate: this.#candidate('host', path.address, preference, ip) });
        } catch (error) {
          this.problems.push(`${ip} cannot be bound: ${messageOf(error)}`);
        }
      }),
    );
  }

  async #askStun(server: IceServer): Promise<void> {
    const addresses = await this.#resolve(server);
    const asked = addresses.flatMap((address) =>
      this.bases
        .filter(({ candidate }) => candidate.type === 'host' && canReach(candidate.ip, address.ip))
        .map((base) => this.#askFrom(base, address, server)),
    );
    const answers = await Promise.all(asked);
    if (asked.length > 0 && !answers.includes(true)) {
      this.problems.push(`STUN ${nameOf(server)}: no answer`);
    }
  }

  async #askFrom(base: LocalBase, address: TransportAddress, server: IceServer): Promise<boolean> {
    const transactionId = newTransactionId();
    const bytes = encodeStun({
      method: StunMethod.binding,
      class: 'request',
      transactionId,
      attributes: new Map(),
    });
    try {
      const { message } = await this.transactions.run(
        transactionId,
        () => base.path.send(bytes, address),
        ({ from }) => from.ip === address.ip && from.port === address.port,
        STUN_TIMES,
      );
      const mapped = readAddress(message, StunAttribute.xorMappedAddress);
      if (!mapped) return false;
      if (!this.findByAddress(mapped)) {
        const preference = Math.floor(base.candidate.priority / 256) & 0xffff;
        const candidate = this.#candidate('srflx', mapped, preference, base.candidate.ip, nameOf(server));
        this.#reflexive.push({
          ...candidate,
          relatedAddress: base.candidate.ip,
          relatedPort: base.candidate.port,
        });
        this.listener.found({ ...candidate, ...related(base.candidate) });
      }
      return true;
    } catch (error) {
      if (error instanceof StunTimeoutError) return false;
      throw error;
    }
  }

  async #allocate(server: IceServer, index: number, locals: readonly LocalAddress[]): Promise<void> {
    if (await this.#keepsRelay(server)) return;
    for (const address of await this.#resolve(server)) {
      const local = this.#sourceFor(address.ip, locals);
      if (local === undefined) continue;
      try {
        const path = await TurnAllocation.open(server, address, local === 'any' ? undefined : local.ip);
        const candidate = this.#candidate(
          'relay',
          path.address,
          65535 - index,
          path.address.ip,
          nameOf(server),
        );
        const { ip, port } = path.mappedAddress;
        // With relay only, the peer is not to learn the address behind it.
        const hidden = { relatedAddress: path.address.ip, relatedPort: path.address.port };
        const shown = { relatedAddress: ip, relatedPort: port };
        const base = { path, candidate: { ...candidate, ...(this.options.isRelayOnly ? hidden : shown) } };
        this.#relays.set(server, { base, path });
        this.#open(base);
        return;
      } catch (error) {
        this.problems.push(`TURN ${nameOf(server)}: ${messageOf(error)}`);
      }
    }
  }

  /** One that was restarted in the meantime, or that we were out of touch with for too long, knows nothing of us. */
  async #keepsRelay(server: IceServer): Promise<boolean> {
    const known = this.#relays.get(server);
    if (!known || !this.bases.includes(known.base)) return false;
    if (await known.path.confirm()) {
      this.listener.found(known.base.candidate);
      return true;
    }
    this.#relays.delete(server);
    known.path.close();
    const index = this.bases.indexOf(known.base);
    if (index >= 0) this.bases.splice(index, 1);
    return false;
  }

  /** With chosen interfaces only those may carry what goes to the server. */
  #sourceFor(server: string, locals: readonly LocalAddress[]): LocalAddress | 'any' | undefined {
    if (this.options.interfaces.length === 0) return 'any';
    return locals.find(({ ip }) => canReach(ip, server));
  }

  async #resolve(server: IceServer): Promise<TransportAddress[]> {
    const { host, port } = server;
    if (isIP(host) !== 0) return [{ ip: canonicalAddress(host), port }];
    let timer: NodeJS.Timeout | undefined;
    try {
      const found = await Promise.race([
        lookup(host, { all: true }),
        new Promise<never>((_resolve, reject) => {
          timer = setTimeout(() => reject(new Error('the look-up took too long')), LOOKUP_TIMEOUT_MS);
        }),
      ]);
      // One address of each family is enough: they are the same server.
      return [4, 6].flatMap((family) =>
        found
          .filter((each) => each.family === family)
          .slice(0, 1)
          .map(({ address }) => ({ ip: canonicalAddress(address), port })),
      );
    } catch (error) {
      this.problems.push(`${server.kind.toUpperCase()} ${nameOf(server)}: ${messageOf(error)}`);
      return [];
    } finally {
      clearTimeout(timer);
    }
  }

  #open(base: LocalBase): void {
    this.bases.push(base);
    this.listener.opened(base);
    this.listener.found(base.candidate);
  }

  #candidate(
    type: IceCandidate['type'],
    { ip, port }: TransportAddress,
    preference: number,
    base: string,
    server?: string,
  ): IceCandidate {
    return {
      foundation: foundationOf(type, base, server),
      component: 1,
      protocol: 'udp',
      priority: candidatePriority(type, preference),
      ip,
      port,
      type,
      generation: this.#generation,
    };
  }
}

function related({ ip, port }: IceCandidate): { relatedAddress: string; relatedPort: number } {
  return { relatedAddress: ip, relatedPort: port };
}

function canReach(local: string, server: string): boolean {
  return local.includes(':') === server.includes(':') && (!isLoopback(local) || isLoopback(server));
}

function nameOf({ host, port }: IceServer): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
