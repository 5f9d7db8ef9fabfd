/**
 * Files that are offered by Jingle (XEP-0234), as a source of offers.
 */
import { ConnectionLostError, RemoteError } from '../../errors.js';
import { hashFeatures } from '../../hashes/hashes.js';
import type { JID } from '../../jid/jid.js';
import { ContentRouter } from '../../jingle/content-router.js';
import { shareEndpoint } from '../../jingle/endpoint.js';
import { EventQueue } from '../../event-queue.js';
import type { JingleSession } from '../../jingle/jingle-session.js';
import type { Content, Reason } from '../../jingle/stanzas.js';
import type { JingleTransport } from '../../jingle/transport.js';
import type { Session } from '../../session/session.js';
import { JointAnswer } from './answer-together.js';
import type { IncomingFile, OfferSource } from './incoming-file.js';
import { JingleIncomingFile, type IncomingFileOwner } from './jingle-incoming-file.js';
import { notAvailable } from '../reasons.js';
import { NS_FILE_TRANSFER, readInfo } from '../stanzas.js';
import type { Element } from '../../xml/element.js';

export interface JingleOffersOptions {
  transports: readonly JingleTransport[];
  timeoutMs: number;
  /** Whom offers are taken from; others are told that nothing of the kind is here. Everybody, when left out. */
  admits?: (peer: JID) => boolean;
  note?: (fact: string) => void;
}

/** Offers that wait to be looked at; more are refused. */
const MAX_WAITING = 100;
/** Contents in one message. */
const MAX_TOGETHER = 100;
/**
 * How long a session stays open after its last file. The receiver ends it, as clients expect (XEP-0234 §5.6), but a
 * sender with more files is given time to offer the next one.
 */
const GRACE_MS = 500;

export function jingleOffers(session: Session, options: JingleOffersOptions): OfferSource {
  const offers = new EventQueue<readonly IncomingFile[]>(MAX_WAITING);
  const open = new Set<IncomingSession>();
  const shared = shareEndpoint(session);
  shared.endpoint.understand(isFileInfo);
  const features = options.transports.flatMap((transport) => [transport.namespace, ...transport.features]);
  const advertised = session.advertise(NS_FILE_TRANSFER, ...hashFeatures(), ...new Set(features));
  const incoming = shared.endpoint.incoming({
    application: NS_FILE_TRANSFER,
    refuse: (from) =>
      options.admits && !options.admits(from) ? { condition: 'service-unavailable' } : undefined,
  });
  const read = async (): Promise<void> => {
    for await (const jingle of incoming) {
      const one = new IncomingSession(session, jingle, options, offers, () => open.delete(one));
      open.add(one);
    }
    offers.end();
  };
  void read();
  const lost = session.on('closed', ({ error }) =>
    offers.end(error ?? new ConnectionLostError('the stream was closed while files were awaited')),
  );
  return {
    offers,
    [Symbol.dispose]: () => {
      lost[Symbol.dispose]();
      advertised[Symbol.dispose]();
      void incoming.return?.();
      for (const one of [...open]) one.endWhenIdle();
      shared[Symbol.dispose]();
      offers.end();
    },
  };
}

export function isFileInfo(payload: Element): boolean {
  return readInfo(payload) !== undefined;
}

class IncomingSession implements IncomingFileOwner {
  readonly session: Session;
  readonly jingle: JingleSession;
  readonly transports: readonly JingleTransport[];
  readonly timeoutMs: number;
  readonly note: ((fact: string) => void) | undefined;
  readonly #offers: EventQueue<readonly IncomingFile[]>;
  readonly #files = new Map<string, { file: JingleIncomingFile; attached: Disposable }>();
  readonly #router: ContentRouter;
  readonly #onEnd: () => void;
  #contentCount = 0;
  #isTerminated = false;
  #grace: NodeJS.Timeout | undefined;

  constructor(
    session: Session,
    jingle: JingleSession,
    { transports, timeoutMs, note }: JingleOffersOptions,
    offers: EventQueue<readonly IncomingFile[]>,
    onEnd: () => void,
  ) {
    this.session = session;
    this.jingle = jingle;
    this.transports = transports;
    this.timeoutMs = timeoutMs;
    this.note = note;
    this.#offers = offers;
    this.#onEnd = onEnd;
    this.#router = new ContentRouter(jingle, {
      offered: (contents) => this.#take(contents, 'content-accept'),
      info: ({ payload }) => this.#receiveInfo(payload),
      terminated: (reason) => {
        this.#isTerminated = true;
        this.#end((file) => file.end(reason));
      },
      ended: (error) => {
        // After a session-terminate, what was sent may still be on its way.
        if (this.#isTerminated) return;
        this.#end((file) =>
          file.abort(error ?? new RemoteError(`${jingle.peer.toString()} has left the session`)),
        );
      },
    });
    this.#take(jingle.offered, 'session-accept');
  }

  async leave(
    file: JingleIncomingFile,
    reason: (Pick<Reason, 'condition'> & Partial<Reason>) | undefined,
  ): Promise<void> {
    const key = keyOf(file.content);
    this.#files.get(key)?.attached[Symbol.dispose]();
    this.#files.delete(key);
    this.jingle.release(file.content);
    if (this.jingle.phase === 'ended') return;
    const options = { timeoutMs: this.timeoutMs };
    if (reason && this.#contentCount === 1) {
      await this.jingle.terminate(reason, options);
      return;
    }
    if (reason) {
      const { creator, name } = file.content;
      const contents = [{ creator, name, senders: 'both' as const }];
      await this.jingle
        .request(
          { action: 'content-remove', contents, payload: [], reason: { details: [], ...reason } },
          options,
        )
        .catch(() => undefined);
    }
    if (this.#files.size > 0 || this.jingle.phase !== 'active') return;
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => void this.jingle.terminate({ condition: 'success' }, options), GRACE_MS);
  }

  /** Nobody waits for another file of the sender any more. */
  endWhenIdle(): void {
    clearTimeout(this.#grace);
    if (this.#files.size > 0 || this.jingle.phase !== 'active') return;
    void this.jingle.terminate({ condition: 'success' }, { timeoutMs: this.timeoutMs });
  }

  #take(contents: readonly Content[], action: 'session-accept' | 'content-accept'): void {
    clearTimeout(this.#grace);
    this.#contentCount += contents.length;
    const answer = new JointAnswer(this.jingle, action, contents.length, this.timeoutMs);
    const files: JingleIncomingFile[] = [];
    for (const content of contents) {
      const refusal = this.#objectionTo(content, contents.length);
      if (refusal) void answer.refuse(content, refusal).catch(() => undefined);
      else files.push(new JingleIncomingFile(content, answer, this));
    }
    if (files.length === 0) return;
    if (!this.#offers.push(files)) {
      for (const file of files)
        void answer.refuse(file.content, { condition: 'busy' }).catch(() => undefined);
      return;
    }
    for (const file of files) {
      const attached = this.#router.attach(file.content, (event) => file.receive(event));
      this.#files.set(keyOf(file.content), { file, attached });
    }
  }

  /** What can be refused without asking anybody. */
  #objectionTo(
    content: Content,
    count: number,
  ): (Pick<Reason, 'condition' | 'text'> & Partial<Reason>) | undefined {
    if (content.description?.getNS() !== NS_FILE_TRANSFER) return { condition: 'unsupported-applications' };
    // XEP-0391: what would arrive is the file as it was encrypted.
    if (content.security) return { condition: 'security-error', text: 'encrypted files are not taken' };
    // XEP-0234 §2.1: who sends is not who offers, so a file of ours is wanted. Many do not say who sends.
    if (content.senders !== content.creator && content.senders !== 'both') return notAvailable();
    if (count > MAX_TOGETHER) return { condition: 'busy' };
    const namespace = content.transport?.getNS();
    if (!this.transports.some((transport) => transport.namespace === namespace))
      return { condition: 'unsupported-transports' };
    return undefined;
  }

  #receiveInfo(payload: Element | undefined): void {
    const info = payload && readInfo(payload);
    if (info?.kind !== 'checksum') return;
    const { creator, name } = info.key;
    const [only, ...others] = this.#files.values();
    const told =
      name === undefined && others.length === 0
        ? only
        : this.#files.get(keyOf({ creator: creator ?? 'initiator', name: name ?? '' }));
    told?.file.tell(info.file);
  }

  #end(finish: (file: JingleIncomingFile) => void): void {
    clearTimeout(this.#grace);
    for (const { file } of [...this.#files.values()]) finish(file);
    this.#onEnd();
  }
}

function keyOf({ creator, name }: Pick<Content, 'creator' | 'name'>): string {
  return `${creator} ${name}`;
}
