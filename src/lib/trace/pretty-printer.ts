/**
 * Shows happenings to people: every line begins with where it went (`→` out, `←` in, `*` about the connection), the
 * first line of a unit with the time since the unit before it.
 */
import type { Style } from '../output/output.js';
import { safeText } from '../output/safe-text.js';
import { describeLifecycle } from './lifecycle-text.js';
import { layOutXml } from './pretty-xml.js';
import type { Happening } from './stanza-stream.js';
import type { Unit } from './unit-splitter.js';

export interface PrettyPrinterOptions {
  style: Style;
  /** Longer runs of text or of attributes are shortened; unlimited when left out. */
  maxText?: number;
}

const timeWidth = 10;

export class PrettyPrinter {
  #lastTime: number | undefined;
  #lastConnection: number | undefined;
  #lastRecord: number | undefined;
  readonly #labels = new Map<number, string>();

  constructor(private readonly options: PrettyPrinterOptions) {}

  /** The lines of one happening; each ends in a line feed. @param note said behind the first line of a unit */
  print(happening: Happening, note?: string): string {
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
        const text = `records ${from} to ${to} are missing: ${safeText(reason, { singleLine: true })}`;
        return `${style.dim('*')} ${style.warning(text)}\n`;
      }
      case 'unit': {
        const { unit } = happening;
        // A line feed after a stanza, in the same packet, is no keep-alive and nothing to look at.
        if (unit.kind === 'space' && unit.n === this.#lastRecord) return '';
        this.#lastRecord = unit.n;
        return this.#about(unit.conn) + this.#printUnit(unit, note);
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
    const { style, maxText } = this.options;
    const colour = (text: string): string =>
      unit.dir === 'out' ? style.outgoing(text) : style.incoming(text);
    const arrow = colour(unit.dir === 'out' ? '→' : '←');
    const since = this.#lastTime === undefined ? undefined : Math.max(0, unit.endedAt - this.#lastTime);
    this.#lastTime = unit.endedAt;
    const time = since === undefined ? '' : `+${formatMs(since)}`;
    const lines = this.#layOut(unit, colour, maxText);
    const remark = remarkOn(unit, note);
    return lines
      .map((line, index) => {
        const stamp = style.dim((index === 0 ? time : '').padStart(timeWidth));
        const tail = index === 0 && remark !== '' ? `  ${style.dim(remark)}` : '';
        return `${arrow} ${stamp}  ${line}${tail}\n`;
      })
      .join('');
  }

  #layOut(unit: Unit, tag: (text: string) => string, maxText: number | undefined): string[] {
    if (unit.kind === 'space') return [this.options.style.dim('(white space: keep-alive)')];
    return layOutXml(unit.text, { tag, ...(maxText !== undefined && { maxText }) });
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
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${ms.toFixed(1)} ms`;
  return `${(ms / 1000).toFixed(2)} s`;
}
