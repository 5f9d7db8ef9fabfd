/** What documents have to be like (XEP-0284 §10.2): a schema, and the thread that checks documents by it. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { FileError, TimeoutError } from '../../errors.js';
import type { SchemaFault } from './compile-schema.js';
import type { SchemaReply } from './schema-worker.js';

export interface Schema {
  /**
   * @returns the first fault, if there is one
   * @throws TimeoutError it cannot be told
   */
  check(text: string): Promise<SchemaFault | undefined>;
}

/** So long a check may take: schemas and documents can be made so that it never ends. */
const MAX_CHECK_MS = 10_000;
/** Built beside the program. */
const PROGRAM = 'schema-worker.mjs';

/** Where and what: `line 3: Did not expect element …`. */
export function describeFault({ line, reason }: SchemaFault): string {
  return line === undefined ? reason : `line ${line}: ${reason}`;
}

/** A schema that is checked in a thread, for as long as it is not closed. */
export class ThreadedSchema implements Schema, Disposable {
  #thread: Promise<Thread>;
  #work: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  private constructor(
    private readonly file: string,
    thread: Thread,
  ) {
    this.#thread = Promise.resolve(thread);
  }

  /** @throws FileError it cannot be read, or is no schema */
  static async open(file: string): Promise<ThreadedSchema> {
    return new ThreadedSchema(file, await Thread.start(file));
  }

  check(text: string): Promise<SchemaFault | undefined> {
    const checked = this.#work.then(() => this.#check(text));
    this.#work = checked.catch(() => undefined);
    return checked;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    void this.#thread.then((thread) => thread.stop()).catch(() => undefined);
  }

  async #check(text: string): Promise<SchemaFault | undefined> {
    const thread = await this.#thread;
    try {
      return await thread.check(text);
    } catch (error) {
      thread.stop();
      // The next one is not to suffer from it.
      if (!this.#isClosed) {
        this.#thread = Thread.start(this.file);
        this.#thread.catch(() => undefined);
      }
      throw error;
    }
  }
}

class Thread {
  #settle: ((reply: SchemaReply) => void) | undefined;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (reply: SchemaReply) => this.#settle?.(reply));
    worker.on('error', (error: Error) => this.#settle?.({ kind: 'failed', reason: error.message }));
    worker.on('exit', () => this.#settle?.({ kind: 'failed', reason: 'the thread has ended' }));
    // Whoever waits for it keeps the program alive.
    worker.unref();
  }

  /** @throws FileError */
  static async start(file: string): Promise<Thread> {
    const thread = new Thread(new Worker(path.join(__dirname, PROGRAM), { workerData: path.resolve(file) }));
    const reply = await thread.#next();
    if (reply.kind === 'ready') return thread;
    thread.stop();
    const reason = reply.kind === 'failed' ? reply.reason : 'it was not read';
    throw new FileError(`cannot use the schema ${file}: ${reason}`);
  }

  async check(text: string): Promise<SchemaFault | undefined> {
    const answer = this.#next();
    this.worker.postMessage(text);
    const reply = await answer;
    if (reply.kind === 'checked') return reply.fault;
    throw new TimeoutError(
      `the document cannot be checked: ${reply.kind === 'failed' ? reply.reason : reply.kind}`,
    );
  }

  stop(): void {
    this.#settle = undefined;
    void this.worker.terminate();
  }

  #next(): Promise<SchemaReply> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ kind: 'failed', reason: 'timed out' }), MAX_CHECK_MS);
      const settle = (reply: SchemaReply): void => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(reply);
      };
      this.#settle = settle;
    });
  }
}
