/**
 * One path of a session (a link of the media half) as signalling sees it: which contents travel on it, which candidates
 * the other side has been told of, and restarts of ICE (XEP-0176 §5.6 and §5.9).
 */
import type { ContentKey } from '../jingle/content-router.js';
import type { DtlsSetup, IceCandidate, LinkEvent, MediaKindPlan, MediaLink } from '../media/media-link.js';
import type { Element } from '../xml/element.js';
import { candidatesOf, encodeTransport, type IceTransport } from './stanzas/ice.js';
import { usableFingerprints } from './security.js';

export interface MediaPathOptions {
  link: MediaLink;
  /** The content whose transport stands for the path. */
  content: ContentKey;
  /** Sends a transport-info. Never throws. */
  sendInfo: (content: ContentKey, transport: Element) => Promise<void>;
  onEvent: (event: LinkEvent) => void;
  newId: () => string;
}

/** Candidates of one side for one path, over its whole life. */
const MAX_REMOTE_CANDIDATES = 256;

export class MediaPath {
  readonly link: MediaLink;
  content: ContentKey;
  readonly #options: MediaPathOptions;
  #untold: IceCandidate[] = [];
  #isGathered = false;
  #isEndTold = false;
  #isTrickling = false;
  #isFlushing = false;
  #remoteCount = 0;
  #credentials: MediaLink['local']['credentials'];
  #remote: { ufrag: string; pwd: string } | undefined;
  #security: { fingerprints: ReturnType<typeof usableFingerprints>; setup: DtlsSetup } | undefined;
  #plans: readonly MediaKindPlan[] = [];
  #isRestarting = false;
  readonly #gathered: Promise<void>;
  #onGathered: () => void = () => undefined;

  constructor(options: MediaPathOptions) {
    this.#options = options;
    this.link = options.link;
    this.content = options.content;
    this.#credentials = options.link.local.credentials;
    this.#gathered = new Promise((resolve) => (this.#onGathered = resolve));
    void this.#read();
  }

  /** Resolves when all candidates are there, or after `ms`: those that come at once need no stanza of their own. */
  async gathered(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([this.#gathered, late]);
    clearTimeout(timer);
  }

  /**
   * Our `<transport/>`, with the candidates that are known by now.
   * @param isFirst false for a further content on the same path, which repeats everything but the candidates
   */
  describe(setup: DtlsSetup, isFirst = true): Element {
    const candidates = isFirst ? this.#untold : [];
    if (isFirst) {
      this.#untold = [];
      this.#isEndTold = this.#isGathered;
    }
    return encodeTransport(
      {
        ...this.#credentials,
        fingerprint: { ...this.link.local.fingerprint, setup },
        candidates,
        isComplete: isFirst && this.#isEndTold,
      },
      this.#options.newId,
    );
  }

  /** From now on the other side is told of candidates as they come. */
  trickle(): void {
    this.#isTrickling = true;
    this.#flush();
  }

  /** Begins to connect. @param theirs with credentials and fingerprints, which have been checked */
  connect(theirs: IceTransport, setup: DtlsSetup, plans: readonly MediaKindPlan[]): void {
    const { ufrag = '', pwd = '' } = theirs;
    this.#remote = { ufrag, pwd };
    this.#security = { fingerprints: usableFingerprints(theirs), setup };
    this.#plans = plans;
    this.#setRemote();
    this.#take(theirs);
  }

  /** A transport-info of the other side: candidates, or a restart. */
  receive(theirs: IceTransport): void {
    const { ufrag, pwd } = theirs;
    const isNew = ufrag !== undefined && pwd !== undefined && ufrag !== this.#remote?.ufrag;
    if (isNew && this.#remote) {
      this.#remote = { ufrag, pwd };
      this.#remoteCount = 0;
      // Fingerprints do not change with a restart: another certificate would be another party.
      void this.#answerRestart();
    }
    this.#take(theirs);
  }

  /** New credentials and candidates, because nothing arrives any more. */
  async restart(): Promise<void> {
    if (this.#isRestarting || !this.#remote) return;
    this.#isRestarting = true;
    await this.#renew();
  }

  async #answerRestart(): Promise<void> {
    if (this.#isRestarting) this.#isRestarting = false;
    else await this.#renew();
    this.#setRemote();
  }

  async #renew(): Promise<void> {
    this.#isTrickling = false;
    this.#untold = [];
    this.#isGathered = false;
    this.#credentials = await this.link.restart();
    const setup = this.#security?.setup === 'passive' ? 'active' : 'passive';
    await this.#options.sendInfo(this.content, this.describe(setup));
    this.trickle();
  }

  #setRemote(): void {
    const security = this.#security;
    if (!this.#remote || !security) return;
    const { fingerprints, setup } = security;
    this.link.setRemote({ credentials: this.#remote, fingerprints, setup }, this.#plans);
  }

  #take(theirs: IceTransport): void {
    for (const candidate of candidatesOf(theirs)) {
      this.#remoteCount += 1;
      if (this.#remoteCount <= MAX_REMOTE_CANDIDATES) this.link.addRemoteCandidate(candidate);
    }
    if (theirs.isComplete || theirs.isCompleteHere) this.link.endRemoteCandidates();
  }

  async #read(): Promise<void> {
    for await (const event of this.link.events) {
      if (event.type === 'candidate') {
        this.#untold.push(event.candidate);
        this.#flush();
      } else if (event.type === 'gathered') {
        this.#isGathered = true;
        this.#isEndTold = false;
        this.#onGathered();
        this.#flush();
      }
      this.#options.onEvent(event);
    }
    this.#onGathered();
  }

  /** Those that come together leave together. */
  #flush(): void {
    if (!this.#isTrickling || this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      const isEnd = this.#isGathered && !this.#isEndTold;
      if (!this.#isTrickling || (this.#untold.length === 0 && !isEnd)) return;
      const candidates = this.#untold;
      this.#untold = [];
      this.#isEndTold = this.#isGathered;
      const info = encodeTransport(
        { ...this.#credentials, candidates, isComplete: this.#isEndTold },
        this.#options.newId,
      );
      void this.#options.sendInfo(this.content, info);
    });
  }
}
