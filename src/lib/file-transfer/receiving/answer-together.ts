/**
 * The answers to contents that were offered in one message, sent in as few messages as possible.
 *
 * A session-accept (XEP-0166 §6.4) names all that are accepted, and whoever is not named is out, so it waits for the
 * last answer. What was offered by content-add is answered as the answers come, those of one moment together.
 */
import type { JingleSession } from '../../jingle/jingle-session.js';
import type { Content, Reason } from '../../jingle/stanzas.js';
import { Deferred } from '../../session/wait.js';

type OurReason = Pick<Reason, 'condition' | 'text'> & Partial<Reason>;

/** How long an answer to content-add waits for others. */
const GATHER_MS = 5;

export class JointAnswer {
  readonly #jingle: JingleSession;
  readonly #action: 'session-accept' | 'content-accept';
  readonly #timeoutMs: number;
  readonly #accepted: Content[] = [];
  readonly #refused: { content: Content; reason: OurReason }[] = [];
  #sent = new Deferred<undefined>();
  #timer: NodeJS.Timeout | undefined;
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

  /** Resolves when it has been sent. @throws as the request that carries it */
  async accept(content: Content): Promise<void> {
    this.#accepted.push(content);
    await this.#answered();
  }

  async refuse(content: Content, reason: OurReason): Promise<void> {
    this.#refused.push({ content, reason });
    await this.#answered();
  }

  async #answered(): Promise<void> {
    const { promise } = this.#sent;
    this.#openCount -= 1;
    if (this.#openCount === 0) this.#flush();
    else if (this.#action === 'content-accept') this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
    await promise;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const sent = this.#sent;
    this.#sent = new Deferred();
    const accepted = this.#accepted.splice(0);
    const refused = this.#refused.splice(0);
    this.#send(accepted, refused).then(
      () => sent.resolve(undefined),
      (error: unknown) => sent.reject(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async #send(
    accepted: readonly Content[],
    refused: readonly { content: Content; reason: OurReason }[],
  ): Promise<void> {
    const options = { timeoutMs: this.#timeoutMs };
    const [first] = refused;
    if (this.#action === 'session-accept') {
      if (accepted.length > 0) await this.#jingle.accept(accepted, options);
      else if (first) await this.#jingle.terminate(first.reason, options);
      return;
    }
    const sending = refused.map(({ content, reason }) =>
      this.#jingle.request(
        { action: 'content-reject', contents: [content], payload: [], reason: { details: [], ...reason } },
        options,
      ),
    );
    if (accepted.length > 0)
      sending.push(
        this.#jingle.request({ action: 'content-accept', contents: accepted, payload: [] }, options),
      );
    await Promise.all(sending);
  }
}
