/**
 * What a person, or a script, sees of transfers: one bar for all that are under way, a line for each that has ended,
 * or every event as JSON. It counts them, too, for the exit code.
 */
import { NegativeError, TimeoutError, XmppctlError } from '../../errors.js';
import type { Output, Progress } from '../../output/output.js';
import { safeText } from '../../output/safe-text.js';
import { bareOf, columnsOf, doubtAbout, sentenceOf, wayOf, ways } from './describe-result.js';
import { eventJson, type Direction } from './event-json.js';
import type { TransferEvent, TransferResult } from '../transfer.js';

export interface TransferDisplayOptions {
  output: Output;
  direction: Direction;
  /** Nothing may go to stdout: a file does. */
  isStdoutTaken?: boolean;
  /** There is only one transfer: its failure is the failure of the command, and is told once. */
  isOnlyOne?: boolean;
  /** Which failures decide how the command ends; all, when left out. The others are only told. */
  counts?: (error: Error) => boolean;
}

interface Underway {
  name: string;
  /** As in the events. */
  peer: string;
  confirmedBytes: number;
  totalBytes: number | undefined;
  way: string;
}

export class TransferDisplay {
  readonly #options: TransferDisplayOptions;
  readonly #underway = new Map<string, Underway>();
  readonly #results: TransferResult[] = [];
  readonly #failures: Error[] = [];
  #bar: Progress | undefined;
  #isPaused = false;

  constructor(options: TransferDisplayOptions) {
    this.#options = options;
  }

  get doneCount(): number {
    return this.#results.length;
  }

  get failures(): readonly Error[] {
    return this.#failures;
  }

  /** Whom a transfer that is under way is with. */
  peerOf(id: string): string | undefined {
    return this.#underway.get(id)?.peer;
  }

  /** Resolves when there is room for the next. */
  async show(event: TransferEvent): Promise<void> {
    const { output, direction, isStdoutTaken = false } = this.#options;
    const peer = 'peer' in event ? event.peer : this.#underway.get(event.id)?.peer;
    if (output.isJson && !isStdoutTaken) {
      await output.item(eventJson(event, direction, peer), () => '');
    }
    await this.#take(event);
    this.#draw();
  }

  /** Something about no transfer in particular that goes beside them. */
  async fail(error: Error, about: string): Promise<void> {
    const { output, direction, isOnlyOne = false } = this.#options;
    this.#failures.push(error);
    if (output.isJson) {
      const { name, message } = error;
      await output.item({ event: 'failed', [direction]: about, error: { name, message } }, () => '');
    } else if (!isOnlyOne) output.warn(error.message);
  }

  /** An offer that was turned down: it comes to nothing more. */
  async refused(id: string, reason: string): Promise<void> {
    const { output, direction } = this.#options;
    const known = this.#underway.get(id);
    this.#underway.delete(id);
    if (!known) return;
    const { name, peer } = known;
    if (output.isJson) await output.item({ event: 'refused', id, [direction]: peer, name, reason }, () => '');
    else output.note(`refused ${name} of ${peer}: ${reason}`);
  }

  /** While a question is open, nothing moves below it. */
  pause(): Disposable {
    this.#isPaused = true;
    this.#bar?.stop();
    this.#bar = undefined;
    return {
      [Symbol.dispose]: () => {
        this.#isPaused = false;
        this.#draw();
      },
    };
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#isPaused = true;
  }

  async #take(event: TransferEvent): Promise<void> {
    const { output } = this.#options;
    const known = this.#underway.get(event.id);
    switch (event.kind) {
      case 'offered': {
        const { name = 'a file without a name', sizeBytes, folder } = event.file;
        this.#underway.set(event.id, {
          name: folder === undefined ? name : `${folder}/${name}`,
          peer: event.peer,
          confirmedBytes: 0,
          totalBytes: sizeBytes,
          way: '',
        });
        return;
      }
      case 'accepted':
        if (known) known.confirmedBytes = event.offsetBytes;
        return;
      case 'transport': {
        const way = wayOf(event.method, event.path);
        if (known) known.way = ways[event.method];
        const line = `${known?.name ?? 'file'}: ${way}${event.reason === undefined ? '' : `, because ${event.reason}`}`;
        if (event.reason === undefined) output.detail(line);
        else output.note(line);
        return;
      }
      case 'progress':
        if (known) {
          known.confirmedBytes = event.confirmedBytes;
          known.totalBytes = event.totalBytes;
        }
        return;
      case 'warning':
        output.warn(known ? `${known.name}: ${event.message}` : event.message);
        return;
      case 'done':
        this.#underway.delete(event.id);
        this.#results.push(event.result);
        this.#complete(event.result, known);
        await this.#showResult(event.result, known);
        return;
      case 'failed':
        this.#underway.delete(event.id);
        this.#takeFailure(event.error, known?.name ?? event.file.name ?? 'file');
    }
  }

  /** Of a single file the whole way stays to be seen. */
  #complete({ sizeBytes }: TransferResult, known: Underway | undefined): void {
    if (this.#options.isOnlyOne !== true || !known) return;
    this.#bar?.update(sizeBytes, sizeBytes, known.way);
    this.#bar?.stop({ isKept: true });
    this.#bar = undefined;
  }

  #takeFailure(error: Error, name: string): void {
    const { output, counts, isOnlyOne = false } = this.#options;
    const isCounted = counts?.(error) !== false;
    if (isCounted) this.#failures.push(error);
    const isToldAtTheEnd = isCounted && isOnlyOne;
    if (!output.isJson && !isToldAtTheEnd) output.warn(`${name}: ${error.message}`);
  }

  async #showResult(result: TransferResult, known: Underway | undefined): Promise<void> {
    const { output, direction, isStdoutTaken = false } = this.#options;
    const peer = known?.peer ?? '';
    const name = known?.name ?? result.name ?? '';
    if (!output.isJson) {
      const isForPeople = output.isTerminal || isStdoutTaken;
      const line = isForPeople ? sentenceOf(result, name, peer, direction) : columnsOf(result, name, peer);
      if (isStdoutTaken) output.note(line);
      else if (!output.isQuiet) await output.item(line, (text) => safeText(text));
    }
    const doubt = doubtAbout(result, name, peer, direction);
    if (doubt !== undefined) output.warn(doubt);
  }

  #draw(): void {
    if (this.#isPaused || this.#options.output.isJson) return;
    const moving = [...this.#underway.values()].filter(({ way }) => way !== '');
    const [only] = moving;
    if (!only) {
      // Between two of many files it stays where it is.
      if (this.#underway.size > 0) return;
      this.#bar?.stop();
      this.#bar = undefined;
      return;
    }
    const { output, direction } = this.#options;
    const label =
      moving.length > 1
        ? `${moving.length} files`
        : `${only.name} ${direction === 'to' ? '→' : '←'} ${bareOf(only.peer)}`;
    const isKnown = moving.every(({ totalBytes }) => totalBytes !== undefined);
    const done = moving.reduce((sum, { confirmedBytes }) => sum + confirmedBytes, 0);
    const total = moving.reduce((sum, { totalBytes = 0 }) => sum + totalBytes, 0);
    this.#bar ??= output.progress(label, 'bytes');
    this.#bar.relabel(label);
    this.#bar.update(done, isKnown ? total : undefined, only.way);
  }

  /**
   * What all of it comes to, when it is not a success.
   * @param isStrict nobody having compared hashes counts as a failure
   */
  verdict(isStrict: boolean): XmppctlError | Error | undefined {
    const total = this.#results.length + this.#failures.length;
    const [first] = this.#failures;
    if (first && this.#failures.length === total && this.#isOneKind()) return first;
    if (first) {
      const verb = this.#options.direction === 'to' ? 'sent' : 'received';
      return new NegativeError(
        `${this.#failures.length} of ${total} transfers failed, the others were ${verb}`,
        {
          details: { failed: this.#failures.length, total },
        },
      );
    }
    const counted = this.#results.filter(({ method }) => method !== 'upload');
    const unconfirmed = counted.filter(({ certainty }) => certainty === 'unconfirmed').length;
    if (unconfirmed > 0)
      return new TimeoutError(`everything was sent, and ${unconfirmed} of ${total} never confirmed`, {
        details: { unconfirmed, total },
        hint: 'ask whether it arrived',
      });
    const unverified = counted.filter(({ certainty }) => certainty === 'unverified').length;
    if (isStrict && unverified > 0)
      return new NegativeError(`${unverified} of ${total} could not be verified`, {
        details: { unverified, total },
      });
    return undefined;
  }

  #isOneKind(): boolean {
    const codes = this.#failures.map((error) => (error instanceof XmppctlError ? error.exitCode : 0));
    return new Set(codes).size === 1;
  }
}
