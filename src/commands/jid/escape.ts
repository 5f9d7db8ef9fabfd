import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import { readTexts, toTextsOptions, type TextsOptions } from '../../lib/input/texts.js';
import { escapeLocalpart } from '../../lib/jid/escaping.js';
import { safeText } from '../../lib/output/safe-text.js';

export interface JidEscapeOptions extends TextsOptions {
  /** What follows the last @ is a domain and stays as it is. */
  address: boolean;
}

export const command = defineCommand({
  path: 'jid escape',
  summary: 'make a name fit for the localpart of an address (XEP-0106)',
  description:
    'Escapes what a localpart may not contain: a space becomes \\20, an apostrophe \\27, an @ \\40 and so on. The whole text is taken for the name, an @ included; with --address what follows the last @ is left as it is. With --stdin it is a filter that keeps one line for one line. It changes nothing else and does not check the result; xmppctl jid check does.',
  examples: [
    { does: 'make an account name of a name', line: 'xmppctl jid escape "d\'artagnan"' },
    {
      does: 'make the address at a gateway of an e-mail address',
      line: 'echo "$(xmppctl jid escape treville@musketeers.example)@smtp.gascony.example"',
    },
  ],
  exitCodes: { 1: 'a name begins or ends with a space, which cannot be escaped' },
  completes: { text: 'none' },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('[text...]', 'the names to escape')
      .option('--stdin', 'read names from stdin, one on each line')
      .option('--address', 'the texts are addresses: escape only what is before the last @'),
  parse: ([texts], flags): JidEscapeOptions => ({
    ...toTextsOptions(texts, flags, 'names'),
    address: flags.address === true,
  }),
  run: runJidEscape,
});

/** @throws NegativeError after the last one, when some could not be escaped */
export async function runJidEscape(options: JidEscapeOptions, context: Context): Promise<void> {
  let refused = 0;
  for await (const { text, line } of readTexts(options, context)) {
    try {
      const escaped = escape(text, options);
      await context.output.item({ input: text, line, escaped }, (item) =>
        context.output.isTerminal ? safeText(item.escaped, { singleLine: true }) : item.escaped,
      );
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      refused += 1;
      context.output.warn(`${options.stdin ? `line ${line}: ` : ''}“${text}”: ${error.message}`);
    }
  }
  if (refused > 0)
    throw new NegativeError(`${refused} ${refused === 1 ? 'name' : 'names'} could not be escaped`, {
      details: { refused },
    });
}

function escape(text: string, { address }: JidEscapeOptions): string {
  const at = address ? text.lastIndexOf('@') : -1;
  return at < 0 ? escapeLocalpart(text) : escapeLocalpart(text.slice(0, at)) + text.slice(at);
}
