/**
 * Makes one trace of what is left of a damaged file: lines that are none, records of several recordings, one behind the
 * other or mixed, recordings of another version. Every gap is named; those between records are records of their own.
 */
import { UsageError } from '../errors.js';
import { checkRecord, Damage, isHeader, isTime } from './check-record.js';
import { TRACE_FORMAT, TRACE_VERSION, type HeaderRecord, type TraceRecord } from './record.js';

export interface MendOptions {
  /** What the trace is called in messages. */
  name: string;
  /** Told of each gap, on one line. */
  warn: (message: string) => void;
}

type NumberedRecord = Exclude<TraceRecord, { kind: 'header' }>;

/** A recording in the file. */
interface Part {
  /** Number and time of its last record. */
  lastN: number;
  lastT: number;
  /** What is added to its times. */
  shiftMs: number;
  /** Its connections, as they are numbered in what is handed out. */
  connections: Map<number, number>;
}

/** Lines that hold nothing, one after the other. */
interface DamagedLines {
  first: number;
  last: number;
  what: string;
}

/** Where a record begins: inside of JSON's strings these quotes would be escaped. */
const beginning = /\{"(?:n|kind)":/g;
/** A line with more beginnings is none that was torn. */
const maxPieces = 1000;
const maxForeignLines = 10_000;
/** Before a recording whose start nobody knows. */
const unknownStart = '1970-01-01T00:00:00.000Z';

export class TraceMender {
  readonly #options: MendOptions;
  readonly #parts: Part[] = [];
  #header: HeaderRecord | undefined;
  /** Number of the last record, and of the last connection, that was handed out. */
  #lastN = 0;
  #lastConnection = 0;
  #lastT = 0;
  #damaged: DamagedLines | undefined;
  #hasWarnedOfOrder = false;

  constructor(options: MendOptions) {
    this.#options = options;
  }

  /** Takes a line that is not what nearly every line is. @param records get what is in it */
  line(text: string, line: number, records: TraceRecord[]): void {
    const value = parse(text);
    if (value !== undefined) {
      this.#value(value, line, records);
      return;
    }
    const pieces = piecesOf(text);
    if (pieces.length > maxPieces) {
      this.damaged(line, 'not JSON');
      return;
    }
    let isDamaged = false;
    for (const piece of pieces) {
      const found = parse(piece) ?? parseBeginning(piece);
      if (found === undefined) isDamaged ||= /[^\0\s]/.test(piece) || pieces.length === 1;
      else this.#value(found, line, records);
    }
    if (isDamaged || text.includes('\0')) this.damaged(line, text.includes('\0') ? 'NULs' : 'not JSON');
  }

  /** Remembers that a line, or a part of it, holds nothing. @throws UsageError nothing was a record for far too long */
  damaged(line: number, what: string): void {
    // A trace whose beginning is lost is one; what has none in so many lines is something else, and may never end.
    if (this.#header === undefined && line > maxForeignLines) this.end();
    if (this.#damaged && (this.#damaged.last < line - 1 || this.#damaged.what !== what)) this.#sayDamage('');
    if (this.#damaged) this.#damaged.last = line;
    else this.#damaged = { first: line, last: line, what };
  }

  /** Takes the next record that is one. */
  take(record: NumberedRecord, line: number, records: TraceRecord[]): void {
    const number = record.kind === 'gap' ? record.from : record.n;
    if (!Number.isSafeInteger(number) || number < 1) {
      this.damaged(line, `there is no record ${number}`);
      return;
    }
    if (this.#header === undefined) {
      this.#warn(line, 'the header is missing: nobody knows when this was recorded');
      records.push(this.#begin(unknownStart, {}));
    }
    const t = record.kind === 'gap' ? undefined : record.t;
    const part = this.#partOf(number, t, line);
    const missing = number - part.lastN - 1;
    if (missing > 0) {
      const [from, to] = [this.#lastN + 1, this.#lastN + missing];
      this.#lastN = to;
      const text = from === to ? `record ${from} is missing` : `records ${from} to ${to} are missing`;
      records.push({ kind: 'gap', from, to, reason: this.#damaged?.what ?? 'not in the file' });
      if (this.#damaged) this.#sayDamage(`; ${text}`);
      else this.#warn(line, `${text} before this line`);
    } else this.#sayDamage('; nothing that follows is missing');
    if (record.kind === 'gap') {
      const lost = Math.max(1, Math.min(record.to - record.from + 1, Number.MAX_SAFE_INTEGER / 2));
      part.lastN = Math.max(part.lastN, record.to);
      records.push({ ...record, from: this.#lastN + 1, to: this.#lastN + lost });
      this.#lastN += lost;
      return;
    }
    part.lastN = record.n;
    part.lastT = record.t;
    this.#lastN += 1;
    this.#lastT = Math.max(this.#lastT, record.t + part.shiftMs);
    const conn = this.#connectionOf(part, record.conn);
    // Nearly always it is already what it has to be.
    if (this.#lastN === record.n && conn === record.conn && part.shiftMs === 0) records.push(record);
    else records.push({ ...record, n: this.#lastN, t: record.t + part.shiftMs, conn });
  }

  /** The file ended. @throws UsageError nothing in it could be read */
  end(): void {
    if (this.#header === undefined) {
      throw new UsageError(`${this.#options.name} is not a trace: there is no record in it`, {
        hint: 'record one with --trace=FILE on any command that connects',
      });
    }
    this.#sayDamage('; what follows it, if there was more, is missing');
  }

  #value(value: unknown, line: number, records: TraceRecord[]): void {
    if (isHeader(value)) {
      this.#takeHeader(value, line, records);
      return;
    }
    try {
      const record = checkRecord(value);
      if (record) this.take(record, line, records);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      this.damaged(line, error.message);
    }
  }

  #takeHeader(header: { version: unknown; started: unknown }, line: number, records: TraceRecord[]): void {
    if (header.version !== TRACE_VERSION) {
      this.#warn(
        line,
        `a trace of format version ${String(header.version)}: what version ${TRACE_VERSION} does not know of it is left out`,
      );
    }
    const started = isTime(header.started) ? header.started : unknownStart;
    if (started !== header.started) this.#warn(line, 'the header does not say when the recording started');
    this.#sayDamage('; what it was is missing');
    if (this.#header === undefined) {
      records.push(this.#begin(started, header));
      return;
    }
    const sinceFirstMs = Date.parse(started) - Date.parse(this.#header.started);
    const isOrdered = started !== unknownStart && sinceFirstMs >= 0 && Number.isFinite(sinceFirstMs);
    this.#parts.push(newPart(isOrdered ? sinceFirstMs : this.#lastT));
    this.#warn(
      line,
      `a second trace begins here: its connections are counted from ${this.#lastConnection + 1} on, its records from ${this.#lastN + 1}`,
    );
  }

  #begin(started: string, header: object): HeaderRecord {
    this.#parts.push(newPart(0));
    const { tool, redacted } = header as Partial<HeaderRecord>;
    this.#header = {
      kind: 'header',
      format: TRACE_FORMAT,
      version: TRACE_VERSION,
      started,
      tool: typeof tool === 'string' ? tool : 'unknown',
      redacted: redacted !== false,
    };
    return this.#header;
  }

  /** Which recording a record belongs to: each counts its records without holes. */
  #partOf(n: number, t: number | undefined, line: number): Part {
    const [only] = this.#parts;
    let best = only ?? newPart(0);
    if (this.#parts.length > 1) {
      const rank = (part: Part): number => {
        if (n <= part.lastN) return Number.MAX_SAFE_INTEGER;
        // What follows at once comes before what follows somewhere; the nearer in time is the likelier.
        const apartMs = t === undefined ? 0 : Math.abs(t - part.lastT);
        return (n - part.lastN - 1) * 1e9 + Math.min(apartMs, 1e9 - 1);
      };
      best = this.#parts.at(-1) ?? best;
      for (const part of this.#parts) if (rank(part) < rank(best)) best = part;
    }
    if (n <= best.lastN && !this.#hasWarnedOfOrder) {
      this.#hasWarnedOfOrder = true;
      this.#warn(
        line,
        `record ${n} comes after record ${best.lastN}: the lines are in disorder, and stay so`,
      );
    }
    return best;
  }

  #connectionOf(part: Part, conn: number): number {
    let own = part.connections.get(conn);
    if (own === undefined) {
      const isFree = !this.#parts.some((other) => [...other.connections.values()].includes(conn));
      own = part === this.#parts[0] && isFree ? conn : this.#lastConnection + 1;
      part.connections.set(conn, own);
      this.#lastConnection = Math.max(this.#lastConnection, own);
    }
    return own;
  }

  #sayDamage(consequence: string): void {
    if (!this.#damaged) return;
    const { first, last, what } = this.#damaged;
    this.#damaged = undefined;
    const lines = first === last ? '' : `${first} to ${last} hold no record: `;
    this.#warn(first, `${lines === '' ? '' : `lines ${lines}`}${what}${consequence}`);
  }

  #warn(line: number, message: string): void {
    this.#options.warn(`${this.#options.name}:${line}: ${message}`);
  }
}

function newPart(shiftMs: number): Part {
  return { lastN: 0, lastT: 0, shiftMs, connections: new Map() };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A line cut where records begin, without the NULs around them. */
function piecesOf(text: string): string[] {
  const cuts = [...text.matchAll(beginning)].map(({ index }) => index);
  const starts = cuts[0] === 0 ? cuts : [0, ...cuts];
  return starts.map((start, index) => text.slice(start, starts[index + 1]).replace(/^[\0\s]+|[\0\s]+$/g, ''));
}

/** A record that something else follows on its line. */
function parseBeginning(piece: string): unknown {
  let end = piece.length;
  for (let tries = 0; tries < 3; tries += 1) {
    end = piece.lastIndexOf('}', end - 1);
    if (end < 0) return undefined;
    const value = parse(piece.slice(0, end + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}
