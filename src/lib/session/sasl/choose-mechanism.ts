/**
 * Which mechanism to log in with: the strongest that the server offers and the credentials allow.
 */
import { AuthError } from '../../errors.js';
import type { ConnectOptions } from '../options.js';
import { planBinding, type ChannelBindingLookup } from './channel-binding.js';
import type { SaslMechanism } from './mechanism.js';
import type { Offer } from './offer.js';
import { Anonymous, External, Plain } from './one-step.js';
import { Scram, type ScramHash } from './scram.js';

/** Strongest first: what binds the channel comes before what has the better hash. */
const scramMechanisms: readonly [name: string, hash: ScramHash][] = [
  ['SCRAM-SHA-512', 'sha512'],
  ['SCRAM-SHA-256', 'sha256'],
  ['SCRAM-SHA-1', 'sha1'],
];

/** Weakest first, for comparing with what was used before (`pin.ts`). */
export const mechanismsByStrength: readonly string[] = [
  'ANONYMOUS',
  'PLAIN',
  ...scramMechanisms.map(([name]) => name).reverse(),
  ...scramMechanisms.map(([name]) => `${name}-PLUS`).reverse(),
  'EXTERNAL',
];

/**
 * The mechanism to use, and others to try only if the server does not know the first one's type of channel binding.
 *
 * @throws AuthError nothing in common, or an offer that must not be trusted
 */
export function chooseMechanisms(
  offer: Offer,
  { jid, credentials }: ConnectOptions,
  channelBinding: ChannelBindingLookup,
): SaslMechanism[] {
  const { mechanisms } = offer;
  const { password, clientCertificate, isAnonymous } = credentials;
  if (isAnonymous) {
    if (mechanisms.includes('ANONYMOUS')) return [new Anonymous()];
    throw nothingInCommon(jid.domain, offer, 'it does not let anonymous users in');
  }
  if (clientCertificate && mechanisms.includes('EXTERNAL')) return [new External(jid.bare.toString())];
  if (!password) {
    throw clientCertificate
      ? nothingInCommon(
          jid.domain,
          offer,
          'it does not accept the client certificate, and there is no password',
        )
      : new AuthError('there is no password to log in with', {
          hint: 'see xmppctl help config for where one can come from',
        });
  }
  const username = jid.local;
  if (username === undefined)
    throw new AuthError(`the address ${jid.toString()} has no user name to log in with`);

  if (scramMechanisms.some(([name]) => mechanisms.includes(name) || mechanisms.includes(`${name}-PLUS`))) {
    return chooseScram(offer, { username, password, channelBinding, domain: jid.domain });
  }
  if (mechanisms.includes('PLAIN')) return [new Plain(username, password)];
  throw nothingInCommon(jid.domain, offer, 'none of them is known here');
}

function chooseScram(
  offer: Offer,
  {
    username,
    password,
    channelBinding,
    domain,
  }: {
    username: string;
    password: () => Promise<string>;
    channelBinding: ChannelBindingLookup;
    domain: string;
  },
): SaslMechanism[] {
  const { bindings, isHashRequired } = planBinding(offer, channelBinding);
  const suffix = bindings.some(({ flag }) => flag === 'p') ? '-PLUS' : '';
  const hash = scramMechanisms.find(([name]) => offer.mechanisms.includes(name + suffix))?.[1];
  if (hash === undefined) throw nothingInCommon(domain, offer, 'this connection has no channel binding');
  return bindings.map(
    (binding) => new Scram({ hash, username, password, binding, lists: offer, isHashRequired }),
  );
}

function nothingInCommon(domain: string, { mechanisms }: Offer, why: string): AuthError {
  const names = mechanisms.slice(0, 20).map((name) => (/^[A-Z0-9_-]{1,20}$/.test(name) ? name : '?'));
  return new AuthError(
    `${domain} offers no way to log in: ${why} (offered: ${names.join(', ') || 'nothing'})`,
    {
      details: { mechanisms: names },
    },
  );
}
