/**
 * What goes over the stream for SOCKS5 bytestreams.
 *
 * XEP-0065: SOCKS5 Bytestreams, version 1.8.2. Not there: UDP (§8), asking other entities than the own server for proxies.
 * XEP-0260: Jingle SOCKS5 Bytestreams Transport Method, version 1.0.3. Not there: UDP.
 */
import { DecodeError } from '../../errors.js';
import { childElements, xml, type Element } from '../../xml/element.js';
import { pathOf } from '../../xml/codec.js';
import { portNumber, type Candidate, type CandidateType } from './candidates.js';

export const NS_BYTESTREAMS = 'http://jabber.org/protocol/bytestreams';
export const NS_JINGLE_SOCKS5 = 'urn:xmpp:jingle:transports:s5b:1';

/** A host that relays or receives a bytestream (XEP-0065 §4 and §5.3.1). */
export interface Streamhost {
  jid: string;
  host: string;
  port: number;
}

const types: readonly CandidateType[] = ['direct', 'assisted', 'tunnel', 'proxy'];
/** More than anybody has; each is a connection that somebody else wants us to make. */
export const MAX_CANDIDATES = 20;

/** The `<transport/>` of an offer or an answer. */
export interface Socks5Parameters {
  sid: string;
  /** The value for proxies, as the sender has computed it. */
  destination: string | undefined;
  candidates: readonly Candidate[];
}

/** @throws DecodeError no sid, or UDP */
export function decodeParameters(transport: Element): Socks5Parameters {
  const { sid, mode, dstaddr } = transport.attrs as Record<string, unknown>;
  if (typeof sid !== 'string' || sid === '')
    throw new DecodeError(`${pathOf(transport)}@sid`, 'it is missing');
  if (mode !== undefined && mode !== 'tcp')
    throw new DecodeError(`${pathOf(transport)}@mode`, 'only tcp is known');
  const candidates: Candidate[] = [];
  for (const child of childElements(transport)) {
    const candidate = child.getName() === 'candidate' ? decodeCandidate(child) : undefined;
    const isKnown = candidates.some((other) => other.cid === candidate?.cid);
    if (candidate && !isKnown && candidates.length < MAX_CANDIDATES) candidates.push(candidate);
  }
  return {
    sid,
    destination:
      typeof dstaddr === 'string' && /^[0-9a-f]{40}$/i.test(dstaddr) ? dstaddr.toLowerCase() : undefined,
    candidates,
  };
}

/** A candidate that cannot be used is no reason to give up the others. */
function decodeCandidate(element: Element): Candidate | undefined {
  const { cid, host, jid, port, priority, type = 'direct' } = element.attrs as Record<string, unknown>;
  const known = types.find((each) => each === type);
  const number = portNumber(port ?? '1080');
  const rank = typeof priority === 'string' && /^\d{1,10}$/.test(priority) ? Number(priority) : undefined;
  if (typeof cid !== 'string' || cid === '' || typeof host !== 'string' || typeof jid !== 'string')
    return undefined;
  if (known === undefined || number === undefined || rank === undefined) return undefined;
  return { cid, host, jid, port: number, priority: rank, type: known };
}

export function encodeParameters({ sid, destination, candidates }: Socks5Parameters): Element {
  return xml(
    'transport',
    { xmlns: NS_JINGLE_SOCKS5, sid, mode: 'tcp', dstaddr: destination },
    ...candidates.map(({ cid, host, jid, port, priority, type }) =>
      xml('candidate', { cid, host, jid, port: String(port), priority: String(priority), type }),
    ),
  );
}

/** What a transport-info says (XEP-0260 §2.3 and §2.4). */
export type Socks5Info =
  { kind: 'candidate-used' | 'activated'; cid: string } | { kind: 'candidate-error' | 'proxy-error' };

/** Undefined: nothing that is known. */
export function decodeInfo(transport: Element): Socks5Info | undefined {
  for (const child of childElements(transport)) {
    const kind = child.getName();
    const cid: unknown = child.attrs['cid'];
    if ((kind === 'candidate-used' || kind === 'activated') && typeof cid === 'string') return { kind, cid };
    if (kind === 'candidate-error' || kind === 'proxy-error') return { kind };
  }
  return undefined;
}

export function encodeInfo(sid: string, info: Socks5Info): Element {
  return xml(
    'transport',
    { xmlns: NS_JINGLE_SOCKS5, sid },
    xml(info.kind, { cid: 'cid' in info ? info.cid : undefined }),
  );
}

/** The streamhosts in a `<query/>`: what a proxy answers, and what an initiator of XEP-0065 offers. */
export function decodeStreamhosts(query: Element | undefined): Streamhost[] {
  return childElements(query ?? xml('query'))
    .filter((child) => child.getName() === 'streamhost')
    .slice(0, MAX_CANDIDATES)
    .flatMap((child) => {
      const { jid, host, port } = child.attrs as Record<string, unknown>;
      const number = portNumber(port ?? '1080');
      return typeof jid === 'string' && typeof host === 'string' && number !== undefined
        ? [{ jid, host, port: number }]
        : [];
    });
}

/** XEP-0065 §4.2: what a proxy is asked for its address with. */
export function encodeAddressQuery(): Element {
  return xml('query', { xmlns: NS_BYTESTREAMS });
}

/** XEP-0065 §6.3.5: who offered the proxy lets the bytes through. */
export function encodeActivation(sid: string, target: string): Element {
  return xml('query', { xmlns: NS_BYTESTREAMS, sid }, xml('activate', {}, target));
}

/** XEP-0065 §5.3.3. */
export function encodeStreamhostUsed(sid: string, jid: string): Element {
  return xml('query', { xmlns: NS_BYTESTREAMS, sid }, xml('streamhost-used', { jid }));
}
