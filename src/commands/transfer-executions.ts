/** `--exec`: programs for received files, and what became of them. */
import type { Context } from '../lib/context.js';
import { NegativeError } from '../lib/errors.js';
import type { ReceiveEvent } from '../lib/file-transfer/receiving/receive-run.js';
import { runProgram } from '../lib/programs/run-program.js';
import type { TransferDisplay } from '../lib/file-transfer/display/transfer-display.js';

/** One program at a time, in the order in which files arrive. */
export class Executions {
  #last: Promise<void> = Promise.resolve();
  #failed = 0;
  readonly #facts = new Map<string, Record<string, string | undefined>>();

  constructor(
    private readonly line: string | undefined,
    private readonly display: TransferDisplay,
    private readonly context: Pick<Context, 'env' | 'output'>,
  ) {}

  follow(event: ReceiveEvent): void {
    const { line } = this;
    if (line === undefined) return;
    if (event.kind === 'offered') {
      const { name, mediaType, description } = event.file;
      this.#facts.set(event.id, { FROM: event.peer, NAME: name, TYPE: mediaType, DESC: description });
    }
    if (event.kind === 'failed' || event.kind === 'refused') this.#facts.delete(event.id);
    if (event.kind !== 'done' || event.result.storedAs === undefined) return;
    const { storedAs, sizeBytes, method, certainty, hashes } = event.result;
    const [hash] = hashes;
    const facts = {
      ...this.#facts.get(event.id),
      FILE: storedAs,
      SIZE: String(sizeBytes),
      METHOD: method,
      CERTAINTY: certainty,
      HASH: hash && `${hash.algorithm}:${hash.value.toString('hex')}`,
    };
    this.#facts.delete(event.id);
    this.#last = this.#last.then(() => this.#run(line, storedAs, event.id, facts));
  }

  async settled(): Promise<void> {
    await this.#last;
  }

  get problem(): NegativeError | undefined {
    if (this.#failed === 0) return undefined;
    return new NegativeError(`the program of --exec failed for ${this.#failed} of the files`, {
      details: { failed: this.#failed },
    });
  }

  async #run(
    line: string,
    path: string,
    id: string,
    facts: Record<string, string | undefined>,
  ): Promise<void> {
    const { env, output } = this.context;
    using _pause = this.display.pause();
    const code = await runProgram({ line, args: [path], env, facts });
    if (output.isJson) await output.item({ event: 'executed', id, path, exitCode: code }, () => '');
    if (code === 0) return;
    this.#failed += 1;
    output.warn(`the program of --exec ended with ${code} for ${path}`);
  }
}
