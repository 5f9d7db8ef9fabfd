/**
 * Which resource of somebody takes files by Jingle: by presence and capabilities where we see them, and by asking all
 * of them (XEP-0353) where we do not, or where several would do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { queryInfo } from '../../disco/query.js';
import { StanzaError, TimeoutError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { NS_JINGLE_MESSAGE, Proposal } from '../../jingle/message-initiation.js';
import type { PresenceWatch, Resource } from '../../roster/presence-watch.js';
import type { Contact } from '../../roster/roster.js';
import { sendPresence } from '../../roster/send-presence.js';
import type { Session } from '../../session/session.js';
import { Deferred, interruption, within } from '../../session/wait.js';
import { xml } from '../../xml/element.js';
import { NS_FILE_TRANSFER } from '../stanzas.js';

export interface FindReceiverOptions {
  session: Session;
  presence: PresenceWatch;
  roster: ReadonlyMap<string, Contact>;
  /** The namespaces of the transports that we would use. */
  transports: readonly string[];
  /** Waits until somebody is there who takes files, instead of giving up. */
  isWaiting: boolean;
  /** For each answer. */
  timeoutMs: number;
  /** For the answer of a person. */
  acceptTimeoutMs: number;
  signal: AbortSignal;
  note: (fact: string) => void;
}

export type FoundReceiver =
  | { kind: 'found'; jid: JID; proposal?: Proposal }
  /** Nobody takes files by Jingle; `reason` ends a sentence that begins with their address. */
  | { kind: 'nobody'; reason: string };

/** How long the presence of somebody whom we see may take after everything else has come. */
const SETTLE_MS = 1000;
/** When no more of it has come for so long, all of it has. */
const QUIET_MS = 100;
/** How long the other clients may take to say what they can do, when one was found that takes files. */
const OTHERS_MS = 1500;
/** How often somebody whom we do not see is asked again. */
const ASK_AGAIN_MS = 15_000;

/**
 * @throws NegativeError somebody there said no
 * @throws InterruptedError
 */
export async function findReceiver(to: JID, options: FindReceiverOptions): Promise<FoundReceiver> {
  if (!to.isBare && !options.isWaiting) return { kind: 'found', jid: to };
  return new Search(to, options).run();
}

type AbleResource = Resource & { features: ReadonlySet<string> };

class Search {
  readonly #capabilities = new Map<string, Promise<ReadonlySet<string>>>();
  #isSettled = false;
  #wasWaiting = false;

  constructor(
    private readonly to: JID,
    private readonly options: FindReceiverOptions,
  ) {}

  async run(): Promise<FoundReceiver> {
    const { signal, isWaiting, presence, note } = this.options;
    for (;;) {
      const next = new AbortController();
      const changed = presence.changed(AbortSignal.any([signal, next.signal]));
      try {
        const outcome = await this.#lookOnce();
        if (outcome.kind === 'found') return outcome;
        if (!isWaiting && !signal.aborted) return outcome;
        if (!this.#wasWaiting) note(`${this.to.toString()} ${outcome.reason}; waiting`);
        this.#wasWaiting = true;
        await Promise.race([changed, this.#isSeen ? changed : pause(ASK_AGAIN_MS, next.signal)]);
        throwIfInterrupted(signal, `waiting for ${this.to.toString()}`);
      } finally {
        next.abort();
      }
    }
  }

  get #isSeen(): boolean {
    const { session, roster } = this.options;
    const bare = this.to.bare;
    return bare.equals(session.jid.bare) || roster.get(bare.toString())?.isSeen === true;
  }

  async #lookOnce(): Promise<FoundReceiver> {
    const resources = await this.#resources();
    const able = await this.#able(resources);
    const [best] = able;
    if (best) return this.#choose(best, able);
    // One that showed itself only for an earlier transfer, and was killed since, may be all that is seen of them.
    if (resources.length > 0 && (this.#isSeen || !this.to.isBare))
      return { kind: 'nobody', reason: 'has no client that takes files by Jingle' };
    if (!this.to.isBare) {
      // Their presence may not be for us, but an answer shows that they are there.
      const features = await this.#featuresOf(this.to);
      return this.#takesFiles(features)
        ? { kind: 'found', jid: this.to }
        : { kind: 'nobody', reason: 'is not there, or takes no files by Jingle' };
    }
    if (this.#isSeen) return { kind: 'nobody', reason: 'is offline' };
    return this.#ask();
  }

  /** Those that can be seen; what comes late is waited for, once. */
  async #resources(): Promise<Resource[]> {
    const { presence, signal } = this.options;
    if (this.#isSettled || !this.#isSeen) return this.#others();
    this.#isSettled = true;
    const enough = AbortSignal.any([signal, AbortSignal.timeout(SETTLE_MS)]);
    while (this.#others().length === 0 && !enough.aborted) await presence.changed(enough);
    // COMPAT(ejabberd 23.01): the presence of several resources does not come in one piece.
    for (let count = 0; count !== this.#others().length && !enough.aborted;) {
      count = this.#others().length;
      await pause(QUIET_MS, signal);
    }
    return this.#others();
  }

  #others(): Resource[] {
    const { presence, session } = this.options;
    return presence.of(this.to).filter(({ jid }) => !jid.equals(session.jid));
  }

  /**
   * Those that say they take files, the highest priority first. A client that was killed may look present for minutes,
   * because its stream could be resumed, and never answers: when one is found, the others get no more than a moment,
   * and while it is waited for, others may come.
   */
  async #able(resources: readonly Resource[]): Promise<AbleResource[]> {
    const { presence, signal } = this.options;
    const able = new Map<string, AbleResource>();
    const oneFound = new Deferred<undefined>();
    const stop = new AbortController();
    const asked = new Set<string>();
    const ask = async (resource: Resource): Promise<void> => {
      const key = resource.jid.toString();
      if (asked.has(key)) return;
      asked.add(key);
      const features = await this.#featuresOf(resource.jid);
      if (!this.#takesFiles(features)) return;
      able.set(key, { ...resource, features });
      oneFound.resolve(undefined);
    };
    const watch = async (): Promise<void> => {
      const until = AbortSignal.any([stop.signal, signal]);
      for (;;) {
        await presence.changed(until);
        if (until.aborted) return;
        for (const resource of this.#others()) void ask(resource);
      }
    };
    void watch();
    const enough = oneFound.promise.then(() => pause(OTHERS_MS, stop.signal));
    await Promise.race([Promise.all(resources.map(ask)), enough]);
    stop.abort();
    return [...able.values()].sort((a, b) => b.priority - a.priority);
  }

  #takesFiles(features: ReadonlySet<string>): boolean {
    return (
      features.has(NS_FILE_TRANSFER) && this.options.transports.some((namespace) => features.has(namespace))
    );
  }

  #featuresOf(jid: JID): Promise<ReadonlySet<string>> {
    const key = jid.toString();
    const known = this.#capabilities.get(key);
    if (known) return known;
    const { session, timeoutMs, signal, note } = this.options;
    const asked = queryInfo(session, jid, undefined, { timeoutMs, signal }).then(
      ({ features }) => new Set(features),
      (error: unknown) => {
        // Asked again the next time: it may have been starting.
        this.#capabilities.delete(key);
        note(`${key} does not say what it can do: ${error instanceof Error ? error.message : String(error)}`);
        return new Set<string>();
      },
    );
    this.#capabilities.set(key, asked);
    return asked;
  }

  /** Among equals, they are all asked, so that the person can choose where to take it. */
  async #choose(best: Resource, able: readonly AbleResource[]): Promise<FoundReceiver> {
    const equals = able.filter(({ priority }) => priority === best.priority);
    const canBeAsked = equals.length > 1 && equals.every(({ features }) => features.has(NS_JINGLE_MESSAGE));
    if (!canBeAsked) return { kind: 'found', jid: best.jid };
    this.options.note(`${equals.length} clients of ${this.to.toString()} take files; asking all`);
    const asked = await this.#ask();
    return asked.kind === 'found' ? asked : { kind: 'found', jid: best.jid };
  }

  /** By messages, for which nobody has to see anybody. @throws NegativeError */
  async #ask(): Promise<FoundReceiver> {
    const { session, timeoutMs, acceptTimeoutMs, signal, isWaiting, note } = this.options;
    const to = this.to.bare;
    const proposal = new Proposal(session, to);
    const bounds = { signal, doing: `waiting for an answer of ${to.toString()}` };
    try {
      note(`asking all clients of ${to.toString()} whether one of them takes files`);
      // §3.1: so that they see whether we are still there when they read it.
      if (!this.#isSeen && session.kind === 'client') await sendPresence(session, { to, priority: -1 });
      await proposal.send([xml('description', { xmlns: NS_FILE_TRANSFER })]);
      if (!isWaiting) await within(proposal.firstSign, { ...bounds, timeoutMs });
      const jid = await within(proposal.answer, {
        ...bounds,
        ...(!isWaiting && { timeoutMs: acceptTimeoutMs }),
      });
      return { kind: 'found', jid, proposal };
    } catch (error) {
      await proposal.retract().catch(() => undefined);
      if (error instanceof StanzaError) return { kind: 'nobody', reason: `is not there: ${error.condition}` };
      if (error instanceof TimeoutError)
        return { kind: 'nobody', reason: 'is offline, or takes no files by Jingle' };
      throw error;
    } finally {
      proposal[Symbol.dispose]();
    }
  }
}

function throwIfInterrupted(signal: AbortSignal, doing: string): void {
  if (signal.aborted) throw interruption(signal, doing);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: true }).catch(() => undefined);
}
