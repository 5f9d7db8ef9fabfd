import { existsSync } from 'node:fs';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import type { Output } from '../../lib/output/output.js';
import { safeText } from '../../lib/output/safe-text.js';
import { readCards, type ReadCard } from '../../lib/vcard/formats/card-formats.js';
import { lintCard, type Finding } from '../../lib/vcard/lint.js';
import { fetchVcard4, fetchVcardTemp } from '../../lib/vcard/profile/read-profile.js';
import { readCardText } from './card-input.js';
import { findExport, lintExport } from './export-commands.js';

export interface LintOptions {
  /** A file, `-` for stdin, or the address of an account where no file is called like that. */
  what: string;
}

export const command = defineCommand({
  path: 'vcard lint',
  summary: 'say what of a card will be lost, repaired or refused',
  description: [
    'Reads cards from a file or stdin, in whatever notation they are, and tells what becomes of them when they move between vcard-temp and vCard4, and what servers do with them: some pictures and elements make Prosody or ejabberd refuse a card, or lock the account out.',
    'Of a whole export of a server (XEP-0227) every account is looked at, also for what keeps it from logging in on another server: credentials in the wrong form, a picture that locks the account out of Prosody, names that are none, and what stops an import in the middle.',
    'An address stands for the cards of an account, as they are on its server; a file of that name goes first.',
    'Each finding has a severity: refused (a server does not take it, or worse), lost (it has no place in the other format), changed (it is there in another form).',
  ].join('\n\n'),
  examples: [
    { does: 'look at a card before it is published', line: 'xmppctl vcard lint juliet.vcf' },
    { does: 'look at the card of an account', line: 'xmppctl vcard lint juliet@example.org' },
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
  completes: { what: 'file' },
  build: (command) =>
    command.argument('[what]', 'a file with cards, or an account; stdin when left out, or for -'),
  parse: ([what = '-']): LintOptions => ({ what }),
  run: runLint,
});

/** @throws NegativeError something is lost or refused */
export async function runLint({ what }: LintOptions, context: Context): Promise<void> {
  const address = what.includes('@') && !existsSync(what) ? parseAddress(what).bare : undefined;
  if (address) {
    await lintCards(await cardsOf(address, context), context);
    return;
  }
  const { found, context: input } = await findExport(what, context);
  if (found) {
    await lintExport(
      found,
      (finding, account) =>
        renderFinding(finding, context.output, `${safeText(account, { singleLine: true })}: `),
      context,
    );
    return;
  }
  await lintCards(readCards(await readCardText(what, input)), context);
}

async function lintCards(cards: readonly ReadCard[], { output }: Context): Promise<void> {
  let bad = 0;
  for (const [index, { card, format, warnings }] of cards.entries()) {
    const findings = lintCard(card, warnings);
    for (const finding of findings) {
      if (finding.severity !== 'changed') bad += 1;
      await output.item({ card: index + 1, format, ...finding }, (shown) =>
        renderFinding(shown, output, cards.length > 1 ? `${format}: ` : ''),
      );
    }
    if (findings.length === 0) output.note(`card ${index + 1} (${format}): nothing to say about it`);
  }
  if (bad > 0)
    throw new NegativeError(`${bad} ${bad === 1 ? 'thing is' : 'things are'} lost or refused`, {
      details: { count: bad },
    });
}

/** Both kinds, as the server has them. @throws NegativeError there is neither */
async function cardsOf(address: JID, context: Context): Promise<ReadCard[]> {
  const { signal } = context;
  await using session = await context.connect();
  const account = address.equals(session.jid.bare) ? undefined : address;
  const temp = await fetchVcardTemp(session, account, { signal });
  const vcard4 = await fetchVcard4(session, account, { signal });
  const found: ReadCard[] = [
    ...(temp ? [{ format: 'vcard-temp' as const, card: temp, warnings: [] }] : []),
    ...(vcard4 ? [{ format: 'vcard4' as const, card: vcard4, warnings: [] }] : []),
  ];
  if (found.length === 0)
    throw new NegativeError(`${address.toString()} has no card, or none that this account may see`);
  return found;
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
