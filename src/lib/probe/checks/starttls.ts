/** STARTTLS: offered, required, and enforced. */
import { isForServers, type Service, type StarttlsFacts } from '../facts/facts.js';
import type { Outcome } from '../facts/outcome.js';
import { atEachEndpoint, fail, info, of, pass, skip, warn, type Check, type LocalVerdict } from './check.js';

const services: readonly Service[] = ['xmpp-client', 'xmpp-server'];
const requireEncryption = {
  prosody:
    'c2s_require_encryption = true and s2s_require_encryption = true, with mod_tls loaded and a certificate',
  ejabberd: 'starttls_required: true in the c2s listener, s2s_use_starttls: required for servers',
};

function enforced(
  of: (facts: StarttlsFacts) => Outcome,
  judge: (outcome: string) => LocalVerdict,
): Check['judge'] {
  return atEachEndpoint({
    services,
    judge: ({ starttls }) =>
      starttls === undefined
        ? undefined
        : starttls.value === undefined
          ? skip(starttls.reason)
          : { evidence: of(starttls.value).evidence, ...judge(of(starttls.value).outcome) },
  });
}

const REFUSED =
  /^(policy-violation|not-authorized|closed|ended|broken|unsupported-stanza-type|stanza-error .*|invalid-from|undefined-condition|not-well-formed|invalid-xml|failure (encryption-required|policy-violation|invalid-mechanism|not-authorized|temporary-auth-failure|mechanism-too-weak))$/;

export const starttlsChecks: readonly Check[] = [
  {
    id: 'starttls.offered',
    group: 'starttls',
    severity: 'critical',
    title: 'STARTTLS is offered',
    expected: '<starttls/> among the stream features',
    references: ['RFC 6120 §5.3', 'RFC 7590 §3.1'],
    why: 'Without it everything, passwords included, crosses the network for everybody to read.',
    fix: {
      prosody:
        'add "tls" to modules_enabled, and a certificate that Prosody can read (prosodyctl check certs)',
      ejabberd: 'starttls: true in the listener, and certfiles',
    },
    caps: { security: 'F' },
    reads: ['stream'],
    judge: atEachEndpoint({
      services,
      judge: ({ plain, endpoint }) =>
        of(plain, ({ starttls, problem, evidence }) => {
          const caps = isForServers(endpoint.service)
            ? ({ security: 'F', federation: 'D' } as const)
            : undefined;
          if (problem !== undefined)
            return fail(`the stream could not be opened: ${problem}`, {
              evidence,
              caps: isForServers(endpoint.service) ? { federation: 'F' } : { security: 'F' },
            });
          return starttls === 'absent'
            ? fail('not offered', { evidence, ...(caps && { caps }) })
            : pass('offered');
        }),
    }),
  },
  {
    id: 'starttls.required',
    group: 'starttls',
    severity: 'high',
    title: 'STARTTLS is required',
    expected: '<required/> inside <starttls/>, or nothing else offered',
    references: ['RFC 6120 §5.3.1', 'RFC 7590 §3.1'],
    why: 'Where it is only offered, whoever sits in the middle removes the offer and reads along.',
    fix: requireEncryption,
    caps: { security: 'B' },
    reads: ['stream'],
    judge: atEachEndpoint({
      services,
      judge: ({ plain, endpoint }) =>
        of(plain, ({ starttls, evidence, problem }) => {
          if (problem !== undefined || starttls === 'absent') return undefined;
          if (starttls === 'required') return pass('required');
          return isForServers(endpoint.service)
            ? fail('only offered', { evidence, caps: { security: 'B', federation: 'D' } })
            : fail('only offered', { evidence });
        }),
    }),
  },
  {
    id: 'starttls.enforced.auth',
    group: 'starttls',
    severity: 'critical',
    title: 'nobody can authenticate before TLS',
    expected: 'encryption-required or policy-violation in answer to <auth/>',
    references: ['RFC 6120 §6.3.4', 'RFC 6120 §6.5.4', 'RFC 6120 §13.8.3'],
    why: 'A server that says TLS is required and still looks at passwords sent in clear teaches clients to send them.',
    fix: requireEncryption,
    caps: { security: 'F' },
    reads: ['starttls', 'stream'],
    judge: atEachEndpoint({
      services,
      judge: ({ starttls, plain }) =>
        of(starttls, ({ auth }) => {
          const { outcome, evidence } = auth;
          const more = { evidence };
          if (outcome === 'answered success' || outcome === 'answered challenge')
            return fail(`the authentication was taken up (${outcome})`, more);
          const isOffered = (plain?.value?.mechanisms.length ?? 0) > 0;
          // With mechanisms on offer before TLS, this refusal is a judgement of the password.
          if (outcome === 'failure not-authorized' && isOffered)
            return fail('a name and a password were looked at before TLS', more);
          if (REFUSED.test(outcome)) return pass(`refused: ${outcome}`);
          return warn(outcome === 'silent' ? 'no answer' : `answered with ${outcome}`, more);
        }),
    }),
  },
  {
    id: 'starttls.enforced.registration',
    group: 'starttls',
    severity: 'high',
    title: 'nobody can register before TLS',
    expected: 'an error in answer to a request for the registration form',
    references: ['XEP-0077 §4', 'RFC 6120 §5.3.1'],
    why: 'The password of a new account would cross the network in clear.',
    fix: requireEncryption,
    caps: { security: 'F' },
    reads: ['starttls'],
    judge: enforced(
      ({ registration }) => registration,
      (outcome) => {
        if (outcome === 'answered iq') return fail('the form was sent before TLS');
        if (REFUSED.test(outcome)) return pass(`refused: ${outcome}`);
        return outcome === 'silent' ? pass('ignored') : warn(`answered with ${outcome}`);
      },
    ),
  },
  {
    id: 'starttls.enforced.stanza',
    group: 'starttls',
    severity: 'high',
    title: 'no stanza is taken before TLS',
    expected: 'not-authorized or policy-violation in answer to a message',
    references: ['RFC 6120 §5.3.1', 'RFC 6120 §4.9.3.12'],
    why: 'What is taken before TLS can be put there by anybody on the way.',
    fix: requireEncryption,
    reads: ['starttls'],
    judge: atEachEndpoint({
      services,
      judge: ({ starttls, endpoint }) =>
        of(starttls, ({ message: { outcome, evidence } }) => {
          if (REFUSED.test(outcome)) return pass(`refused: ${outcome}`);
          if (outcome !== 'silent') return fail(`answered with ${outcome}`, { evidence });
          // COMPAT(Prosody 0.12.3): a server that has not authenticated is not listened to, without a word.
          const observed = 'the message was neither refused nor answered';
          return isForServers(endpoint.service) ? info(observed) : warn(observed, { evidence });
        }),
    }),
  },
  {
    id: 'starttls.injection',
    group: 'starttls',
    severity: 'critical',
    title: 'text behind <starttls/> does not get into the secure stream',
    expected: 'what was sent in clear behind <starttls/> has no effect inside TLS',
    references: ['RFC 6120 §5.4.3.3', 'CVE-2011-0411'],
    why: 'Somebody in the middle could put commands in front of what a client says inside TLS.',
    fix: {
      prosody: 'update Prosody',
      ejabberd: 'update ejabberd and fast_tls',
      elsewhere:
        'where a proxy does STARTTLS, update it: it has to throw away its buffer before the handshake',
    },
    caps: { security: 'F' },
    reads: ['starttls'],
    judge: atEachEndpoint({
      services,
      judge: ({ starttls }) =>
        of(starttls, ({ injection }) => {
          if (injection.outcome === 'injected') {
            return fail('the text was answered inside TLS', { evidence: injection.evidence });
          }
          return pass(
            injection.outcome === 'refused' ? 'the connection was refused' : 'the text was dropped',
          );
        }),
    }),
  },
  {
    id: 'starttls.again',
    group: 'starttls',
    severity: 'low',
    title: 'STARTTLS inside TLS is refused',
    expected: '<failure/>, and the end of the stream',
    references: ['RFC 6120 §5.4.2.2'],
    why: 'A second handshake inside of the first confuses servers about what is secure.',
    reads: ['starttls'],
    judge: enforced(
      ({ again }) => again,
      (outcome) => {
        if (outcome === 'answered proceed') return fail('a second handshake was offered');
        if (outcome.startsWith('failure')) return pass('refused with <failure/>');
        return REFUSED.test(outcome)
          ? pass(`refused: ${outcome}`)
          : warn(outcome === 'silent' ? 'ignored' : `answered with ${outcome}`);
      },
    ),
  },
];
