/**
 * The answers to contents that were offered in one message, sent in one message: session-accept (XEP-0166 §6.4) names
 * all that are accepted, and whoever is not named is out.
 */
import type { JingleSession } from '../jingle/jingle-session.js';
import type { Content, Reason } from '../jingle/stanzas.js';
import { Deferred } from '../session/wait.js';

type OurReason = Pick<Reason, 'condition' | 'text'> & Partial<Reason>;

export class JointAnswer {
  readonly #jingle: JingleSession;
  readonly #action: 'session-accept' | 'content-accept';
  readonly #timeoutMs: number;
  readonly #accepted: Content[] = [];
  readonly #refused: { content: Content; reason: OurReason }[] = [];
  readonly #sent = new Deferred<undefined>();
  #openCount: number;

  constructor(
    jingle: JingleSession,
    action: 'session-accept' | 'content-accept',
    count: number,
    timeoutMs: number,
  ) {
    this.#jingle = jingle;
    this.#action = action;
    this.#openCount = count;
    this.#timeoutMs = timeoutMs;
  }

  /** Resolves when the last answer is there, and has been sent. @throws as the request that carries it */
  async accept(content: Content): Promise<void> {
    this.#accepted.push(content);
    this.#count();
    await this.#sent.promise;
  }

  async refuse(content: Content, reason: OurReason): Promise<void> {
    this.#refused.push({ content, reason });
    this.#count();
    await this.#sent.promise;
  }

  #count(): void {
    this.#openCount -= 1;
    if (this.#openCount > 0) return;
    this.#send().then(
      () => this.#sent.resolve(undefined),
      (error: unknown) => this.#sent.reject(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #send(): Promise<void> {
    const options = { timeoutMs: this.#timeoutMs };
    const [first] = this.#refused;
    if (this.#action === 'session-accept') {
      if (this.#accepted.length > 0) await this.#jingle.accept(this.#accepted, options);
      else if (first) await this.#jingle.terminate(first.reason, options);
      return;
    }
    const accepted =
      this.#accepted.length > 0 &&
      this.#jingle.request({ action: 'content-accept', contents: this.#accepted, payload: [] }, options);
    for (const { content, reason } of this.#refused) {
      await this.#jingle.request(
        { action: 'content-reject', contents: [content], payload: [], reason: { details: [], ...reason } },
        options,
      );
    }
    await accepted;
  }
}
