/** One account: looked at, planned, saved, published. */
import { RemoteError } from '../../errors.js';
import { configureNode } from '../../pubsub/nodes.js';
import type { WaitOptions } from '../../session/session.js';
import { canonicalXml } from '../../xml/canonical.js';
import type { Element } from '../../xml/element.js';
import type { CardWarning } from '../card.js';
import { embedPhoto, type PhotoSource } from '../photos/embed-photo.js';
import { NODE_VCARD4, NS_AVATAR_METADATA } from '../profile/stanzas.js';
import { publishAvatar, publishAvatarMetadata, publishVcard4 } from '../profile/write-profile.js';
import type { AccountResult } from '../xep0227/convert-account.js';
import {
  avatarIdIn,
  hasAvatarData,
  migratedNodes,
  readState,
  type AccountHandle,
  type AccountState,
} from './account-state.js';
import type { Journal, JournalAccount } from './journal.js';
import { planAccount, type AccountPlan, type MigrationPolicy } from './plan-account.js';
import { verifyAccount } from './verify-account.js';

export interface MigrateAccountOptions extends WaitOptions {
  policy: MigrationPolicy;
  /** Undefined: nothing is changed. */
  journal: Journal | undefined;
  /** Pictures that cards link to are put into them; undefined: links stay links. */
  fetchPhoto?: PhotoSource | undefined;
}

/**
 * Begun by an earlier run that was killed, it goes on: what was published then is not published again.
 * @throws StanzaError @throws TimeoutError @throws FileError the journal cannot be written
 */
export async function migrateAccount(
  handle: AccountHandle,
  { policy, journal, fetchPhoto, ...options }: MigrateAccountOptions,
): Promise<AccountResult> {
  const account = handle.account.toString();
  const state = await readState(handle, options);
  const earlier = journal?.accounts.get(account);
  // What an unfinished run has published is no card that was there before it.
  const nodes = earlier?.before ?? state.nodes;
  const { temp, fetching } = await fetchPhotos({ ...state, nodes }, policy, fetchPhoto);
  const plan = planAccount({ temp, nodes }, handle.account.local, policy);
  const { outcome, reason, card, avatar } = plan;
  const warnings = [...fetching, ...plan.warnings];
  const made = [...(card ? ['card'] : []), ...(avatar ? ['avatar'] : [])];
  const result: AccountResult = {
    account,
    outcome,
    made,
    warnings,
    ...(reason !== undefined && { reason }),
    before: state.nodes[NODE_VCARD4].item?.payload.toString(),
    after: card?.toString(),
  };
  if (!journal) return result;
  if (outcome === 'migrated') {
    const planned = { card: card?.toString() ?? null, avatar: avatar?.id ?? null };
    await journal.before(account, nodes, planned);
    const target = { account: handle.account, access: policy.access, ...options };
    if (handle.isBlind === true) await changeAccess(handle, policy.access, options);
    if (avatar && avatarIdIn(state.nodes[NS_AVATAR_METADATA].item) !== avatar.id) {
      // An earlier run may have been ended between the two.
      const isHalfDone = earlier?.planned !== undefined && (await hasAvatarData(handle, avatar.id, options));
      const publish = isHalfDone ? publishAvatarMetadata : publishAvatar;
      await publish(handle.requester, avatar, target);
    }
    const current = state.nodes[NODE_VCARD4].item?.payload;
    if (card && !(current && canonicalXml(current) === canonicalXml(card)))
      await publishVcard4(handle.requester, card, target);
    if (handle.isBlind === true) await confirm(handle, plan, planned, options);
  }
  await journal.done(account, { outcome, made, warnings, reason });
  return result;
}

/** Only what would be published. */
async function fetchPhotos(
  { nodes, temp }: AccountState,
  policy: MigrationPolicy,
  fetchPhoto: PhotoSource | undefined,
): Promise<{ temp: Element | undefined; fetching: CardWarning[] }> {
  const { item, isHidden } = nodes[NS_AVATAR_METADATA];
  const stays = isHidden === true || (avatarIdIn(item) !== undefined && policy.existing !== 'overwrite');
  if (!temp || !fetchPhoto || stays) return { temp, fetching: [] };
  const { card, warnings } = await embedPhoto(temp, fetchPhoto);
  return { temp: card, fetching: warnings };
}

/** A node that is not there gets its access when it is made. */
async function changeAccess(
  { account, requester }: AccountHandle,
  access: MigrationPolicy['access'],
  options: WaitOptions,
): Promise<void> {
  if (access === 'keep') return;
  for (const node of migratedNodes)
    await configureNode(requester, { service: account, node, fields: { access_model: access } }, options);
}

/**
 * Nobody said whether it was published. A node that was there with another access refuses what comes with options, so
 * that is sent once more without them.
 * @throws RemoteError it is still not there
 */
async function confirm(
  handle: AccountHandle,
  { card, avatar }: AccountPlan,
  planned: NonNullable<JournalAccount['planned']>,
  options: WaitOptions,
): Promise<void> {
  if ((await verifyAccount(handle, planned, options)).length === 0) return;
  const { account, requester } = handle;
  const target = { account, access: 'as-it-is' as const, ...options };
  if (avatar) await publishAvatar(requester, avatar, target);
  if (card) await publishVcard4(requester, card, target);
  const problems = await verifyAccount(handle, planned, options);
  if (problems.length > 0) throw new RemoteError(`it was published, and ${problems.join(' and ')}`);
}
