/** What a connection begins with: TLS, a request for a WebSocket, or the header of a stream (RFC 6120 §4.7, XEP-0114). */
import { parseTraceElement } from '../trace/trace-element.js';
import { UnitSplitter, type Unit } from '../trace/unit-splitter.js';

export type StreamKind = 'c2s' | 's2s' | 'component';

export interface StreamHead {
  kind: StreamKind;
  to: string | undefined;
  from: string | undefined;
  /** Without a version there are no features (RFC 6120 §4.7.5). */
  version: string | undefined;
}

const TLS_HANDSHAKE = 0x16;
const kinds: ReadonlyMap<string, StreamKind> = new Map([
  ['jabber:client', 'c2s'],
  ['jabber:server', 's2s'],
  ['jabber:component:accept', 'component'],
]);
/** Enough for any header, and little enough to wait for. */
const maxHeadBytes = 16 * 1024;

/** What the first bytes of a client say that it speaks. */
export function speaks(first: Uint8Array): 'tls' | 'http' | 'xmpp' | 'other' {
  if (first[0] === TLS_HANDSHAKE) return 'tls';
  const text = Buffer.from(first.buffer, first.byteOffset, Math.min(first.length, 64)).toString('latin1');
  if (/^[A-Z]{1,8} \//.test(text)) return 'http';
  // XML may begin with white space, or the mark of UTF-8.
  return /^(?:\u00ef\u00bb\u00bf)?\s*(?:<|$)/.test(text) ? 'xmpp' : 'other';
}

/**
 * Reads the header that the bytes of a client begin with.
 * @returns `incomplete` when more has to come; `wrong` when it cannot become one
 */
export function readStreamHead(bytes: Buffer): StreamHead | 'incomplete' | 'wrong' {
  const units: Unit[] = [];
  // A byte is a character here: nothing in a header's syntax is beyond ASCII.
  new UnitSplitter(1, 'out', (unit) => units.push(unit)).push(bytes.toString('latin1'), 1, 0);
  const first = units.find(({ kind }) => kind !== 'space');
  if (first === undefined) return bytes.length > maxHeadBytes ? 'wrong' : 'incomplete';
  if (first.kind !== 'header') return 'wrong';
  const element = parseTraceElement(Buffer.from(first.text, 'latin1').toString('utf8'), {});
  const kind = kinds.get(element?.attributes['xmlns'] ?? '');
  if (element === undefined || kind === undefined) return 'wrong';
  const { to, from, version } = element.attributes;
  return { kind, to, from, version };
}
