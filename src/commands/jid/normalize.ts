import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import { readTexts, toTextsOptions, type TextsOptions } from '../../lib/input/texts.js';
import { toAsciiDomain } from '../../lib/jid/idna/domain.js';
import { JID, joinParts } from '../../lib/jid/jid.js';
import { safeText } from '../../lib/output/safe-text.js';

export interface JidNormalizeOptions extends TextsOptions {
  ascii: boolean;
  bare: boolean;
}

export const command = defineCommand({
  path: 'jid normalize',
  summary: 'print addresses in their prepared form',
  description:
    'Prints each address as RFC 7622 prepares it: the form in which addresses are compared and stored. An invalid one is left out and named on stderr; the others are still printed. With --stdin it is a filter: one address on each line, in the same order, empty lines passed over.',
  examples: [
    { does: 'prepare one address', line: 'xmppctl jid normalize Alice@Example.COM' },
    { does: 'sort out duplicates', line: 'xmppctl jid normalize --stdin --bare <accounts.txt | sort -u' },
  ],
  exitCodes: { 0: 'all were printed', 1: 'some are not valid' },
  completes: { jid: 'jid' },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('[jid...]', 'the addresses to prepare')
      .option('--stdin', 'read addresses from stdin, one on each line')
      .option('--ascii', 'write domains with A-labels (xn--…), as DNS and certificates have them')
      .option('--bare', 'leave the resource out'),
  parse: ([jids], flags): JidNormalizeOptions => ({
    ...toTextsOptions(jids, flags, 'addresses'),
    ascii: flags.ascii === true,
    bare: flags.bare === true,
  }),
  run: runJidNormalize,
});

/** @throws NegativeError after the last one, when some are not valid */
export async function runJidNormalize(options: JidNormalizeOptions, context: Context): Promise<void> {
  let total = 0;
  let invalid = 0;
  for await (const { text, line } of readTexts(options, context)) {
    if (text === '' && options.stdin) continue;
    total += 1;
    try {
      const jid = options.bare ? JID.parse(text).bare : JID.parse(text);
      const normalized = options.ascii
        ? joinParts({ local: jid.local, domain: toAsciiDomain(jid.domain), resource: jid.resource })
        : jid.toString();
      await context.output.item({ input: text, line, normalized }, (item) =>
        context.output.isTerminal ? safeText(item.normalized, { singleLine: true }) : item.normalized,
      );
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      invalid += 1;
      context.output.warn(`${options.stdin ? `line ${line}: ` : ''}${error.message}`);
    }
  }
  if (invalid > 0)
    throw new NegativeError(
      `${invalid} of ${total} ${total === 1 ? 'address is' : 'addresses are'} not valid`,
      {
        details: { total, invalid },
      },
    );
}
