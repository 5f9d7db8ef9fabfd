import path from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import {
  exportFormats,
  type ExportFormat,
  type TraceWriter,
} from '../../lib/trace-analysis/export/formats.js';
import type { HeaderRecord } from '../../lib/trace/record.js';
import { TraceView } from '../../lib/trace/view-trace.js';
import { nameOf, readRecords, repairOption, writeText } from './trace-input.js';

export interface ExportOptions {
  /** A path, or `-` for stdin. */
  file: string;
  format: ExportFormat;
  /** Where it goes; stdout when left out. */
  output: string | undefined;
  isRepairing: boolean;
}

export const command = defineCommand({
  path: 'trace export',
  summary: 'make a page, a readable log, one JSON document or a capture of a trace',
  description: [
    'Reads a trace that --trace=FILE recorded and writes it for others. html is one page that needs nothing from the network: who sent what to whom, search, filters, folding, raw and pretty, also with hundreds of thousands of events. md is a log for a bug report. json is one document with all events. scansion is a test script for Prosody’s scansion: each client sends what it sent and expects what it received, after its login. pcapng is a capture that Wireshark and tshark open: made-up packets of TCP, always on port 5222, with the recorded bytes in the clear, also those that were inside of TLS; events are comments.',
    'The page shows what was recorded as text only, and its policy lets nothing but its own script run. Secrets are in it if they are in the trace; xmppctl trace anonymise takes out who it was.',
  ].join('\n\n'),
  examples: [
    { does: 'a page to look at', line: 'xmppctl trace export client.trace -o client.html' },
    {
      does: 'look at it in Wireshark',
      line: 'xmppctl trace export client.trace --format pcapng -o client.pcapng',
    },
    {
      does: 'a log for a bug report that names no one',
      line: 'xmppctl trace anonymise client.trace | xmppctl trace export - --format md',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'With --format json the result is one document: log, with version, title, creator (name), started, redacted, entries (each as trace show --json prints it), and connections (conn, label, time). --json alone means the same.',
    },
  ],
  exitCodes: {
    2: 'the file is no trace, or one of a newer format',
    7: 'the file cannot be read or written, or a line of it is damaged',
  },
  completes: { file: 'file', '--output': 'file', '--format': exportFormats },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('<file>', 'the trace; - reads stdin')
      .addOption(
        new Option('--format <format>', 'what to make of it; html unless given').choices(exportFormats),
      )
      .option(...repairOption)
      .option('-o, --output <file>', 'write it here; to standard output when left out'),
  parse: ([file], flags, context): ExportOptions => {
    if (flags.output !== undefined && flags.output !== '-' && flags.output === file)
      throw new UsageError('the trace would be overwritten while it is read', {
        hint: 'choose another name',
      });
    const isToTerminal = flags.output === undefined || flags.output === '-';
    if (flags.format === 'pcapng' && isToTerminal && context.output.isTerminal)
      throw new UsageError('a capture is nothing for a terminal', { hint: 'name a file with -o' });
    return {
      file,
      format: flags.format ?? (context.output.isJson ? 'json' : 'html'),
      output: flags.output,
      isRepairing: flags.repair === true,
    };
  },
  run: runExport,
});

/** @throws UsageError @throws FileError */
export async function runExport(options: ExportOptions, context: Context): Promise<void> {
  await writeText(options.output, exportTrace(options, context), context, {
    isJson: options.format === 'json',
  });
}

async function* exportTrace(
  options: ExportOptions,
  context: Context,
): AsyncGenerator<string | Uint8Array, void, void> {
  const { file, format, isRepairing } = options;
  if (format === 'pcapng') {
    yield* exportPackets(options, context);
    return;
  }
  const writer = await loadWriter(format);
  const view = new TraceView({});
  let header: HeaderRecord | undefined;
  // Where it lies is nobody's business.
  yield writer.begin(path.basename(nameOf(file)));
  for await (const batch of readRecords(file, context, { isRepairing })) {
    const entries = view.push(batch);
    header = view.header;
    if (header) yield writer.write(entries, header);
  }
  if (header) yield writer.write(view.end(), header);
  yield writer.end();
}

/** A capture is made of records, not of stanzas. */
async function* exportPackets(
  { file, isRepairing }: ExportOptions,
  context: Context,
): AsyncGenerator<Uint8Array, void, void> {
  const { PcapngWriter } = await import('../../lib/trace-analysis/export/pcapng.js');
  const writer = new PcapngWriter();
  for await (const batch of readRecords(file, context, { isRepairing })) yield writer.push(batch);
}

async function loadWriter(format: Exclude<ExportFormat, 'pcapng'>): Promise<TraceWriter> {
  switch (format) {
    case 'html':
      return (await import('../../lib/trace-analysis/export/html.js')).createHtmlWriter();
    case 'md':
      return (await import('../../lib/trace-analysis/export/markdown.js')).createMarkdownWriter();
    case 'json':
      return (await import('../../lib/trace-analysis/export/json.js')).createJsonWriter();
    case 'scansion':
      return (await import('../../lib/trace-analysis/export/scansion.js')).createScansionWriter();
  }
}
