/** Whether two addresses are the same, and how they differ. */
import { isConfusable } from './confusables/skeleton.js';
import type { JID } from './jid.js';
import type { AddressPart } from './jid-error.js';

export interface AddressComparison {
  same: boolean;
  /** The parts that are different. */
  differs: AddressPart[];
  /** Different, but people may take one for the other. */
  confusable: boolean;
}

export function compareAddresses(first: JID, second: JID): AddressComparison {
  const differs = (['local', 'domain', 'resource'] as const).filter((part) => first[part] !== second[part]);
  return {
    same: differs.length === 0,
    differs,
    confusable: isConfusable(first.toString(), second.toString()),
  };
}
