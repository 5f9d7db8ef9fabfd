/**
 * Says one side's lines of a recording to a live other side, and compares what that says with the recording.
 *
 * A line waits for everything that the other side had said before it; a reply waits for its request alone. Knows no
 * sockets: it is given what arrives, and a function that sends.
 */
import { smNamespaces } from '../trace-analysis/namespaces.js';
import type { Direction } from '../trace/events.js';
import type { TraceElement } from '../trace/trace-element.js';
import { makeAddressMap, type AddressPair, type Party } from './addresses.js';
import type { Conversation, Line } from './conversation.js';
import { Departures } from './departures.js';
import { Expectations, type Expectation } from './expectations.js';
import type { ReplayEvent, ReplaySummary } from './events.js';
import { LearntValues } from './learnt-values.js';
import { OwnRequests } from './own-requests.js';
import { answering, refusalOf } from './answers.js';
import { Waker } from './waker.js';
import { rewriteElement, writeElement, type Rewriting } from './write-element.js';

export interface PlayerOptions {
  conversation: Conversation;
  /** Whose lines are said. */
  role: 'client' | 'server';
  /** Who the client is on the live stream. */
  party: Party;
  pairs: readonly AddressPair[];
  /** Which of the lines are meant at all: a range of the recording. */
  isMeant: (line: Line) => boolean;
  /** Which of our side's stanzas are said; all when left out. With it nothing but replies is expected. */
  isSelected?: ((element: TraceElement) => boolean) | undefined;
  /** Why a line cannot be said here; undefined when it can. */
  obstacle: (line: Line) => { reason: string; isDeparture: boolean } | undefined;
  /** How much faster than in the recording; undefined without pauses. */
  speed: number | undefined;
  /** How long a reply, and anything else, is waited for. Milliseconds. */
  replyTimeoutMs: number;
  otherTimeoutMs: number;
  /** The namespace of elements that declare none. */
  namespace: string;
  send: (text: string) => Promise<void>;
  report: (event: ReplayEvent) => void;
  /** On a clock that never jumps. Milliseconds. */
  now: () => number;
  signal: AbortSignal;
}

/** A reply overtakes a line that has been waiting for so long. */
const overtakeMs = 200;
/** What departs more often is another conversation. */
const maxDepartures = 10_000;

export class Player {
  readonly #options: PlayerOptions;
  readonly #expectations: Expectations;
  readonly #own: Line[];
  readonly #learnt = new LearntValues();
  readonly #departures: Departures;
  readonly #rewriting: Rewriting;
  readonly #said = new Set<Line>();
  readonly #asked = new OwnRequests();
  readonly #dir: { own: Direction; other: Direction };
  /** The first own line that was neither said nor left out. */
  #position = 0;
  /** So many of what is expected, from the first on, are expected no more. */
  #settled = 0;
  #progressAt: number;
  #end: string | undefined;
  readonly #waker: Waker;

  constructor(options: PlayerOptions) {
    const { conversation, party, pairs, role, isMeant } = options;
    this.#options = options;
    this.#dir = role === 'client' ? { own: 'out', other: 'in' } : { own: 'in', other: 'out' };
    const lines = conversation.lines.filter((line) => isMeant(line) && !isAcknowledgement(line));
    const kept = new Set(lines.map(({ index }) => index));
    // Half of an exchange cannot be played.
    const whole = lines.filter(({ replyTo }) => replyTo === undefined || kept.has(replyTo));
    const isOwn = ({ dir }: Line): boolean => dir === this.#dir.own;
    this.#own = whole.filter(isOwn);
    const mapAddresses = makeAddressMap(conversation, party, pairs);
    const translate: Rewriting = {
      attribute: (_name, value) => mapAddresses(value),
      text: (text, { name }) => (isProse(name) ? text : mapAddresses(text)),
    };
    this.#rewriting = {
      attribute: (name, value, element) =>
        this.#learnt.get(value) ?? translate.attribute(name, value, element),
      text: (text, element) => this.#learnt.get(text.trim()) ?? translate.text(text, element),
    };
    this.#expectations = new Expectations(
      whole.filter((line) => !isOwn(line)),
      { bare: bareOf(party.jid), domain: party.domain?.toLowerCase() },
      (element) => rewriteElement(element, translate),
    );
    this.#departures = new Departures(options.report);
    this.#progressAt = options.now();
    this.#waker = new Waker(options.signal);
  }

  /** Something came from the other side. Acknowledgements of stream management are not for here. */
  receive(live: TraceElement): void {
    const { role, namespace } = this.#options;
    const request = this.#asked.take(live);
    const match = this.#expectations.take(
      live,
      this.#dir.other,
      request,
      ({ line }) => line.index < this.#barrier,
    );
    if (match) {
      this.#learnt.learn(match.expectation.line.element, live);
      this.#departures.matched(match, writeElement(live, namespace));
    } else if (typeof request === 'number' && this.#isBeyondEnd(request)) {
      const { what } = this.#expectations.describe(live, this.#dir.other);
      this.#departures.beyond(this.#dir.other, what);
    } else {
      const { what } = this.#expectations.describe(live, this.#dir.other);
      this.#departures.additional(this.#dir.other, what, writeElement(live, namespace));
      const answer = this.#answerAgain(live) ?? refusalOf(live, role);
      if (answer) this.#say(writeElement(answer, namespace));
      if (this.#departures.count >= maxDepartures)
        this.end(`there are more than ${maxDepartures} departures`);
    }
    // Whoever says anything else all the time is not waited for without end.
    if (match) this.#progressAt = this.#options.now();
    this.#waker.wake(false);
  }

  /** The stream is over. */
  end(reason: string): void {
    this.#end ??= reason;
    this.#waker.wake(true);
  }

  /** Where the recording has been played to: the other side has said what came before. */
  get #barrier(): number {
    return this.#own[this.#position]?.index ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Plays the conversation to its end.
   * @throws InterruptedError
   */
  async run(): Promise<void> {
    this.#progressAt = this.#options.now();
    for (; this.#position < this.#own.length; this.#position += 1) {
      const line = this.#own[this.#position];
      if (line === undefined || this.#said.has(line)) continue;
      if (this.#leavesOut(line)) continue;
      if (!(await this.#waitFor(this.#needs(line)))) return;
      if (line.replyTo !== undefined && this.#expectations.at(line.replyTo)?.state !== 'met') {
        this.#skip(line, 'nobody asked');
        continue;
      }
      if (!(await this.#pauseBefore(line))) return;
      await this.#play(line);
    }
    await this.#waitFor(this.#expectations.all.filter((each) => this.#isExpected(each)));
  }

  /** Behind `run`, and when everything that may still come has come. */
  summary(): ReplaySummary {
    const left = this.#expectations.all.filter((each) => this.#isExpected(each)).length;
    // A client leaves when it has what it wants; what a server had still to say is no concern of the client's.
    const unsaid = this.#options.role === 'client' ? this.#own.length - this.#position : 0;
    if (this.#end !== undefined && (unsaid > 0 || left > 0)) this.#departures.ended(this.#end, left + unsaid);
    return this.#departures.summary();
  }

  /** The stream ended before the recording does. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Nothing of the other side is recorded behind this line: it went before it was answered, or was cut off here. */
  #isBeyondEnd(request: number): boolean {
    return request > (this.#expectations.all.at(-1)?.line.index ?? -1);
  }

  #isExpected({ line, state }: Expectation): boolean {
    if (state !== 'open') return false;
    return this.#options.isSelected === undefined || line.replyTo !== undefined;
  }

  #needs(line: Line): Expectation[] {
    if (line.replyTo !== undefined) {
      const request = this.#expectations.at(line.replyTo);
      return request?.state === 'open' ? [request] : [];
    }
    const { all } = this.#expectations;
    const isOpen = (each: Expectation | undefined): boolean => each?.state === 'open';
    while (this.#settled < all.length && !isOpen(all[this.#settled])) this.#settled += 1;
    const needs: Expectation[] = [];
    for (let at = this.#settled; at < all.length; at += 1) {
      const each = all[at];
      if (each === undefined || each.line.index > line.index) break;
      if (this.#isExpected(each)) needs.push(each);
    }
    return needs;
  }

  /** @returns false when the stream ended meanwhile */
  async #waitFor(needs: readonly Expectation[]): Promise<boolean> {
    const { now, replyTimeoutMs, otherTimeoutMs } = this.#options;
    const since = now();
    this.#progressAt = Math.max(this.#progressAt, since);
    for (;;) {
      if (this.#end !== undefined) return false;
      const open = needs.filter(({ state }) => state === 'open');
      if (open.length === 0) return true;
      const waitsForReply = open.some(({ line }) => line.replyTo !== undefined);
      const leftMs = this.#progressAt + (waitsForReply ? replyTimeoutMs : otherTimeoutMs) - now();
      if (leftMs <= 0) {
        for (const expectation of open) {
          expectation.state = 'missing';
          this.#departures.missing(expectation);
        }
        return true;
      }
      const overtakesIn = since + overtakeMs - now();
      if (overtakesIn <= 0) await this.#overtake();
      await this.#waker.sleep(overtakesIn > 0 ? Math.min(leftMs, overtakesIn) : leftMs, true);
    }
  }

  /** Replies whose requests have come need not wait for what the other side has not said yet. */
  async #overtake(): Promise<void> {
    for (const line of this.#own.slice(this.#position + 1)) {
      if (line.replyTo === undefined || this.#said.has(line) || this.#options.obstacle(line)) continue;
      if (this.#expectations.at(line.replyTo)?.state === 'met') await this.#play(line);
    }
  }

  #leavesOut(line: Line): boolean {
    const { isSelected, obstacle } = this.#options;
    const obstructed = obstacle(line);
    const isLeftOut = isSelected !== undefined && !isSelected(line.element);
    if (!isLeftOut && obstructed === undefined) return false;
    const reply = this.#expectations.replyTo(line.index);
    if (reply) reply.state = 'waived';
    if (isLeftOut) this.#departures.leaveOut();
    else if (obstructed?.isDeparture) this.#departures.unsupported(this.#describe(line), obstructed.reason);
    else this.#skip(line, obstructed?.reason ?? '');
    return true;
  }

  #skip(line: Line, reason: string): void {
    this.#departures.skipped(this.#describe(line), reason);
  }

  #describe(line: Line): { n: number; dir: Direction; what: string } {
    const { what } = this.#expectations.describe(line.element, line.dir);
    return { n: line.n, dir: line.dir, what };
  }

  /** As long as it was in the recording since whatever came before it. @returns false when the stream ended meanwhile */
  async #pauseBefore(line: Line): Promise<boolean> {
    const { speed, conversation, now } = this.#options;
    const before = conversation.lines[line.index - 1];
    if (speed === undefined || before === undefined || !this.#options.isMeant(before)) return true;
    const until = this.#progressAt + (line.t - before.t) / speed;
    for (let leftMs = until - now(); leftMs > 0; leftMs = until - now()) {
      await this.#waker.sleep(leftMs, false);
      if (this.#end !== undefined) return false;
    }
    return true;
  }

  async #play(line: Line): Promise<void> {
    this.#said.add(line);
    const element = this.#addressed(line, rewriteElement(line.element, this.#rewriting));
    this.#asked.note(element, line);
    this.#departures.sent(this.#describe(line));
    this.#progressAt = this.#options.now();
    await this.#options.send(writeElement(element, this.#options.namespace)).catch((error: unknown) => {
      this.end(error instanceof Error ? error.message : String(error));
    });
  }

  /** A reply goes to whoever asks here. */
  #addressed(line: Line, element: TraceElement): TraceElement {
    const asked = line.replyTo === undefined ? undefined : this.#expectations.at(line.replyTo)?.live;
    return asked ? answering(element, asked) : element;
  }

  /** A request that the recording has answered already, asked once more. */
  #answerAgain(live: TraceElement): TraceElement | undefined {
    const { type } = live.attributes;
    if (live.name !== 'iq' || (type !== 'get' && type !== 'set')) return undefined;
    const { normal } = this.#expectations.describe(live, this.#dir.other);
    const known = this.#expectations.all.find(({ item }) => item.normal.canonical === normal.canonical);
    const reply = known && this.#own.find(({ replyTo }) => replyTo === known.line.index);
    return reply && answering(rewriteElement(reply.element, this.#rewriting), live);
  }

  #say(text: string): void {
    this.#options.send(text).catch((error: unknown) => {
      this.end(error instanceof Error ? error.message : String(error));
    });
  }
}

/** Acknowledgements are a matter of timing and of counters: whoever has the stream sees to them. */
function isAcknowledgement({ element }: Line): boolean {
  return smNamespaces.has(element.namespace) && (element.name === 'r' || element.name === 'a');
}

/** What people write stays as it is. */
function isProse(name: string): boolean {
  return name === 'body' || name === 'subject' || name === 'p' || name === 'span';
}

function bareOf(jid: string | undefined): string | undefined {
  return jid?.includes('@') ? jid.replace(/\/.*$/s, '').toLowerCase() : undefined;
}
