import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import type { Style } from '../../lib/output/output.js';
import { diffRecordings, type Difference } from '../../lib/trace-analysis/diff/diff.js';
import { RecordingLoader, type RecordedConnection } from '../../lib/trace-analysis/diff/recording.js';
import { arrow, renderChanges, singleLine } from './render-changes.js';
import { checkFiles, readRecords, repairOption } from './trace-input.js';

export interface DiffOptions {
  /** Paths, or `-` for stdin. */
  a: string;
  b: string;
  isRepairing: boolean;
}

export const command = defineCommand({
  path: 'trace diff',
  summary: 'compare two recordings: what only one has, and what differs',
  description: [
    'Compares two traces that --trace=FILE recorded: the same client against two servers, or yesterday and today. Connections are compared in their order, in each the stanzas of a kind and direction; replies go with their requests, so it does not matter what came in between.',
    'Ids, times, nonces, resources, counters of stream management, the own address and the own domain are not compared, nor the order of attributes, features, mechanisms, items of a roster and of presence.',
    'Paths are those of the elements: features/mechanisms/mechanism is a child, iq@type an attribute.',
  ].join('\n\n'),
  examples: [
    {
      does: 'what a server offers that another does not',
      line: 'xmppctl trace diff prosody.trace ejabberd.trace',
    },
    {
      does: 'which paths differ, for a script',
      line: "xmppctl trace diff old.trace new.trace --json | jq -r 'select(.changes) | .changes[].path' | sort -u",
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line for each difference, with kind: connection (only: a or b, conn, label), only (only, conn, dir, n, what), or changed (conn, dir, a and b: the numbers of the records, what, and changes with path, a and b: the values, missing where there is none). conn is that of the first trace.',
    },
  ],
  exitCodes: {
    0: 'they are the same',
    1: 'they differ',
    2: 'a file is no trace, or one of a newer format',
    7: 'a file cannot be read, or a line of it is damaged',
  },
  completes: { a: 'file', b: 'file' },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('<a>', 'a trace; - reads stdin')
      .argument('<b>', 'the one to compare it with')
      .option(...repairOption),
  parse: ([a, b], flags): DiffOptions => {
    checkFiles([a, b]);
    return { a, b, isRepairing: flags.repair === true };
  },
  run: runDiff,
});

/** @throws NegativeError they differ @throws UsageError @throws FileError */
export async function runDiff(options: DiffOptions, context: Context): Promise<void> {
  const { a, b, isRepairing } = options;
  const { output } = context;
  const differences = diffRecordings(
    await load(a, isRepairing, context),
    await load(b, isRepairing, context),
  );
  for (const difference of differences)
    await output.item(difference, (shown) => renderDifference(shown, output.style));
  const { length } = differences;
  if (length > 0)
    throw new NegativeError(`the traces differ in ${length} ${length === 1 ? 'place' : 'places'}`, {
      details: { count: length },
    });
  output.note('no difference');
}

async function load(file: string, isRepairing: boolean, context: Context): Promise<RecordedConnection[]> {
  const loader = new RecordingLoader();
  for await (const batch of readRecords(file, context, { isRepairing })) loader.push(batch);
  return loader.end();
}

function renderDifference(difference: Difference, style: Style): string {
  const sideOf = (only: 'a' | 'b', text: string): string =>
    only === 'a' ? style.bad(`- ${text}`) : style.good(`+ ${text}`);
  switch (difference.kind) {
    case 'connection': {
      const label = difference.label === undefined ? '' : `: ${singleLine(difference.label)}`;
      return sideOf(difference.only, `connection ${difference.conn}${label}`);
    }
    case 'only':
      return sideOf(
        difference.only,
        `record ${difference.n}${arrow(difference.dir)}: ${singleLine(difference.what)}`,
      );
    case 'changed':
      return [
        `${style.warning('~')} records ${difference.a} and ${difference.b}${arrow(difference.dir)}: ${singleLine(difference.what)}`,
        ...renderChanges(difference.changes, style),
      ].join('\n');
  }
}
