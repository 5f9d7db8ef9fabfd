/** An entry as `trace show --json` prints it. */
import { elementsOf } from './trace-element.js';
import type { TraceEntry } from './view-trace.js';

/** One object a line; documented in xmppctl-trace(5). @param startedMs when the recording began, since the epoch */
export function entryToJson(entry: TraceEntry, startedMs: number): Record<string, unknown> {
  const time = (t: number): string => new Date(startedMs + t).toISOString();
  if (entry.kind === 'event') {
    const { record } = entry;
    return 't' in record ? { ...record, time: time(record.t) } : { ...record };
  }
  const { stanza, pair, count } = entry;
  const { unit, start, tree } = stanza;
  return {
    n: unit.n,
    t: unit.endedAt,
    time: time(unit.endedAt),
    conn: unit.conn,
    dir: unit.dir,
    kind: stanza.kind,
    ...(start && {
      name: start.name,
      namespace: start.namespace,
      type: start.attributes['type'],
      id: start.attributes['id'],
      from: start.attributes['from'],
      to: start.attributes['to'],
    }),
    ...(tree &&
      stanza.unit.kind !== 'header' && {
        payload: elementsOf(tree).map(({ name, namespace }) => ({ name, namespace })),
      }),
    ...(pair && { replyTo: pair.replyTo, rttMs: pair.rttMs }),
    ...(count && { sm: count }),
    ...(unit.kind === 'incomplete' && { incomplete: true }),
    xml: unit.text,
  };
}

/** The same as a line, with its line feed. @param more further keys */
export function encodeEntry(entry: TraceEntry, startedMs: number, more?: Record<string, unknown>): string {
  const value = entryToJson(entry, startedMs);
  return `${JSON.stringify(more ? { ...value, ...more } : value)}\n`;
}
