/** `console` in a pipe: stanzas from stdin, stanzas to stdout, a line each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StringDecoder } from 'node:string_decoder';
import { addAbortSignal, type Readable } from 'node:stream';
import { Conversation, type Received } from '../../lib/console/conversation.js';
import { StanzaInput, type InputElement } from '../../lib/console/stanza-input.js';
import { attributesOf, checkTypedElement } from '../../lib/console/typed-stanza.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { OpenStream } from '../../lib/session/open-stream.js';
import { Deferred, within } from '../../lib/session/wait.js';
import { prettyXml } from '../../lib/xml/canonical.js';
import type { Element } from '../../lib/xml/element.js';
import { serialize } from '../../lib/xml/serialize.js';
import { stanzaErrorFrom } from '../../lib/xml/stanza-error.js';
import type { ConsoleOptions } from '../console.js';
import { paintFor, stanzaToJson } from '../stanza-output.js';

/** Stanzas that were read and not yet printed: reading pauses above the first, and goes on below the second. */
const highStanzas = 256;
const lowStanzas = 64;

/** @throws UsageError a stanza cannot be sent @throws StanzaError an iq was answered with an error @throws ConnectError @throws TimeoutError */
export async function runPipedConsole(options: ConsoleOptions, context: Context): Promise<void> {
  const { signal, stdin, output } = context;
  const connectOptions = await context.connectOptions();
  const { openStream } = await import('../../lib/session/open-stream.js');
  await using stream = await openStream(connectOptions);
  if (stdin.isTTY) output.note('type stanzas; end with Ctrl-D');
  const ended = new Deferred<never>();
  const enough = new Deferred<void>();
  const printer = new Printer(context, stream, options.count, enough);
  const conversation = new Conversation(stream, {
    isAnswering: options.isAnswering,
    now: () => performance.now(),
    onReceived: (received) => printer.take(received),
    onAnswered: () => undefined,
    onEnd: (error) => ended.reject(error),
  });
  const reading = new AbortController();
  const work = async (): Promise<void> => {
    for await (const typed of readElements(stdin, AbortSignal.any([signal, reading.signal]))) {
      await sendTyped(typed, conversation, options.isValidating);
    }
    if (reading.signal.aborted) return;
    await within(conversation.settled(), {
      doing: `waiting for ${conversation.outstanding} more ${conversation.outstanding === 1 ? 'answer' : 'answers'}`,
      timeoutMs: connectOptions.timeoutMs,
      signal,
    });
    if (options.waitMs !== undefined)
      await sleep(options.waitMs, undefined, { signal: AbortSignal.any([signal, reading.signal]) });
    else if (options.count !== undefined) await enough.promise;
  };
  try {
    await within(Promise.race([work(), ended.promise, enough.promise]), { doing: 'on the console', signal });
  } finally {
    reading.abort();
    await printer.finish();
  }
  if (printer.failure) throw printer.failure;
}

async function sendTyped(
  { text, line }: InputElement,
  conversation: Conversation,
  isValidating: boolean,
): Promise<void> {
  try {
    const checked = checkTypedElement(text);
    // As it is means without an id of ours.
    const isAsItIs = !isValidating && checked.text !== text;
    await conversation.send(isAsItIs ? text : checked.text, isAsItIs ? undefined : checked.element);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (!isValidating) return conversation.send(text, undefined);
    throw new UsageError(`line ${line}: ${error.message}`, {
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

/** @throws UsageError it is not UTF-8, or no XML */
async function* readElements(stdin: Readable, signal: AbortSignal): AsyncGenerator<InputElement> {
  const input = new StanzaInput();
  const decoder = new StringDecoder('utf8');
  addAbortSignal(signal, stdin);
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer | string>)
      yield* input.push(typeof chunk === 'string' ? chunk : decoder.write(chunk));
    yield* input.push(decoder.end());
  } catch (error) {
    // Whoever stopped the reading knows why.
    if (!signal.aborted) throw error;
    return;
  }
  input.end();
}

class Printer {
  readonly #context: Context;
  readonly #stream: OpenStream;
  readonly #count: number | undefined;
  readonly #enough: Deferred<void>;
  #printed: Promise<void> = Promise.resolve();
  #waiting = 0;
  #seen = 0;
  /** The last iq that was answered with an error; or what keeps us from printing. */
  failure: Error | undefined;

  constructor(context: Context, stream: OpenStream, count: number | undefined, enough: Deferred<void>) {
    this.#context = context;
    this.#stream = stream;
    this.#count = count;
    this.#enough = enough;
  }

  take({ element, rttMs }: Received): void {
    if (this.#count !== undefined && this.#seen >= this.#count) return;
    this.#seen += 1;
    if (rttMs !== undefined && attributesOf(element)['type'] === 'error')
      this.failure = stanzaErrorFrom(element);
    this.#waiting += 1;
    if (this.#waiting > highStanzas) this.#stream.pause();
    this.#printed = this.#printed
      .then(() => this.#print(element, rttMs))
      .catch((error: unknown) => {
        this.failure ??= error instanceof Error ? error : new Error(String(error));
        this.#enough.resolve();
      })
      .finally(() => {
        this.#waiting -= 1;
        if (this.#waiting < lowStanzas) this.#stream.resume();
      });
    if (this.#seen === this.#count) this.#enough.resolve();
  }

  async finish(): Promise<void> {
    await this.#printed;
    await this.#context.output.flush();
  }

  async #print(element: Element, rttMs: number | undefined): Promise<void> {
    const { output, clock } = this.#context;
    const time = new Date(clock.now()).toISOString();
    await output.item(
      {
        time,
        ...stanzaToJson(element),
        ...(rttMs !== undefined && { rttMs: Math.round(rttMs * 1000) / 1000 }),
      },
      () => (output.isTerminal ? prettyXml(element, paintFor(output.style)) : oneLine(element)),
    );
    // Whoever reads along sees each stanza when it comes.
    await output.flush();
  }
}

/** A line feed in a text means the same when it is written as a reference. */
function oneLine(element: Element): string {
  return serialize(element).replaceAll('\n', '&#10;');
}
