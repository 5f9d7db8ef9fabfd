/**
 * COMPAT(ejabberd 23.01): its import ends at the first contact it cannot read, and the accounts behind it are not
 * imported. Found by trying: a subscription or an ask that RFC 6121 does not know, an empty one included; an address that
 * is missing or none; a group without a name.
 */
import { JID } from '../../jid/jid.js';
import { childElements, type Element } from '../../xml/element.js';
import type { CardWarning } from '../card.js';

const SUBSCRIPTIONS: ReadonlySet<string> = new Set(['none', 'to', 'from', 'both', 'remove']);

/**
 * Changes the roster.
 * @returns what was done; nothing when it was well as it was
 */
export function repairRoster(roster: Element): CardWarning[] {
  const warnings: CardWarning[] = [];
  for (const item of childElements(roster)) {
    if (item.getName() !== 'item') continue;
    const { jid, subscription, ask } = item.attrs as { jid?: string; subscription?: string; ask?: string };
    if (jid === undefined || !JID.tryParse(jid)) {
      roster.children = roster.children.filter((child) => child !== item);
      warnings.push({ code: 'dropped', element: 'roster/item', value: (jid ?? '').slice(0, 200) });
      continue;
    }
    const repaired = (what: string): void => {
      warnings.push({ code: 'nonstandard', element: `roster/item/${what}`, value: jid });
    };
    if (subscription !== undefined && !SUBSCRIPTIONS.has(subscription)) {
      delete item.attrs['subscription'];
      repaired('subscription');
    }
    if (ask !== undefined && ask !== 'subscribe') {
      delete item.attrs['ask'];
      repaired('ask');
    }
    const isNameless = (child: Element): boolean => child.getName() === 'group' && child.getText() === '';
    if (!childElements(item).some(isNameless)) continue;
    item.children = item.children.filter((child) => typeof child === 'string' || !isNameless(child));
    repaired('group');
  }
  return warnings;
}
