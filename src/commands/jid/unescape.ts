import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { readTexts, toTextsOptions, type TextsOptions } from '../../lib/input/texts.js';
import { unescapeLocalpart } from '../../lib/jid/escaping.js';
import { safeText } from '../../lib/output/safe-text.js';

export type JidUnescapeOptions = TextsOptions;

export const command = defineCommand({
  path: 'jid unescape',
  summary: 'show escaped localparts as people read them (XEP-0106)',
  description:
    'Undoes what xmppctl jid escape does, in a localpart or in the localpart of an address; domain and resource stay as they are. Sequences that escape nothing are left alone. The result is to be read, not to be sent or compared. With --stdin it is a filter that keeps one line for one line.',
  examples: [
    { does: 'read an escaped address', line: "xmppctl jid unescape 'd\\27artagnan@musketeers.example'" },
  ],
  completes: { text: 'none' },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('[text...]', 'the localparts or addresses to unescape')
      .option('--stdin', 'read them from stdin, one on each line'),
  parse: ([texts], flags): JidUnescapeOptions => toTextsOptions(texts, flags, 'texts'),
  run: runJidUnescape,
});

export async function runJidUnescape(options: JidUnescapeOptions, context: Context): Promise<void> {
  for await (const { text, line } of readTexts(options, context)) {
    // An escaped localpart has neither of the two, so the first one ends it.
    const end = text.search(/[@/]/);
    const unescaped =
      end < 0 ? unescapeLocalpart(text) : unescapeLocalpart(text.slice(0, end)) + text.slice(end);
    await context.output.item({ input: text, line, unescaped }, (item) =>
      context.output.isTerminal ? safeText(item.unescaped, { singleLine: true }) : item.unescaped,
    );
  }
}
