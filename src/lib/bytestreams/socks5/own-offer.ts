/** Where the other party can find us: listens there, and keeps what arrives. */
import type { TransportContext } from '../../jingle/transport.js';
import { Arrivals } from './arrivals.js';
import type { Candidate } from './candidates.js';
import { ListenError } from './listener.js';
import { isLoopback, localAddresses, serverOf } from './local-addresses.js';
import { ownCandidates } from './own-candidates.js';
import type { Socks5Surroundings } from './socks5-transport.js';
import type { BothOrders } from './their-offer.js';

export class OwnOffer {
  readonly arrivals = new Arrivals();
  readonly #context: TransportContext;
  readonly #around: Socks5Surroundings;
  readonly #note: (fact: string) => void;
  #candidates: readonly Candidate[] = [];
  #listening: Disposable | undefined;
  #isOver = false;

  constructor(context: TransportContext, around: Socks5Surroundings, note: (fact: string) => void) {
    this.#context = context;
    this.#around = around;
    this.#note = note;
  }

  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  /** Whether the other party may be on this very machine. */
  get isAtHome(): boolean {
    return isLoopback(serverOf(this.#context.session));
  }

  async gather(hashes: BothOrders, theirs: readonly Candidate[]): Promise<readonly Candidate[]> {
    const { session, timeoutMs } = this.#context;
    const { direct, advertised, listener } = this.#around;
    const [port, relays] = await Promise.all([
      direct ? this.#listen(hashes) : undefined,
      this.#around.proxies(session, timeoutMs),
    ]);
    const addresses = localAddresses({ server: serverOf(session), listenedOn: listener.hosts });
    this.#candidates = ownCandidates({
      jid: session.jid.toString(),
      listening: port === undefined ? undefined : { addresses, port },
      advertised,
      proxies: relays,
      theirs,
    });
    return this.#candidates;
  }

  end(): void {
    this.#isOver = true;
    this.#listening?.[Symbol.dispose]();
    this.arrivals.end();
  }

  /** Undefined where the port that somebody forwards to is taken: there are other ways. */
  async #listen(hashes: BothOrders): Promise<number | undefined> {
    try {
      const registration = await this.#around.listener.expect(hashes, (socket) => this.arrivals.add(socket));
      this.#listening = registration;
      if (this.#isOver) registration[Symbol.dispose]();
      return registration.port;
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      this.#note(error.message);
      return undefined;
    }
  }
}
