/** What came of one stimulus, in one word that checks compare. */
import { childElements, type Element } from '../../xml/element.js';
import type { Evidence } from '../wire/transcript.js';
import type { ProbeStream, StreamEvent } from '../wire/probe-stream.js';

export interface Outcome {
  /**
   * The condition of a stream error; `stanza-error CONDITION`; `failure CONDITION`; `answered NAME`; or `closed`,
   * `ended`, `silent`, `broken`.
   */
  outcome: string;
  evidence: Evidence;
}

/** Waits for the first thing that says something; headers and features are passed over. */
export async function awaitOutcome(stream: ProbeStream, timeoutMs: number): Promise<Outcome> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const event = await stream.next(Math.max(0, until - performance.now()));
    if (event.kind === 'header' || isFeatures(event)) continue;
    return { outcome: outcomeOf(event), evidence: stream.transcript.evidence() };
  }
}

const isFeatures = (event: StreamEvent): boolean =>
  event.kind === 'element' && event.element.getName() === 'features';

function outcomeOf(event: StreamEvent): string {
  switch (event.kind) {
    case 'stream-error':
      return event.condition;
    case 'element':
      return outcomeOfElement(event.element);
    case 'end':
      return 'ended';
    case 'header':
    case 'closed':
    case 'silent':
    case 'broken':
      return event.kind;
  }
}

function outcomeOfElement(element: Element): string {
  const name = element.getName();
  if (name === 'failure') return `failure ${conditionOf(element)}`.trim();
  if (element.attrs['type'] === 'error') {
    const error = element.getChild('error');
    return `stanza-error ${error ? conditionOf(error) : ''}`.trim();
  }
  return `answered ${name}`;
}

function conditionOf(element: Element): string {
  const [condition] = childElements(element).filter((child) => child.getName() !== 'text');
  return condition?.getName() ?? '';
}
