/**
 * Text that is piped in: whole or by lines, in strict UTF-8, bounded, and given up when the program is interrupted.
 */
import { addAbortSignal, type Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { UsageError } from '../errors.js';

export interface InputOptions {
  signal: AbortSignal;
  /** Bytes of the whole text, or characters of one line. */
  limit: number;
}

/**
 * All of it.
 * @throws UsageError it is not UTF-8, or beyond the limit
 */
export async function readText(input: Readable, { signal, limit }: InputOptions): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parts: string[] = [];
  let bytes = 0;
  for await (const chunk of chunks(input, signal)) {
    bytes += chunk.length;
    if (bytes > limit) throw new UsageError(`the input is longer than ${limit} bytes`);
    parts.push(decode(decoder, chunk));
  }
  parts.push(decode(decoder));
  return parts.join('');
}

/**
 * Line by line, without their ends (LF or CRLF) and without a byte order mark. Reads on when the next line is wanted. What
 * is before a bad line has been given when it is found out.
 * @throws UsageError a line is not UTF-8, or beyond the limit
 */
export async function* readLines(input: Readable, { signal, limit }: InputOptions): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  // A byte of a newline is never part of another character, so that whole lines can be decoded by themselves.
  let pieces: Uint8Array[] = [];
  let pending = 0;
  let count = 0;
  const decoded = function* (bytes: Uint8Array): Generator<string> {
    for (const line of linesOf(decoder, bytes, count)) {
      count += 1;
      if (line.length > limit) throw tooLong(count, limit);
      const text = count === 1 && line.startsWith('\ufeff') ? line.slice(1) : line;
      yield text.endsWith('\r') ? text.slice(0, -1) : text;
    }
  };
  for await (const chunk of chunks(input, signal)) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end >= 0) {
      const whole = Buffer.concat([...pieces, chunk.subarray(0, end)]);
      pieces = [];
      pending = 0;
      yield* decoded(whole);
    }
    const rest = chunk.subarray(end + 1);
    if (rest.length === 0) continue;
    pieces.push(rest);
    pending += rest.length;
    if (pending > limit * MAX_BYTES_OF_CHARACTER) throw tooLong(count + 1, limit);
  }
  if (pending > 0) yield* decoded(Buffer.concat(pieces));
}

const NEWLINE = 0x0a;
/** Of one UTF-16 code unit: a character of four bytes is two of them. */
const MAX_BYTES_OF_CHARACTER = 3;

/** All at once, as long as all of it is UTF-8: that is many times faster than line by line. */
function* linesOf(decoder: TextDecoder, bytes: Uint8Array, before: number): Generator<string> {
  let text: string | undefined;
  try {
    text = decoder.decode(bytes);
  } catch {
    // Where it is broken is found below.
  }
  if (text !== undefined) {
    yield* text.split('\n');
    return;
  }
  let number = before;
  for (let start = 0; start <= bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    const line = bytes.subarray(start, end < 0 ? bytes.length : end);
    number += 1;
    try {
      text = decoder.decode(line);
    } catch (error) {
      throw new UsageError(`line ${number} of the input is not UTF-8`, { cause: error });
    }
    yield text;
    start += line.length + 1;
  }
}

function tooLong(line: number, limit: number): UsageError {
  return new UsageError(`line ${line} of the input is longer than ${limit} characters`);
}

/** The text without the one newline that `echo` and editors put at its end. */
export function withoutFinalNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}

async function* chunks(input: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  addAbortSignal(signal, input);
  try {
    for await (const chunk of input as AsyncIterable<Uint8Array | string>) {
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch (error) {
    throw new UsageError('the input is not UTF-8', { cause: error });
  }
}
