/**
 * The real output: results to stdout, everything else to stderr, a live line at the bottom of a terminal.
 */
import type { Writable } from 'node:stream';
import type { Output, Progress, Style } from './output.js';
import { LiveLine } from './live-line.js';
import { plainStyle } from './style.js';
import { safeText } from './safe-text.js';

export interface ConsoleOutputOptions {
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
  isJson: boolean;
  isQuiet: boolean;
  isVerbose: boolean;
  /** Colours for stdout; `plainStyle` without. */
  style?: Style;
  /** Colours for stderr, which may be a terminal when stdout is not. */
  messageStyle?: Style;
}

export class ConsoleOutput implements Output {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly style: Style;
  readonly #stdout: ConsoleOutputOptions['stdout'];
  readonly #stderr: ConsoleOutputOptions['stderr'];
  readonly #messageStyle: Style;
  readonly #live: LiveLine;

  constructor(options: ConsoleOutputOptions) {
    this.isJson = options.isJson;
    this.isQuiet = options.isQuiet;
    this.isVerbose = options.isVerbose;
    this.style = options.style ?? plainStyle;
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.#messageStyle = options.messageStyle ?? plainStyle;
    this.#live = new LiveLine(
      options.stderr,
      options.stderr.isTTY === true && !options.isQuiet && !options.isJson,
    );
  }

  get isTerminal(): boolean {
    return this.#stdout.isTTY === true;
  }

  get columns(): number {
    return this.#stdout.columns ?? this.#stderr.columns ?? 80;
  }

  async result<T>(value: T, render: (value: T) => string): Promise<void> {
    if (this.isJson) return this.#write(`${JSON.stringify(value, undefined, 2)}\n`);
    const text = render(value);
    if (text === '') return;
    await this.#write(text.endsWith('\n') ? text : `${text}\n`);
  }

  async item<T>(value: T, render: (value: T) => string): Promise<void> {
    await this.#write(`${this.isJson ? JSON.stringify(value) : render(value)}\n`);
  }

  async bytes(data: Uint8Array): Promise<void> {
    await this.#write(data);
  }

  note(message: string): void {
    if (!this.isQuiet) this.#say(safeText(message));
  }

  detail(message: string): void {
    if (this.isVerbose) this.#say(this.#messageStyle.dim(safeText(message)));
  }

  warn(message: string): void {
    this.#say(`${this.#messageStyle.warning('warning:')} ${safeText(message)}`);
  }

  progress(label: string, unit: 'bytes' | 'items'): Progress {
    return this.#live.bar(label, unit);
  }

  activity(label: string): Disposable {
    return this.#live.spinner(label);
  }

  #say(line: string): void {
    this.#live.above(() => this.#stderr.write(`${line}\n`));
  }

  /** Waits for room, so that a slow reader slows us down instead of filling memory. */
  #write(data: string | Uint8Array): Promise<void> {
    if (this.#stdout.destroyed) return new Promise(() => undefined); // a closed pipe: the composition root is ending the program
    const hasRoom = this.#live.above(() => this.#stdout.write(data));
    if (hasRoom) return Promise.resolve();
    return new Promise((resolve) => this.#stdout.once('drain', resolve));
  }
}
