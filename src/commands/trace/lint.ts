import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import { renderTable } from '../../lib/output/table.js';
import { safeText } from '../../lib/output/safe-text.js';
import { isFindingCode, rules, type Finding, type FindingCode } from '../../lib/trace-analysis/findings.js';
import { TraceLinter } from '../../lib/trace-analysis/lint.js';
import { checkFiles, nameOf, readRecords, repairOption } from './trace-input.js';

export interface LintOptions {
  /** Paths, or `-` for stdin; none when only the codes are listed. */
  files: readonly string[];
  isList: boolean;
  isRepairing: boolean;
  ignored: ReadonlySet<FindingCode>;
}

export const command = defineCommand({
  path: 'trace lint',
  summary: 'say where a recorded stream breaks the rules',
  description: [
    'Reads traces that --trace=FILE recorded and tells what both sides did wrong by RFC 6120, RFC 6121 and XEP-0198: requests that nobody answered, replies from somebody who was not asked, ids used twice, errors without a condition, counters that cannot be, stanzas before authentication, namespaces, features that were not offered, XML that is none; and what is wrong with the file.',
    'Each finding is a line: the file, the number of the connection and of the record (trace show --json prints them as conn and n), what was found, its code, and where the rule is written. A stream that was resumed is one session over its connections.',
    'A recording that ends early leaves requests without their answers: --ignore iq.unanswered.',
  ].join('\n\n'),
  examples: [
    { does: 'look at what a client did', line: 'xmppctl trace lint client.trace' },
    { does: 'all codes, with what they mean', line: 'xmppctl trace lint --list' },
    {
      does: 'which rules are broken how often',
      line: 'xmppctl trace lint *.trace --json | jq -r .code | sort | uniq -c',
    },
    {
      does: 'read the stanza of a finding',
      line: "xmppctl trace show client.trace --json | jq -r 'select(.n == 42) | .xml'",
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line for each finding: file, conn (0 when it is about the file), records (numbers, the one that shows it last), code, message and spec. With --list: code, meaning and spec.',
    },
  ],
  exitCodes: {
    0: 'nothing was found',
    1: 'something was',
    2: 'a file is no trace, or one of a newer format',
    7: 'a file cannot be read',
  },
  completes: { files: 'file', '--ignore': Object.keys(rules) },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('[files...]', 'the traces; - reads stdin')
      .option('--ignore <codes>', 'leave these out, separated by commas')
      .option(...repairOption)
      .option('--list', 'print all codes with what they mean'),
  parse: ([files], flags): LintOptions => {
    const isList = flags.list === true;
    if (isList && files.length > 0) throw new UsageError('--list reads no trace');
    if (!isList && files.length === 0)
      throw new UsageError('which trace?', { hint: 'name a file, or - for stdin' });
    return {
      files: checkFiles(files),
      isList,
      isRepairing: flags.repair === true,
      ignored: parseCodes(flags.ignore),
    };
  },
  run: runLint,
});

function parseCodes(text: string | undefined): ReadonlySet<FindingCode> {
  const codes = text === undefined ? [] : text.split(',').map((word) => word.trim());
  return new Set(
    codes.map((code) => {
      if (isFindingCode(code)) return code;
      throw new UsageError(`--ignore does not know ${code}`, { hint: 'xmppctl trace lint --list' });
    }),
  );
}

/** @throws NegativeError something was found @throws UsageError @throws FileError */
export async function runLint(options: LintOptions, context: Context): Promise<void> {
  const { files, isList, isRepairing, ignored } = options;
  if (isList) return listRules(context);
  const { output } = context;
  let count = 0;
  for (const file of files) {
    const linter = new TraceLinter();
    const show = async (findings: readonly Finding[]): Promise<void> => {
      for (const finding of findings) {
        if (ignored.has(finding.code)) continue;
        count += 1;
        await output.item({ file: nameOf(file), ...finding }, (shown) => renderFinding(shown, context));
      }
    };
    let damage: Finding[] = [];
    const records = readRecords(file, context, {
      isRepairing,
      judgesOrder: true,
      skipDamage: (line, what) => (damage = [...damage, ...linter.damaged(line, what)]),
    });
    for await (const batch of records) {
      await show(damage.splice(0));
      await show(linter.push(batch));
    }
    await show(damage);
    await show(linter.end());
  }
  if (count > 0)
    throw new NegativeError(
      `${count} ${count === 1 ? 'thing is' : 'things are'} not as ${count === 1 ? 'it' : 'they'} should be`,
      {
        details: { count },
      },
    );
  output.note('nothing to say about it');
}

function renderFinding(finding: Finding & { file: string }, { output: { style } }: Context): string {
  const { file, conn, records, message, code, spec } = finding;
  const place = [
    safeText(file, { singleLine: true }),
    ...(conn === 0 ? [] : [`connection ${conn}`]),
    ...(records.length === 0 ? [] : [`record ${records.join(', ')}`]),
  ];
  return `${style.dim(`${place.join(': ')}:`)} ${safeText(message, { singleLine: true })} ${style.warning(`[${code}]`)} ${style.dim(`(${spec})`)}`;
}

async function listRules({ output }: Context): Promise<void> {
  const all = Object.entries(rules);
  if (output.isJson) {
    for (const [code, { meaning, spec }] of all) await output.item({ code, meaning, spec }, String);
    return;
  }
  const rows = all.map(([code, { meaning, spec }]) => [code, spec, meaning]);
  await output.result(rows, (shown) => renderTable(output, ['code', 'specification', 'meaning'], shown));
}
