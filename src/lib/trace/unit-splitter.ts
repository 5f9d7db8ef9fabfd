/**
 * Cuts one direction of a connection into what XMPP people think in: stream headers, stanzas, keep-alives.
 *
 * It never changes a character, bears packets cut anywhere and XML that is broken, and keeps nothing but the unit
 * that is not complete yet. WebSocket streams (RFC 7395) have no stream element around their stanzas; both work.
 */
import type { Direction } from './events.js';
import { APOSTROPHE, BANG, DASH, GT, LT, OPEN_BRACKET, QUESTION, QUOTE, SLASH } from './xml-bytes.js';

export type UnitKind =
  /** `<stream:stream>`, with the XML declaration before it */
  | 'header'
  /** A whole element on the level of stanzas */
  | 'element'
  /** `</stream:stream>` */
  | 'footer'
  /** White space between stanzas: RFC 6120 §4.6.1 keep-alives */
  | 'space'
  /** Anything that is not XMPP, for example the answer of a web server */
  | 'other'
  /** An element that had not ended when the recording or the connection did */
  | 'incomplete';

export interface Unit {
  conn: number;
  dir: Direction;
  kind: UnitKind;
  text: string;
  /** Number and time of the record it began in, and the time of the record that completed it. */
  n: number;
  startedAt: number;
  endedAt: number;
}

const enum State {
  Text,
  Open,
  StartTag,
  EndTag,
  Bang,
  Comment,
  Cdata,
  Declaration,
  Instruction,
}

export class UnitSplitter {
  #state: State = State.Text;
  /** Open elements, with the stream element. */
  #depth = 0;
  /** 1 inside of a stream element, 0 outside and on WebSocket. */
  #base = 0;
  #quote = 0;
  #previous = 0;
  /** What the unit has from earlier records. */
  #pending = '';
  #n = 0;
  #startedAt = 0;
  #lastTime = 0;

  constructor(
    private readonly conn: number,
    private readonly dir: Direction,
    private readonly emit: (unit: Unit) => void,
    /** A longer element is handed out in pieces, each but the last as incomplete. */
    private readonly maxLength = Number.POSITIVE_INFINITY,
  ) {}

  /** Between two units: nothing is held back. */
  get isEmpty(): boolean {
    return this.#pending === '';
  }

  /** The next characters, and number and time of the record they came in. */
  push(text: string, n: number, t: number): void {
    /** Where the unit's part in this text starts. */
    let start = 0;
    let at = 0;
    this.#lastTime = t;
    if (this.#pending === '') this.#begin(n, t);
    const finish = (kind: UnitKind, end: number): void => {
      const whole = this.#pending + text.slice(start, end);
      this.#pending = '';
      start = end;
      if (whole !== '') {
        this.#hand(kind, whole);
      }
      this.#begin(n, t);
    };
    while (at < text.length) {
      switch (this.#state) {
        case State.Text: {
          const open = text.indexOf('<', at);
          const end = open < 0 ? text.length : open;
          if (this.#depth === this.#base && end > at) {
            // Text between stanzas is shown at once; it may be all that ever comes.
            if (this.#pending === '' && start === at)
              finish(/^\s*$/.test(text.slice(at, end)) ? 'space' : 'other', end);
          }
          at = end;
          if (open >= 0) {
            this.#state = State.Open;
            at += 1;
          }
          break;
        }
        case State.Open: {
          const next = text.charCodeAt(at);
          this.#quote = 0;
          this.#previous = 0;
          if (next === SLASH) this.#state = State.EndTag;
          else if (next === BANG) this.#state = State.Bang;
          else if (next === QUESTION) this.#state = State.Instruction;
          else this.#state = State.StartTag;
          if (this.#state !== State.StartTag) at += 1;
          break;
        }
        case State.StartTag:
          at = this.#endOfTag(text, at);
          if (!this.#isInText()) break;
          if (this.#previous === SLASH) {
            if (this.#depth === this.#base) finish('element', at);
          } else if (this.#depth === this.#base && isHeader(this.#pending, text, start, at)) {
            this.#depth = this.#base = 1;
            finish('header', at);
          } else this.#depth += 1;
          break;
        case State.EndTag: {
          const close = text.indexOf('>', at);
          if (close < 0) {
            at = text.length;
            break;
          }
          at = close + 1;
          this.#state = State.Text;
          this.#depth -= 1;
          if (this.#depth === this.#base) finish('element', at);
          else if (this.#depth < this.#base) {
            this.#depth = this.#base = 0;
            finish('footer', at);
          }
          break;
        }
        case State.Bang: {
          const next = text.charCodeAt(at);
          this.#state =
            next === DASH ? State.Comment : next === OPEN_BRACKET ? State.Cdata : State.Declaration;
          at += 1;
          break;
        }
        case State.Comment:
          at = this.#endOf('-->', text, start, at);
          break;
        case State.Cdata:
          at = this.#endOf(']]>', text, start, at);
          break;
        case State.Instruction:
          at = this.#endOf('?>', text, start, at);
          break;
        case State.Declaration:
          at = this.#endOf('>', text, start, at);
          break;
      }
    }
    this.#pending += text.slice(start);
    if (this.#pending.length <= this.maxLength) return;
    const piece = this.#pending;
    this.#pending = '';
    this.#hand('incomplete', piece);
  }

  /** The direction ended: what is not complete will never be. */
  end(): void {
    if (this.#pending === '') return;
    const kind = /^\s*$/.test(this.#pending) ? 'space' : 'incomplete';
    this.#hand(kind, this.#pending);
    this.#pending = '';
    this.#state = State.Text;
    this.#depth = this.#base;
  }

  #hand(kind: UnitKind, text: string): void {
    this.emit({
      conn: this.conn,
      dir: this.dir,
      kind,
      text,
      n: this.#n,
      startedAt: this.#startedAt,
      endedAt: this.#lastTime,
    });
  }

  #isInText(): boolean {
    return this.#state === State.Text;
  }

  #begin(n: number, t: number): void {
    this.#n = n;
    this.#startedAt = t;
  }

  /** Index after the `>` of a start tag, with the state back in text; or the end of the text. */
  #endOfTag(text: string, from: number): number {
    let at = from;
    while (at < text.length) {
      if (this.#quote !== 0) {
        const close = text.indexOf(this.#quote === QUOTE ? '"' : "'", at);
        if (close < 0) return text.length;
        this.#quote = 0;
        at = close + 1;
        continue;
      }
      const code = text.charCodeAt(at);
      at += 1;
      if (code === GT) {
        this.#state = State.Text;
        return at;
      }
      if (code === LT) {
        // A tag that was never finished; the next one starts here.
        this.#state = State.Open;
        return at;
      }
      if (code === QUOTE || code === APOSTROPHE) this.#quote = code;
      this.#previous = code;
    }
    return at;
  }

  /** Index after a terminator, which may have begun in an earlier record; or the end of the text. */
  #endOf(terminator: string, text: string, start: number, from: number): number {
    const carried = start === 0 ? this.#pending.slice(1 - terminator.length || this.#pending.length) : '';
    if (from === 0 && carried !== '') {
      const found = (carried + text.slice(0, terminator.length)).indexOf(terminator);
      if (found >= 0) {
        this.#state = State.Text;
        return found + terminator.length - carried.length;
      }
    }
    const found = text.indexOf(terminator, from);
    if (found < 0) return text.length;
    this.#state = State.Text;
    return found + terminator.length;
  }
}

/** Whether a unit whose first start tag has just ended is a stream header. */
function isHeader(pending: string, text: string, start: number, end: number): boolean {
  const tag = pending === '' ? text.slice(start, end) : pending + text.slice(start, end);
  return /^\s*(?:<\?[^>]*\?>\s*)?<(?:[^\s:<>/]+:)?stream[\s>]/.test(tag);
}
