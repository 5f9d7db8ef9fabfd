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
 * Line by line, without their ends (LF or CRLF). Reads on when the next line is wanted.
 * @throws UsageError it is not UTF-8, or a line is beyond the limit
 */
export async function* readLines(input: Readable, { signal, limit }: InputOptions): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of chunks(input, signal)) {
    const lines = (rest + decode(decoder, chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > limit) throw new UsageError(`a line of the input is longer than ${limit} characters`);
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
  }
  rest += decode(decoder);
  if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest;
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
