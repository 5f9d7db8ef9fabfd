/**
 * Remembering how an account logged in before, so that a weaker offer is noticed (XEP-0474 §6, RFC 6120 §13.8.3).
 */
import { AuthError } from '../../errors.js';
import type { MechanismPin } from '../options.js';
import { mechanismsByStrength } from './choose-mechanism.js';
import type { SaslMechanism } from './mechanism.js';

/**
 * Compares what is about to be used with what was used before. PLAIN, or nothing that proves the user, after something
 * better is refused: it would hand the password to whoever removed the better offer.
 *
 * @throws AuthError
 */
export function refuseDowngrade(pin: MechanismPin | undefined, mechanism: SaslMechanism): void {
  if (pin === undefined || mechanism.name !== 'PLAIN' || strength(pin.mechanism) <= strength('PLAIN')) return;
  throw new AuthError(`the server wants the password itself (PLAIN), but has had ${pin.mechanism} before`, {
    hint: 'somebody may be trying to get the password; if the server really changed, remove the account and add it again',
  });
}

/**
 * A warning for what is weaker than before and still safe enough, after a login that the server did not confirm by XEP-0474:
 * a server may stop offering something, and is often just configured anew.
 */
export function warnOfDowngrade(pin: MechanismPin | undefined, mechanism: SaslMechanism): string | undefined {
  if (pin === undefined || mechanism.isDowngradeProtected) return undefined;
  if (
    pin.channelBinding !== undefined &&
    mechanism.channelBinding === undefined &&
    mechanism.name !== 'EXTERNAL'
  ) {
    return `logged in with ${mechanism.name} and no channel binding; earlier it was ${pin.mechanism} with ${pin.channelBinding}`;
  }
  if (strength(mechanism.name) < strength(pin.mechanism)) {
    return `logged in with ${mechanism.name}; earlier it was ${pin.mechanism}`;
  }
  return undefined;
}

/** What to remember now, or undefined where nothing stronger was seen. */
export function strongerPin(
  pin: MechanismPin | undefined,
  mechanism: SaslMechanism,
): MechanismPin | undefined {
  if (pin !== undefined && strength(mechanism.name) <= strength(pin.mechanism)) return undefined;
  return {
    mechanism: mechanism.name,
    ...(mechanism.channelBinding !== undefined && { channelBinding: mechanism.channelBinding }),
  };
}

/** A name that is not known is the weakest. */
function strength(mechanism: string): number {
  return mechanismsByStrength.indexOf(mechanism);
}
