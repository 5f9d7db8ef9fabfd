/**
 * Whether a server that says it has resumed a stream really hears what is sent on it.
 *
 * COMPAT(Prosody 0.12.3): when a connection is cut in the middle of a stanza, its parser stays in the middle of that
 * stanza, and swallows everything that comes on the connection the stream is resumed on, while what others send to us
 * still arrives. Such a stream looks alive and is not; so the first `<a/>` has to come before it is believed in. When
 * enough was swallowed, the server ends the stream with an error that says nothing about what we send now.
 */
import { StreamError } from '../errors.js';

export interface ResumptionCheckOptions {
  /** How long no byte may arrive before the answer does. */
  quietMs: number;
  /** How long the answer may take, whatever else arrives. */
  limitMs: number;
  /** Bytes received so far. */
  bytesReceived: () => number;
  onDeaf: () => void;
}

export class ResumptionCheck {
  readonly #options: ResumptionCheckOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #through = 0;

  constructor(options: ResumptionCheckOptions) {
    this.#options = options;
  }

  /** The answer has not come yet. */
  get isPending(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * Call when the stream was resumed and `<r/>` was sent on it.
   * @param through the number of stanzas that the answer has to acknowledge
   */
  start(through: number): void {
    this.stop();
    this.#through = through;
    this.#wait(this.#options.limitMs, this.#options.bytesReceived());
  }

  /** `<a/>` came. One that was on its way before, and acknowledges less, proves nothing. */
  onAcknowledged(through: number): void {
    if (through >= this.#through) this.stop();
  }

  /** There is nothing to find out any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(leftMs: number, bytesBefore: number): void {
    const { quietMs, bytesReceived, onDeaf } = this.#options;
    const waitMs = Math.min(quietMs, leftMs);
    this.#timer = setTimeout(() => {
      const bytes = bytesReceived();
      if (bytes !== bytesBefore && leftMs > waitMs) {
        this.#wait(leftMs - waitMs, bytes);
        return;
      }
      this.#timer = undefined;
      onDeaf();
    }, waitMs);
  }
}

const XML_CONDITIONS: ReadonlySet<string> = new Set([
  'bad-format',
  'invalid-xml',
  'not-well-formed',
  // "XML stanza is too big"
  'policy-violation',
]);

/** Whether a server that has not answered on a resumed stream may end it for what came before the resumption. */
export function isAboutOldBytes(error: Error): boolean {
  return error instanceof StreamError && XML_CONDITIONS.has(error.condition);
}
