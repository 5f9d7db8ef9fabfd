/** What crossed, counted: bytes and stanzas, namespaces, round trips, stream management, time to each phase. */
import type { Direction } from '../trace/events.js';
import { REDACTION_MARKER, type DataRecord, type EventRecord, type TraceRecord } from '../trace/record.js';
import { elementsOf } from '../trace/trace-element.js';
import type { StanzaKind, TracedStanza } from '../trace/traced-stanza.js';
import { TraceView, type TraceEntry } from '../trace/view-trace.js';
import { Histogram } from './histogram.js';
import { smNamespaces } from './namespaces.js';
import { StreamPhase } from './stream-phase.js';

export type ByDirection = Record<Direction, number>;

export interface ConnectionStats {
  conn: number;
  label: string | undefined;
  /** From its first to its last record. */
  durationMs: number;
  /** As they crossed: what was taken out is counted. */
  bytes: ByDirection;
  stanzas: Partial<Record<StanzaKind, ByDirection>>;
  /** Payloads of stanzas by namespace, the most frequent first. */
  namespaces: { namespace: string; count: number }[];
  /** Of iqs: of replies to what was asked here, and of what others asked. */
  roundTrips: { count: number; p50Ms: number; p95Ms: number; maxMs: number };
  /** Acknowledgements by the direction that they went, and what the last one counted. */
  management: {
    requests: ByDirection;
    acknowledgements: ByDirection;
    lastH: Partial<ByDirection>;
    isResumed: boolean;
  };
  /** Milliseconds from the connection's first record. */
  phases: { connectedMs?: number; tlsMs?: number; authenticatedMs?: number; boundMs?: number };
}

export interface TraceStats {
  started: string;
  tool: string;
  durationMs: number;
  records: number;
  /** Records that are not there. */
  missing: number;
  connections: ConnectionStats[];
}

interface Counting {
  stats: ConnectionStats;
  firstT: number;
  namespaces: Map<string, number>;
  roundTrips: Histogram;
  phase: StreamPhase;
}

/** A stream of made-up namespaces must not fill memory. */
const maxNamespaces = 1000;
const others = '(others)';
const shownNamespaces = 10;
const zero = (): ByDirection => ({ in: 0, out: 0 });

export class TraceCounter {
  readonly #view = new TraceView({});
  readonly #connections = new Map<number, Counting>();
  #records = 0;
  #missing = 0;
  #lastT = 0;

  push(records: readonly TraceRecord[]): void {
    for (const record of records) {
      if (record.kind === 'header') continue;
      if (record.kind === 'gap') {
        this.#missing += Math.max(0, record.to - record.from + 1);
        continue;
      }
      this.#records += 1;
      this.#lastT = Math.max(this.#lastT, record.t);
      const counting = this.#counting(record.conn, record.t);
      counting.stats.durationMs = round(record.t - counting.firstT);
      if (record.kind === 'data') counting.stats.bytes[record.dir] += sizeOf(record);
      if (record.kind === 'connection') counting.stats.label = record.label;
    }
    for (const entry of this.#view.push(records)) this.#take(entry);
  }

  end(): TraceStats {
    for (const entry of this.#view.end()) this.#take(entry);
    const { header } = this.#view;
    return {
      started: header?.started ?? '',
      tool: header?.tool ?? '',
      durationMs: round(this.#lastT),
      records: this.#records,
      missing: this.#missing,
      connections: [...this.#connections.values()].map(finish),
    };
  }

  #take(entry: TraceEntry): void {
    if (entry.kind === 'event') {
      if (entry.record.kind === 'event') this.#takeEvent(entry.record);
      return;
    }
    const { stanza, pair } = entry;
    const { conn, dir, endedAt } = stanza.unit;
    const counting = this.#counting(conn, endedAt);
    const { stats, namespaces, phase, roundTrips } = counting;
    (stats.stanzas[entry.kind] ??= zero())[dir] += 1;
    if (pair) roundTrips.add(pair.rttMs);
    if (entry.kind === 'message' || entry.kind === 'presence' || entry.kind === 'iq') {
      for (const namespace of payloadsOf(stanza)) {
        const key = namespaces.has(namespace) || namespaces.size < maxNamespaces ? namespace : others;
        namespaces.set(key, (namespaces.get(key) ?? 0) + 1);
      }
    } else if (entry.kind === 'nonza') countManagement(stanza, stats);
    if (phase.isAuthenticated && phase.isBound) return;
    phase.observe(stanza);
    const { phases, management } = stats;
    if (management.isResumed) phase.resume(undefined);
    if (phase.isAuthenticated) phases.authenticatedMs ??= round(endedAt - counting.firstT);
    if (phase.isBound) phases.boundMs ??= round(endedAt - counting.firstT);
  }

  #takeEvent({ conn, name, detail, t }: EventRecord): void {
    if (detail['error'] !== undefined) return;
    const { stats, firstT } = this.#counting(conn, t);
    if (name === 'tcp' || name === 'websocket') stats.phases.connectedMs ??= round(t - firstT);
    if (name === 'tls') stats.phases.tlsMs ??= round(t - firstT);
  }

  #counting(conn: number, t: number): Counting {
    let counting = this.#connections.get(conn);
    if (counting === undefined) {
      counting = {
        firstT: t,
        namespaces: new Map(),
        roundTrips: new Histogram(),
        phase: new StreamPhase(),
        stats: {
          conn,
          label: undefined,
          durationMs: 0,
          bytes: zero(),
          stanzas: {},
          namespaces: [],
          roundTrips: { count: 0, p50Ms: 0, p95Ms: 0, maxMs: 0 },
          management: { requests: zero(), acknowledgements: zero(), lastH: {}, isResumed: false },
          phases: {},
        },
      };
      this.#connections.set(conn, counting);
    }
    return counting;
  }
}

function countManagement({ start, unit: { dir } }: TracedStanza, { management }: ConnectionStats): void {
  if (start === undefined || !smNamespaces.has(start.namespace)) return;
  if (start.name === 'r') management.requests[dir] += 1;
  if (start.name === 'resumed') management.isResumed = true;
  if (start.name !== 'a') return;
  management.acknowledgements[dir] += 1;
  const h = Number(start.attributes['h']);
  if (Number.isInteger(h)) management.lastH[dir] = h;
}

function payloadsOf({ tree }: TracedStanza): Set<string> {
  const found = new Set<string>();
  if (tree)
    for (const child of elementsOf(tree)) if (child.namespace !== tree.namespace) found.add(child.namespace);
  return found;
}

function finish({ stats, namespaces, roundTrips }: Counting): ConnectionStats {
  return {
    ...stats,
    namespaces: [...namespaces]
      .map(([namespace, count]) => ({ namespace, count }))
      .sort((a, b) => b.count - a.count || (a.namespace < b.namespace ? -1 : 1))
      .slice(0, shownNamespaces),
    roundTrips: {
      count: roundTrips.count,
      p50Ms: roundTrips.percentile(0.5),
      p95Ms: roundTrips.percentile(0.95),
      maxMs: round(roundTrips.max),
    },
  };
}

function sizeOf({ text, base64, redacted }: DataRecord): number {
  const kept = text === undefined ? Buffer.byteLength(base64 ?? '', 'base64') : Buffer.byteLength(text);
  const taken = (redacted ?? []).map(
    ({ bytes, continued }) => bytes - (continued ? 0 : REDACTION_MARKER.length),
  );
  return taken.reduce((sum, bytes) => sum + bytes, kept);
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
