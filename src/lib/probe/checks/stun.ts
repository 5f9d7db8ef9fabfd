/** The servers that calls depend on. */
import type { StunFacts } from '../facts/stun.js';
import { isPublicAddress } from '../facts/addresses.js';
import type { Verdict } from '../model.js';
import { fail, info, ofDomain, pass, skip, warn, type Check } from './check.js';

const turnFix = {
  prosody: 'turn_external_host and turn_external_secret with mod_turn_external',
  ejabberd: 'mod_stun_disco, with a listener module: ejabberd_stun',
  elsewhere: 'coturn: lt-cred-mech or use-auth-secret; never no-auth',
};

function ofServers(
  kind: 'stun' | 'turn',
  judge: (facts: StunFacts, place: string) => Verdict | undefined,
): Check['judge'] {
  return ({ stun }) =>
    ofDomain(stun, (all) => {
      const chosen = all.filter(({ target }) => kind === 'stun' || target.kind === 'turn');
      if (chosen.length === 0) return skip(`no ${kind === 'stun' ? 'STUN or TURN' : 'TURN'} server is known`);
      return chosen
        .map((facts) => judge(facts, `${facts.target.kind} ${facts.target.host}:${facts.target.port}`))
        .filter((verdict) => verdict !== undefined);
    });
}

export const stunChecks: readonly Check[] = [
  {
    id: 'stun.binding',
    group: 'stun',
    severity: 'medium',
    title: 'the STUN servers answer',
    expected: 'our own address in answer to a binding request over UDP',
    references: ['RFC 8489 §6', 'XEP-0215'],
    why: 'Without an answer calls are set up late, or not at all.',
    fix: turnFix,
    reads: ['stun'],
    judge: ofServers('stun', ({ binding }, place) =>
      binding.value ? pass(`${place}: answered`) : warn(`${place}: ${binding.reason}`),
    ),
  },
  {
    id: 'stun.turn.stranger',
    group: 'stun',
    severity: 'high',
    title: 'the TURN server relays for nobody without credentials',
    expected: 'the error 401 in answer to an allocation without credentials',
    references: ['RFC 8656 §7.2', 'RFC 8656 §21.1'],
    why: 'An open relay is used for attacks that come from your address.',
    fix: turnFix,
    reads: ['stun'],
    judge: ofServers('turn', ({ stranger }, place) => {
      if (!stranger?.value) return skip(`${place}: ${stranger?.reason ?? 'not measured'}`);
      const { code } = stranger.value;
      if (code === 'allocated') return fail(`${place}: a relay was allocated`, { caps: { abuse: 'D' } });
      return code === 401 ? pass(`${place}: 401`) : info(`${place}: refused with ${code}`);
    }),
  },
  {
    id: 'stun.turn.allocation',
    group: 'stun',
    severity: 'medium',
    title: 'the credentials that are handed out work',
    expected: 'a relayed address that is public',
    references: ['RFC 8656 §7', 'XEP-0215 §3'],
    why: 'Calls between networks fail where the relay does, and nobody sees why.',
    fix: turnFix,
    reads: ['stun'],
    judge: ofServers('turn', ({ allocation, target }, place) => {
      if (!allocation?.value) {
        const reason = allocation?.reason ?? 'not measured';
        return reason === 'no credentials'
          ? skip(`${place}: no credentials (they come with --account)`)
          : warn(`${place}: ${reason}`);
      }
      const { relayedAddress } = allocation.value;
      const isOdd = !isPublicAddress(relayedAddress) && isPublicAddress(target.address);
      return isOdd
        ? warn(`${place}: it relays from ${relayedAddress}, which others cannot reach`)
        : pass(`${place}: relays from ${relayedAddress}`);
    }),
  },
];
