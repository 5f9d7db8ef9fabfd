/** A logged-in stream as a console has it: what goes out, what comes in, and which answer belongs to which request. */
import { ConnectionLostError } from '../errors.js';
import type { OpenStream } from '../session/open-stream.js';
import { Deferred } from '../session/wait.js';
import type { Element } from '../xml/element.js';
import { serialize } from '../xml/serialize.js';
import { Answering } from './answering.js';
import { attributesOf, isAnswerer, isRequest } from './typed-stanza.js';

export interface Received {
  element: Element;
  /** Of an answer: since its request was sent. Milliseconds. */
  rttMs: number | undefined;
}

export interface ConversationOptions {
  /** Whether pings, requests and acknowledgements are answered without the user. */
  isAnswering: boolean;
  /** On a clock that never jumps. Milliseconds. */
  now: () => number;
  onReceived: (received: Received) => void;
  /** Something was answered without the user. */
  onAnswered: (element: Element) => void;
  onEnd: (error: Error) => void;
}

interface Request {
  to: string | undefined;
  at: number;
}

/** Requests that nobody answers must not fill memory; the oldest are given up first. */
const maxRequests = 100_000;

export class Conversation {
  readonly #stream: OpenStream;
  readonly #options: ConversationOptions;
  readonly #answering: Answering;
  readonly #requests = new Map<string, Request>();
  #answered: Deferred<void> | undefined;
  #lost: Error | undefined;
  isAnswering: boolean;

  constructor(stream: OpenStream, options: ConversationOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#answering = new Answering(stream);
    this.isAnswering = options.isAnswering;
    stream.listen({
      onElement: (element) => this.#receive(element),
      onEnd: (error) => this.#end(error),
    });
  }

  /** Requests without an answer. */
  get outstanding(): number {
    return this.#requests.size;
  }

  /**
   * Sends text as it is. @param element what it means, where it is understood: a request is waited for
   * @throws ConnectionLostError @throws TimeoutError @throws InterruptedError
   */
  async send(text: string, element: Element | undefined): Promise<void> {
    if (element && isRequest(element)) {
      const { id = '', to } = attributesOf(element);
      this.#requests.set(id, { to, at: this.#options.now() });
      const [oldest] = this.#requests.keys();
      if (this.#requests.size > maxRequests && oldest !== undefined) this.#requests.delete(oldest);
    }
    await this.#stream.send(text);
  }

  /** Resolves when every request has its answer. @throws whatever ended the stream */
  async settled(): Promise<void> {
    if (this.#requests.size === 0) return;
    if (this.#lost) throw this.#lost;
    this.#answered ??= new Deferred<void>();
    await this.#answered.promise;
  }

  #receive(element: Element): void {
    const answer = this.#answering.answerTo(element);
    this.#options.onReceived({ element, rttMs: this.#roundTrip(element) });
    if (answer === undefined || !this.isAnswering) return;
    this.#options.onAnswered(answer);
    this.#stream.send(serialize(answer)).catch((error: unknown) => {
      this.#end(error instanceof Error ? error : new ConnectionLostError(String(error)));
    });
  }

  #roundTrip(element: Element): number | undefined {
    const { id, type, from } = attributesOf(element);
    if (element.getName() !== 'iq' || id === undefined || (type !== 'result' && type !== 'error'))
      return undefined;
    const request = this.#requests.get(id);
    if (request === undefined || !isAnswerer(from, request.to, this.#stream.jid)) return undefined;
    this.#requests.delete(id);
    if (this.#requests.size === 0) {
      this.#answered?.resolve();
      this.#answered = undefined;
    }
    return this.#options.now() - request.at;
  }

  #end(error: Error): void {
    if (this.#lost) return;
    this.#lost = error;
    this.#answered?.reject(error);
    this.#options.onEnd(error);
  }
}
