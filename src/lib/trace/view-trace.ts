/**
 * What `trace show` shows: stanzas and events of a recorded trace, filtered, replies tied to their requests.
 */
import type { Direction } from './events.js';
import { IqPairing, type IqPair } from './iq-pairing.js';
import type { ManagedCount, ManagedCounter } from './managed-count.js';
import type { ConnectionRecord, EventRecord, GapRecord, HeaderRecord, TraceRecord } from './record.js';
import type { Selector } from './selector.js';
import { StanzaStream, type Happening } from './stanza-stream.js';
import { defaultScope, scopeOfHeader, type NamespaceScope } from './trace-element.js';
import { TracedStanza, unitKinds, type StanzaKind } from './traced-stanza.js';

export const entryKinds = [...unitKinds, 'event'] as const;
export type EntryKind = StanzaKind | 'event';

/** All that are given must agree. */
export interface TraceFilter {
  dir?: Direction;
  kinds?: ReadonlySet<EntryKind>;
  conn?: number;
  /** An element in this namespace, at any depth. */
  namespace?: string;
  selector?: Selector;
  id?: string;
  /** Milliseconds since the start of the recording. */
  sinceMs?: number;
}

/** One thing to show. */
export type TraceEntry =
  | { kind: StanzaKind; stanza: TracedStanza; pair: IqPair | undefined; count?: ManagedCount | undefined }
  | { kind: 'event'; record: EventRecord | ConnectionRecord | GapRecord };

/** Puts records together and lets through what a filter asks for. Keeps requests without a reply, nothing else. */
export class TraceView {
  #header: HeaderRecord | undefined;
  #entries: TraceEntry[] = [];
  readonly #stream: StanzaStream;
  readonly #scopes = new Map<number, NamespaceScope>();
  readonly #pairing = new IqPairing();

  /**
   * @param maxLength a longer stanza is shown in pieces; unlimited when left out
   * @param counter of stream management, when it is to be shown beside the stanzas
   */
  constructor(
    private readonly filter: TraceFilter,
    maxLength?: number,
    private readonly counter?: ManagedCounter,
  ) {
    this.#stream = new StanzaStream((happening) => this.#take(happening), maxLength);
  }

  /** Whether the data of a direction of a connection can matter; where not, its records need no text. */
  wantsData(conn: number, dir: Direction): boolean {
    const { filter } = this;
    if (filter.conn !== undefined && filter.conn !== conn) return false;
    const { kinds } = filter;
    if (this.counter) return true;
    if (kinds?.size === 1 && kinds.has('event')) return false;
    // A reply is shown with its request, which went the other way.
    return filter.dir === undefined || filter.dir === dir || kinds === undefined || kinds.has('iq');
  }

  /** The header, once it has been read. */
  get header(): HeaderRecord | undefined {
    return this.#header;
  }

  /** Takes the next records and returns what they completed. */
  push(records: readonly TraceRecord[]): TraceEntry[] {
    for (const record of records) {
      if (record.kind === 'header') this.#header = record;
      else this.#stream.push(record);
    }
    return this.#drain();
  }

  /** The trace ended: what was left incomplete. */
  end(): TraceEntry[] {
    this.#stream.end();
    return this.#drain();
  }

  #drain(): TraceEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  #take(happening: Happening): void {
    const { filter } = this;
    if (happening.kind !== 'unit') {
      if (this.#wantsEvent(happening)) this.#entries.push({ kind: 'event', record: happening.record });
      return;
    }
    const { unit } = happening;
    const key = unit.conn * 2 + (unit.dir === 'in' ? 0 : 1);
    if (unit.kind === 'header') this.#scopes.set(key, scopeOfHeader(unit.text));
    if (filter.conn !== undefined && unit.conn !== filter.conn) return;
    if (!this.counter && !this.#mayContain(unit.text)) return;
    const stanza = new TracedStanza(unit, this.#scopes.get(key) ?? defaultScope);
    const count = this.counter?.observe(stanza);
    const pair = stanza.kind === 'iq' ? this.#pair(stanza) : undefined;
    if (this.#wants(stanza)) this.#entries.push({ kind: stanza.kind, stanza, pair, ...(count && { count }) });
  }

  /** Whether an id or a namespace that is asked for is in a text at all; most of a large trace need not be read further. */
  #mayContain(text: string): boolean {
    const { id, namespace } = this.filter;
    if (id !== undefined && !text.includes(id) && !text.includes('&')) return false;
    // Requests are needed for their replies, and what the header declared is not in the text.
    if (namespace === undefined || text.includes(namespace) || text.includes('&')) return true;
    return text.startsWith('<iq') || this.#isDeclared(namespace);
  }

  #isDeclared(namespace: string): boolean {
    if (namespace === defaultScope['']) return true;
    for (const scope of this.#scopes.values())
      for (const prefix in scope) if (scope[prefix] === namespace) return true;
    return false;
  }

  #pair(stanza: TracedStanza): IqPair | undefined {
    const { conn, dir, n, endedAt } = stanza.unit;
    return this.#pairing.observe({
      conn,
      dir,
      n,
      endedAt,
      type: stanza.attribute('type'),
      id: stanza.attribute('id'),
      from: stanza.attribute('from'),
      to: stanza.attribute('to'),
    });
  }

  #wants(stanza: TracedStanza): boolean {
    const { dir, kinds, namespace, selector, id, sinceMs } = this.filter;
    return (
      (dir === undefined || stanza.unit.dir === dir) &&
      (kinds === undefined || kinds.has(stanza.kind)) &&
      (sinceMs === undefined || stanza.unit.endedAt >= sinceMs) &&
      (id === undefined || stanza.attribute('id') === id) &&
      (namespace === undefined || stanza.hasNamespace(namespace)) &&
      (selector === undefined || (stanza.tree !== undefined && selector(stanza.tree)))
    );
  }

  /** Events have no direction, no id and nothing inside: a filter for those leaves them out. A gap is always said. */
  #wantsEvent(happening: Exclude<Happening, { kind: 'unit' }>): boolean {
    if (happening.kind === 'gap') return true;
    const { dir, kinds, conn, namespace, selector, id, sinceMs } = this.filter;
    return (
      dir === undefined &&
      namespace === undefined &&
      selector === undefined &&
      id === undefined &&
      (kinds === undefined || kinds.has('event')) &&
      (conn === undefined || happening.record.conn === conn) &&
      (sinceMs === undefined || happening.record.t >= sinceMs)
    );
  }
}
