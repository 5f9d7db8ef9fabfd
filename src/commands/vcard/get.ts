import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { formatBytes } from '../../lib/output/format.js';
import { renderTable } from '../../lib/output/table.js';
import { parseDataUri } from '../../lib/vcard/convert/base64.js';
import { vcardTempToVcard4 } from '../../lib/vcard/convert/to-vcard4.js';
import { cardFormats, writeCard, type CardFormat } from '../../lib/vcard/formats/card-formats.js';
import type { CardProperty } from '../../lib/vcard/formats/card-property.js';
import { writeJcard } from '../../lib/vcard/formats/jcard.js';
import { propertiesOfXcard } from '../../lib/vcard/formats/xcard.js';
import { fetchVcard4, fetchVcardTemp } from '../../lib/vcard/profile/read-profile.js';
import type { Element } from '../../lib/xml/element.js';
import { printCard } from './print-card.js';

export interface GetOptions {
  /** The own account when undefined. */
  jid: JID | undefined;
  source: 'auto' | 'vcard4' | 'vcard-temp';
  format: CardFormat | 'text';
}

export const command = defineCommand({
  path: 'vcard get',
  summary: 'show the card of an account',
  description: [
    'Shows the own card, or that of somebody else: the vCard4 (XEP-0292) where there is one that we may read, else the vcard-temp (XEP-0054).',
    'Text output has three columns: property, type and value. They are separated by tabs when stdout is not a terminal. With --format the card is printed in one of the notations of xmppctl vcard convert. Pictures are the business of xmppctl vcard avatar.',
  ].join('\n\n'),
  examples: [
    { does: 'show the own card', line: 'xmppctl vcard get' },
    {
      does: 'save the card of a contact for an address book',
      line: 'xmppctl vcard get juliet@example.org --format vcf >juliet.vcf',
    },
    {
      does: 'get an e-mail address',
      line: 'xmppctl vcard get juliet@example.org --json | jq -r \'.card[1][] | select(.[0] == "email") | .[3]\'',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object: jid, source (vcard4 or vcard-temp), card (a jCard, RFC 7095; text with --format) and warnings, which say what of a vcard-temp has no place in it.',
    },
  ],
  exitCodes: { 1: 'there is no card, or none for us' },
  completes: { jid: 'jid' },
  build: (command) =>
    command
      .argument('[jid]', 'whose card; the own when left out')
      .addOption(
        new Option('--format <format>', 'how to print it')
          .choices(['text', ...cardFormats] as const)
          .default('text' as const),
      )
      .addOption(
        new Option(
          '--source <which>',
          'what to ask for: vcard4, vcard-temp, or auto for the one that is there',
        )
          .choices(['auto', 'vcard4', 'vcard-temp'] as const)
          .default('auto' as const),
      ),
  parse: ([jid], { format, source }): GetOptions => ({
    jid: jid === undefined ? undefined : parseAddress(jid).bare,
    format,
    source,
  }),
  run: runGet,
});

/** @throws NegativeError there is none */
export async function runGet({ jid, source, format }: GetOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const account = jid?.equals(session.jid.bare) ? undefined : jid;
  const vcard4 = source === 'vcard-temp' ? undefined : await fetchVcard4(session, account, { signal });
  const card =
    vcard4 ?? (source === 'vcard4' ? undefined : await fetchVcardTemp(session, account, { signal }));
  const whose = (jid ?? session.jid.bare).toString();
  if (!card)
    throw new NegativeError(
      `${whose} has no ${source === 'auto' ? 'card' : source}, or none that this account may see`,
    );
  const { shown, warnings } = asVcard4(card);
  const facts = { jid: whose, source: card === vcard4 ? 'vcard4' : 'vcard-temp', warnings };
  if (format !== 'text') {
    const { content } = writeCard(card, format);
    if (!content) throw new NegativeError(`the card of ${whose} is empty`);
    await printCard(content, facts, context);
    return;
  }
  const properties = propertiesOfXcard(shown);
  await output.result({ ...facts, card: writeJcard(properties) }, () =>
    renderTable(
      output,
      ['property', 'type', 'value'],
      properties.map((property) => [property.name, typesOf(property), valueOf(property)]),
    ),
  );
}

/** For people: pictures in the card, too, so that nothing is hidden. */
function asVcard4(card: Element): {
  shown: Element;
  warnings: ReturnType<typeof vcardTempToVcard4>['warnings'];
} {
  if (card.getName() === 'vcard') return { shown: card, warnings: [] };
  const { card: converted, warnings } = vcardTempToVcard4(card, { photo: 'property' });
  return { shown: converted ?? card, warnings };
}

function typesOf({ parameters }: CardProperty): string {
  const pref = parameters['pref'] ? ['preferred'] : [];
  return [...(parameters['type'] ?? []), ...pref].join(', ');
}

function valueOf({ name, components, parameters }: CardProperty): string {
  const texts = components.flat().filter((text) => text !== '');
  const label = parameters['label']?.join('\n');
  const shown = texts.map((text) => {
    const embedded = parseDataUri(text);
    return embedded
      ? `${embedded.mediaType}, ${formatBytes(embedded.data.length)}`
      : text.replace(/^(?:tel|xmpp|geo):/i, '');
  });
  const separator = name === 'n' ? ' ' : ', ';
  return (name === 'n' ? inSpokenOrder(components) : shown.join(separator)) || (label ?? '');
}

/** prefix given additional surname suffix */
function inSpokenOrder(components: CardProperty['components']): string {
  return [3, 1, 2, 0, 4].flatMap((index) => components[index] ?? []).join(' ');
}
