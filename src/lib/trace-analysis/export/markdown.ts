/** A trace as a log for a bug report: Markdown that reads well as it is. */
import { safeText } from '../../output/safe-text.js';
import { formatMs } from '../../trace/pretty-printer.js';
import { layOutXml } from '../../trace/pretty-xml.js';
import type { TraceEntry } from '../../trace/view-trace.js';
import { describeEntry } from './describe-entry.js';
import type { TraceWriter } from './formats.js';

export function createMarkdownWriter(): TraceWriter {
  let title = '';
  let hasBegun = false;
  return {
    begin(name) {
      title = name;
      return '';
    },
    write(entries, { started, tool, redacted }) {
      let text = '';
      if (!hasBegun) {
        hasBegun = true;
        const secrets = redacted ? 'secrets were taken out' : '**with its secrets**';
        text += `# ${codeSpan(title)}\n\nRecorded ${codeSpan(started)} by ${codeSpan(tool)}, ${secrets}. → is sent, ← is received.\n\n`;
      }
      return text + entries.map(writeEntry).join('');
    },
    end: () => '',
  };
}

function writeEntry(entry: TraceEntry): string {
  const what = codeSpan(describeEntry(entry));
  if (entry.kind === 'event') {
    const { record } = entry;
    if (record.kind === 'connection') return `## ${what}\n\n`;
    return record.kind === 'gap' ? `- **gap** ${what}\n\n` : `- ${formatMs(record.t)} ${what}\n\n`;
  }
  const { stanza, pair } = entry;
  const { n, dir, endedAt, conn, text, kind } = stanza.unit;
  if (kind === 'space') return '';
  const round = pair ? `, answers ${pair.replyTo} after ${formatMs(pair.rttMs)}` : '';
  const heading = `**${n}** ${dir === 'out' ? '→' : '←'} ${formatMs(endedAt)}, connection ${conn}: ${what}${round}`;
  const lines = layOutXml(text).join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(lines) + 1));
  return `${heading}\n\n${fence}xml\n${lines}\n${fence}\n\n`;
}

/** Text that no Markdown and no HTML is read in, whatever it is. */
function codeSpan(text: string): string {
  const shown = safeText(text, { singleLine: true });
  const ticks = '`'.repeat(longestRun(shown) + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') || shown.trim() === '' ? ' ' : '';
  return `${ticks}${pad}${shown}${pad}${ticks}`;
}

function longestRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}
