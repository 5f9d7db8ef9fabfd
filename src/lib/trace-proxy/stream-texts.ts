/** What the proxy says of its own accord: to clients before TLS, and to whom it cannot help. */
import { ProtocolError, TimeoutError } from '../errors.js';
import { escapeAnywhere } from '../xml/escape.js';
import { NS_STARTTLS } from './features.js';
import type { StreamHead, StreamKind } from './stream-head.js';

const namespaces: Readonly<Record<StreamKind, string>> = {
  c2s: 'jabber:client',
  s2s: 'jabber:server',
  component: 'jabber:component:accept',
};

export const PROCEED = `<proceed xmlns='${NS_STARTTLS}'/>`;

/** A header. */
export function streamHeader(
  kind: StreamKind,
  attributes: Readonly<Record<string, string | undefined>>,
): string {
  const written = Object.entries(attributes)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => ` ${name}='${escapeAnywhere(value)}'`);
  return `<?xml version='1.0'?><stream:stream xmlns='${namespaces[kind]}' xmlns:stream='http://etherx.jabber.org/streams'${written.join('')} version='1.0'>`;
}

/** The answer to a client that has to start TLS (RFC 6120 §5.4.1). */
export function startTlsOffer(head: StreamHead, domain: string, id: string): string {
  const header = streamHeader(head.kind, { id, from: head.to ?? domain, to: head.from });
  return `${header}<stream:features><starttls xmlns='${NS_STARTTLS}'><required/></starttls></stream:features>`;
}

/** RFC 6120 §4.9, and the end of the stream. */
export function streamError(condition: string, text: string): string {
  const ns = 'urn:ietf:params:xml:ns:xmpp-streams';
  return `<stream:error><${condition} xmlns='${ns}'/><text xmlns='${ns}'>${escapeAnywhere(text)}</text></stream:error></stream:stream>`;
}

/** What a client is told of a failure (RFC 6120 §4.9.3). */
export function conditionOf(error: unknown): string {
  if (error instanceof TimeoutError) return 'connection-timeout';
  if (error instanceof ProtocolError) return 'policy-violation';
  return 'remote-connection-failed';
}
