/**
 * A trace as one page that needs nothing else. What was recorded is data in it, and never markup: it stands in a JSON
 * block in which no tag can begin, and the page shows it as text only. Its policy lets nothing run but its own script.
 */
import { createHash } from 'node:crypto';
import { elementsOf } from '../../trace/trace-element.js';
import type { TraceEntry } from '../../trace/view-trace.js';
import { escapeAnywhere } from '../../xml/escape.js';
import { describeEntry } from './describe-entry.js';
import type { TraceWriter } from './formats.js';
import { pageScript } from './page-script.js';
import { pageBody, pageStyle } from './page-parts.js';

/** As the page's script reads them, by place: names would be a third of the page. */
type PageEvent = readonly [
  n: number,
  t: number,
  conn: number,
  dir: string,
  kind: string,
  what: string,
  namespaces: readonly string[],
  address: string,
  replyTo: number,
  rttMs: number,
  text: string,
];

export function createHtmlWriter(): TraceWriter {
  let isFirst = true;
  let header = '';
  let lastT = 0;
  return {
    begin: (title) =>
      [
        '<!doctype html>',
        '<html lang="en"><head><meta charset="utf-8">',
        `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '${hashOf(pageScript)}'; style-src '${hashOf(pageStyle)}'; base-uri 'none'; form-action 'none'">`,
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        `<title>${escapeAnywhere(title)}</title>`,
        `<style>${pageStyle}</style></head><body>`,
        pageBody,
        '<script type="application/json" id="events">[',
      ].join('\n'),
    write(entries, { started, tool, redacted }) {
      header = encode({ started, tool, redacted });
      let text = '';
      for (const entry of entries) {
        const event = eventOf(entry, lastT);
        lastT = event[1];
        text += `${isFirst ? '' : ',\n'}${encode(event)}`;
        isFirst = false;
      }
      return text;
    },
    end: () =>
      `]</script>\n<script type="application/json" id="header">${header}</script>\n<script>${pageScript}</script></body></html>\n`,
  };
}

function eventOf(entry: TraceEntry, lastT: number): PageEvent {
  const what = describeEntry(entry);
  if (entry.kind === 'event') {
    const { record } = entry;
    if (record.kind === 'gap') return [0, lastT, 0, '', 'gap', what, [], '', 0, 0, ''];
    const detail = record.kind === 'event' ? JSON.stringify(record.detail, null, 2) : '';
    return [record.n, record.t, record.conn, '', record.kind, what, [], '', 0, 0, detail];
  }
  const { stanza, pair } = entry;
  const { unit, start, tree } = stanza;
  const namespaces = new Set(
    tree ? [tree.namespace, ...elementsOf(tree).map((child) => child.namespace)] : [],
  );
  const address = start?.attributes[unit.dir === 'out' ? 'to' : 'from'] ?? '';
  const { n, endedAt, conn, dir, text } = unit;
  return [
    n,
    endedAt,
    conn,
    dir,
    entry.kind,
    what,
    [...namespaces],
    address,
    pair?.replyTo ?? 0,
    pair?.rttMs ?? 0,
    text,
  ];
}

/** JSON in which no tag and no comment can begin. */
function encode(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
