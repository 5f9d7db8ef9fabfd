/** What a client is offered where a recording stands for the server (RFC 6120 §4.3.2). */
import { NS_STARTTLS } from '../../trace-proxy/features.js';
import { NS_BIND, NS_BIND2, NS_SASL, NS_SASL2 } from '../../trace-analysis/namespaces.js';
import { elementsOf, NS_STREAM, type TraceElement } from '../../trace/trace-element.js';
import { escapeText } from '../../xml/escape.js';
import { writeElement } from '../write-element.js';

export function startTlsFeatures(): string {
  return features(`<starttls xmlns="${NS_STARTTLS}"><required/></starttls>`);
}

/**
 * How to log in.
 * @param sasl2 what the server of the recording offered of XEP-0388; undefined leaves it out
 */
export function loginFeatures(mechanisms: readonly string[], sasl2: TraceElement | undefined): string {
  const list = mechanisms.map((name) => `<mechanism>${escapeText(name)}</mechanism>`).join('');
  const extensible =
    sasl2 && `<authentication xmlns="${NS_SASL2}">${list}${inlineOf(sasl2)}</authentication>`;
  return features(`<mechanisms xmlns="${NS_SASL}">${list}</mechanisms>${extensible ?? ''}`);
}

/** Bind 2 as it was offered. Tokens and the resumption of streams are not served. */
function inlineOf(sasl2: TraceElement): string {
  const bind = elementsOf(sasl2)
    .filter(({ name }) => name === 'inline')
    .flatMap(elementsOf)
    .find(({ name, namespace }) => name === 'bind' && namespace === NS_BIND2);
  return bind === undefined ? '' : `<inline>${writeElement(bind, NS_SASL2)}</inline>`;
}

/** Belongs to logging in, which is ours. */
const ofLogin = new Set([
  NS_STARTTLS,
  NS_SASL,
  NS_SASL2,
  NS_BIND,
  'urn:ietf:params:xml:ns:xmpp-session',
  'urn:xmpp:sasl-cb:0',
  NS_BIND2,
  'http://jabber.org/features/iq-auth',
  'http://jabber.org/features/iq-register',
  'http://jabber.org/features/compress',
]);

/** What the server of the recording offered once the client was logged in, and how to bind where that is still to be done. */
export function boundFeatures(recorded: TraceElement | undefined, { isBound }: { isBound: boolean }): string {
  const binding = `<bind xmlns="${NS_BIND}"/><session xmlns="urn:ietf:params:xml:ns:xmpp-session"><optional/></session>`;
  const others = (recorded === undefined ? [] : elementsOf(recorded))
    .filter(({ namespace }) => !ofLogin.has(namespace))
    .map((feature) => writeElement(feature, 'jabber:client'));
  return features(`${isBound ? '' : binding}${others.join('')}`);
}

/** Declares its prefix itself: a message of a WebSocket stands alone. */
function features(inner: string): string {
  return `<stream:features xmlns:stream="${NS_STREAM}">${inner}</stream:features>`;
}
