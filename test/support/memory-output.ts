/** An Output that keeps what it is given, for tests that ask what a command printed. */
import { ConsoleOutput } from '../../src/lib/output/console-output.js';
import { PassThrough } from 'node:stream';

export interface MemoryOutput {
  output: ConsoleOutput;
  /** Everything written to stdout so far. */
  stdout: () => string;
  /** Everything written to stderr so far. */
  stderr: () => string;
  /** stdout, line by line, parsed as JSON. */
  jsonLines: () => unknown[];
}

export function createMemoryOutput(
  options: { isJson?: boolean; isQuiet?: boolean; isVerbose?: boolean; isTerminal?: boolean } = {},
): MemoryOutput {
  const collect = (): { stream: PassThrough; text: () => string } => {
    const chunks: Buffer[] = [];
    const stream = new PassThrough();
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
  };
  const stdout = collect();
  const stderr = collect();
  const output = new ConsoleOutput({
    stdout: Object.assign(stdout.stream, { isTTY: options.isTerminal ?? false, columns: 80 }),
    stderr: stderr.stream,
    isJson: options.isJson ?? false,
    isQuiet: options.isQuiet ?? false,
    isVerbose: options.isVerbose ?? false,
  });
  const printed = (): string => {
    void output.flush();
    return stdout.text();
  };
  return {
    output,
    stdout: printed,
    stderr: stderr.text,
    jsonLines: () =>
      printed()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as unknown),
  };
}
