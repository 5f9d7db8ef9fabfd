/**
 * `<failure/>` (RFC 6120 §6.5, XEP-0388 §2.6.2), read by namespace.
 */
import { AuthError } from '../../errors.js';
import { childElements, type Element } from '../../xml/element.js';
import { NS_SASL } from './namespaces.js';

export interface SaslFailure {
  /** `not-authorized` and so on; `undefined-condition` where the server gave none. */
  condition: string;
  text: string | undefined;
}

export function readFailure(failure: Element): SaslFailure {
  let condition = 'undefined-condition';
  let text: string | undefined;
  for (const child of childElements(failure)) {
    if (child.getName() === 'text') {
      text ??= oneLine(child.getText());
    } else if (child.getNS() === NS_SASL || condition === 'undefined-condition') {
      // COMPAT(Prosody mod_sasl2, 2023): the condition is in the namespace of SASL2.
      condition = child.getName();
    }
  }
  return { condition, text };
}

function oneLine(text: string): string | undefined {
  return (
    text
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, 300) || undefined
  );
}

/** True where the server refused the type of channel binding, not the user: another type may be tried. */
export function isBindingRefused({ condition, text }: SaslFailure): boolean {
  return condition === 'malformed-request' || (text !== undefined && /channel.?binding/i.test(text));
}

const hints: Readonly<Record<string, string>> = {
  'not-authorized': 'check the address and the password',
  'account-disabled': 'the account exists but has been disabled by the server’s administrator',
  'credentials-expired': 'the password has expired and has to be changed',
  'encryption-required': 'the server accepts this login only over TLS',
  'invalid-authzid': 'the server does not accept this address for the login',
  'invalid-mechanism': 'the server does not accept the mechanism it has offered',
  'mechanism-too-weak':
    'the server wants a stronger mechanism for this account; its password may have to be set again',
  'temporary-auth-failure': 'the server cannot check the login now; try again later',
  aborted: 'try again',
};

/**
 * @param secret must not appear in the error, even if the server sends it back
 */
export function authErrorFrom(
  { condition, text }: SaslFailure,
  { who, mechanism, secret }: { who: string; mechanism: string; secret: string | undefined },
): AuthError {
  const told = text !== undefined && secret && text.includes(secret) ? undefined : text;
  const hint =
    mechanism.endsWith('-PLUS') && isBindingRefused({ condition, text })
      ? 'the channel binding was not accepted: somebody may be between us and the server, or a proxy ends TLS in front of it'
      : hints[condition];
  return new AuthError(
    `${who} could not log in with ${mechanism}: ${condition}${told === undefined ? '' : ` (${told})`}`,
    {
      ...(hint !== undefined && { hint }),
      details: { condition, mechanism, ...(told !== undefined && { text: told }) },
    },
  );
}
