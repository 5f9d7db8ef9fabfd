/**
 * The beginning of a stream: its header and its features (RFC 6120 §4.3, §4.7; XEP-0388 and XEP-0440 are only looked for).
 *
 * XEP-0478: Stream Limits Advertisement, version 0.2.0 (reading what is advertised).
 */
import { childElements, type Element } from '../../xml/element.js';
import type { ProbeStream, StreamEvent, StreamOpening } from '../wire/probe-stream.js';
import { NS_TLS } from '../wire/probe-stream.js';
import type { StreamFacts } from './facts.js';

const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const NS_SASL2 = 'urn:xmpp:sasl:2';
const NS_CHANNEL_BINDING = 'urn:xmpp:sasl-cb:0';
const NS_LIMITS = 'urn:xmpp:stream-limits:0';

/** Opens a stream and waits for the header and the features. A refusal is a fact, not an error. */
export async function readStream(stream: ProbeStream, opening: StreamOpening): Promise<StreamFacts> {
  stream.transcript.clear();
  stream.openStream(opening);
  let header: Element | undefined;
  let features: Element | undefined;
  let problem: string | undefined;
  while (features === undefined && problem === undefined) {
    const event = await stream.next();
    if (event.kind === 'header') {
      header = event.element;
      // RFC 6120 §4.7.5: without a version there will be no features.
      if (header.attrs['version'] === undefined) break;
    } else if (event.kind === 'element' && event.element.getName() === 'features') features = event.element;
    else problem = describeEvent(event);
  }
  return factsOf(header, features, problem, stream);
}

function factsOf(
  header: Element | undefined,
  features: Element | undefined,
  problem: string | undefined,
  stream: ProbeStream,
): StreamFacts {
  const starttls = features?.getChild('starttls', NS_TLS);
  const sasl2 = features?.getChild('authentication', NS_SASL2);
  const bindings = features?.getChild('sasl-channel-binding', NS_CHANNEL_BINDING);
  const limits = features?.getChild('limits', NS_LIMITS);
  const offered = features ? childElements(features) : [];
  const isTlsAlone = offered.length === 1 && starttls !== undefined;
  return {
    header: header && {
      id: attribute(header, 'id'),
      from: attribute(header, 'from'),
      version: attribute(header, 'version'),
      lang: attribute(header, 'xml:lang'),
      namespace: attribute(header, 'xmlns'),
    },
    mechanisms: textsOf(features?.getChild('mechanisms', NS_SASL), 'mechanism'),
    channelBindings:
      bindings && childElements(bindings).map((child) => (attribute(child, 'type') ?? '').slice(0, 100)),
    // RFC 6120 §5.3.1: STARTTLS is required also where nothing else is offered.
    starttls:
      starttls === undefined
        ? 'absent'
        : starttls.getChild('required') || isTlsAlone
          ? 'required'
          : 'optional',
    features: offered
      .slice(0, 100)
      .map((child) => `{${child.getNS() ?? ''}}${child.getName()}`.slice(0, 200)),
    sasl2: sasl2 && {
      mechanisms: textsOf(sasl2, 'mechanism'),
      inline: childElements(sasl2.getChild('inline') ?? sasl2)
        .filter((child) => child.getName() !== 'mechanism')
        .map((child) => `{${child.getNS() ?? ''}}${child.getName()}`.slice(0, 200)),
    },
    limits: limits && {
      maxBytes: numberOf(limits.getChildText('max-bytes')),
      idleSeconds: numberOf(limits.getChildText('idle-seconds')),
    },
    problem,
    evidence: stream.transcript.evidence(),
  };
}

function textsOf(element: Element | undefined, name: string): string[] {
  if (element === undefined) return [];
  return childElements(element)
    .filter((child) => child.getName() === name)
    .slice(0, 50)
    .map((child) => child.getText().slice(0, 100));
}

function attribute(element: Element, name: string): string | undefined {
  const value: unknown = element.attrs[name];
  return typeof value === 'string' ? value.slice(0, 300) : undefined;
}

function numberOf(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** One event in words, as outcomes and problems are told. */
export function describeEvent(event: StreamEvent): string {
  switch (event.kind) {
    case 'header':
      return 'a stream header';
    case 'element':
      return `<${event.element.getName()}/>`;
    case 'stream-error':
      return `stream error ${event.condition}${event.text ? ` (${event.text})` : ''}`;
    case 'end':
      return 'the end of the stream';
    case 'closed':
      return 'the connection was closed';
    case 'broken':
      return `not an XML stream: ${event.reason}`;
    case 'silent':
      return 'no answer in time';
  }
}
