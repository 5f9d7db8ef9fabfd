import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import type { Output } from '../../lib/output/output.js';
import { safeText } from '../../lib/output/safe-text.js';
import { readCards } from '../../lib/vcard/formats/card-formats.js';
import { lintCard, type Finding } from '../../lib/vcard/lint.js';
import { readCardText } from './card-input.js';
import { findExport, lintExport } from './export-commands.js';

export interface LintOptions {
  /** `-` for stdin. */
  file: string;
}

export const command = defineCommand({
  path: 'vcard lint',
  summary: 'say what of a card will be lost, repaired or refused',
  description: [
    'Reads cards from a file or stdin, in whatever notation they are, and tells what becomes of them when they move between vcard-temp and vCard4, and what servers do with them: some pictures and elements make Prosody or ejabberd refuse a card, or lock the account out.',
    'Of a whole export of a server (XEP-0227) every account is looked at, also for what keeps it from logging in on another server: credentials in the wrong form, a picture that locks the account out of Prosody, names that are none, and what stops an import in the middle.',
    'Each finding has a severity: refused (a server does not take it, or worse), lost (it has no place in the other format), changed (it is there in another form).',
  ].join('\n\n'),
  examples: [
    { does: 'look at a card before it is published', line: 'xmppctl vcard lint juliet.vcf' },
    {
      does: 'find the accounts of an export that could not log in on Prosody',
      line: 'xmppctl vcard lint export.xml --json | jq -r \'select(.severity == "refused") | .account\' | sort -u',
    },
    {
      does: 'list what is lost, for a script',
      line: 'xmppctl vcard lint old.xml --json | jq -r \'select(.severity != "changed") | .element\'',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line for each finding: card (counted from 1) and format, or account in an export, severity, code, element, value, message and advice.',
    },
  ],
  exitCodes: { 0: 'nothing is lost or refused', 1: 'something is', 2: 'the input is no card' },
  completes: { file: 'file' },
  needs: 'nothing',
  build: (command) => command.argument('[file]', 'a file with cards; stdin when left out, or for -'),
  parse: ([file = '-']): LintOptions => ({ file }),
  run: runLint,
});

/** @throws NegativeError something is lost or refused */
export async function runLint({ file }: LintOptions, context: Context): Promise<void> {
  const { found, context: input } = await findExport(file, context);
  if (found) {
    await lintExport(
      found,
      (finding, account) =>
        renderFinding(finding, context.output, `${safeText(account, { singleLine: true })}: `),
      context,
    );
    return;
  }
  const cards = readCards(await readCardText(file, input));
  let bad = 0;
  for (const [index, { card, format, warnings }] of cards.entries()) {
    const findings = lintCard(card, warnings);
    for (const finding of findings) {
      if (finding.severity !== 'changed') bad += 1;
      await context.output.item({ card: index + 1, format, ...finding }, (shown) =>
        renderFinding(shown, context.output, cards.length > 1 ? `card ${shown.card}: ` : ''),
      );
    }
    if (findings.length === 0) context.output.note(`card ${index + 1}: nothing to say about it`);
  }
  if (bad > 0)
    throw new NegativeError(`${bad} ${bad === 1 ? 'thing is' : 'things are'} lost or refused`, {
      details: { count: bad },
    });
}

function renderFinding(
  { severity, code, element, value, message, advice }: Finding,
  { style }: Output,
  place: string,
): string {
  const paint = (text: string): string => {
    if (severity === 'refused') return style.bad(text);
    return severity === 'lost' ? style.warning(text) : style.dim(text);
  };
  const shown = value === '' ? '' : ` ${style.dim(`(${safeText(value, { singleLine: true })})`)}`;
  return `${place}${paint(severity)} ${safeText(element, { singleLine: true })}: ${message}${shown} ${style.dim(`[${code}]`)}\n  ${advice}`;
}
