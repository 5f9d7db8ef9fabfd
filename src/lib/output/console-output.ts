/**
 * The real output: results to stdout, everything else to stderr, a live line at the bottom of a terminal.
 */
import type { Writable } from 'node:stream';
import type { Output, Progress, Style } from './output.js';
import { LiveLine } from './live-line.js';
import { plainStyle } from './style.js';
import { safeJson, safeText } from './safe-text.js';
import { isClosedPipe, unwritable } from './unwritable.js';

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

/** Lines of a stream are written together up to this length: a system call each is half the price of a line. */
const BATCH_LENGTH = 64 * 1024;

export class ConsoleOutput implements Output {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly style: Style;
  goesOnUnread = false;
  readonly #stdout: ConsoleOutputOptions['stdout'];
  readonly #stderr: ConsoleOutputOptions['stderr'];
  readonly #messageStyle: Style;
  readonly #live: LiveLine;
  /** Results that have not left yet, and what will take them. */
  #lines = '';
  #timer: NodeJS.Immediate | undefined;
  /** Of a state that the next one is drawn over, as long as nothing else was written below it. */
  #drawnLines = 0;
  /** Nobody reads any more, and the work goes on. */
  #isUnread = false;
  #onUnread: (() => void) | undefined;
  /** What kept earlier results from leaving; whoever flushes next is told. */
  #failure: unknown;

  constructor(options: ConsoleOutputOptions) {
    this.isJson = options.isJson;
    this.isQuiet = options.isQuiet;
    this.isVerbose = options.isVerbose;
    this.style = options.style ?? plainStyle;
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.#messageStyle = options.messageStyle ?? plainStyle;
    // Node makes its stdout usable again after an error, so that it can not be asked later.
    this.#stdout.on('error', (error: Error) => {
      if (!isClosedPipe(error) || !this.goesOnUnread) return;
      this.#isUnread = true;
      this.#onUnread?.();
    });
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
    await this.flush();
    if (this.isJson) return this.#write(`${this.#encode(value, 2)}\n`);
    const text = render(value);
    if (text === '') return;
    await this.#write(text.endsWith('\n') ? text : `${text}\n`);
  }

  item<T>(value: T, render: (value: T) => string): Promise<void> {
    return this.#add(this.isJson ? this.#encode(value) : render(value));
  }

  async live<T>(value: T, render: (value: T) => string): Promise<void> {
    if (this.isJson || !this.isTerminal) return this.#add(this.#encode(value));
    const lines = render(value).split('\n');
    const above = this.#drawnLines === 0 ? '' : `\u001b[${String(this.#drawnLines)}A\u001b[J`;
    await this.flush();
    await this.#write(`${above}${lines.join('\n')}\n`);
    this.#drawnLines = lines.length;
  }

  #encode(value: unknown, indent?: number): string {
    const json = JSON.stringify(value, undefined, indent);
    return this.isTerminal ? safeJson(json) : json;
  }

  #add(line: string): Promise<void> {
    if (this.#failure !== undefined) return this.flush();
    this.#lines += `${line}\n`;
    if (this.#lines.length >= BATCH_LENGTH) return this.flush();
    this.#timer ??= setImmediate(() => {
      this.flush().catch((error: unknown) => (this.#failure ??= error));
    });
    return this.#stdout.writableNeedDrain ? this.flush() : Promise.resolve();
  }

  flush(): Promise<void> {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it came
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    clearImmediate(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = '';
    return lines === '' ? this.#room() : this.#write(lines);
  }

  async bytes(data: Uint8Array): Promise<void> {
    await this.flush();
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
    this.#drawnLines = 0;
    // Behind the results that come before it; that they cannot be written is for the next result to say.
    this.flush().catch((error: unknown) => (this.#failure ??= error));
    this.#live.above(() => this.#stderr.write(`${line}\n`));
  }

  /** Waits for room, so that a slow reader slows us down instead of filling memory. */
  #write(data: string | Uint8Array): Promise<void> {
    this.#drawnLines = 0;
    if (!this.#stdout.destroyed && !this.#isUnread) this.#live.above(() => this.#stdout.write(data));
    return this.#room();
  }

  #room(): Promise<void> {
    if (this.#isUnread) return Promise.resolve();
    const { errored, destroyed } = this.#stdout;
    if (errored && !isClosedPipe(errored)) return Promise.reject(unwritable(errored));
    if (destroyed || errored) return new Promise(() => undefined); // a closed pipe: the composition root is ending the program
    if (!this.#stdout.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onUnread = resolve;
      this.#stdout.once('drain', resolve);
    });
  }
}
