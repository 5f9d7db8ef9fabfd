import type { SharedDocument } from '../../../src/lib/sxe/shared-document.js';

/** Everything that must be the same for all, shown or not, as a text that a failing test can show. */
export function snapshotOfTree(document: SharedDocument): string {
  const lines: string[] = [];
  for (const record of [...document.records.values()].sort((a, b) => (a.rid < b.rid ? -1 : 1))) {
    const { rid, type, version, placedIn, lastModifiedBy, fields } = record;
    lines.push(JSON.stringify({ rid, type, version, placedIn, lastModifiedBy, ...fields }));
  }
  lines.push([...document.removed].sort().join(' '));
  for (const [rid, container] of [...document.containers()].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const ids = (records: Iterable<{ rid: string }>): string => [...records].map((one) => one.rid).join(' ');
    lines.push(`${rid}: ${ids(container.attributes())} | ${ids(container.nodes)}`);
  }
  return lines.join('\n');
}
