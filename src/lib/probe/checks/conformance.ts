/** RFC 6120 by stimulus and answer: one check for each row of the table of stimuli. */
import { HEADER_STIMULUS, stimuli, type Stimulus } from '../facts/stimuli.js';
import type { ConformanceOutcome } from '../facts/facts.js';
import { atEachEndpoint, fail, info, of, pass, skip, warn, type Check, type LocalVerdict } from './check.js';

const fix = {
  prosody: 'this is in the code of Prosody: update it, or report it at https://issues.prosody.im',
  ejabberd:
    'this is in the code of ejabberd: update it, or report it at https://github.com/processone/ejabberd/issues',
};

export const conformanceChecks: readonly Check[] = [
  ...stimuli.map((stimulus): Check => ({
    id: stimulus.id,
    group: 'conformance',
    severity: stimulus.isSecurity ? 'high' : 'low',
    title: stimulus.title,
    expected: `${stimulus.right.join(' or ')}, in answer to ${stimulus.sends}`,
    references: stimulus.references,
    why: stimulus.why,
    fix,
    reads: ['conformance'],
    judge: atEachEndpoint({
      judge: ({ conformance }) =>
        of(conformance, (outcomes) => {
          const outcome = outcomes.find(({ id }) => id === stimulus.id);
          return outcome && judge(stimulus, outcome);
        }),
    }),
  })),
  {
    id: 'conformance.error.header',
    group: 'conformance',
    severity: 'low',
    title: 'errors come inside of a proper stream',
    expected: 'a stream header with an id and a version before an error',
    references: ['RFC 6120 §4.9.1.2'],
    why: 'An error without a stream around it cannot be parsed, so nobody learns what was wrong.',
    fix,
    reads: ['conformance'],
    judge: atEachEndpoint({
      judge: ({ conformance }) =>
        of(conformance, (outcomes) => {
          const outcome = outcomes.find(({ id }) => id === HEADER_STIMULUS);
          if (outcome?.hasHeader === undefined) return undefined;
          return outcome.hasHeader
            ? pass('a header with id and version')
            : info('the header lacks an id or the version', { evidence: outcome.evidence });
        }),
    }),
  },
];

function judge(
  { right, tolerated, isSecurity }: Stimulus,
  { outcome, evidence }: ConformanceOutcome,
): LocalVerdict {
  if (outcome === 'unmeasured') return skip(evidence.received ?? 'the connection was lost');
  if (right.includes(outcome)) return pass(outcome);
  const word = outcome === 'accepted' || outcome === 'ignored' ? outcome : `answered with ${outcome}`;
  // Safe, only told in other words.
  if (tolerated.includes(outcome) || tolerated.includes(outcome.split(' ')[0] ?? ''))
    return info(word, { evidence });
  return isSecurity ? fail(word, { evidence }) : warn(word, { evidence });
}
