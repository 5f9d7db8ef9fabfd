/**
 * Media without media: links that find each other when both sides have been told of each other, and whose certificates
 * are compared.
 */
import { EventQueue } from '../../src/lib/event-queue.js';
import type {
  IceCandidate,
  IceCredentials,
  LinkEvent,
  LinkOptions,
  LinkStatistics,
  MediaEngine,
  MediaKindPlan,
  MediaLink,
  RemoteTransport,
} from '../../src/lib/media/media-link.js';

/** All links there are, by the name of their credentials. */
const links = new Map<string, FakeLink>();
let serial = 0;

export class FakeLink implements MediaLink {
  readonly events = new EventQueue<LinkEvent>();
  readonly local: MediaLink['local'];
  readonly candidates: IceCandidate[] = [];
  plans: readonly MediaKindPlan[] = [];
  remote: RemoteTransport | undefined;
  isClosed = false;
  restarts = 0;
  packetsReceived = 0;
  #credentials: IceCredentials;
  #isConnected = false;

  constructor(readonly options: LinkOptions) {
    this.#credentials = this.#renew();
    const value = serial.toString(16).padStart(2, '0').repeat(32).match(/../g)?.join(':').toUpperCase() ?? '';
    this.local = { credentials: this.#credentials, fingerprint: { hash: 'sha-256', value } };
  }

  setRemote(remote: RemoteTransport, plans: readonly MediaKindPlan[]): void {
    this.remote = remote;
    this.plans = plans;
    this.#look();
    const other = links.get(remote.credentials.ufrag);
    if (other) other.#look();
  }

  change(plan: MediaKindPlan): void {
    this.plans = [...this.plans.filter(({ kind }) => kind !== plan.kind), plan];
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    this.candidates.push(candidate);
    this.#look();
  }

  endRemoteCandidates(): void {
    this.#look();
  }

  restart(): Promise<IceCredentials> {
    this.restarts += 1;
    this.#credentials = this.#renew();
    return Promise.resolve(this.#credentials);
  }

  mute(): void {
    this.#look();
  }

  statistics(): LinkStatistics {
    return {
      packetsSent: 0,
      packetsReceived: this.packetsReceived,
      bytesReceived: 0,
      lost: 0,
      jitterMs: 0,
      refused: 0,
    };
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.events.push({ type: 'closed' });
    this.events.end();
    return Promise.resolve();
  }

  fail(phase: 'ice' | 'dtls', reason: string): void {
    this.events.push({ type: 'failed', phase, reason });
  }

  #renew(): IceCredentials {
    serial += 1;
    const credentials = { ufrag: `u${serial}`, pwd: `p${serial}`.padEnd(24, 'x') };
    links.set(credentials.ufrag, this);
    setImmediate(() => {
      this.events.push({ type: 'candidate', candidate: candidate(5000 + serial) });
      this.events.push({ type: 'gathered' });
    });
    return credentials;
  }

  #look(): void {
    const other = this.remote && links.get(this.remote.credentials.ufrag);
    const [first] = this.candidates;
    if (this.#isConnected || !other?.remote || !first || !this.remote) return;
    this.#isConnected = true;
    this.events.push({ type: 'ice-connected', local: candidate(1), remote: first });
    const isRight = this.remote.fingerprints.some(({ value }) => value === other.local.fingerprint.value);
    if (!isRight) {
      this.fail('dtls', 'another certificate than announced');
      return;
    }
    this.events.push({ type: 'dtls-connected' });
    for (const { kind, receive } of this.plans)
      if (receive.length > 0 && other.plans.some((plan) => plan.kind === kind && plan.send)) {
        this.packetsReceived += 1;
        this.events.push({ type: 'first-packet', kind });
      }
  }
}

function candidate(port: number): IceCandidate {
  return {
    foundation: '1',
    component: 1,
    protocol: 'udp',
    priority: 2_130_706_431,
    ip: '127.0.0.1',
    port,
    type: 'host',
    generation: 0,
  };
}

export class FakeEngine implements MediaEngine {
  readonly links: FakeLink[] = [];
  readonly recordings: readonly string[] = [];
  readonly finished = new Promise<void>(() => undefined);

  openLink(options: LinkOptions): Promise<FakeLink> {
    const link = new FakeLink(options);
    this.links.push(link);
    return Promise.resolve(link);
  }

  async close(): Promise<void> {
    await Promise.all(this.links.map((link) => link.close()));
  }
}
