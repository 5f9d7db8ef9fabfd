import { StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { Session } from '../session/session.js';
import { NS_PUBSUB_ERRORS } from './stanzas.js';

/** Who asks: a session for its own account, or something that speaks for another account. */
export type IqRequester = Pick<Session, 'request'>;

/** Where a node is. */
export interface NodeAddress {
  /** The service; the own account (PEP) when left out. */
  service?: JID | undefined;
  node: string;
}

/** There is no such node, no such item, or nothing at all that has nodes: for most purposes the same. */
export function isNothingThere(error: unknown): boolean {
  return (
    error instanceof StanzaError &&
    ['item-not-found', 'service-unavailable', 'feature-not-implemented', 'recipient-unavailable'].includes(
      error.condition,
    )
  );
}

/** XEP-0060 §6.5.9: it is there, and not for us. */
export function isNotForUs(error: unknown): boolean {
  return (
    error instanceof StanzaError &&
    ['forbidden', 'not-authorized', 'not-allowed', 'subscription-required'].includes(error.condition)
  );
}

/** XEP-0060 §7.1.5: the node is configured in another way than the publisher wants it. */
export function isPreconditionNotMet(error: unknown): boolean {
  return (
    error instanceof StanzaError &&
    error.application?.namespace === NS_PUBSUB_ERRORS &&
    error.application.name === 'precondition-not-met'
  );
}
