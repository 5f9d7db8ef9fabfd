/** Sends the stimuli and writes down what comes of each. */
import { XmppctlError } from '../../errors.js';
import type { ProbeStream } from '../wire/probe-stream.js';
import { isDirectTls, type ConformanceOutcome } from './facts.js';
import { readStream } from './read-stream.js';
import { awaitOutcome, type Outcome } from './outcome.js';
import { openSecureStream } from './secure-stream.js';
import { HEADER_STIMULUS, stimuli, type Stimulus } from './stimuli.js';
import { connectTo, openingOf, type EndpointProbe } from './target.js';

const ANSWER_MS = 1500;
/** After this we ask by closing the stream: whoever answers that has passed over what came before. */
const PATIENCE_MS = 250;

/** @param chosen ids of the stimuli that are wanted */
export async function collectConformance(
  probe: EndpointProbe,
  chosen: ReadonlySet<string>,
): Promise<ConformanceOutcome[]> {
  const wanted = stimuli.filter(({ id }) => chosen.has(id));
  return Promise.all(
    wanted.map(async (stimulus) => ({ id: stimulus.id, ...(await stimulate(probe, stimulus)) })),
  );
}

async function stimulate(
  probe: EndpointProbe,
  stimulus: Stimulus,
): Promise<Outcome & { hasHeader?: boolean }> {
  try {
    return stimulus.phase === 'opening'
      ? await stimulateOpening(probe, stimulus)
      : await stimulateStream(probe, stimulus);
  } catch (error) {
    // A server that stops answering in the middle is a fact about this stimulus only.
    if (!(error instanceof XmppctlError)) throw error;
    return { outcome: 'unmeasured', evidence: { received: error.message } };
  }
}

async function stimulateOpening(
  probe: EndpointProbe,
  stimulus: Stimulus,
): Promise<Outcome & { hasHeader?: boolean }> {
  const opening = openingOf(probe);
  using stream = isDirectTls(probe.endpoint.service)
    ? await openSecureStream(probe, stimulus.id)
    : await connectTo(probe, stimulus.id);
  stream.write(stimulus.write(opening));
  const until = performance.now() + ANSWER_MS;
  let header: { from?: unknown; id?: unknown; version?: unknown } | undefined;
  for (;;) {
    const event = await stream.next(Math.max(0, until - performance.now()));
    const evidence = stream.transcript.evidence();
    if (event.kind === 'header') header = event.element.attrs;
    else if (event.kind === 'element') return { outcome: 'accepted', evidence };
    else if (event.kind === 'stream-error') {
      const isProper =
        header !== undefined && typeof header.id === 'string' && header.id !== '' && header.version === '1.0';
      return {
        outcome: event.condition,
        evidence,
        ...(stimulus.id === HEADER_STIMULUS && { hasHeader: isProper }),
      };
    } else if (event.kind === 'silent') return { outcome: header ? 'accepted' : 'silent', evidence };
    else return { outcome: event.kind === 'end' ? 'ended' : event.kind, evidence };
  }
}

async function stimulateStream(probe: EndpointProbe, stimulus: Stimulus): Promise<Outcome> {
  const opening = openingOf(probe);
  using stream = await openSecureStream(probe, stimulus.id);
  const { problem } = await readStream(stream, opening);
  if (problem !== undefined) return { outcome: 'unmeasured', evidence: { received: problem } };
  stream.transcript.clear();
  stream.write(stimulus.write(opening));
  if (stimulus.id === 'conformance.close') return await awaitOutcome(stream, ANSWER_MS);
  const first = await awaitOutcome(stream, PATIENCE_MS);
  return first.outcome === 'silent' ? await askByClosing(stream) : first;
}

async function askByClosing(stream: ProbeStream): Promise<Outcome> {
  stream.write('</stream:stream>');
  const { outcome, evidence } = await awaitOutcome(stream, ANSWER_MS);
  return { outcome: outcome === 'ended' ? 'ignored' : outcome, evidence };
}
