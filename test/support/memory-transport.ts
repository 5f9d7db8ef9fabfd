/** A Jingle transport through memory, whose paths can be made to fail. */
import { randomUUID } from 'node:crypto';
import { Duplex } from 'node:stream';
import {
  TransportFailedError,
  type Bytestream,
  type JingleTransport,
  type TransportContext,
  type TransportNegotiation,
} from '../../src/lib/jingle/transport.js';
import { within } from '../../src/lib/session/wait.js';
import { xml, type Element } from '../../src/lib/xml/element.js';

export interface MemoryTransportOptions {
  namespace?: string;
  method?: Bytestream['method'];
  /** What becomes of each attempt, in order; the last one goes on for the rest. */
  plan?: readonly Fate[];
}

/**
 * `ok`: works. `fails`: no path. `silent`: the other side never shows up. `{ cutAfter }`: breaks after so many bytes of
 * the one who writes, with an error on both sides; `{ endAfter }`: the reader sees an orderly end, as after a kill.
 */
export type Fate = 'ok' | 'fails' | 'silent' | { cutAfter: number } | { endAfter: number };

interface Meeting {
  fate: Fate;
  waiting: ((end: MemoryEnd) => void) | undefined;
}

/** Both ends of a test share one, or each has one of a pair. */
export class MemoryTransport implements JingleTransport {
  readonly namespace: string;
  readonly features: readonly string[] = [];
  readonly #method: Bytestream['method'];
  readonly #plan: readonly Fate[];
  #meetings = new Map<string, Meeting>();
  readonly #ends: MemoryEnd[] = [];
  #isDead = false;
  #attempts = 0;
  /** Every transport-info, with the sid it was for. */
  readonly infos: string[] = [];
  /** Bytes written, over all paths. */
  writtenBytes = 0;
  /** Called for each piece that is written. */
  onWrite: () => void = () => undefined;

  constructor({
    namespace = 'urn:example:memory',
    method = 'direct',
    plan = ['ok'],
  }: MemoryTransportOptions = {}) {
    this.namespace = namespace;
    this.#method = method;
    this.#plan = plan;
  }

  get attempts(): number {
    return this.#attempts;
  }

  /** For the other side, where one of them is going to be killed. */
  sibling(): MemoryTransport {
    const sibling = new MemoryTransport({
      namespace: this.namespace,
      method: this.#method,
      plan: this.#plan,
    });
    sibling.#meetings = this.#meetings;
    return sibling;
  }

  /** As when the program is killed: the system ends its connections, orderly, and it does nothing any more. */
  kill(): void {
    this.#isDead = true;
    for (const end of this.#ends) end.kill();
  }

  begin(context: TransportContext): TransportNegotiation {
    const { namespace } = this;
    let sid = randomUUID() as string;
    const abandoned = new AbortController();
    return {
      namespace,
      get sid() {
        return sid;
      },
      offer: () => {
        const fate = this.#plan[Math.min(this.#attempts, this.#plan.length - 1)] ?? 'ok';
        this.#attempts += 1;
        this.#meetings.set(sid, { fate, waiting: undefined });
        return Promise.resolve(xml('transport', { xmlns: namespace, sid }));
      },
      answer: (theirs: Element) => {
        sid = String(theirs.attrs['sid']);
        return Promise.resolve(xml('transport', { xmlns: namespace, sid }));
      },
      setAnswer: () => undefined,
      receiveInfo: (info) => void this.infos.push(info.toString()),
      connect: () =>
        within(this.#meet(sid), {
          doing: 'waiting for the other side to connect',
          timeoutMs: context.timeoutMs,
          signal: abandoned.signal,
        }),
      abandon: () => abandoned.abort(new TransportFailedError('abandoned')),
    };
  }

  #meet(sid: string): Promise<Bytestream> {
    if (this.#isDead) return new Promise(() => undefined);
    const meeting = this.#meetings.get(sid);
    if (!meeting || meeting.fate === 'fails')
      return Promise.reject(new TransportFailedError(`no path over ${this.namespace}`));
    const { fate } = meeting;
    if (fate === 'silent') return new Promise(() => undefined);
    if (!meeting.waiting) {
      return new Promise((resolve) => {
        meeting.waiting = (end) => resolve(this.#bytestream(end));
      });
    }
    const [left, right] = linkEnds(fate, (bytes) => {
      this.writtenBytes += bytes;
      this.onWrite();
    });
    meeting.waiting(left);
    return Promise.resolve(this.#bytestream(right));
  }

  #bytestream(end: MemoryEnd): Bytestream {
    this.#ends.push(end);
    return { stream: end, method: this.#method, path: 'memory', confirmedBytes: () => end.sentBytes };
  }
}

function linkEnds(fate: Fate, count: (bytes: number) => void): [MemoryEnd, MemoryEnd] {
  const limit =
    typeof fate === 'string' ? Number.POSITIVE_INFINITY : 'cutAfter' in fate ? fate.cutAfter : fate.endAfter;
  const isOrderly = typeof fate === 'object' && 'endAfter' in fate;
  const left = new MemoryEnd(limit, isOrderly, count);
  const right = new MemoryEnd(limit, isOrderly, count);
  left.other = right;
  right.other = left;
  return [left, right];
}

class MemoryEnd extends Duplex {
  other: MemoryEnd | undefined;
  sentBytes = 0;
  #whenRead: (() => void) | undefined;

  constructor(
    private readonly limit: number,
    private readonly isOrderly: boolean,
    private readonly count: (bytes: number) => void,
  ) {
    super({ allowHalfOpen: true, readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 });
  }

  #isDead = false;

  kill(): void {
    this.#isDead = true;
    this.other?.push(null);
  }

  override _read(): void {
    const ready = this.#whenRead;
    this.#whenRead = undefined;
    ready?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    const { other } = this;
    if (this.#isDead) return;
    if (!other || other.destroyed || other.#isDead) {
      done(new Error('write EPIPE'));
      return;
    }
    const room = Math.min(chunk.length, this.limit - this.sentBytes);
    this.sentBytes += room;
    this.count(room);
    const isFull = room > 0 && !other.push(chunk.subarray(0, room));
    if (room < chunk.length || this.sentBytes >= this.limit) {
      // What has arrived is read before the break is seen.
      setImmediate(() => {
        if (this.isOrderly) other.push(null);
        else other.destroyWhenRead();
        done(new Error('write ECONNRESET'));
      });
      return;
    }
    if (isFull) other.#whenRead = done;
    else setImmediate(done);
  }

  override _final(done: () => void): void {
    if (this.#isDead) return;
    this.other?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this;
    // A connection that is closed while the other side still sends: it learns of that.
    if (other && !this.#isDead && !other.destroyed && !this.writableFinished)
      setImmediate(() => other.destroyWhenRead());
    done(error);
  }

  destroyWhenRead(): void {
    if (this.readableLength === 0) this.destroy(new Error('read ECONNRESET'));
    else setImmediate(() => this.destroyWhenRead());
  }
}
