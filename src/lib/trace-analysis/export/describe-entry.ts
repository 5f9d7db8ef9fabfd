/** An entry in one line. */
import { describeLifecycle } from '../../trace/lifecycle-text.js';
import { elementsOf } from '../../trace/trace-element.js';
import type { TraceEntry } from '../../trace/view-trace.js';

/** It may quote what was recorded: neutralise it for where it goes. */
export function describeEntry(entry: TraceEntry): string {
  if (entry.kind === 'event') {
    const { record } = entry;
    switch (record.kind) {
      case 'connection':
        return `connection ${record.conn}: ${record.label}`;
      case 'gap':
        return `records ${record.from} to ${record.to} are missing: ${record.reason}`;
      case 'event':
        return describeLifecycle(record.name, record.detail).join('; ');
    }
  }
  const { stanza } = entry;
  const { start, tree, unit } = stanza;
  if (unit.kind === 'space') return 'white space (keep-alive)';
  if (unit.kind === 'footer') return 'the end of the stream';
  if (start === undefined) return 'not XMPP';
  if (unit.kind === 'header') return 'stream header';
  const isStanza = entry.kind === 'iq' || entry.kind === 'message' || entry.kind === 'presence';
  const payload = tree && elementsOf(tree)[0];
  const parts = [
    start.name,
    start.attributes['type'],
    isStanza ? payload && `${payload.name} ${payload.namespace}` : start.namespace,
    unit.kind === 'incomplete' ? '(incomplete)' : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(' ');
}
