import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import { readTexts } from '../../lib/input/texts.js';
import { showText } from '../../lib/jid/code-point.js';
import { compareAddresses, type AddressComparison } from '../../lib/jid/compare.js';
import { JID } from '../../lib/jid/jid.js';

export interface JidCompareOptions {
  /** The two addresses, or undefined for pairs on stdin. */
  pair: readonly [string, string] | undefined;
}

export const command = defineCommand({
  path: 'jid compare',
  summary: 'say whether two addresses are the same',
  description:
    'Prepares both addresses by RFC 7622 and compares the results, the way a server does. When they differ it says in what, and whether they look alike. With --stdin it reads pairs, one on each line, separated by a tab, and answers them in order.',
  examples: [
    {
      does: 'see that case and width do not count',
      line: 'xmppctl jid compare Ａlice@example.org alice@EXAMPLE.org',
    },
    {
      does: 'let a script decide',
      line: 'if xmppctl jid compare --quiet "$sender" "$owner"; then …; fi',
    },
  ],
  exitCodes: { 0: 'the same', 1: 'different', 2: 'one of the two is not an address' },
  completes: { first: 'jid', second: 'jid' },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('[first]', 'an address')
      .argument('[second]', 'the address to compare it with')
      .option('--stdin', 'read pairs from stdin, one on each line, separated by a tab'),
  parse: ([first, second], { stdin }): JidCompareOptions => {
    if (stdin) {
      if (first !== undefined) throw new UsageError('give two addresses or --stdin, not both');
      return { pair: undefined };
    }
    if (first === undefined || second === undefined)
      throw new UsageError('two addresses are needed', { hint: '--stdin reads pairs, separated by a tab' });
    return { pair: [first, second] };
  },
  run: runJidCompare,
});

interface ComparedAddresses extends AddressComparison {
  first: string;
  second: string;
  line?: number;
}

/** @throws JidError one of two arguments is not an address · NegativeError they differ, or some pairs do or are not valid */
export async function runJidCompare({ pair }: JidCompareOptions, context: Context): Promise<void> {
  if (pair) {
    const compared = compare(pair[0], pair[1]);
    await context.output.result(compared, renderCompared);
    if (!compared.same) throw new NegativeError('the addresses are different');
    return;
  }
  let total = 0;
  let different = 0;
  let invalid = 0;
  for await (const { text, line } of readTexts({ texts: [], stdin: true }, context)) {
    if (text === '') continue;
    total += 1;
    try {
      const [first, second, more] = text.split('\t');
      if (first === undefined || second === undefined || more !== undefined)
        throw new UsageError('not two addresses separated by a tab');
      const compared = { ...compare(first, second), line };
      if (!compared.same) different += 1;
      await context.output.item(compared, renderCompared);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      invalid += 1;
      context.output.warn(`line ${line}: ${error.message}`);
    }
  }
  if (different + invalid > 0)
    throw new NegativeError(`of ${total} pairs ${different} are different and ${invalid} are not valid`, {
      details: { total, different, invalid },
    });
}

function compare(first: string, second: string): ComparedAddresses {
  const one = JID.parse(first);
  const other = JID.parse(second);
  return { first: one.toString(), second: other.toString(), ...compareAddresses(one, other) };
}

const partNames = { local: 'localpart', domain: 'domain', resource: 'resource' } as const;

function renderCompared({ first, second, same, differs, confusable }: ComparedAddresses): string {
  if (same) return `the same: ${showText(first)}`;
  const parts = differs.map((part) => partNames[part]).join(' and ');
  return `different in the ${parts}: ${showText(first)} and ${showText(second)}${confusable ? ' (but they look alike)' : ''}`;
}
