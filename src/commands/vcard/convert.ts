import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import { safeText } from '../../lib/output/safe-text.js';
import { NS_VCARD4_XML, type CardWarning } from '../../lib/vcard/card.js';
import type { DateStyle } from '../../lib/vcard/convert/dates.js';
import type { PhotoStyle } from '../../lib/vcard/convert/photos.js';
import { cardFormats, readCards, writeCard, type CardFormat } from '../../lib/vcard/formats/card-formats.js';
import { prettyXml } from '../../lib/xml/canonical.js';
import { xml, type Element } from '../../lib/xml/element.js';
import { readCardText } from './card-input.js';
import { convertExport, findExport } from './export-commands.js';
import { cardAsJson, cardText, type CardContent } from './print-card.js';

export interface ConvertOptions {
  /** `-` for stdin. */
  file: string;
  to: CardFormat;
  from: CardFormat | undefined;
  dates: DateStyle | undefined;
  photo: PhotoStyle | undefined;
}

export const command = defineCommand({
  path: 'vcard convert',
  summary: 'convert a card between vCard4, vcard-temp, vCard files and jCard',
  description: [
    'Reads cards from a file or stdin, in whatever notation they are, and writes them in another: vcard4 is what XMPP has today (XEP-0292, RFC 6351), vcard-temp what it had before (XEP-0054), vcf the text that address books exchange (RFC 6350; vcf3 for those that read 3.0 only), jcard the JSON of RFC 7095. Text of versions 2.1 and 3.0 is read, too.',
    'What is lost, repaired or written in another form is told on stderr, a line for each, with its code. Nothing is guessed: a birthday that could be two stays a text.',
    'A whole export of a server (XEP-0227) is converted as it comes, in constant memory: with --to vcard4 the cards of its accounts go into PEP nodes, with --to vcard-temp the other way, and everything else stays. What makes it an import for another server, with credentials that it can read, is vcard migrate.',
    'In a card of its own the picture is a property. --photo avatar leaves it out, as for an account that publishes it beside the card.',
  ].join('\n\n'),
  examples: [
    {
      does: 'make a card of an address book fit for XMPP',
      line: 'xmppctl vcard convert juliet.vcf --to vcard4',
    },
    { does: 'see what an old card loses', line: 'xmppctl vcard convert old.xml --to vcard4 >/dev/null' },
    {
      does: 'get the e-mail addresses out of any card',
      line: 'xmppctl vcard convert card.xml --to jcard | jq -r \'.[1][] | select(.[0] == "email") | .[3]\'',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'With --json one object a line for each card: from, to, card (text; with --to jcard the jCard itself; null when there is nothing in it) and warnings (code, element, value).',
    },
  ],
  exitCodes: { 1: 'there is nothing in the card', 2: 'the input is no card' },
  completes: { file: 'file' },
  needs: 'nothing',
  build: (command) =>
    command
      .argument('[file]', 'a file with cards; stdin when left out, or for -')
      .addOption(new Option('--to <format>', 'what to write').choices(cardFormats).makeOptionMandatory())
      .addOption(
        new Option('--from <format>', 'what is read, where it shall not be told by its looks').choices(
          cardFormats,
        ),
      )
      .addOption(
        new Option(
          '--dates <style>',
          'of XML: extended (1966-08-06, which clients read) or rfc (19660806, which RFC 6351 wants)',
        ).choices(['extended', 'rfc'] as const),
      )
      .addOption(
        new Option(
          '--photo <where>',
          'the picture of a vcard-temp: property, avatar (left out here) or both',
        ).choices(['property', 'avatar', 'both'] as const),
      ),
  parse: ([file = '-'], { to, from, dates, photo }): ConvertOptions => ({ file, to, from, dates, photo }),
  run: runConvert,
});

/** @throws NegativeError there is nothing in any card */
export async function runConvert(
  { file, to, from, dates, photo }: ConvertOptions,
  context: Context,
): Promise<void> {
  const { found, context: input } = await findExport(file, context);
  if (found) {
    await convertExport(found, { to, dates }, context);
    return;
  }
  const cards = readCards(await readCardText(file, input), { from, ...(dates && { dates }) });
  const { output } = context;
  const written = cards.map((card) => {
    const one = writeCard(card.card, to, { ...(dates && { dates }), ...(photo && { photo }) });
    return { from: card.format, content: one.content, warnings: [...card.warnings, ...one.warnings] };
  });
  if (output.isJson)
    for (const { from: format, content, warnings } of written)
      await output.item({ from: format, to, card: cardAsJson(content), warnings }, () => '');
  else {
    for (const [index, { warnings }] of written.entries())
      for (const warning of warnings)
        output.warn(describeWarning(warning, cards.length > 1 ? index + 1 : undefined));
    await printAll(
      written.flatMap(({ content }) => (content ? [content] : [])),
      context,
    );
  }
  if (written.every(({ content }) => content === undefined))
    throw new NegativeError('there is nothing in the card', {
      hint: 'servers answer with an empty card where there is none',
    });
}

/** One document: several cards in XML have an element around them, several jCards an array. */
async function printAll(contents: readonly CardContent[], { output }: Context): Promise<void> {
  const [first] = contents;
  if (!first) return;
  const print = (text: string): Promise<void> =>
    output.result(text, (shown) => (output.isTerminal ? safeText(shown) : shown));
  if (first.kind === 'json') {
    const values = contents.map(cardAsJson);
    await print(JSON.stringify(values.length === 1 ? values[0] : values, null, 2));
  } else if (first.kind === 'text') {
    // RFC 6350 §3.2: lines end in CRLF; a terminal shows them all the same.
    await output.bytes(
      Buffer.from(
        contents
          .map((content) => (content.kind === 'text' ? cardText(content.text, output.isTerminal) : ''))
          .join(''),
      ),
    );
  } else {
    const elements = contents.flatMap((content) => (content.kind === 'xml' ? [content.element] : []));
    await print(prettyXml(elements.length === 1 && elements[0] ? elements[0] : around(elements)));
  }
}

function around(elements: readonly Element[]): Element {
  const isVcard4 = elements[0]?.getNS() === NS_VCARD4_XML;
  return isVcard4 ? xml('vcards', { xmlns: NS_VCARD4_XML }, ...elements) : xml('cards', {}, ...elements);
}

export function describeWarning({ code, element, value }: CardWarning, card?: number): string {
  const place = card === undefined ? '' : `card ${card}: `;
  return `${place}${element}: ${code}${value === '' ? '' : ` (${value})`}`;
}
