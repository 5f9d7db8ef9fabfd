import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { formatBytes } from '../../lib/output/format.js';
import type { Output } from '../../lib/output/output.js';
import { safeText } from '../../lib/output/safe-text.js';
import { TraceCounter, type ConnectionStats, type TraceStats } from '../../lib/trace-analysis/stats.js';
import { formatMs } from '../../lib/trace/pretty-printer.js';
import { checkFiles, nameOf, readRecords, repairOption } from './trace-input.js';

export interface StatsOptions {
  /** Paths, or `-` for stdin. */
  files: readonly string[];
  isRepairing: boolean;
}

export const command = defineCommand({
  path: 'trace stats',
  summary: 'count what crossed: bytes, stanzas, round trips, time to each phase',
  description: [
    'Reads traces that --trace=FILE recorded and prints for each connection how long it lasted, the bytes and stanzas in both directions, how soon it was connected, secured, authenticated and bound, how long replies took, what stream management counted, and the namespaces of what the stanzas carried.',
    'Times to a phase count from the first record of the connection. Bytes are those inside of TLS, with the secrets that are not in the file.',
  ].join('\n\n'),
  examples: [
    { does: 'what a login costs', line: 'xmppctl ping --trace=p.trace && xmppctl trace stats p.trace' },
    {
      does: 'the slowest reply of each recording',
      line: "xmppctl trace stats *.trace --json | jq -c '[.file, (.connections[].roundTrips.maxMs)]'",
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: [
        'One object a line for each file: file, started, tool, durationMs, records, missing (records that were not kept), and connections. Each has conn, label, durationMs, bytes (in, out), stanzas (by kind, in and out), namespaces (the ten most frequent, with count), roundTrips (count, p50Ms, p95Ms, maxMs), management (requests, acknowledgements and lastH by direction, isResumed), and phases (connectedMs, tlsMs, authenticatedMs, boundMs: those that were reached).',
        'Percentiles are exact to a hundredth. Of a stream with more than a thousand namespaces the later ones are counted as (others).',
      ].join('\n\n'),
    },
  ],
  exitCodes: {
    2: 'a file is no trace, or one of a newer format',
    7: 'a file cannot be read, or a line of it is damaged',
  },
  completes: { files: 'file' },
  needs: 'nothing',
  build: (command) => command.argument('<files...>', 'the traces; - reads stdin').option(...repairOption),
  parse: ([files], flags): StatsOptions => ({
    files: checkFiles(files),
    isRepairing: flags.repair === true,
  }),
  run: runStats,
});

/** @throws UsageError @throws FileError */
export async function runStats({ files, isRepairing }: StatsOptions, context: Context): Promise<void> {
  for (const file of files) {
    const counter = new TraceCounter();
    for await (const batch of readRecords(file, context, { isRepairing })) counter.push(batch);
    const stats = { file: nameOf(file), ...counter.end() };
    await context.output.item(stats, (shown) => renderStats(shown, context.output));
  }
}

function renderStats(stats: TraceStats & { file: string }, { style }: Output): string {
  const missing = stats.missing > 0 ? `, ${stats.missing} missing` : '';
  return [
    `${style.strong(line(stats.file))}: ${line(stats.started)}, ${formatMs(stats.durationMs)}, ${stats.records} records${missing}, ${line(stats.tool)}`,
    ...stats.connections.flatMap((connection) => renderConnection(connection, style)),
  ].join('\n');
}

function renderConnection(stats: ConnectionStats, style: Output['style']): string[] {
  const { bytes, stanzas, phases, roundTrips, management, namespaces } = stats;
  const label = stats.label === undefined ? '' : `: ${line(stats.label)}`;
  const row = (name: string, text: string): string => `  ${style.dim(name.padEnd(18))}${text}`;
  const { connectedMs, tlsMs, authenticatedMs, boundMs } = phases;
  const reached = Object.entries({
    connected: connectedMs,
    TLS: tlsMs,
    authenticated: authenticatedMs,
    bound: boundMs,
  })
    .flatMap(([name, ms]) => (ms === undefined ? [] : [`${name} ${formatMs(ms)}`]))
    .join(', ');
  const { requests, acknowledgements, lastH, isResumed } = management;
  const isManaged = acknowledgements.in + acknowledgements.out + requests.in + requests.out > 0 || isResumed;
  return [
    style.strong(`connection ${stats.conn}${label}`),
    row('duration', formatMs(stats.durationMs)),
    row('bytes', `${formatBytes(bytes.in)} in, ${formatBytes(bytes.out)} out`),
    ...Object.entries(stanzas).map(([kind, count]) => row(kind, `${count.in} in, ${count.out} out`)),
    ...(reached === '' ? [] : [row('time to', reached)]),
    ...(roundTrips.count === 0
      ? []
      : [
          row(
            'round trips',
            `${roundTrips.count}: p50 ${formatMs(roundTrips.p50Ms)}, p95 ${formatMs(roundTrips.p95Ms)}, max ${formatMs(roundTrips.maxMs)}`,
          ),
        ]),
    ...(isManaged
      ? [
          row(
            'stream management',
            `asked ${requests.in} in, ${requests.out} out; acknowledged ${acknowledgements.in} in (h ${lastH.in ?? 'none'}), ${acknowledgements.out} out (h ${lastH.out ?? 'none'})${isResumed ? '; resumed' : ''}`,
          ),
        ]
      : []),
    ...namespaces.map(({ namespace, count }, index) =>
      row(index === 0 ? 'namespaces' : '', `${String(count).padStart(6)}  ${line(namespace)}`),
    ),
  ];
}

function line(text: string): string {
  return safeText(text, { singleLine: true });
}
