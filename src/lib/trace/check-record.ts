/** Whether what stands on a line of a trace is a record. */
import { TRACE_FORMAT, TRACE_VERSION, type HeaderRecord, type TraceRecord } from './record.js';

/** The end of the year 9999, as milliseconds since the epoch: no recording began later, or lasted as long. */
const maxTime = 253_402_300_799_999;

/** What is wrong with a line. */
export class Damage extends Error {
  constructor(
    what: string,
    readonly hint?: string,
  ) {
    super(what);
  }
}

/**
 * Looks at what a line behind the first holds.
 * @returns undefined for a kind of record that this version does not know
 * @throws Damage it is no record
 */
export function checkRecord(value: unknown): Exclude<TraceRecord, HeaderRecord> | undefined {
  if (!isObject(value)) throw new Damage('not a record');
  switch (value['kind']) {
    case 'data':
      if (
        isStamped(value) &&
        (value['dir'] === 'in' || value['dir'] === 'out') &&
        (typeof value['text'] === 'string') !== isBase64(value['base64'])
      )
        break;
      throw new Damage('a data record needs n, t, conn, dir, and either text or base64');
    case 'event':
      if (isStamped(value) && typeof value['name'] === 'string' && isObject(value['detail'])) break;
      throw new Damage('an event record needs n, t, conn, name and detail');
    case 'connection':
      if (isStamped(value) && typeof value['label'] === 'string') break;
      throw new Damage('a connection record needs n, t, conn and label');
    case 'gap':
      if (isCount(value['from']) && isCount(value['to']) && typeof value['reason'] === 'string') break;
      throw new Damage('a gap record needs from, to and reason');
    case 'header':
      throw new Damage('a second trace begins here', 'split the file before this line');
    default:
      if (typeof value['kind'] !== 'string') throw new Damage('a record needs a kind');
      return undefined;
  }
  return value as unknown as Exclude<TraceRecord, HeaderRecord>;
}

/** Whether a value is the header of a trace, of whatever version. */
export function isHeader(value: unknown): value is { kind: 'header'; version: unknown; started: unknown } {
  return isObject(value) && value['kind'] === 'header' && value['format'] === TRACE_FORMAT;
}

/** Whether a header is one that this version reads without loss, and is complete. */
export function isOurHeader(header: { version: unknown; started: unknown }): header is HeaderRecord {
  return header.version === TRACE_VERSION && isTime(header.started);
}

export function isTime(value: unknown): value is string {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  // So that a time of the recording is one that every format can tell.
  return time >= 0 && time <= maxTime;
}

function isStamped(value: Record<string, unknown>): boolean {
  const { n, t, conn } = value;
  return isCount(n) && isCount(conn) && typeof t === 'number' && t >= 0 && t <= maxTime;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && value.length % 4 === 0 && !/[^A-Za-z0-9+/=]/.test(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
