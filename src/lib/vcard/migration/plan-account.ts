/** What is to be done with one account: decided before anything is changed. */
import { childElements, xml, type Element } from '../../xml/element.js';
import { NS_VCARD4_XML, type Avatar, type CardWarning } from '../card.js';
import type { DateStyle } from '../convert/dates.js';
import { vcardTempToVcard4 } from '../convert/to-vcard4.js';
import { NODE_VCARD4, NS_AVATAR_METADATA } from '../profile/stanzas.js';
import type { Access } from '../profile/write-profile.js';
import { mergeCards } from '../xep0227/merge-cards.js';
import { avatarIdIn, type AccountState } from './account-state.js';

export interface MigrationPolicy {
  existing: 'skip' | 'merge' | 'overwrite';
  access: Access;
  dates: DateStyle;
  maxAvatarBytes: number;
}

export interface AccountPlan {
  outcome: 'migrated' | 'skipped' | 'empty';
  reason?: string;
  card: Element | undefined;
  avatar: Avatar | undefined;
  warnings: CardWarning[];
}

export function planAccount(
  { nodes, temp }: AccountState,
  localpart: string | undefined,
  policy: MigrationPolicy,
): AccountPlan {
  const nothing = { card: undefined, avatar: undefined };
  if (!temp) return { outcome: 'empty', ...nothing, warnings: [] };
  const converted = vcardTempToVcard4(temp, { dates: policy.dates, localpart });
  const warnings = [...converted.warnings];
  const { item } = nodes[NODE_VCARD4];
  const card = cardToPublish(converted.card, item?.payload, policy.existing);
  const { isHidden } = nodes[NS_AVATAR_METADATA];
  if (isHidden === true && converted.avatar)
    warnings.push({ code: 'avatar-hidden', element: NS_AVATAR_METADATA, value: 'left as it is' });
  const avatar =
    isHidden === true
      ? undefined
      : avatarToPublish(converted.avatar, avatarIdIn(nodes[NS_AVATAR_METADATA].item), policy, warnings);
  if (card || avatar) return { outcome: 'migrated', card, avatar, warnings };
  if (!converted.card && !converted.avatar) return { outcome: 'empty', ...nothing, warnings };
  return { outcome: 'skipped', reason: 'it has all of it', ...nothing, warnings };
}

/** @returns undefined when what is there stays as it is */
function cardToPublish(
  converted: Element | undefined,
  existing: Element | undefined,
  policy: MigrationPolicy['existing'],
): Element | undefined {
  if (!converted || !existing) return converted;
  if (policy === 'skip') return undefined;
  if (policy === 'overwrite') return isSame(converted, existing) ? undefined : converted;
  const merged = mergeCards(xml('vcard', { xmlns: NS_VCARD4_XML }, ...childElements(existing)), converted);
  return isSame(merged, existing) ? undefined : merged;
}

function isSame(some: Element, other: Element): boolean {
  return childElements(some).map(String).join('') === childElements(other).map(String).join('');
}

function avatarToPublish(
  avatar: Avatar | undefined,
  existingId: string | undefined,
  { existing, maxAvatarBytes }: MigrationPolicy,
  warnings: CardWarning[],
): Avatar | undefined {
  if (!avatar || avatar.id === existingId) return undefined;
  if (existingId !== undefined && existing !== 'overwrite') return undefined;
  if (avatar.data.length <= maxAvatarBytes) return avatar;
  warnings.push({ code: 'avatar-large', element: 'PHOTO', value: `${avatar.data.length} bytes, left out` });
  return undefined;
}
