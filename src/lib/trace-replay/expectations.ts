/** What the other side says in the recording, and which of it a live stanza is. */
import { compareElements, type Change } from '../trace-analysis/diff/compare-elements.js';
import type { Self } from '../trace-analysis/diff/normalise.js';
import { makeItem, type Item } from '../trace-analysis/diff/recording.js';
import type { Direction } from '../trace/events.js';
import { REDACTION_MARKER } from '../trace/record.js';
import type { TraceElement } from '../trace/trace-element.js';
import type { Line } from './conversation.js';
import { isRenaming } from './learnt-values.js';

export interface Expectation {
  line: Line;
  item: Item;
  /** `waived`: nobody asks for it any more. */
  state: 'open' | 'met' | 'missing' | 'waived';
  /** What came for it. */
  live: TraceElement | undefined;
}

export interface Match {
  expectation: Expectation;
  isLate: boolean;
  changes: Change[];
}

export class Expectations {
  readonly all: readonly Expectation[];
  readonly #self: Self;
  readonly #byLine = new Map<number, Expectation>();
  /** By the line of the request. */
  readonly #replies = new Map<number, Expectation>();
  /** What is no reply, by its kind, in the order of the recording. */
  readonly #others = new Map<string, Expectation[]>();

  /**
   * @param lines those of the other side
   * @param translate the recorded element with the addresses of here and now
   */
  constructor(lines: readonly Line[], self: Self, translate: (element: TraceElement) => TraceElement) {
    this.#self = self;
    this.all = lines.map((line) => {
      const item = makeItem(line.n, line.dir, translate(line.element), self);
      const expectation: Expectation = { line, item, state: 'open', live: undefined };
      this.#byLine.set(line.index, expectation);
      if (line.replyTo !== undefined) this.#replies.set(line.replyTo, expectation);
      else {
        const list = this.#others.get(item.key);
        if (list) list.push(expectation);
        else this.#others.set(item.key, [expectation]);
      }
      return expectation;
    });
  }

  at(index: number): Expectation | undefined {
    return this.#byLine.get(index);
  }

  replyTo(request: number): Expectation | undefined {
    return this.#replies.get(request);
  }

  /** What is called by its kind in reports. */
  describe(element: TraceElement, dir: Direction): Item {
    return makeItem(0, dir, element, this.#self);
  }

  /**
   * The line that a live stanza stands for, which is met then.
   * @param request the line that it replies to; `none` for a reply to nothing in the recording
   * @param waitedFor whether something earlier in the recording is still waited for
   */
  take(
    live: TraceElement,
    dir: Direction,
    request: number | 'none' | undefined,
    waitedFor: (expectation: Expectation) => boolean,
  ): Match | undefined {
    if (request === 'none') return undefined;
    const item = makeItem(0, dir, live, this.#self);
    const expectation =
      request === undefined ? this.#find(item, waitedFor) : this.#stillUnmet(this.#replies.get(request));
    if (expectation === undefined) return undefined;
    const isLate = expectation.state === 'missing';
    expectation.state = 'met';
    expectation.live = live;
    const changes = compareElements(expectation.item.normal, item.normal).filter(isChange);
    return { expectation, isLate, changes };
  }

  #stillUnmet(expectation: Expectation | undefined): Expectation | undefined {
    return expectation?.state === 'met' ? undefined : expectation;
  }

  /** What is equal, then what is alike and of the same sender, then what is alike and overdue. Leaves the list. */
  #find(item: Item, waitedFor: (expectation: Expectation) => boolean): Expectation | undefined {
    const alike = this.#others.get(item.key);
    if (alike === undefined) return undefined;
    const { canonical, attributes } = item.normal;
    const tests: ((each: Expectation) => boolean)[] = [
      ({ item: { normal } }) => normal.canonical === canonical,
      ({ item: { normal } }) => normal.attributes['from'] === attributes['from'],
      waitedFor,
    ];
    // What was given up comes late only where nothing else is meant.
    for (const state of ['open', 'missing'] as const) {
      for (const fits of tests) {
        const index = alike.findIndex((each) => each.state === state && fits(each));
        if (index >= 0) return alike.splice(index, 1)[0];
      }
    }
    return undefined;
  }
}

/** What was taken out of the recording, or is named at random, differs of course. */
function isChange({ path, a, b }: Change): boolean {
  if (a?.includes(REDACTION_MARKER)) return false;
  if (a === undefined || b === undefined) return true;
  return !isRenaming(a, b) && !/\/(?:first|last) \(text\)$/.test(path);
}
