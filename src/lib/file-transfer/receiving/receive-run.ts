/**
 * Receiving for as long as it is wanted, by every way there is: Jingle, the older stream initiation, and links in
 * messages. What is refused, counted and stored is decided in one place.
 */
import { NS_JINGLE_MESSAGE, proposals, type IncomingProposal } from '../../jingle/message-initiation.js';
import { inBandMethod, socks5Method, streamInitiationOffers } from './stream-initiation.js';
import type { HttpTrust } from '../../http-upload/http-request.js';
import { EventQueue } from '../../event-queue.js';
import type { JingleTransport } from '../../jingle/transport.js';
import type { Contact } from '../../roster/roster.js';
import { sendPresence } from '../../roster/send-presence.js';
import type { Session } from '../../session/session.js';
import type { Admission } from './admission.js';
import { Refusal, type FileOffer } from './incoming-file.js';
import { limitedSink } from '../storing/limited-sink.js';
import { WrongContentError } from '../reasons.js';
import { receiveFiles } from './receive-files.js';
import { receiveLinks } from './receive-links.js';
import { NS_FILE_TRANSFER } from '../stanzas.js';
import type { FileSink, TransferEvent } from '../transfer.js';
import { FileError } from '../../errors.js';

export interface ReceiveRunOptions {
  session: Session;
  admission: Admission;
  roster: ReadonlyMap<string, Contact>;
  transports: readonly JingleTransport[];
  /** Undefined: links are not followed. */
  trust: HttpTrust | undefined;
  /** Ends after so many. */
  count: number | undefined;
  maxSizeBytes: number | undefined;
  priority: number | undefined;
  open: (offer: FileOffer) => Promise<FileSink>;
  timeoutMs: number;
  signal: AbortSignal;
  note: (fact: string) => void;
}

export type ReceiveEvent = TransferEvent | { kind: 'refused'; id: string; reason: string };

/** @throws ConnectionLostError the stream was lost for good */
export async function* receiveRun(options: ReceiveRunOptions): AsyncGenerator<ReceiveEvent> {
  const run = new ReceiveRun(options);
  yield* run.events();
}

class ReceiveRun {
  readonly #options: ReceiveRunOptions;
  readonly #queue = new EventQueue<ReceiveEvent>(Number.POSITIVE_INFINITY);
  readonly #end = new AbortController();
  /** Accepted, and not failed. */
  readonly #taken = new Set<string>();
  readonly #parts = new Map<string, string>();
  #endedCount = 0;

  constructor(options: ReceiveRunOptions) {
    this.#options = options;
  }

  async *events(): AsyncGenerator<ReceiveEvent> {
    const { session, signal, count } = this.#options;
    const onAbort = (): void => this.#end.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    using _advertised = session.advertise(NS_JINGLE_MESSAGE);
    // Everything is in place before anybody hears that we are there.
    const readers = this.#readers();
    using _reconnected = session.on('reconnected', () => void this.#announce().catch(() => undefined));
    const asked = this.#takeProposals(proposals(session));
    void Promise.all([asked, ...readers.map((reader) => this.#pass(reader))]).then(
      () => this.#queue.end(),
      (error: unknown) => this.#queue.end(error),
    );
    const announced = this.#announceAll();
    try {
      for await (const event of this.#queue) {
        yield event;
        const part = this.#partLeftBy(event);
        if (part !== undefined) yield { kind: 'warning', id: event.id, message: `kept as ${part}` };
        this.#countIn(event);
        if (count !== undefined && this.#endedCount >= count) this.#end.abort();
      }
    } finally {
      this.#end.abort();
      signal.removeEventListener('abort', onAbort);
      await announced;
    }
  }

  #readers(): AsyncIterable<ReceiveEvent>[] {
    const { session, admission, transports, trust, timeoutMs, maxSizeBytes, note } = this.#options;
    const { signal } = this.#end;
    const admits = admission.admits.bind(admission);
    const accept = this.#accept.bind(this);
    const common = { accept, admits, timeoutMs, signal };
    const si = streamInitiationOffers(session, { methods: [socks5Method, inBandMethod], timeoutMs, admits });
    const links = trust && receiveLinks(session, { ...common, trust, maxBytes: maxSizeBytes });
    return [receiveFiles(session, { ...common, transports, note, sources: [si] }), ...(links ? [links] : [])];
  }

  async #pass(reader: AsyncIterable<ReceiveEvent>): Promise<void> {
    for await (const event of reader) {
      // At once, so that the same file can be taken again: the queue may be read later.
      if (event.kind === 'failed' && !isFinal(event.error)) this.#taken.delete(event.id);
      this.#queue.push(event);
    }
  }

  async #announceAll(): Promise<void> {
    try {
      await this.#announce();
    } catch (error) {
      if (!this.#end.signal.aborted) this.#queue.end(error);
    }
  }

  async #announce(): Promise<void> {
    const { session, priority } = this.#options;
    if (session.kind !== 'client') return;
    await sendPresence(session, { ...(priority !== undefined && { priority }) });
  }

  /** XEP-0353 §6: an answer shows that we are here, so only those whose files are looked at get one. */
  async #takeProposals(announcements: AsyncIterableIterator<IncomingProposal>): Promise<void> {
    const { session, admission, roster, note } = this.#options;
    const stop = (): void => void announcements.return?.();
    this.#end.signal.addEventListener('abort', stop);
    if (this.#end.signal.aborted) stop();
    for await (const proposal of announcements) {
      const { from, descriptions, signal } = proposal;
      const isFile = descriptions.some((description) => description.getNS() === NS_FILE_TRANSFER);
      if (!isFile || signal.aborted || !admission.admits(from)) continue;
      note(`${from.toString()} asks who takes files: we do`);
      // §3.5: whoever does not see us gets to see what we can do.
      const seesUs = roster.get(from.bare.toString())?.seesUs === true || from.bare.equals(session.jid.bare);
      if (!seesUs && session.kind === 'client') await sendPresence(session, { to: from });
      await proposal.proceed();
    }
  }

  async #accept(offer: FileOffer): Promise<FileSink | Refusal> {
    const refusal = await this.#refusalOf(offer);
    if (refusal) {
      const { condition, text } = refusal;
      const reason = condition === 'busy' ? 'enough files were taken' : (text ?? 'not wanted');
      this.#queue.push({ kind: 'refused', id: offer.id, reason });
      return refusal;
    }
    try {
      const { open, maxSizeBytes } = this.#options;
      const sink = limitedSink(await open(offer), maxSizeBytes);
      if (sink.partPath !== undefined) this.#parts.set(offer.id, sink.partPath);
      return sink;
    } catch (error) {
      this.#taken.delete(offer.id);
      throw error;
    }
  }

  /** One that is taken counts from the question on: two at a time must not both be the last one. */
  async #refusalOf(offer: FileOffer): Promise<Refusal | undefined> {
    const { count = Number.POSITIVE_INFINITY, admission } = this.#options;
    if (this.#taken.size + this.#endedCount >= count) return new Refusal('busy');
    this.#taken.add(offer.id);
    const refusal = await admission.refusalOf(offer);
    if (refusal) this.#taken.delete(offer.id);
    return refusal;
  }

  #countIn(event: ReceiveEvent): void {
    if (event.kind !== 'done' && event.kind !== 'failed') return;
    this.#parts.delete(event.id);
    const wasTaken = this.#taken.delete(event.id);
    const isOver = event.kind === 'done' || isFinal(event.error);
    if (wasTaken && isOver) this.#endedCount += 1;
  }

  /** It is named, so that nobody has to look for it. */
  #partLeftBy(event: ReceiveEvent): string | undefined {
    return event.kind === 'failed' && !(event.error instanceof WrongContentError)
      ? this.#parts.get(event.id)
      : undefined;
  }
}

/** What broke off may be gone on with; what is wrong, or cannot be stored, has come to its end. */
export function isFinal(error: Error): boolean {
  return error instanceof WrongContentError || error instanceof FileError;
}
