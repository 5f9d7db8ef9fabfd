import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { Anonymiser } from '../../lib/trace-analysis/anonymise/anonymise.js';
import { readRecords, repairOption, writeText } from './trace-input.js';

export interface AnonymiseOptions {
  /** A path, or `-` for stdin. */
  file: string;
  /** Where it goes; stdout when left out. */
  output: string | undefined;
  keptDomain: string | undefined;
  isRepairing: boolean;
}

export const command = defineCommand({
  path: 'trace anonymise',
  summary: 'replace addresses, names and texts, so that a trace can be shown to others',
  description: [
    'Reads a trace that --trace=FILE recorded and writes one that tells the same story of other people: addresses, nicks, bodies, subjects, names of files, links, IP addresses and certificates are replaced, the same by the same. user1@domain1.example/resource1 keeps its account when it has another resource, and conference.domain1.example its domain.',
    'Whatever is not known to be the protocol’s own is replaced. What stays: elements, namespaces, types, counters, sizes, dates, mechanisms, stanza errors, and ids that are plainly made by a machine; other ids are replaced, the same by the same, so that replies keep their requests.',
    'Each stanza becomes one record, so how packets were cut is lost. Look at the result before you publish it: nobody can know what a private extension puts into the name of an element.',
  ].join('\n\n'),
  examples: [
    {
      does: 'for a bug report',
      line: 'xmppctl trace anonymise client.trace > report.trace && xmppctl trace show report.trace',
    },
    {
      does: 'the server is no secret',
      line: 'xmppctl trace anonymise client.trace --keep-domain jabber.example -o report.trace',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'The result is a trace, one JSON object a line, with and without --json; see xmppctl-trace(5).',
    },
  ],
  exitCodes: {
    2: 'the file is no trace, or one of a newer format',
    7: 'the file cannot be read or written, or a line of it is damaged',
  },
  completes: { file: 'file', '--output': 'file' },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('<file>', 'the trace; - reads stdin')
      .option('-o, --output <file>', 'write it here; to standard output when left out')
      .option(...repairOption)
      .option('--keep-domain <domain>', 'a domain whose name may stay'),
  parse: ([file], flags): AnonymiseOptions => {
    const keptDomain = flags.keepDomain?.toLowerCase();
    if (keptDomain !== undefined && !/^[^\s@/]+$/.test(keptDomain))
      throw new UsageError(`--keep-domain takes a domain, not ${keptDomain}`);
    if (flags.output !== undefined && flags.output !== '-' && flags.output === file)
      throw new UsageError('the trace would be overwritten while it is read', {
        hint: 'choose another name',
      });
    return { file, output: flags.output, keptDomain, isRepairing: flags.repair === true };
  },
  run: runAnonymise,
});

/** @throws UsageError @throws FileError */
export async function runAnonymise(options: AnonymiseOptions, context: Context): Promise<void> {
  await writeText(options.output, anonymise(options, context), context, { isJson: true });
}

async function* anonymise(
  { file, keptDomain, isRepairing }: AnonymiseOptions,
  context: Context,
): AsyncGenerator<string, void, void> {
  const anonymiser = new Anonymiser(keptDomain === undefined ? {} : { keptDomain });
  for await (const batch of readRecords(file, context, { isRepairing })) {
    const text = anonymiser.push(batch);
    if (text !== '') yield text;
  }
  yield anonymiser.end();
}
