/**
 * Where a command's words go. stdout carries results and nothing else; everything for people goes to stderr.
 *
 * This file is the contract; `console-output.ts` is the real one, `test/support/memory-output.ts` the one for tests.
 */
export interface Progress {
  /** @param done units done so far; @param total known units, or undefined while unknown */
  update(done: number, total?: number, note?: string): void;
  /** What the bar is about now. */
  relabel(label: string): void;
  /** It goes away; when it is to be kept, its last state stays as a line. */
  stop(options?: { isKept?: boolean }): void;
}

export interface Output {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  /** stdout is a terminal: decides colour and layout, never content. */
  readonly isTerminal: boolean;
  /** Columns of the terminal; 80 when unknown. */
  readonly columns: number;
  readonly style: Style;

  /** The one result of a command: a JSON document with `--json`, the rendered text otherwise. Rendered text gets a final newline. */
  result<T>(value: T, render: (value: T) => string): Promise<void>;
  /**
   * One result of a stream: a line of JSON, or the rendered text. Resolves when there is room for the next; it leaves
   * with those that come in the same turn, at the latest with `flush`.
   */
  item<T>(value: T, render: (value: T) => string): Promise<void>;
  /** A state that takes the place of the one before: drawn over it on a terminal, a line of JSON everywhere else. */
  live<T>(value: T, render: (value: T) => string): Promise<void>;
  /** Bytes of a result exactly as they are. Resolves when there is room for more. */
  bytes(data: Uint8Array): Promise<void>;

  /**
   * Set by a command whose work is more than its words (`pubsub publish`): when the reader of stdout goes away, it works
   * on, and what would have been printed is dropped. Otherwise the program ends then.
   */
  goesOnUnread: boolean;

  /** Resolves when every result so far has left: before anybody is told that it was seen. */
  flush(): Promise<void>;

  /** What is being done; on stderr, unless --quiet. */
  note(message: string): void;
  /** Only with --verbose; on stderr. */
  detail(message: string): void;
  /** Something the user should know although the work goes on; on stderr, also with --quiet. */
  warn(message: string): void;
  /** A spinner beside what is being waited for, on a terminal only; disposing ends it. */
  activity(label: string): Disposable;
  /** A bar on a terminal, nothing elsewhere. */
  progress(label: string, unit: 'bytes' | 'items'): Progress;
}

/** Colours by meaning; each is the identity when colour is off. */
export interface Style {
  good(text: string): string;
  bad(text: string): string;
  warning(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
  incoming(text: string): string;
  outgoing(text: string): string;
  name(text: string): string;
  message(text: string): string;
  presence(text: string): string;
  request(text: string): string;
  reply(text: string): string;
  nonza(text: string): string;
}
