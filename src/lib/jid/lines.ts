/** Reads a list, one address a line, without holding more than a line of it. */
import { StringDecoder } from 'node:string_decoder';

export interface Line {
  text: string;
  /** Counted from 1. */
  number: number;
}

/** No address is this long; what comes after it on the line is dropped, so that a file without line ends cannot fill memory. */
const maxLineLength = 65_536;

/** The lines of UTF-8 text, empty ones included, without their ends (LF or CRLF) and without a byte order mark. */
export async function* readLines(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<Line> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let number = 0;
  const toLine = (text: string): Line => {
    number += 1;
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    return { text: number === 1 ? line.replace(/^\ufeff/, '') : line, number };
  };
  for await (const chunk of input) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk)))).split(
      '\n',
    );
    rest = (lines.pop() ?? '').slice(0, maxLineLength);
    for (const line of lines) yield toLine(line);
  }
  rest += decoder.end();
  if (rest !== '') yield toLine(rest);
}
