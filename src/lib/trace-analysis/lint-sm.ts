/** The counters of stream management (XEP-0198) in both directions of a session. */
import type { Direction } from '../trace/events.js';
import type { Report } from './findings.js';
import { opposite } from './lint-iq.js';
import { quote } from './quote.js';

/** What a direction sent, and what the other side said of it. */
interface Count {
  isCounting: boolean;
  sent: number;
  acknowledged: number;
  /** Records with an `<r/>` that waits. */
  asked: { n: number; isPassedOver: boolean }[];
}

const fresh = (): Count => ({ isCounting: false, sent: 0, acknowledged: 0, asked: [] });

/** Nobody needs to know of more unanswered questions than these. */
const maxAsked = 1000;

export class CounterRules {
  #counts: Record<Direction, Count> = { in: fresh(), out: fresh() };
  /** The `h` of a `<resume/>` whose answer is awaited. */
  #resumeH = 0;

  /** A direction's stanzas are counted from here on. */
  start(dir: Direction): void {
    this.#counts[dir] = { ...fresh(), isCounting: true };
  }

  stop(): void {
    this.#counts = { in: fresh(), out: fresh() };
  }

  stanza(dir: Direction): void {
    this.#counts[dir].sent += 1;
    this.#noteActivity(dir);
  }

  /** `<r/>` */
  ask(dir: Direction, n: number, report: Report): void {
    const { isCounting, asked } = this.#counts[dir];
    if (!isCounting)
      report('sm.not-enabled', [n], 'an acknowledgement is asked for without stream management');
    else if (asked.length < maxAsked) asked.push({ n, isPassedOver: false });
    this.#noteActivity(dir);
  }

  /** `<a/>` of a direction: it counts what the other one sent. */
  acknowledge(dir: Direction, h: string | undefined, n: number, report: Report): void {
    const count = this.#counts[opposite(dir)];
    if (!count.isCounting) {
      report('sm.not-enabled', [n], 'an acknowledgement without stream management');
      return;
    }
    count.asked.shift();
    const value = this.#check(count, h, n, report);
    if (value !== undefined) count.acknowledged = Math.max(count.acknowledged, value);
    this.#noteActivity(dir);
  }

  /** `<resume/>`: says what it has of the other direction. */
  resume(dir: Direction, h: string | undefined, n: number, report: Report): void {
    this.#resumeH = this.#check(this.#counts[opposite(dir)], h, n, report) ?? 0;
  }

  /** `<resumed/>`: from here on both send again what the other does not have. */
  resumed(dir: Direction, h: string | undefined, n: number, report: Report): void {
    const asking = opposite(dir);
    const value = this.#check(this.#counts[asking], h, n, report) ?? 0;
    this.#counts[asking] = { isCounting: true, sent: value, acknowledged: value, asked: [] };
    this.#counts[dir] = { isCounting: true, sent: this.#resumeH, acknowledged: this.#resumeH, asked: [] };
  }

  /** Both sides are lost count of: records are missing. */
  forget(): void {
    for (const dir of ['in', 'out'] as const) {
      const count = this.#counts[dir];
      if (count.isCounting) this.#counts[dir] = { ...count, sent: Number.POSITIVE_INFINITY, asked: [] };
    }
  }

  end(report: Report): void {
    for (const dir of ['in', 'out'] as const) {
      for (const { n, isPassedOver } of this.#counts[dir].asked)
        if (isPassedOver) report('sm.unacknowledged', [n], 'an acknowledgement was asked for and never came');
      this.#counts[dir].asked = [];
    }
  }

  /** The other direction goes on without answering what it was asked. */
  #noteActivity(dir: Direction): void {
    const [first] = this.#counts[opposite(dir)].asked;
    if (first) first.isPassedOver = true;
  }

  #check(count: Count, h: string | undefined, n: number, report: Report): number | undefined {
    const said = h !== undefined && /^\d{1,10}$/.test(h) ? Number(h) : undefined;
    if (said === undefined || said >= wrap) {
      report('sm.h-invalid', [n], h === undefined ? 'an acknowledgement without h' : `h is ${quote(h)}`);
      return undefined;
    }
    const value = unwrap(said, count.acknowledged);
    if (value < count.acknowledged)
      report('sm.h-backwards', [n], `h is ${said} after ${count.acknowledged % wrap} had been acknowledged`);
    if (count.isCounting && value > count.sent)
      report('sm.h-beyond', [n], `h is ${said}, and only ${count.sent % wrap} stanzas were sent`);
    return value;
  }
}

/** XEP-0198 §5: after 2³² − 1 comes 0. A session that was resumed may be there soon. */
const wrap = 2 ** 32;

/** What was meant: the count nearest to the last one that ends so. */
function unwrap(h: number, last: number): number {
  const behind = (((h - last) % wrap) + wrap) % wrap;
  const value = behind < wrap / 2 ? last + behind : last + behind - wrap;
  return value < 0 ? h : value;
}
