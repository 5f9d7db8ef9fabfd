/** A line that is edited while others appear above it: node:readline, with prompts, history and completion of ours. */
import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { History } from './history.js';

export interface TerminalOptions {
  input: Readable;
  /** Has `columns`. */
  output: Writable & { columns?: number };
  history: History;
  /** @param before everything in front of the cursor on this line */
  complete: (before: string) => [string[], string];
  onLine: (line: string) => void;
  /** Ctrl-C. @param typed what stood on the line, which is empty now */
  onInterrupt: (typed: string) => void;
  /** Ctrl-D on an empty line, or the terminal is gone. */
  onClose: () => void;
}

export class Terminal {
  readonly #interface: Interface;
  readonly #output: TerminalOptions['output'];
  #isClosed = false;
  /** A line has been taken, and the prompt for the next is not there yet. */
  #isBusy = false;

  constructor(options: TerminalOptions) {
    const { input, output, history, complete } = options;
    this.#output = output;
    this.#interface = createInterface({
      input,
      output,
      terminal: true,
      history: [...history.entries],
      historySize: 500,
      completer: (line: string): [string[], string] => complete(line),
      escapeCodeTimeout: 50,
    });
    // A stanza over several lines is one entry, and a secret is none: readline's own list is put right each time.
    this.#interface.on('history', (lines: string[]) => lines.splice(0, lines.length, ...history.entries));
    this.#interface.on('line', (line) => {
      this.#isBusy = true;
      options.onLine(line);
    });
    this.#interface.on('SIGINT', () => {
      const { line } = this.#interface;
      this.#interface.write(null, { ctrl: true, name: 'e' });
      this.#interface.write(null, { ctrl: true, name: 'u' });
      options.onInterrupt(line);
    });
    this.#interface.on('close', () => {
      this.#isClosed = true;
      options.onClose();
    });
  }

  prompt(text: string): void {
    if (this.#isClosed) return;
    this.#isBusy = false;
    this.#interface.setPrompt(text);
    this.#interface.prompt(true);
  }

  /** Puts text on the line, to be edited. */
  insert(text: string): void {
    this.#interface.write(text);
  }

  /** Prints above the line that is being edited, which stays as it is. */
  print(text: string): void {
    if (this.#isClosed || this.#isBusy) {
      this.#output.write(`${text}\n`);
      return;
    }
    const { rows } = this.#interface.getCursorPos();
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    this.#output.write(`${text}\n`);
    // It would go up as many rows as its line had, over what was printed.
    (this.#interface as Interface & { prevRows?: number }).prevRows = 0;
    this.#interface.prompt(true);
  }

  /** Gives the terminal back. */
  close(): void {
    if (this.#isClosed) return;
    const { rows } = this.#interface.getCursorPos();
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    this.#interface.close();
  }
}
