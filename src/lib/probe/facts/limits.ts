/**
 * What somebody without an account can make a server keep in memory: stanzas are begun, and not ended, until it
 * closes the connection. Together at most 1.1 MiB.
 *
 * RFC 6120 §13.12 (denial of service) · XEP-0205 (best practices).
 */
import { openSecureStream } from './secure-stream.js';
import type { LimitsFacts } from './facts.js';
import { readStream } from './read-stream.js';
import { openingOf, type EndpointProbe } from './target.js';
import type { StreamEvent } from '../wire/probe-stream.js';

/** Bytes of an unfinished stanza, from small to large. */
const sizes = [16, 64, 270, 600].map((kibibytes) => kibibytes * 1024);
const DEPTH = 20_000;
const ATTRIBUTE_BYTES = 64 * 1024;
/** How long a server may take to refuse: this, or so many times longer than it took to open the stream. */
const REFUSAL_MS = 600;
const PATIENCE = 10;

export async function collectLimits(probe: EndpointProbe): Promise<LimitsFacts> {
  const [size, nesting, attribute] = await Promise.all([
    findSize(probe),
    overload(probe, 'nesting', `<message>${'<a>'.repeat(DEPTH)}`),
    overload(probe, 'attribute', `<message id='${'x'.repeat(ATTRIBUTE_BYTES)}`),
  ]);
  return { ...size, nesting, attribute };
}

async function findSize(probe: EndpointProbe): Promise<Pick<LimitsFacts, 'accepted' | 'refused'>> {
  const outcomes = await Promise.all(
    sizes.map(async (bytes) => ({
      bytes,
      outcome: await overload(probe, `${bytes / 1024} KiB`, `<message><body>${'x'.repeat(bytes)}`),
    })),
  );
  const refused = outcomes.find(({ outcome }) => outcome !== 'silent');
  const accepted = outcomes.filter(({ bytes }) => refused === undefined || bytes < refused.bytes);
  return { accepted: accepted.at(-1)?.bytes ?? 0, refused };
}

/** `silent` when all of it was taken without a word. */
async function overload(probe: EndpointProbe, what: string, text: string): Promise<string> {
  using stream = await openSecureStream(probe, `unfinished stanza, ${what}`);
  const startedAt = performance.now();
  await readStream(stream, openingOf(probe));
  const patienceMs = PATIENCE * (performance.now() - startedAt);
  await stream.writeAll(text);
  const event: StreamEvent = await stream.next(Math.max(REFUSAL_MS, Math.min(patienceMs, 3000)));
  if (event.kind === 'stream-error') return event.condition;
  return event.kind === 'element' ? `answered ${event.element.getName()}` : event.kind;
}
