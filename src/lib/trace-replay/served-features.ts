/** What a client is offered where a recording stands for the server (RFC 6120 §4.3.2). */
import { NS_STARTTLS } from '../trace-proxy/features.js';
import { NS_BIND, NS_SASL, NS_SASL2 } from '../trace-analysis/namespaces.js';
import { elementsOf, NS_STREAM, type TraceElement } from '../trace/trace-element.js';
import { writeElement } from './write-element.js';

/** What is really done. PLAIN takes any password: nobody here knows the right one. */
export const servedMechanisms = ['PLAIN', 'ANONYMOUS'] as const;

export function startTlsFeatures(): string {
  return features(`<starttls xmlns="${NS_STARTTLS}"><required/></starttls>`);
}

export function saslFeatures(): string {
  const list = servedMechanisms.map((name) => `<mechanism>${name}</mechanism>`).join('');
  return features(`<mechanisms xmlns="${NS_SASL}">${list}</mechanisms>`);
}

/** Belongs to logging in, which is ours. */
const loginFeatures = new Set([
  NS_STARTTLS,
  NS_SASL,
  NS_SASL2,
  NS_BIND,
  'urn:ietf:params:xml:ns:xmpp-session',
  'urn:xmpp:sasl-cb:0',
  'urn:xmpp:bind:0',
  'http://jabber.org/features/iq-auth',
  'http://jabber.org/features/iq-register',
  'http://jabber.org/features/compress',
]);

/** What the server of the recording offered once the client was logged in, and how to bind. */
export function boundFeatures(recorded: TraceElement | undefined): string {
  const kept = recorded === undefined ? [] : elementsOf(recorded);
  const others = kept
    .filter(({ namespace }) => !loginFeatures.has(namespace))
    .map((feature) => writeElement(feature, 'jabber:client'));
  return features(
    `<bind xmlns="${NS_BIND}"/><session xmlns="urn:ietf:params:xml:ns:xmpp-session"><optional/></session>${others.join('')}`,
  );
}

/** Declares its prefix itself: a message of a WebSocket stands alone. */
function features(inner: string): string {
  return `<stream:features xmlns:stream="${NS_STREAM}">${inner}</stream:features>`;
}
