/** A recording as it is compared: per connection the stanzas that mean something, in lanes that keep their own order. */
import type { Direction } from '../../trace/events.js';
import type { EventRecord, TraceRecord } from '../../trace/record.js';
import { elementsOf, type TraceElement } from '../../trace/trace-element.js';
import type { TracedStanza } from '../../trace/traced-stanza.js';
import { TraceView, type TraceEntry } from '../../trace/view-trace.js';
import { smNamespaces } from '../namespaces.js';
import { StreamPhase } from '../stream-phase.js';
import { normalise, type Normal, type Self } from './normalise.js';

export interface Item {
  n: number;
  dir: Direction | undefined;
  /** What it is, for people. */
  what: string;
  /** Equal for stanzas that are of the same kind and carry the same. */
  key: string;
  normal: Normal;
  /** Of a request: what came back. */
  reply: Item | undefined;
}

/** How a lane is compared: pushes and presence may come in any order among each other. */
export type Lanes = Map<string, Item[]>;

export interface RecordedConnection {
  conn: number;
  label: string | undefined;
  lanes: Lanes;
}

interface Loading {
  conn: number;
  label: string | undefined;
  phase: StreamPhase;
  entries: {
    lane: string;
    n: number;
    dir: Direction | undefined;
    element: TraceElement;
    replyTo: number | undefined;
  }[];
}

/** What a handshake agreed on; the rest of an event is of its time and place. */
const comparedFacts: ReadonlyMap<string, readonly string[]> = new Map([
  ['tls', ['version', 'alpn', 'isVerified', 'error']],
  ['sasl', ['profile', 'mechanism', 'channelBinding', 'outcome', 'condition']],
]);

export class RecordingLoader {
  readonly #view = new TraceView({});
  readonly #connections = new Map<number, Loading>();

  push(records: readonly TraceRecord[]): void {
    for (const entry of this.#view.push(records)) this.#take(entry);
  }

  end(): RecordedConnection[] {
    for (const entry of this.#view.end()) this.#take(entry);
    return [...this.#connections.values()].map(finish);
  }

  #take(entry: TraceEntry): void {
    if (entry.kind === 'event') {
      const { record } = entry;
      if (record.kind === 'connection') this.#loading(record.conn).label = record.label;
      else if (record.kind === 'event') this.#takeEvent(record);
      return;
    }
    const { stanza, pair } = entry;
    const { conn, dir, n } = stanza.unit;
    const loading = this.#loading(conn);
    loading.phase.observe(stanza);
    const element = stanza.tree;
    const lane = laneOf(entry.kind, stanza);
    if (element !== undefined && lane !== undefined)
      loading.entries.push({ lane: `${dir} ${lane}`, n, dir, element, replyTo: pair?.replyTo });
  }

  #takeEvent({ conn, n, name, detail }: EventRecord): void {
    const facts = comparedFacts.get(name);
    if (facts === undefined) return;
    const attributes = Object.fromEntries(
      facts.flatMap((key) => (detail[key] === undefined ? [] : [[key, textOfFact(detail[key])]])),
    ) as Record<string, string>;
    const element = { name, namespace: 'event', attributes, children: [] };
    this.#loading(conn).entries.push({ lane: 'event', n, dir: undefined, element, replyTo: undefined });
  }

  #loading(conn: number): Loading {
    let loading = this.#connections.get(conn);
    if (loading === undefined) {
      loading = { conn, label: undefined, phase: new StreamPhase(), entries: [] };
      this.#connections.set(conn, loading);
    }
    return loading;
  }
}

function textOfFact(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function laneOf(kind: Exclude<TraceEntry['kind'], 'event'>, stanza: TracedStanza): string | undefined {
  const { start } = stanza;
  if (kind === 'space' || kind === 'other' || start === undefined) return undefined;
  // When acknowledgements are asked for is a matter of timing.
  if (smNamespaces.has(start.namespace) && (start.name === 'r' || start.name === 'a')) return undefined;
  if (kind === 'stream' || kind === 'nonza') return 'stream';
  if (kind !== 'iq') return kind;
  const { type } = start.attributes;
  return type === 'get' || type === 'set' ? 'request' : 'reply';
}

function finish({ conn, label, phase, entries }: Loading): RecordedConnection {
  const jid = phase.jid?.toLowerCase();
  const bare = jid?.includes('@') ? jid.replace(/\/.*$/s, '') : undefined;
  const domain = (bare?.replace(/^.*@/, '') ?? phase.domain ?? jid)?.toLowerCase();
  const self: Self = { bare, domain };
  const lanes: Lanes = new Map();
  const requests = new Map<string, Item>();
  for (const { lane, n, dir, element, replyTo } of entries) {
    const item = makeItem(n, dir, element, self);
    const request =
      replyTo === undefined ? undefined : requests.get(`${dir === 'in' ? 'out' : 'in'} ${replyTo}`);
    if (request !== undefined && request.reply === undefined) {
      request.reply = item;
      continue;
    }
    if (lane.endsWith('request')) requests.set(`${dir ?? ''} ${n}`, item);
    const list = lanes.get(lane);
    if (list) list.push(item);
    else lanes.set(lane, [item]);
  }
  return { conn, label, lanes };
}

/** A stanza as it is compared. @param self whose addresses are not compared */
export function makeItem(n: number, dir: Direction | undefined, element: TraceElement, self: Self): Item {
  const { name, namespace, attributes } = element;
  const type = attributes['type'];
  const payload = elementsOf(element).map((child) => `{${child.namespace}}${child.name}`);
  const isStanza = name === 'iq' || name === 'message' || name === 'presence';
  const shown = isStanza
    ? [...new Set(payload)].slice(0, 3).join(', ')
    : namespace === 'event'
      ? ''
      : `{${namespace}}`;
  return {
    n,
    dir,
    what: [name, type, shown].filter((part) => part !== undefined && part !== '').join(' '),
    key: JSON.stringify([name, namespace, type, isStanza ? payload.sort() : []]),
    normal: normalise(element, self),
    reply: undefined,
  };
}
