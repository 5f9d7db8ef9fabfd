/** A trace as one JSON document, in the manner of HAR: a log with its entries, and the connections behind them. */
import { entryToJson } from '../../trace/entry-json.js';
import type { TraceWriter } from './formats.js';

export function createJsonWriter(): TraceWriter {
  const connections: unknown[] = [];
  let hasBegun = false;
  let separator = '';
  let title = '';
  return {
    begin(name) {
      title = name;
      return '';
    },
    write(entries, header) {
      let text = '';
      if (!hasBegun) {
        hasBegun = true;
        const { tool, started, redacted } = header;
        const head = JSON.stringify({ version: '1', title, creator: { name: tool }, started, redacted });
        text += `{"log":${head.slice(0, -1)},"entries":[\n`;
      }
      const startedMs = Date.parse(header.started);
      for (const entry of entries) {
        const shown = entryToJson(entry, startedMs);
        if (shown['kind'] === 'connection')
          connections.push({ conn: shown['conn'], label: shown['label'], time: shown['time'] });
        text += `${separator}${JSON.stringify(shown)}`;
        separator = ',\n';
      }
      return text;
    },
    end: () => `\n],"connections":${JSON.stringify(connections)}}}\n`,
  };
}
