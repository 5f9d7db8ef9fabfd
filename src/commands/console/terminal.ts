/** `console` at a terminal. */
import path from 'node:path';
import { Writable } from 'node:stream';
import { configPaths } from '../../lib/config/paths.js';
import { complete } from '../../lib/console/completion.js';
import { History } from '../../lib/console/history.js';
import { commandNames, runSlashCommand, type ConsoleActions } from '../../lib/console/slash-commands.js';
import { builtInSnippets, readOwnSnippets, type Snippet } from '../../lib/console/snippets.js';
import { StanzaInput } from '../../lib/console/stanza-input.js';
import { SwitchableTrace } from '../../lib/console/switchable-trace.js';
import { Terminal } from '../../lib/console/terminal.js';
import type { Context } from '../../lib/context.js';
import { InterruptedError, UsageError, XmppctlError } from '../../lib/errors.js';
import { safeText } from '../../lib/output/safe-text.js';
import { Deferred, within } from '../../lib/session/wait.js';
import type { ConsoleOptions } from '../console.js';

/** What a console does on its connection: with stanzas when it has logged in, with bytes when all is typed by hand. */
export interface Line {
  /** What stands before the line. */
  readonly prompt: string;
  readonly isRaw: boolean;
  readonly values: ConsoleActions['values'];
  /** Addresses that were seen, for completion. */
  readonly addresses: ReadonlySet<string>;
  /** @param isChecked false sends it as it is */
  send(text: string, isChecked: boolean): Promise<void>;
  setting: ConsoleActions['setting'];
  describe(): string;
  startTls(): Promise<void>;
  /** Stops reading from the network, and goes on. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

export interface LineSurroundings {
  context: Context;
  trace: SwitchableTrace;
  print: (text: string) => void;
  /** The connection is over, and not by our closing it. */
  onEnd: (error: Error) => void;
}

/** @throws ConnectError the connection was lost @throws InterruptedError */
export async function runInteractiveConsole(options: ConsoleOptions, context: Context): Promise<void> {
  const { output, env, global } = context;
  const paths = configPaths(env);
  const [history, own] = await Promise.all([
    History.open(path.join(paths.stateDir, 'console-history')),
    readOwnSnippets(path.join(paths.configDir, 'snippets')),
  ]);
  const trace = new SwitchableTrace(await context.tracer(), global.traceSecrets !== true, (message) =>
    output.warn(message),
  );
  try {
    const console = new InteractiveConsole(options, context, history, [...own, ...builtInSnippets], trace);
    await console.run();
  } finally {
    await trace.close();
  }
}

class InteractiveConsole {
  readonly #context: Context;
  readonly #options: ConsoleOptions;
  readonly #history: History;
  readonly #snippets: readonly Snippet[];
  readonly #trace: SwitchableTrace;
  readonly #done = new Deferred<void>();
  #input = new StanzaInput();
  /** The lines of what is not complete. */
  #typed = '';
  #isLeaving = false;
  /** Reading from the network pauses. */
  #isHeld = false;
  /** What is typed is worked off in its order. */
  #work: Promise<void> = Promise.resolve();
  #terminal: Terminal | undefined;
  #line: Line | undefined;
  readonly #screen: ReturnType<typeof terminalOutput>;

  constructor(
    options: ConsoleOptions,
    context: Context,
    history: History,
    snippets: readonly Snippet[],
    trace: SwitchableTrace,
  ) {
    this.#options = options;
    this.#context = context;
    this.#history = history;
    this.#snippets = snippets;
    this.#trace = trace;
    this.#screen = terminalOutput(context);
  }

  async run(): Promise<void> {
    const { context } = this;
    const surroundings: LineSurroundings = {
      context,
      trace: this.#trace,
      print: (text) => this.#print(text),
      onEnd: (error) => this.#done.reject(error),
    };
    const line =
      this.#options.raw === undefined
        ? await (await import('./stanzas.js')).openStanzaLine(this.#options, surroundings)
        : await (await import('./bytes.js')).openByteLine(this.#options.raw, surroundings);
    this.#line = line;
    this.#print(context.output.style.dim(`${safeText(line.describe(), { singleLine: true })}; /help, /quit`));
    this.#terminal = new Terminal({
      input: context.stdin,
      output: this.#screen,
      history: this.#history,
      complete: (before) =>
        complete(this.#typed + before, {
          commands: commandNames,
          snippets: this.#snippets.map(({ name }) => name),
          addresses: [...line.addresses],
        }),
      onLine: (text) => this.#take(text),
      onInterrupt: (text) => this.#interrupt(text),
      onClose: () => {
        // What was typed before the end is still sent.
        void this.#work.then(() => this.#done.resolve());
      },
    });
    this.#prompt();
    try {
      await within(this.#done.promise, { doing: 'on the console', signal: context.signal });
    } finally {
      this.#terminal.close();
      await line.close();
      await context.output.flush();
    }
  }

  private get context(): Context {
    return this.#context;
  }

  #prompt(): void {
    const prompt = this.#line?.prompt ?? '';
    this.#terminal?.prompt(this.#typed === '' ? prompt : `${'.'.repeat(Math.max(1, prompt.length - 1))} `);
  }

  #take(text: string): void {
    this.#isLeaving = false;
    this.#work = this.#work
      .then(() => this.#do(text))
      .catch((error: unknown) => {
        this.#typed = '';
        this.#input = new StanzaInput();
        if (!(error instanceof UsageError)) {
          this.#done.reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        const hint = error.hint === undefined ? '' : ` (${error.hint})`;
        this.#print(this.context.output.style.bad(safeText(`${error.message}${hint}`)));
      })
      .then(() => this.#prompt());
  }

  async #do(text: string): Promise<void> {
    const line = this.#line;
    if (line === undefined) return;
    if (this.#typed === '' && text.trim() === '') return;
    if (this.#typed === '' && text.startsWith('/')) {
      await this.#remember(text);
      await runSlashCommand(text, this.#actions(line), line.isRaw);
      return;
    }
    if (line.isRaw) {
      await this.#remember(text, true);
      await line.send(text, false);
      return;
    }
    if (this.#typed === '' && text.startsWith('!')) {
      await this.#remember(text);
      await line.send(text.slice(1).trim(), false);
      return;
    }
    this.#typed += `${text}\n`;
    const typed = this.#typed;
    try {
      const elements = this.#input.push(`${text}\n`);
      if (!this.#input.isEmpty && elements.length === 0) return;
      if (this.#input.isEmpty) this.#typed = '';
      for (const element of elements) await line.send(element.text, this.#options.isValidating);
    } finally {
      if (this.#typed !== typed || this.#input.isEmpty) await this.#remember(typed);
    }
  }

  /** @param isBare what is no element may be the rest of a secret */
  async #remember(text: string, isBare = false): Promise<void> {
    const problem = await this.#history.add(text, isBare);
    if (problem !== undefined) this.context.output.warn(problem);
  }

  #interrupt(text: string): void {
    if (text !== '' || this.#typed !== '') {
      this.#typed = '';
      this.#input = new StanzaInput();
      this.#print(this.context.output.style.dim('dropped'));
      this.#prompt();
      return;
    }
    if (this.#isLeaving) {
      this.#done.reject(new InterruptedError('interrupted on the console'));
      return;
    }
    this.#isLeaving = true;
    this.#print(this.context.output.style.dim('Ctrl-C once more ends; so do Ctrl-D and /quit'));
  }

  #actions(line: Line): ConsoleActions {
    return {
      snippets: this.#snippets,
      values: line.values,
      print: (text) => this.#print(text),
      send: (text) => line.send(text, true),
      insert: (text) => {
        // Behind the prompt that follows the command.
        setImmediate(() => this.#terminal?.insert(text));
      },
      setting: (name, value) => line.setting(name, value),
      trace: (file) => this.#switchTrace(file),
      describe: () => safeText(line.describe(), { singleLine: true }),
      startTls: () => line.startTls(),
      quit: () => this.#done.resolve(),
    };
  }

  async #switchTrace(file: string | undefined): Promise<string> {
    const before = this.#trace.file;
    try {
      if (file !== undefined) await this.#trace.start(file);
      else await this.#trace.stop();
    } catch (error) {
      if (!(error instanceof XmppctlError)) throw error;
      throw new UsageError(error.message, { ...(error.hint !== undefined && { hint: error.hint }) });
    }
    if (file !== undefined) return `recording into ${file}`;
    return before === undefined ? 'nothing was being recorded' : `recorded into ${before}`;
  }

  #print(text: string): void {
    if (this.#terminal) {
      this.#terminal.print(text);
      if (this.#isHeld || this.#screen.writableLength < maxUnshown) return;
      // The terminal is held, or slower than the server.
      this.#isHeld = true;
      this.#line?.pause();
      this.#screen.once('drain', () => {
        this.#isHeld = false;
        this.#line?.resume();
      });
    } else void this.context.output.bytes(Buffer.from(`${text}\n`)).catch(() => undefined);
  }
}

/** Bytes that wait to be shown; above it, reading from the network pauses. */
const maxUnshown = 256 * 1024;

/** The terminal as readline writes to it. */
function terminalOutput({ output }: Context): Writable & { columns?: number } {
  const stream = new Writable({
    decodeStrings: true,
    write: (chunk: Buffer, _encoding, done) => {
      output.bytes(chunk).then(
        () => done(),
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  return Object.defineProperty(stream, 'columns', { get: () => output.columns });
}
