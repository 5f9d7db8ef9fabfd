/**
 * Shows happenings to people: every line begins with where it went (`→` out, `←` in, `*` about the connection), the
 * first line of a unit with the time since the unit before it. On a terminal a unit has the colour of its kind.
 */
import type { Style } from '../output/output.js';
import { safeText } from '../output/safe-text.js';
import { describeLifecycle } from './lifecycle-text.js';
import type { LineBuffer } from './line-buffer.js';
import { PlainLines } from './plain-lines.js';
import { layOutXml, maxIndent } from './pretty-xml.js';
import type { Happening } from './stanza-stream.js';
import { TracedStanza } from './traced-stanza.js';
import type { Unit } from './unit-splitter.js';

export interface PrettyPrinterOptions {
  style: Style;
  /** Longer runs of text or of attributes are shortened; unlimited when left out. */
  maxText?: number;
}

const timeWidth = 10;
/** What stands in the place of the time on all lines of a unit but the first. */
const noTime = ' '.repeat(timeWidth);
const leftOut = Buffer.from(`→ ${noTime}  `);
const leftIn = Buffer.from(`← ${noTime}  `);

export class PrettyPrinter {
  #lastTime: number | undefined;
  #lastConnection: number | undefined;
  #lastRecord: number | undefined;
  readonly #labels = new Map<number, string>();
  readonly #plain = new PlainLines(maxIndent);

  readonly #isColoured: boolean;

  constructor(private readonly options: PrettyPrinterOptions) {
    this.#isColoured = options.style.dim('x') !== 'x';
  }

  /** The lines of one happening; each ends in a line feed. @param note said behind the first line of a unit */
  print(happening: Happening, note?: string): string {
    return happening.kind === 'unit' ? this.#printUnit(happening.unit, note) : this.#printOther(happening);
  }

  /** The same, appended as bytes. */
  printTo(target: LineBuffer, happening: Happening, note?: string): void {
    if (happening.kind === 'unit' && this.#printPlain(target, happening.unit, note)) return;
    target.append(this.print(happening, note));
  }

  #printOther(happening: Exclude<Happening, { kind: 'unit' }>): string {
    const { style } = this.options;
    switch (happening.kind) {
      case 'connection':
        this.#labels.set(happening.record.conn, happening.record.label);
        return this.#about(happening.record.conn);
      case 'event': {
        const { conn, name, detail } = happening.record;
        const isBad = name === 'error' || detail['error'] !== undefined;
        const lines = describeLifecycle(name, detail).map((line) => {
          const text = safeText(line, { singleLine: true });
          return `${style.dim('*')} ${isBad ? style.bad(text) : style.dim(text)}\n`;
        });
        return this.#about(conn) + lines.join('');
      }
      case 'gap': {
        const { from, to, reason } = happening.record;
        const what = from === to ? `record ${from} is` : `records ${from} to ${to} are`;
        const text = `${what} missing: ${safeText(reason, { singleLine: true })}`;
        return `${style.dim('*')} ${style.warning(text)}\n`;
      }
    }
  }

  /** Says which connection what follows belongs to, when it changes. */
  #about(conn: number): string {
    if (this.#lastConnection === conn) return '';
    this.#lastConnection = conn;
    const { style } = this.options;
    const label = this.#labels.get(conn);
    const text = `connection ${conn}${label === undefined ? '' : `: ${safeText(label, { singleLine: true })}`}`;
    return `${style.dim('*')} ${style.strong(text)}\n`;
  }

  #printUnit(unit: Unit, note: string | undefined): string {
    // A line feed after a stanza, in the same packet, is no keep-alive and nothing to look at.
    if (unit.kind === 'space' && unit.n === this.#lastRecord) return '';
    this.#lastRecord = unit.n;
    const { style, maxText } = this.options;
    const about = this.#about(unit.conn);
    const arrow = unit.dir === 'out' ? style.outgoing('→') : style.incoming('←');
    const time = this.#timeOf(unit);
    this.#lastTime = unit.endedAt;
    const remark = remarkOn(unit, note);
    const lines = this.#layOut(unit, maxText).map((line, index) => {
      const stamp = style.dim((index === 0 ? time : '').padStart(timeWidth));
      const tail = index === 0 && remark !== '' ? `  ${style.dim(remark)}` : '';
      return `${arrow} ${stamp}  ${line}${tail}\n`;
    });
    return about + lines.join('');
  }

  /** The same as bytes, for what is not coloured and laid out in the ordinary way. @returns whether it was */
  #printPlain(target: LineBuffer, unit: Unit, note: string | undefined): boolean {
    const { maxText } = this.options;
    if (unit.kind !== 'element' || this.#isColoured || maxText !== undefined) return false;
    const { length } = target;
    const lastConnection = this.#lastConnection;
    const about = this.#about(unit.conn);
    if (about !== '') target.append(about);
    const arrow = unit.dir === 'out' ? '→' : '←';
    const first = `${arrow} ${this.#timeOf(unit).padStart(timeWidth)}  `;
    const tail = note === undefined ? '' : `  ${note}`;
    if (!this.#plain.append(unit.text, target, first, unit.dir === 'out' ? leftOut : leftIn, tail)) {
      target.cutTo(length);
      this.#lastConnection = lastConnection;
      return false;
    }
    this.#lastRecord = unit.n;
    this.#lastTime = unit.endedAt;
    return true;
  }

  /** How long after the unit before it. */
  #timeOf(unit: Unit): string {
    return this.#lastTime === undefined ? '' : `+${formatMs(Math.max(0, unit.endedAt - this.#lastTime))}`;
  }

  #layOut(unit: Unit, maxText: number | undefined): string[] {
    const { style } = this.options;
    if (unit.kind === 'space') return [style.dim('(white space: keep-alive)')];
    const tag = !this.#isColoured ? undefined : colourOf(unit, style);
    return layOutXml(unit.text, { ...(tag && { tag }), ...(maxText !== undefined && { maxText }) });
  }
}

/** The colour of the tags of a unit. */
function colourOf(unit: Unit, style: Style): (text: string) => string {
  const stanza = new TracedStanza(unit);
  const type = stanza.attribute('type');
  switch (stanza.kind) {
    case 'message':
      return type === 'error' ? (text) => style.bad(text) : (text) => style.message(text);
    case 'presence':
      return type === 'error' ? (text) => style.bad(text) : (text) => style.presence(text);
    case 'iq':
      if (type === 'error') return (text) => style.bad(text);
      return type === 'result' ? (text) => style.reply(text) : (text) => style.request(text);
    case 'nonza':
      return (text) => style.nonza(text);
    default:
      return (text) => style.dim(text);
  }
}

function remarkOn(unit: Unit, note: string | undefined): string {
  const remarks = [
    ...(note === undefined ? [] : [note]),
    ...(unit.kind === 'incomplete' ? ['(incomplete)'] : []),
    ...(unit.kind === 'other' ? ['(not XMPP)'] : []),
  ];
  return remarks.join(' ');
}

/** `0.41 ms`, `12.3 ms`, `2.50 s` */
export function formatMs(ms: number): string {
  if (ms < 10) {
    // Twenty times as fast as toFixed, which a long recording is full of.
    const hundredths = Math.round(ms * 100);
    const rest = hundredths % 100;
    return `${(hundredths - rest) / 100}.${rest < 10 ? '0' : ''}${rest} ms`;
  }
  if (ms < 1000) return `${ms.toFixed(1)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}
