/**
 * Which channel binding goes into SCRAM (RFC 5802 §6, RFC 9266, RFC 5929, XEP-0440 §3).
 */
import { AuthError } from '../../errors.js';
import type { ChannelBindingType } from '../transport/socket.js';
import type { BindingName } from './authentication.js';
import type { Offer } from './offer.js';
import type { ScramBinding } from './scram.js';

/**
 * Strongest first. `tls-exporter` and `tls-unique` are bound to the connection; `tls-server-end-point` only to the
 * certificate, so a thief of its key goes unnoticed. The transport has `tls-unique` only up to TLS 1.2, where it is defined.
 */
export const bindingTypes: readonly BindingName[] = ['tls-exporter', 'tls-unique', 'tls-server-end-point'];

export interface BindingPlan {
  /** To try in turn, each only when the server did not know the one before. */
  bindings: ScramBinding[];
  /** The offer looks as if it had been changed: go on only if the server confirms it under the password (XEP-0474). */
  isHashRequired: boolean;
}

export type ChannelBindingLookup = (type: ChannelBindingType) => Buffer | undefined;

/**
 * Decides for SCRAM.
 *
 * @throws AuthError the offer contradicts itself, as it would if somebody had cut out parts
 */
export function planBinding(offer: Offer, lookup: ChannelBindingLookup): BindingPlan {
  const available = bindingTypes.filter((type) => lookup(type) !== undefined);
  const plus = offer.mechanisms.some((name) => /^SCRAM-.*-PLUS$/.test(name));
  // XEP-0440 rule 2.
  if (available.length === 0) return { bindings: [{ flag: 'n' }], isHashRequired: false };
  if (!plus) return planWithoutPlus(offer);
  if (offer.channelBindings === undefined) return planWithoutTypes(offer, lookup);

  const common = available.filter((type) => offer.channelBindings?.includes(type));
  const [strongest] = common;
  if (strongest !== undefined)
    return { bindings: [bind(strongest, lookup(strongest))], isHashRequired: false };
  // XEP-0440 rule 6 as XEP-0474 §6 changes it: every server has tls-server-end-point, so a list without it was changed.
  return {
    bindings: [{ flag: 'n' }],
    isHashRequired: !offer.channelBindings.includes('tls-server-end-point'),
  };
}

function planWithoutPlus(offer: Offer): BindingPlan {
  if (offer.profile === 'sasl2' && offer.channelBindings !== undefined) {
    // XEP-0440 rule 5. Without SASL2 that is a recommendation, and `y` lets the server judge.
    throw new AuthError(
      'the server names types of channel binding, but no mechanism that uses them (XEP-0440)',
      {
        hint: 'somebody between us and the server may be trying to weaken the login',
      },
    );
  }
  return { bindings: [{ flag: 'y' }], isHashRequired: false };
}

/** The server has -PLUS but does not say for which types. */
function planWithoutTypes(offer: Offer, lookup: ChannelBindingLookup): BindingPlan {
  if (offer.profile === 'sasl2') {
    // XEP-0440 rule 4.
    throw new AuthError('the server offers mechanisms with channel binding, but no type of it (XEP-0440)', {
      hint: 'somebody between us and the server may be trying to weaken the login',
    });
  }
  // RFC 5802 §6.1 made tls-unique the type that everybody has; what else old servers have can only be found by trying.
  const bindings: ScramBinding[] = [];
  const unique = lookup('tls-unique');
  // COMPAT(ejabberd 23.01): up to version 23.10 it offers -PLUS without XEP-0440, knows tls-unique only, and takes the client's
  // Finished message for it in TLS 1.3 too, where RFC 8446 leaves tls-unique undefined. That message is as much bound to the
  // handshake's secrets there, so it does its work.
  const finished = unique ?? lookup('tls-finished');
  if (finished !== undefined) bindings.push(bind('tls-unique', finished));
  for (const type of bindingTypes) {
    const data = type === 'tls-unique' ? undefined : lookup(type);
    if (data !== undefined) bindings.push(bind(type, data));
  }
  return { bindings, isHashRequired: false };
}

function bind(type: BindingName, data: Buffer | undefined): ScramBinding {
  return data === undefined ? { flag: 'n' } : { flag: 'p', type, data };
}
