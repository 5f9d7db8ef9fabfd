/**
 * One account of an export, made fit for another server: its card, its picture and its credentials are converted, and
 * everything else is copied byte by byte.
 */
import type { Avatar, CardWarning } from '../card.js';
import { NS_VCARD4_XML } from '../card.js';
import { readAvatar } from '../convert/read-avatar.js';
import { vcard4ToVcardTemp } from '../convert/to-vcard-temp.js';
import { vcardTempToVcard4 } from '../convert/to-vcard4.js';
import { XmppctlError } from '../../errors.js';
import { xml, type Element } from '../../xml/element.js';
import { serialize } from '../../xml/serialize.js';
import { copyRange, normalizeAccount, PIE_SCOPE } from './account-bytes.js';
import { includesInside } from './expand-account.js';
import { mergeCards } from './merge-cards.js';
import { NS_PIE } from './namespaces.js';
import type { OutputBuffer } from './output-buffer.js';
import {
  addMissingItemLists,
  avatarDataOf,
  cardOf,
  changePep,
  hasAvatar,
  writePep,
  type AccessModel,
  type PepChanges,
} from './pep-nodes.js';
import { readElement } from './read-element.js';
import { repairRoster } from './repair-roster.js';
import { repairVcardTemp } from './repair-vcard-temp.js';
import { ChildKind, type MarkedAccount, type MarkedChild } from './scan-document.js';
import { convertScram, isKnownToEjabberd, scramForm, scramOfPassword, type ScramForm } from './scram.js';

/** What is to be done with every account; it can be sent to another thread. */
export interface AccountPlan {
  /** `vcard4`: cards go into PEP nodes; `vcard-temp`: the other way. */
  cards: 'vcard4' | 'vcard-temp';
  /** `keep`: credentials are nobody's business. */
  scram: ScramForm | 'keep';
  /** The server that will read the result, for what it cannot bear. */
  server: 'prosody' | 'ejabberd' | undefined;
  existing: 'skip' | 'merge' | 'overwrite';
  access: AccessModel;
  maxAvatarBytes: number;
  dates: 'extended' | 'rfc';
  /** Keep both cards, for showing what has changed. */
  keepsCards: boolean;
}

export type AccountOutcome = 'migrated' | 'skipped' | 'empty' | 'failed';

/** What happened to an account. */
export interface AccountResult {
  account: string;
  outcome: AccountOutcome;
  /** What was made: `card`, `avatar`, `credentials`. */
  made: string[];
  warnings: CardWarning[];
  /** Why it failed, or was skipped. */
  reason?: string;
  before?: string | undefined;
  after?: string | undefined;
}

/** What is written as it is read has no place for it. */
const TOO_LARGE_TO_INCLUDE = 'it is so large that what it includes is not followed';

/** Writes the account to `output`. It never throws for what is in the account: then it is copied as it is, as failed. */
export function convertAccount(
  bytes: Buffer,
  account: MarkedAccount,
  plan: AccountPlan,
  output: OutputBuffer,
): AccountResult {
  const begin = output.length;
  try {
    const plain = account.scope === undefined ? { bytes, account } : normalizeAccount(bytes, account);
    return new AccountConversion(plain.bytes, plain.account, plan).write(output);
  } catch (error) {
    if (!(error instanceof XmppctlError)) throw error;
    output.truncate(begin);
    if (account.scope === undefined) copyRange(bytes, account.start, account.end, account.cuts, output);
    return { account: addressOf(account), outcome: 'failed', made: [], warnings: [], reason: error.message };
  }
}

function addressOf({ name, preparedName = name, host }: MarkedAccount): string {
  return `${preparedName}@${host}`;
}

class AccountConversion {
  readonly #warnings: CardWarning[] = [];
  readonly #made: string[] = [];
  readonly #elements = new Map<MarkedChild, Element>();
  /** What stands in the place of a child; '' when it goes away. */
  readonly #replacements = new Map<MarkedChild, string>();
  #additions = '';
  #newNodes: PepChanges | undefined;
  #before: Element | undefined;
  #after: Element | undefined;

  constructor(
    private readonly bytes: Buffer,
    private readonly account: MarkedAccount,
    private readonly plan: AccountPlan,
  ) {}

  write(output: OutputBuffer): AccountResult {
    const { account, plan } = this;
    if (includesInside(account)) return this.#copy(output, account.includeFailure ?? TOO_LARGE_TO_INCLUDE);
    const startTag = this.#startTag(this.#credentials());
    const { outcome, reason } = plan.cards === 'vcard4' ? this.#toPep() : this.#toVcardTemp();
    if (plan.server === 'ejabberd') this.#repairRosters();
    this.#writeAll(output, startTag);
    return {
      account: addressOf(account),
      outcome: this.#made.length > 0 && outcome === 'empty' ? 'migrated' : outcome,
      made: this.#made,
      warnings: this.#warnings,
      ...(reason !== undefined && { reason }),
      ...(plan.keepsCards && {
        before: this.#before && serialize(this.#before),
        after: this.#after && serialize(this.#after),
      }),
    };
  }

  #copy(output: OutputBuffer, reason: string): AccountResult {
    const { account } = this;
    copyRange(this.bytes, account.start, account.end, account.cuts, output);
    return {
      account: addressOf(account),
      outcome: 'failed',
      made: [],
      warnings: [],
      reason,
    };
  }

  #writeAll(output: OutputBuffer, startTag: string | undefined): void {
    const { bytes, account } = this;
    const isEmpty = account.contentEnd === account.end;
    if (isEmpty && this.#additions === '' && !this.#newNodes && startTag === undefined) {
      output.addBytes(bytes, account.start, account.end);
      return;
    }
    if (startTag !== undefined) output.addText(startTag);
    else if (isEmpty) {
      // `<user …/>` opened: without its slash.
      output.addBytes(bytes, account.start, account.contentStart - 2);
      output.addText('>');
    } else output.addBytes(bytes, account.start, account.contentStart);
    let from = account.contentStart;
    for (const child of account.children) {
      const replacement = this.#replacements.get(child);
      if (replacement === undefined) continue;
      copyRange(bytes, from, child.start, account.cuts, output);
      output.addText(replacement);
      from = child.end;
    }
    copyRange(bytes, from, account.contentEnd, account.cuts, output);
    output.addText(this.#additions);
    if (this.#newNodes) writePep(this.#newNodes, output);
    output.addText('</user>');
  }

  /** Returns the start tag, where it must be another one. */
  #startTag(isWithoutPassword: boolean): string | undefined {
    const { preparedName, start, contentStart } = this.account;
    if (!isWithoutPassword && preparedName === undefined) return undefined;
    const element = readElement(this.bytes, start, contentStart, PIE_SCOPE, NS_PIE);
    if (isWithoutPassword) delete element.attrs['password'];
    if (preparedName !== undefined) element.attrs['name'] = preparedName;
    return serialize(element).replace(/\/>$/, '>');
  }

  /** Returns whether they have moved from the start tag to an element. */
  #credentials(): boolean {
    const { account, plan } = this;
    if (plan.scram === 'keep') return false;
    const isPlain = account.password !== undefined && !account.password.startsWith('scram:');
    let isConverted = false;
    for (const child of this.#childrenOf(ChildKind.scram)) {
      // COMPAT(ejabberd 23.01): its import ends at an account with a password and credentials; the password does for both.
      if (isPlain && account.password !== '' && plan.server === 'ejabberd') {
        this.#replacements.set(child, '');
        continue;
      }
      const credentials = this.#read(child);
      const form = scramForm(credentials);
      const isUnknown = plan.server === 'ejabberd' && !isKnownToEjabberd(credentials);
      if (form === undefined || isUnknown) {
        const { mechanism } = credentials.attrs as { mechanism?: string };
        this.#warn(
          'dropped',
          'scram-credentials',
          isUnknown ? (mechanism ?? '') : 'they are broken: nobody can log in with them',
        );
        // COMPAT(ejabberd 23.01): its import ends at them.
        if (plan.server === 'ejabberd') this.#replacements.set(child, '');
      } else if (form !== plan.scram) {
        this.#replacements.set(child, serialize(convertScram(credentials, form, plan.scram)));
        isConverted = true;
      }
    }
    if (isConverted) this.#made.push('credentials');
    const old = account.password === undefined ? undefined : scramOfPassword(account.password);
    const form = old && scramForm(old);
    if (!old || form === undefined) return false;
    this.#additions += serialize(convertScram(old, form, plan.scram));
    this.#made.push('credentials');
    return true;
  }

  #repairRosters(): void {
    for (const child of this.#childrenOf(ChildKind.roster)) {
      const roster = this.#read(child);
      const warnings = repairRoster(roster);
      if (warnings.length === 0) continue;
      this.#warnings.push(...warnings);
      this.#put(child, roster);
    }
  }

  #toPep(): { outcome: AccountOutcome; reason?: string } {
    const { plan } = this;
    const cards = this.#childrenOf(ChildKind.vcardTemp);
    const [nodesChild] = this.#childrenOf(ChildKind.nodes);
    const [itemsChild] = this.#childrenOf(ChildKind.items);
    const existing = {
      nodes: nodesChild && this.#read(nodesChild),
      items: itemsChild && this.#read(itemsChild),
    };
    // Whoever reads PEP nodes makes the old card from them; Prosody would convert it once more, and worse.
    for (const child of cards) this.#replacements.set(child, '');
    const { card, avatar } = this.#readVcardTemp(cards);
    const present = cardOf(existing.items);
    this.#before = present;
    const [kept, reason] = this.#settle(card, present);
    const avatarToSet =
      avatar && (plan.existing === 'overwrite' || !hasAvatar(existing.items)) ? avatar : undefined;
    if (kept) this.#made.push('card');
    if (avatarToSet) this.#made.push('avatar');
    this.#after = kept ?? present;
    const changes = { card: kept, avatar: avatarToSet, access: plan.access };
    if ((kept ?? avatarToSet) === undefined) {
      this.#completeLists(existing, itemsChild);
    } else if (!nodesChild && !itemsChild) {
      this.#newNodes = changes;
    } else {
      const changed = changePep(existing, changes);
      if (plan.server === 'prosody') addMissingItemLists(changed);
      this.#put(nodesChild, changed.nodes);
      this.#put(itemsChild, changed.items);
    }
    if (kept ?? avatarToSet) return { outcome: 'migrated' };
    if (reason !== undefined) return { outcome: 'skipped', reason };
    return { outcome: present ? 'skipped' : 'empty', ...(present && { reason: 'it has a vCard4 already' }) };
  }

  #completeLists(
    existing: { nodes: Element | undefined; items: Element | undefined },
    child: MarkedChild | undefined,
  ) {
    if (this.plan.server !== 'prosody') return;
    const completed = addMissingItemLists(existing);
    if (completed) this.#put(child, completed);
  }

  /** The first card with something in it, and the first picture; several cards of one account are nobody's intention. */
  #readVcardTemp(children: readonly MarkedChild[]): {
    card: Element | undefined;
    avatar: Avatar | undefined;
  } {
    const { account, plan } = this;
    let card: Element | undefined;
    let avatar: Avatar | undefined;
    for (const child of children) {
      const conversion = vcardTempToVcard4(this.#read(child), {
        localpart: account.preparedName ?? account.name,
        dates: plan.dates,
      });
      this.#warnings.push(...conversion.warnings);
      if (card && conversion.card) this.#warn('duplicate', 'vCard', 'the account has two');
      card ??= conversion.card;
      avatar ??= conversion.avatar;
    }
    if (avatar && avatar.data.length > plan.maxAvatarBytes) {
      this.#warn('avatar-large', 'PHOTO/BINVAL', `${avatar.data.length} bytes`);
      avatar = undefined;
    }
    return { card, avatar };
  }

  /** Which card is to be put where one is already; undefined: none. */
  #settle(card: Element | undefined, present: Element | undefined): [Element | undefined, string?] {
    if (!card || !present) return [card];
    switch (this.plan.existing) {
      case 'overwrite':
        return [card];
      case 'merge':
        return [mergeCards(present, card)];
      case 'skip':
        return [undefined, `it has a ${present.getName() === 'vCard' ? 'vcard-temp' : 'vCard4'} already`];
    }
  }

  #toVcardTemp(): { outcome: AccountOutcome; reason?: string } {
    const [presentChild] = this.#childrenOf(ChildKind.vcardTemp);
    const present = presentChild && this.#read(presentChild);
    this.#before = present;
    const { card, hasAvatar: hasPicture } = this.#makeVcardTemp();
    const [kept, reason] = this.#settle(card, present);
    this.#after = kept ?? present;
    const repairs =
      present && this.plan.server === 'ejabberd' && this.#after
        ? repairVcardTemp(this.#after, this.plan.maxAvatarBytes)
        : [];
    this.#warnings.push(...repairs);
    if (kept) this.#made.push('card', ...(hasPicture ? ['avatar'] : []));
    if (kept ?? (repairs.length > 0 ? present : undefined)) this.#put(presentChild, this.#after);
    if (kept) return { outcome: 'migrated' };
    if (!present) return { outcome: 'empty' };
    return { outcome: 'skipped', reason: reason ?? 'it has a vcard-temp already' };
  }

  /** Of what is in the PEP nodes. */
  #makeVcardTemp(): { card: Element | undefined; hasAvatar: boolean } {
    const { plan } = this;
    const [itemsChild] = this.#childrenOf(ChildKind.items);
    const items = itemsChild && this.#read(itemsChild);
    const card = cardOf(items);
    const data = avatarDataOf(items);
    let avatar = data && readAvatar(data);
    if (data && !avatar) this.#warn('photo-format', 'urn:xmpp:avatar:data', `${data.length} bytes`);
    if (avatar && avatar.data.length > plan.maxAvatarBytes) {
      this.#warn('avatar-large', 'urn:xmpp:avatar:data', `${avatar.data.length} bytes`);
      avatar = undefined;
    }
    if (!card && !avatar) return { card: undefined, hasAvatar: false };
    const made = vcard4ToVcardTemp(card ?? xml('vcard', { xmlns: NS_VCARD4_XML }), {
      avatar,
      ...(plan.server === 'ejabberd' && { target: 'ejabberd' }),
    });
    this.#warnings.push(...made.warnings);
    return { card: made.card, hasAvatar: avatar !== undefined };
  }

  #childrenOf(kind: ChildKind): MarkedChild[] {
    return this.account.children.filter((child) => child.kind === kind);
  }

  #read(child: MarkedChild): Element {
    let element = this.#elements.get(child);
    if (!element) {
      // Without prefixes nothing outside of the element makes a difference but the default namespace.
      element = readElement(this.bytes, child.start, child.end, PIE_SCOPE, NS_PIE);
      this.#elements.set(child, element);
    }
    return element;
  }

  /** An element in the place of another, or at the end. */
  #put(child: MarkedChild | undefined, element: Element | undefined): void {
    if (!element) return;
    if (child) this.#replacements.set(child, serialize(element));
    else this.#additions += serialize(element);
  }

  #warn(code: CardWarning['code'], element: string, value: string): void {
    this.#warnings.push({ code, element, value });
  }
}
