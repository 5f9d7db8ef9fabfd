/**
 * An agent of ICE (RFC 8445) for one stream with one component, with trickled candidates (RFC 8838) and consent (RFC 7675).
 *
 * Requests count only when their integrity is right. What a peer can make us remember or send is bounded: candidates,
 * pairs, early checks.
 */
import { randomBytes, randomInt } from 'node:crypto';
import type { CandidatePair, IceCandidate, IceCredentials } from '../media-link.js';
import { usableCandidate } from './candidates.js';
import {
  encodeCheck,
  encodeCheckAnswer,
  encodeRoleConflict,
  newCredentials,
  reflexiveOf,
} from './check-messages.js';
import { CheckList, type Pair } from './check-list.js';
import { LocalCandidates, type GatheringOptions, type LocalBase } from './local-candidates.js';
import {
  decodeStun,
  hasIntegrity,
  isStun,
  newTransactionId,
  readAddress,
  readError,
  readText,
  readUint32,
  readUint64,
  StunAttribute,
  StunMethod,
  type ReceivedStunMessage,
  type StunMessage,
  type TransportAddress,
} from './stun-message.js';
import { StunTransactions } from './stun-transactions.js';

export interface IceAgentOptions extends GatheringOptions {
  isControlling: boolean;
}

export interface IceListener {
  candidate(candidate: IceCandidate): void;
  gathered(): void;
  /** A pair was chosen, or another one than before. */
  connected(pair: CandidatePair): void;
  /** What is no STUN: DTLS, RTP, RTCP. Only from addresses that are part of a pair. */
  data(datagram: Buffer): void;
  failed(reason: string): void;
}

/** Between two checks (RFC 8445 §14.2 leaves it to us; there are few). */
const PACING_MS = 20;
/** RFC 8445 §14.3; 7.5 s in all. */
const CHECK_TIMES = { firstWaitMs: 500, sendings: 4 };
/** How long checks of the peer may still come when ours have all failed (RFC 8863 §4). */
const PATIENCE_MS = 8_000;
/** After this a call that found no way has failed, whatever candidates may still come. */
const LIMIT_MS = 30_000;
/** How long a better pair than the first one that works is waited for. */
const NOMINATION_WAIT_MS = 200;
/** RFC 7675 §5.1. */
const CONSENT_EVERY_MS = 5_000;
const CONSENT_LOST_MS = 30_000;
const MAX_REMOTE_CANDIDATES = 50;
const MAX_REFLEXIVE_PEERS = 10;
const MAX_EARLY_CHECKS = 20;

interface IncomingCheck {
  base: LocalBase;
  from: TransportAddress;
  priority: number;
  isNominating: boolean;
}

export class IceAgent {
  #credentials = newCredentials();
  #previous: IceCredentials | undefined;
  #remote: IceCredentials | undefined;
  #generation = 0;
  #isControlling: boolean;
  readonly #tieBreaker = randomBytes(8).readBigUInt64BE();
  readonly #transactions = new StunTransactions(CHECK_TIMES);
  readonly #local: LocalCandidates;
  #list: CheckList;
  #remoteCandidates: IceCandidate[] = [];
  #early: IncomingCheck[] = [];
  #hasRemoteEnded = false;
  #hasGathered = false;
  #selected: Pair | undefined;
  /** Whether `#selected` is of this generation. */
  #isConnected = false;
  #nominating: Pair | undefined;
  #isOver = false;
  #startedAt = 0;
  #firstSuccessAt = 0;
  #consentAt = 0;
  #pacing: NodeJS.Timeout | undefined;
  #nomination: NodeJS.Timeout | undefined;
  #patience: NodeJS.Timeout | undefined;
  #limit: NodeJS.Timeout | undefined;
  #consent: NodeJS.Timeout | undefined;

  constructor(
    options: IceAgentOptions,
    private readonly listener: IceListener,
  ) {
    this.#isControlling = options.isControlling;
    this.#list = this.#newList();
    this.#local = new LocalCandidates(options, this.#transactions, {
      opened: (base) => {
        base.path.onDatagram = (datagram, from) => this.#receive(base, datagram, from);
        if (this.#isOver) base.path.close();
        for (const remote of this.#remoteCandidates) this.#pair(base, remote);
      },
      found: (candidate) => {
        if (!this.#isOver) this.listener.candidate(candidate);
      },
    });
  }

  get credentials(): IceCredentials {
    return this.#credentials;
  }

  get pair(): CandidatePair | undefined {
    return this.#selected && { local: this.#selected.local, remote: this.#selected.remote };
  }

  get roundTripMs(): number | undefined {
    return this.#selected?.roundTripMs;
  }

  /** @throws UsageError for an interface that is not there */
  async gather(): Promise<void> {
    const generation = this.#generation;
    await this.#local.gather(generation);
    if (this.#isOver || generation !== this.#generation) return;
    this.#hasGathered = true;
    this.listener.gathered();
    if (this.#local.bases.length === 0) this.#fail('there is no address to send from');
    else this.#judge();
  }

  /** Checks begin. With other credentials than before, they begin anew (RFC 8445 §9). */
  setRemote(remote: IceCredentials): void {
    if (this.#isOver || (remote.ufrag === this.#remote?.ufrag && remote.pwd === this.#remote.pwd)) return;
    if (this.#remote !== undefined) this.#beginAnew();
    this.#remote = remote;
    this.#startedAt = performance.now();
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => this.#judge(true), LIMIT_MS);
    this.#patience = setTimeout(() => this.#judge(), PATIENCE_MS);
    const early = this.#early;
    this.#early = [];
    for (const base of this.#local.bases) {
      for (const candidate of this.#remoteCandidates) this.#pair(base, candidate);
    }
    for (const check of early) this.#learn(check);
    this.#schedule();
  }

  addRemoteCandidate(candidate: IceCandidate): void {
    const usable = usableCandidate(candidate);
    if (!usable || this.#isOver || this.#remoteCandidates.length >= MAX_REMOTE_CANDIDATES) return;
    if (this.#remoteCandidates.some(({ ip, port }) => ip === usable.ip && port === usable.port)) return;
    this.#remoteCandidates.push(usable);
    for (const base of this.#local.bases) this.#pair(base, usable);
    this.#schedule();
  }

  endRemoteCandidates(): void {
    this.#hasRemoteEnded = true;
    this.#judge();
  }

  /** New credentials; media goes on over the old pair until there is a new one. `gather` and `setRemote` follow. */
  restart(): IceCredentials {
    this.#previous = this.#credentials;
    this.#credentials = newCredentials();
    this.#generation += 1;
    this.#hasGathered = false;
    this.#beginAnew();
    return this.#credentials;
  }

  /** Over the pair that was chosen; before that, what is sent is lost. */
  send(datagram: Buffer): void {
    if (this.#selected && !this.#isOver) this.#selected.base.path.send(datagram, this.#selected.remote);
  }

  close(): void {
    this.#isOver = true;
    for (const timer of [this.#pacing, this.#nomination, this.#patience, this.#limit, this.#consent]) {
      clearTimeout(timer);
    }
    this.#transactions.cancelAll();
    this.#local.close();
  }

  #newList(): CheckList {
    return new CheckList(() => this.#isControlling);
  }

  #beginAnew(): void {
    this.#list = this.#newList();
    this.#remote = undefined;
    this.#remoteCandidates = [];
    this.#early = [];
    this.#hasRemoteEnded = false;
    this.#isConnected = false;
    this.#nominating = undefined;
    this.#firstSuccessAt = 0;
    clearTimeout(this.#patience);
    clearTimeout(this.#limit);
    clearTimeout(this.#nomination);
  }

  #pair(base: LocalBase, remote: IceCandidate): Pair | undefined {
    const pair = this.#list.add(base, remote);
    if (pair) void base.path.permit?.(remote.ip);
    return pair;
  }

  #schedule(): void {
    if (this.#pacing || this.#isOver || this.#remote === undefined) return;
    const pair = this.#list.next();
    if (!pair) return;
    void this.#check(pair);
    this.#pacing = setTimeout(() => {
      this.#pacing = undefined;
      this.#schedule();
    }, PACING_MS);
  }

  async #check(pair: Pair): Promise<void> {
    const remote = this.#remote;
    const list = this.#list;
    if (remote === undefined) return;
    const isNominating = this.#isControlling && this.#nominating === pair;
    if (pair.state !== 'succeeded') pair.state = 'in-progress';
    pair.pending += 1;
    const answer = await this.#ask(pair, remote, isNominating).catch(() => undefined);
    pair.pending -= 1;
    if (this.#isOver || list !== this.#list) return;
    if (answer?.class === 'success') this.#succeed(pair, answer, isNominating);
    else if (answer && readError(answer).code === 487) {
      // Both sides took the same role: theirs won (RFC 8445 §7.2.5.1).
      this.#isControlling = !this.#isControlling;
      this.#nominating = undefined;
      pair.state = 'waiting';
    } else if (pair.pending === 0) this.#lose(pair);
    this.#schedule();
  }

  async #ask(pair: Pair, remote: IceCredentials, isNominating: boolean): Promise<ReceivedStunMessage> {
    const transactionId = newTransactionId();
    const bytes = encodeCheck(transactionId, {
      local: this.#credentials,
      remote,
      basePriority: pair.base.candidate.priority,
      isControlling: this.#isControlling,
      tieBreaker: this.#tieBreaker,
      isNominating,
    });
    const key = Buffer.from(remote.pwd);
    let sentAt = 0;
    const { message } = await this.#transactions.run(
      transactionId,
      () => {
        sentAt = performance.now();
        pair.base.path.send(bytes, pair.remote);
      },
      ({ message: answer, from }) =>
        from.ip === pair.remote.ip &&
        from.port === pair.remote.port &&
        (answer.class === 'error' || hasIntegrity(answer, key)),
    );
    pair.roundTripMs = performance.now() - sentAt;
    return message;
  }

  #succeed(pair: Pair, answer: StunMessage, wasNominating: boolean): void {
    pair.state = 'succeeded';
    const mapped = readAddress(answer, StunAttribute.xorMappedAddress);
    if (mapped) pair.local = this.#local.findByAddress(mapped) ?? reflexiveOf(pair.base, mapped);
    this.#firstSuccessAt ||= performance.now();
    if (wasNominating || (pair.isNominated && !this.#isControlling)) this.#select(pair);
    else if (this.#isControlling) this.#nominate();
  }

  #lose(pair: Pair): void {
    if (this.#nominating === pair) this.#nominating = undefined;
    // One lost check of a pair that works is no reason to give it up.
    if (pair.state !== 'succeeded') pair.state = 'failed';
    if (this.#isControlling) this.#nominate();
    this.#judge();
  }

  /** The controlling side chooses: the first that works, unless a better one may soon (RFC 8445 §8.1.1). */
  #nominate(): void {
    const best = this.#list.bestSucceeded;
    if (this.#isConnected || this.#nominating || !best || this.#isOver) return;
    const waitMs = NOMINATION_WAIT_MS - (performance.now() - this.#firstSuccessAt);
    clearTimeout(this.#nomination);
    if (waitMs > 0 && this.#list.mayBeat(best)) {
      this.#nomination = setTimeout(() => this.#nominate(), waitMs);
      return;
    }
    this.#nominating = best;
    this.#list.trigger(best);
    this.#schedule();
  }

  #select(pair: Pair): void {
    const isBetter =
      !this.#isConnected ||
      !this.#selected ||
      this.#list.priorityOf(pair) > this.#list.priorityOf(this.#selected);
    if (!isBetter) return;
    this.#selected = pair;
    this.#isConnected = true;
    this.#consentAt = performance.now();
    clearTimeout(this.#limit);
    clearTimeout(this.#patience);
    void pair.base.path.bindChannel?.(pair.remote).catch(() => undefined);
    this.listener.connected({ local: pair.local, remote: pair.remote });
    this.#keepConsent();
  }

  /** RFC 7675: whoever does not answer any more is not sent to any more. */
  #keepConsent(): void {
    clearTimeout(this.#consent);
    this.#consent = setTimeout(
      () => {
        const pair = this.#selected;
        if (this.#isOver || !pair) return;
        if (performance.now() - this.#consentAt > CONSENT_LOST_MS) {
          this.#fail(`the other side (${pair.remote.ip}) has not answered for ${CONSENT_LOST_MS / 1000} s`);
          return;
        }
        const remote = this.#remote;
        if (remote) {
          void this.#ask(pair, remote, false)
            .then(() => (this.#consentAt = performance.now()))
            .catch(() => undefined);
        }
        this.#keepConsent();
      },
      CONSENT_EVERY_MS * (0.8 + randomInt(400) / 1000),
    );
  }

  /** Whether there is still hope. @param isLate nothing more is waited for */
  #judge(isLate = false): void {
    if (this.#isOver || this.#isConnected || this.#remote === undefined) return;
    const isPatient = performance.now() - this.#startedAt < PATIENCE_MS - 1;
    const mayImprove = isPatient || !this.#hasGathered || !this.#hasRemoteEnded || !this.#list.isExhausted;
    if (mayImprove && !isLate) return;
    const tried = this.#list.pairs.length;
    if (this.#remoteCandidates.length === 0) this.#fail('the other side named no address that can be used');
    else if (this.#list.bestSucceeded)
      this.#fail('the other side answers, but does not choose a candidate pair');
    else if (tried === 0) this.#fail('no address of this side fits one of the other side');
    else
      this.#fail(
        tried === 1 ? 'the one candidate pair did not answer' : `none of ${tried} candidate pairs answered`,
      );
  }

  #fail(reason: string): void {
    if (this.#isOver) return;
    const problems = this.#local.problems.join('; ');
    this.close();
    this.listener.failed(problems === '' ? reason : `${reason} (${problems})`);
  }

  #receive(base: LocalBase, datagram: Buffer, from: TransportAddress): void {
    if (this.#isOver) return;
    if (!isStun(datagram)) {
      if (this.#isKnown(base, from)) this.listener.data(datagram);
      return;
    }
    const message = decodeStun(datagram);
    if (message === undefined) return;
    if (message.class === 'request') this.#answer(base, message, from);
    else if (message.class !== 'indication') this.#transactions.settle({ message, from });
  }

  #isKnown(base: LocalBase, { ip, port }: TransportAddress): boolean {
    const selected = this.#selected;
    if (selected?.remote.port === port && selected.remote.ip === ip) return true;
    return this.#list.find(base, ip, port) !== undefined;
  }

  #answer(base: LocalBase, message: ReceivedStunMessage, from: TransportAddress): void {
    const ufrag = readText(message, StunAttribute.username)?.split(':')[0];
    const credentials = [this.#credentials, this.#previous].find((each) => each?.ufrag === ufrag);
    if (message.method !== StunMethod.binding || credentials === undefined) return;
    const key = Buffer.from(credentials.pwd);
    if (!hasIntegrity(message, key)) return;
    const isCurrent = credentials === this.#credentials;
    if (isCurrent && this.#losesRoleConflict(message)) {
      base.path.send(encodeRoleConflict(message.transactionId, key), from);
      return;
    }
    base.path.send(encodeCheckAnswer(message.transactionId, from, key), from);
    if (!isCurrent) return;
    const check = {
      base,
      from,
      priority: readUint32(message, StunAttribute.priority) ?? 0,
      isNominating: message.attributes.has(StunAttribute.useCandidate),
    };
    if (this.#remote !== undefined) this.#learn(check);
    else if (this.#early.length < MAX_EARLY_CHECKS) this.#early.push(check);
  }

  /** RFC 8445 §7.3.1.1. @returns whether the peer has to change its role */
  #losesRoleConflict(message: StunMessage): boolean {
    const attribute = this.#isControlling ? StunAttribute.iceControlling : StunAttribute.iceControlled;
    const theirs = readUint64(message, attribute);
    if (theirs === undefined) return false;
    const keepsOrTakesControl = this.#tieBreaker >= theirs;
    if (keepsOrTakesControl === this.#isControlling) return true;
    this.#isControlling = !this.#isControlling;
    this.#nominating = undefined;
    return false;
  }

  /** What a check of the peer tells us (RFC 8445 §7.3.1.3 to §7.3.1.5). */
  #learn({ base, from, priority, isNominating }: IncomingCheck): void {
    const pair = this.#pair(base, this.#remoteAt(from, priority));
    if (!pair) return;
    if (isNominating && !this.#isControlling) {
      pair.isNominated = true;
      if (pair.state === 'succeeded') this.#select(pair);
    }
    if (pair.state !== 'succeeded') this.#list.trigger(pair);
    this.#schedule();
  }

  #remoteAt({ ip, port }: TransportAddress, priority: number): IceCandidate {
    const known = this.#remoteCandidates.find((candidate) => candidate.ip === ip && candidate.port === port);
    if (known) return known;
    const learned: IceCandidate = {
      foundation: `p${this.#remoteCandidates.length}`,
      component: 1,
      protocol: 'udp',
      priority,
      ip,
      port,
      type: 'prflx',
      generation: this.#generation,
    };
    const learnedBefore = this.#remoteCandidates.filter(({ type }) => type === 'prflx').length;
    if (learnedBefore < MAX_REFLEXIVE_PEERS) this.#remoteCandidates.push(learned);
    return learned;
  }
}
