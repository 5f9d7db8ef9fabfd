import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { IqRequester } from '../../lib/pubsub/requester.js';
import type { WaitOptions } from '../../lib/session/session.js';
import { NS_VCARD_TEMP, type Avatar, type CardWarning } from '../../lib/vcard/card.js';
import { parseDataUri } from '../../lib/vcard/convert/base64.js';
import { readAvatar } from '../../lib/vcard/convert/read-avatar.js';
import { vcardTempToVcard4 } from '../../lib/vcard/convert/to-vcard4.js';
import { valuesOf } from '../../lib/vcard/convert/vcard4-elements.js';
import type { CardProperty } from '../../lib/vcard/formats/card-property.js';
import { readCards } from '../../lib/vcard/formats/card-formats.js';
import {
  editCard,
  hasFormattedName,
  overlayCard,
  parseField,
  parseFieldName,
} from '../../lib/vcard/profile/edit-card.js';
import { bringVcardTempInStep } from '../../lib/vcard/profile/keep-in-step.js';
import { fetchAvatar, fetchVcard4, fetchVcardTemp } from '../../lib/vcard/profile/read-profile.js';
import { publishAvatar, publishVcard4, type Access } from '../../lib/vcard/profile/write-profile.js';
import { xml, childElements, type Element } from '../../lib/xml/element.js';
import { readCardText } from './card-input.js';
import { describeWarning } from './convert.js';

export interface SetOptions {
  /** `-` for stdin; undefined to change the card that is there. */
  file: string | undefined;
  set: readonly CardProperty[];
  remove: readonly string[];
  merges: boolean;
  access: Access;
}

export const accessOption = new Option(
  '--access <who>',
  'who may read it: open, presence (contacts), or keep as it is (a new one is open)',
)
  .choices(['open', 'presence', 'keep'] as const)
  .default('keep' as const);

const gather =
  <T>(parse: (text: string) => T) =>
  (text: string, earlier: readonly T[] | undefined): readonly T[] => [...(earlier ?? []), parse(text)];

export const command = defineCommand({
  path: 'vcard set',
  summary: 'publish the own card, or change parts of it',
  description: [
    'Publishes a card from a file or stdin, in any of the notations of xmppctl vcard convert, as the vCard4 of the account (XEP-0292). A picture in it becomes the avatar. Where the server does not make a vcard-temp of it by itself, that is written, too, so that all clients see the same.',
    'Without a file the card that is there is changed: --set replaces all properties of a name, --remove takes them away, and everything else stays, also what is not known here. With --merge the file does so: its properties replace those of the same name.',
  ].join('\n\n'),
  examples: [
    { does: 'publish a card of an address book', line: 'xmppctl vcard set juliet.vcf' },
    {
      does: 'change two things',
      line: 'xmppctl vcard set --set fn="Juliet Capulet" --set email:work=juliet@example.org',
    },
    {
      does: 'give two telephone numbers',
      line: 'xmppctl vcard set --set tel:cell:pref=+390451 --set tel:home=+390452',
    },
    { does: 'take the birthday away', line: 'xmppctl vcard set --remove bday' },
  ],
  sections: [
    {
      title: 'FIELDS',
      text: 'A field is NAME=VALUE or NAME:TYPE=VALUE, with the names of RFC 6350: fn, n (surname;given;additional;prefix;suffix), nickname, bday, tel, email, impp, url, adr (pobox;ext;street;locality;region;code;country), org (name;unit), title, role, note, lang, tz, geo and so on. Types are work, home, cell and the like; pref marks the preferred one.',
    },
    {
      title: 'JSON OUTPUT',
      text: 'One object: jid, avatar (the id of the picture, or null), wroteVcardTemp (whether the server left that to us) and warnings.',
    },
  ],
  completes: { file: 'file' },
  build: (command) =>
    command
      .argument('[file]', 'a file with a card; - for stdin; left out: the card that is there is changed')
      .option('--set <field>', 'set a property (repeatable)', gather(parseField))
      .option('--remove <name>', 'remove all properties of a name (repeatable)', gather(parseFieldName))
      .option('--merge', 'keep what is there and not in the file')
      .addOption(accessOption),
  parse: ([file], { set = [], remove = [], merge, access }): SetOptions => {
    if (file === undefined && set.length === 0 && remove.length === 0)
      throw new UsageError('there is nothing to set', { hint: 'name a file, or use --set or --remove' });
    if (file === undefined && merge) throw new UsageError('--merge needs a file');
    return { file, set, remove, merges: merge === true, access };
  },
  run: runSet,
});

/** @throws StanzaError @throws UsageError it is no card, or one without a name */
export async function runSet(
  { file, set, remove, merges, access }: SetOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  const read = file === undefined ? undefined : await readOne(file, context);
  await using session = await context.connect();
  const wait = { signal };
  const before = file === undefined || merges ? await currentCard(session, wait) : undefined;
  const base = read ? (merges ? overlayCard(before, read.card) : read.card) : before;
  const card = editCard(base, { set, remove });
  if (!hasFormattedName(card))
    throw new UsageError('a vCard4 needs a name (fn), and there is none', { hint: '--set fn="…"' });
  if (read?.avatar) await publishAvatar(session, read.avatar, { access, ...wait });
  await publishVcard4(session, card, { access, ...wait });
  const avatar = read?.avatar ?? (await fetchAvatar(session, undefined, wait))?.avatar;
  const wroteVcardTemp = await bringVcardTempInStep(session, card, avatar, wait);
  const jid = session.jid.bare.toString();
  for (const warning of read?.warnings ?? []) output.warn(describeWarning(warning));
  if (output.isJson)
    await output.result(
      { jid, avatar: avatar?.id ?? null, wroteVcardTemp, warnings: read?.warnings ?? [] },
      () => '',
    );
  else
    output.note(
      `published the card of ${jid}${wroteVcardTemp ? ', and the vcard-temp for older clients' : ''}`,
    );
}

interface OneCard {
  /** Without its picture, which is published beside it. */
  card: Element;
  avatar: Avatar | undefined;
  warnings: CardWarning[];
}

async function readOne(file: string, context: Context): Promise<OneCard> {
  const [first, ...others] = readCards(await readCardText(file, context));
  if (!first || others.length > 0)
    throw new UsageError(`one card is expected, and there are ${others.length + 1}`);
  if (first.card.getNS() === NS_VCARD_TEMP) {
    const { card, avatar, warnings } = vcardTempToVcard4(first.card, { photo: 'avatar' });
    return { card: card ?? xml('vcard'), avatar, warnings: [...first.warnings, ...warnings] };
  }
  const { card, avatar } = withoutPicture(first.card);
  return { card, avatar, warnings: first.warnings };
}

function withoutPicture(card: Element): { card: Element; avatar: Avatar | undefined } {
  const pictures = childElements(card).flatMap((element) => {
    if (element.getName() !== 'photo') return [];
    const data = parseDataUri(valuesOf(element)[0]?.text ?? '')?.data;
    const avatar = data && readAvatar(data);
    return avatar ? [{ element, avatar }] : [];
  });
  const [first] = pictures;
  if (!first) return { card, avatar: undefined };
  const rest = childElements(card).filter((element) => element !== first.element);
  return { card: xml('vcard', { xmlns: card.getNS() }, ...rest), avatar: first.avatar };
}

/** Of an account that has only the older kind, that. */
async function currentCard(requester: IqRequester, options: WaitOptions): Promise<Element | undefined> {
  const vcard4 = await fetchVcard4(requester, undefined, options);
  if (vcard4) return vcard4;
  const temp = await fetchVcardTemp(requester, undefined, options);
  return temp && vcardTempToVcard4(temp).card;
}
