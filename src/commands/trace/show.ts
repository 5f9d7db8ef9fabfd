import { Option } from '@commander-js/extra-typings';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { UsageError } from '../../lib/errors.js';
import type { Direction } from '../../lib/trace/events.js';
import { parseSince, type Since } from '../../lib/trace/since.js';
import { recordBytes, type TraceRecord } from '../../lib/trace/record.js';
import { parseSelector } from '../../lib/trace/selector.js';
import { entryKinds, type EntryKind, type TraceFilter } from '../../lib/trace/view-trace.js';
import { showEntries } from './show-entries.js';
import { readRecords, repairOption } from './trace-input.js';

export interface ShowOptions {
  /** A path, or `-` for stdin. */
  file: string;
  isRaw: boolean;
  /** Goes on when the end is reached: the file is still written. */
  isFollowing: boolean;
  /** Reads what can be read of a damaged trace. */
  isRepairing: boolean;
  filter: TraceFilter;
  since: Since | undefined;
  /** Shows the counters of stream management. */
  isCounting: boolean;
  /** Says what breaks the rules, where it does. */
  isLinting: boolean;
}

export const command = defineCommand({
  path: 'trace show',
  summary: 'show a recorded trace: stanzas, events and round trips',
  description: [
    'Reads a trace that --trace=FILE recorded and puts the packets together to stanzas. Every line begins with where it went: an arrow to the right is out, to the left is in, and * is about the connection. The first line of a stanza has the time since the one before it; a reply says how long it took and which record holds its request.',
    'All filters that are given must agree. With a filter for stanzas, events of the connection are left out.',
  ].join('\n\n'),
  examples: [
    {
      does: 'record a trace, then read it',
      line: 'xmppctl ping --trace=ping.trace && xmppctl trace show ping.trace',
    },
    {
      does: 'chat messages with a text that came in',
      line: "xmppctl trace show ping.trace --dir in --select 'message[type=chat] > body'",
    },
    {
      does: 'the slowest replies',
      line: "xmppctl trace show ping.trace --kind iq --json | jq -sc 'map(select(.rttMs)) | sort_by(-.rttMs)[:5][] | [.rttMs, .from]'",
    },
    { does: 'exactly the bytes that were sent', line: 'xmppctl trace show ping.trace --raw --dir out' },
    { does: 'watch a recording that goes on', line: 'xmppctl trace show --follow listen.trace' },
  ],
  sections: [
    {
      title: 'JSON',
      text: [
        'With --json each stanza is an object on a line: n (the record it began in), t and time (when it was complete: milliseconds since the start, and ISO 8601), conn, dir, kind, name, namespace, type, id, from, to, payload (name and namespace of its children), and xml (its text as it crossed). A reply has replyTo (the n of its request) and rttMs; a stanza that never ended has incomplete. With --sm there is sm: stanza (which of its direction it is), or, of an acknowledgement, sent and open; with --lint findings (code, message, spec), and what is found at the end is an object of the kind finding. Events, connections and gaps are the records of the trace, with their time.',
        'The kinds of stanzas are message, presence, iq, nonza (authentication, stream management and the like), stream (headers, features, errors, the end), space (white space between stanzas) and other (what is no XMPP). Events, connections and gaps are of the kind event.',
      ].join('\n\n'),
    },
    {
      title: 'SELECTORS',
      text: [
        'A selector is a path of elements: a name, {namespace}name, or * for any. A space between two means somewhere inside, > means a child, and a comma separates alternatives. A name without a namespace means any namespace. A stanza is shown when it, or an element in it, is selected.',
        'Tests follow in brackets: [type] is there, [type=chat] equals, [type!=chat] differs or is missing, [to^=alice] starts with, [to$=.org] ends with, [to*=exam] contains. A dot tests the text: body[.*=hello]. Values with brackets or quotes are quoted.',
        'Examples: message[type=groupchat] > subject; iq[type=set] {http://jabber.org/protocol/pubsub}publish[node]; presence[type=error], message[type=error].',
      ].join('\n\n'),
    },
  ],
  exitCodes: {
    2: 'the file is no trace, or one of a newer format; or a filter cannot be understood',
    7: 'the file cannot be read, or a line of it is damaged',
  },
  completes: { file: 'file', '--kind': entryKinds, '--dir': ['in', 'out'] },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('<file>', 'the trace; - reads stdin')
      .addOption(
        new Option('--dir <direction>', 'only what came in, or what went out').choices(['in', 'out']),
      )
      .option('--kind <kinds>', `only these, separated by commas: ${entryKinds.join(', ')}`)
      .option('--ns <namespace>', 'only stanzas with an element in this namespace')
      .option(
        '--select <selector>',
        'only stanzas that a selector matches, for example message[type=chat] > body',
      )
      .option('--id <id>', 'only stanzas with this id: a request and its reply')
      .option(
        '--since <time>',
        'only from this time on: 2026-01-31T10:00:00Z, or 1.5s, 3m, 2h after the start',
      )
      .option('--conn <number>', 'only this connection')
      .option('--sm', 'beside each stanza, what stream management counts')
      .option('--lint', 'behind each stanza, what breaks the rules; see xmppctl trace lint')
      .option('-f, --follow', 'do not end at the end: show what is recorded as it comes, until Ctrl-C')
      .option(...repairOption)
      .option('--raw', 'the bytes of one direction exactly as they crossed; takes --dir, --since and --conn'),
  parse: ([file], flags): ShowOptions => {
    const isRaw = flags.raw === true;
    const dir: Direction | undefined = flags.dir;
    if (isRaw) {
      if (dir === undefined)
        throw new UsageError('--raw needs a direction', { hint: 'add --dir in or --dir out' });
      for (const name of ['kind', 'ns', 'select', 'id', 'sm', 'lint'] as const) {
        if (flags[name] !== undefined)
          throw new UsageError(`--raw cannot be combined with --${name}: it shows bytes, not stanzas`);
      }
    }
    const isFollowing = flags.follow === true;
    if (isFollowing && file === '-')
      throw new UsageError('--follow is for a file', { hint: 'stdin is read as it comes anyway' });
    return {
      file,
      isRaw,
      isFollowing,
      isCounting: flags.sm === true,
      isLinting: flags.lint === true,
      isRepairing: flags.repair === true,
      since: flags.since === undefined ? undefined : parseSince(flags.since),
      filter: {
        ...(dir !== undefined && { dir }),
        ...(flags.kind !== undefined && { kinds: parseKinds(flags.kind) }),
        ...(flags.ns !== undefined && { namespace: flags.ns }),
        ...(flags.select !== undefined && { selector: parseSelector(flags.select) }),
        ...(flags.id !== undefined && { id: flags.id }),
        ...(flags.conn !== undefined && { conn: parseConnection(flags.conn) }),
      },
    };
  },
  run: runShow,
});

function parseKinds(text: string): ReadonlySet<EntryKind> {
  return new Set(
    text.split(',').map((word): EntryKind => {
      const kind = entryKinds.find((known) => known === word.trim());
      if (kind === undefined) {
        throw new UsageError(`--kind does not know ${word.trim()}`, {
          hint: `there is ${entryKinds.join(', ')}`,
        });
      }
      return kind;
    }),
  );
}

function parseConnection(text: string): number {
  const conn = Number(text);
  if (!Number.isInteger(conn) || conn < 1)
    throw new UsageError(`--conn takes the number of a connection, not ${text}`);
  return conn;
}

/** @throws UsageError @throws FileError */
export async function runShow(options: ShowOptions, context: Context): Promise<void> {
  if (options.isRaw) await showRaw(options, context);
  else await showEntries(options, context);
}

/** The bytes of one direction of one connection: of the first that has any, unless one is named. */
async function showRaw(options: ShowOptions, context: Context): Promise<void> {
  const { filter, since } = options;
  const { output } = context;
  let { conn } = filter;
  let sinceMs = 0;
  const remarks = new Set<string>();
  const take = (record: TraceRecord): Uint8Array[] => {
    if (record.kind === 'header') sinceMs = since?.(Date.parse(record.started)) ?? 0;
    if (record.kind === 'gap')
      remarks.add(`records ${record.from} to ${record.to} are missing: ${record.reason}`);
    if (record.kind !== 'data' || record.dir !== filter.dir || record.t < sinceMs) return [];
    conn ??= record.conn;
    if (record.conn !== conn) {
      if (filter.conn === undefined) remarks.add(`this is connection ${conn} only; name another with --conn`);
      return [];
    }
    if (record.redacted)
      remarks.add('secrets were taken out when this was recorded: a marker stands in place of each');
    return [recordBytes(record)];
  };
  const batches = readRecords(options.file, context, {
    isFollowing: options.isFollowing,
    isRepairing: options.isRepairing,
    wantsData: (number, dir) => dir === filter.dir && (filter.conn ?? number) === number,
  });
  for await (const batch of batches) {
    const pieces = batch.flatMap(take);
    if (pieces.length > 0) await output.bytes(Buffer.concat(pieces));
  }
  for (const remark of remarks) output.warn(remark);
}
