/**
 * One offered file, from the decision to the stored file.
 *
 * The order at the end is what everything hangs on: complete, hash compared, stored under its name, and only then
 * the sender is told.
 */
import { TimeoutError } from '../../errors.js';
import { interruption, within } from '../../session/wait.js';
import { checkIntegrity, type IntegrityCheck } from './check-integrity.js';
import { IncomingBytes, type Arrival } from './incoming-bytes.js';
import { Refusal, type DecideOffer, type IncomingFile, type IncomingPath } from './incoming-file.js';
import { BrokenPathError } from '../sending/outgoing-bytes.js';
import { WrongContentError } from '../reasons.js';
import type { FileSink, TransferEvent, TransferResult } from '../transfer.js';
import { watchProgress } from '../watch-progress.js';

export interface ReceiveContext {
  decide: DecideOffer;
  emit: (event: TransferEvent) => void;
  timeoutMs: number;
}

/** How long a sender may keep its stream open after the last byte before nobody looks any more whether more comes. */
const SURPLUS_MS = 500;

export async function receiveOne(incoming: IncomingFile, context: ReceiveContext): Promise<void> {
  const { id, file, peer } = incoming;
  context.emit({ id, kind: 'offered', file, peer: peer.toString() });
  let decision: FileSink | Refusal;
  try {
    incoming.signal.throwIfAborted();
    decision = await within(context.decide(incoming), { doing: 'deciding', signal: incoming.signal });
  } catch (error) {
    await giveUp(incoming, undefined, error, context);
    return;
  }
  if (decision instanceof Refusal) {
    await incoming.refuse(decision);
    return;
  }
  const sink = decision;
  try {
    const result = await new Reception(incoming, sink, context).run();
    context.emit({ id, kind: 'done', result });
    await incoming.confirm();
  } catch (error) {
    await giveUp(incoming, sink, error, context);
  }
}

async function giveUp(
  incoming: IncomingFile,
  sink: FileSink | undefined,
  error: unknown,
  { emit }: ReceiveContext,
): Promise<void> {
  let told = error;
  try {
    // What is wrong must not be there next time; everything else goes on from where it is.
    if (error instanceof WrongContentError) await sink?.discard();
    else await sink?.suspend();
  } catch (second) {
    told = second;
  }
  await incoming.fail(error);
  emit({
    id: incoming.id,
    kind: 'failed',
    file: incoming.file,
    error: told instanceof Error ? told : new Error(String(told)),
  });
}

type Judgement = { check: IntegrityCheck } | { broken: Error };

class Reception {
  readonly #incoming: IncomingFile;
  readonly #sink: FileSink;
  readonly #context: ReceiveContext;
  /** What the sink has. */
  #keptBytes: number;

  constructor(incoming: IncomingFile, sink: FileSink, context: ReceiveContext) {
    this.#incoming = incoming;
    this.#sink = sink;
    this.#context = context;
    this.#keptBytes = sink.offset;
  }

  async run(): Promise<TransferResult> {
    const startedMs = performance.now();
    const resumedFromBytes = this.#keptBytes;
    const { id, peer, file } = this.#incoming;
    this.#context.emit({ id, kind: 'accepted', peer: peer.toString(), offsetBytes: resumedFromBytes });
    if (file.sizeBytes !== undefined && resumedFromBytes > file.sizeBytes)
      throw new WrongContentError('what is kept of an earlier transfer is longer than the file');
    let path = await this.#incoming.accept(resumedFromBytes);
    let check: IntegrityCheck | undefined;
    while (!check) {
      const before = this.#keptBytes;
      const bytes = this.#begin(path);
      let broken: Error;
      try {
        const arrival = await this.#take(path, bytes);
        const outcome = await this.#judge(arrival, bytes);
        if ('check' in outcome) {
          check = outcome.check;
          break;
        }
        broken = outcome.broken;
      } catch (error) {
        path.bytestream.stream.destroy();
        throw error;
      } finally {
        bytes.detach();
      }
      path.bytestream.stream.destroy();
      path = await this.#incoming.reconnect(this.#keptBytes, broken, this.#keptBytes > before);
    }
    if (check.outcome === 'mismatch') {
      path.bytestream.stream.destroy();
      throw new WrongContentError('what arrived is not what was sent: the hashes differ');
    }
    const storedAs = await this.#sink.commit();
    // The other side may still wait for the end of ours.
    path.bytestream.stream.end();
    return {
      name: file.name,
      sizeBytes: this.#keptBytes,
      method: path.bytestream.method,
      path: path.bytestream.path,
      certainty: check.outcome === 'verified' ? 'verified' : 'unverified',
      hashes: check.hash ? [check.hash] : [],
      resumedFromBytes,
      elapsedMs: performance.now() - startedMs,
      ...(storedAs !== undefined && { storedAs }),
    };
  }

  #begin(path: IncomingPath): IncomingBytes {
    const { method, path: way } = path.bytestream;
    this.#context.emit({
      id: this.#incoming.id,
      kind: 'transport',
      method,
      path: way,
      ...(path.reason !== undefined && { reason: path.reason }),
    });
    return new IncomingBytes(path.bytestream.stream, this.#sink, {
      startBytes: path.startBytes,
      keptBytes: this.#keptBytes,
      sizeBytes: this.#sizeBytes,
    });
  }

  get #sizeBytes(): number | undefined {
    return this.#incoming.file.sizeBytes ?? this.#incoming.told().sizeBytes;
  }

  /** Everything that comes by one path. */
  async #take(path: IncomingPath, bytes: IncomingBytes): Promise<Arrival> {
    const { stream } = path.bytestream;
    const { signal, id } = this.#incoming;
    const report = (confirmedBytes: number): void =>
      this.#context.emit({ id, kind: 'progress', confirmedBytes, totalBytes: this.#sizeBytes });
    // Silence is no fault of a slow sender; only a sender that is gone ends the wait.
    const onStall = (): void =>
      void this.#incoming.ping().catch((error: unknown) => {
        stream.destroy(new BrokenPathError('the sender is gone', { cause: error }));
      });
    using _watch = watchProgress({
      read: () => Math.max(bytes.receivedBytes, this.#keptBytes),
      report,
      stallMs: this.#context.timeoutMs,
      onStall,
    });
    // The sink must be at rest before it is put away, so the reading is stopped rather than left behind.
    const onAbort = (): void => bytes.detach();
    signal.addEventListener('abort', onAbort);
    try {
      if (signal.aborted) bytes.detach();
      const arrival = await bytes.run();
      if (arrival.kind === 'broken' && signal.aborted) throw interruption(signal, 'receiving');
      return arrival;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#keptBytes = Math.max(this.#keptBytes, bytes.receivedBytes);
      report(this.#keptBytes);
    }
  }

  /** Whether that was all, and right; or why another path is needed. */
  async #judge(arrival: Arrival, bytes: IncomingBytes): Promise<Judgement> {
    if (arrival.kind === 'broken') return { broken: arrival.error };
    if (arrival.kind === 'complete') return this.#judgeComplete(bytes);
    const { sizeBytes } = this.#incoming.file;
    if (sizeBytes !== undefined) return { broken: endedEarly(this.#keptBytes, sizeBytes) };
    // It may have been told meanwhile, before the last byte or after.
    return this.#judgeUnknownSize();
  }

  async #judgeComplete(bytes: IncomingBytes): Promise<Judgement> {
    const check = await this.#check();
    if (check.outcome !== 'unknown') return { check };
    const surplus = bytes.expectEnd();
    const tooMuch = surplus.then(() => new Promise<never>(() => undefined));
    if (this.#incoming.isMoreExpected) {
      const judgement = await Promise.race([this.#waitForHash(), tooMuch]);
      if ('broken' in judgement || judgement.check.outcome !== 'unknown') return judgement;
    }
    const bounded = within(surplus, { doing: '', timeoutMs: SURPLUS_MS });
    await Promise.race([bounded, tooMuch]).catch((error: unknown) => {
      if (!(error instanceof TimeoutError)) throw error;
    });
    return { check };
  }

  /** XEP-0234 §6.2: the hash may be told after the data. */
  async #waitForHash(): Promise<Judgement> {
    for (;;) {
      const check = await this.#check();
      if (check.outcome !== 'unknown') return { check };
      const word = await this.#waitForWord();
      if (word === 'moved') return { broken: moved() };
      if (word !== 'told') return { check: await this.#check() };
    }
  }

  /**
   * The connection of a sender that was killed ends like that of one which is done, so the end of the stream alone
   * proves nothing: a hash must fit, or the sender must say that it is done.
   */
  async #judgeUnknownSize(): Promise<Judgement> {
    for (;;) {
      const size = this.#sizeBytes;
      if (size !== undefined && size > this.#keptBytes) return { broken: endedEarly(this.#keptBytes, size) };
      if (size !== undefined && size < this.#keptBytes)
        throw new WrongContentError(`more came than the ${size} bytes that were announced`);
      const check = await this.#check();
      if (check.outcome === 'verified') return { check };
      if (check.outcome === 'mismatch') {
        if (size !== undefined) return { check };
        return { broken: new BrokenPathError('the stream ended before the end of the file') };
      }
      const word = await this.#waitForWord();
      if (word === 'done') return { check: await this.#check() };
      if (word === 'moved') return { broken: moved() };
      if (word === undefined)
        return {
          broken: new BrokenPathError('the stream ended, and the sender did not say that this was all'),
        };
    }
  }

  /** @returns undefined when there was nothing more in time */
  async #waitForWord(): Promise<'told' | 'done' | 'moved' | undefined> {
    const { signal } = this.#incoming;
    try {
      return await within(this.#incoming.nextWord(), {
        doing: 'waiting for the hash of the file',
        timeoutMs: this.#context.timeoutMs,
        signal,
      });
    } catch (error) {
      if (error instanceof TimeoutError) return undefined;
      throw error;
    }
  }

  #check(): Promise<IntegrityCheck> {
    return checkIntegrity(this.#sink, this.#incoming.told().hashes);
  }
}

function endedEarly(keptBytes: number, sizeBytes: number): BrokenPathError {
  return new BrokenPathError(`the stream ended after ${keptBytes} of ${sizeBytes} bytes`);
}

function moved(): BrokenPathError {
  return new BrokenPathError('the sender asks for another path');
}
