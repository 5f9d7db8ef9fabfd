/**
 * XEP-0176: Jingle ICE-UDP Transport Method, version 1.1.1.
 *
 * Not here: `<remote-candidate/>`, which nothing needs that checks all pairs itself.
 */
import { isIP } from 'node:net';
import { element, type Infer } from '../../xml/codec.js';
import type { Element } from '../../xml/element.js';
import { attr, flag, optional, readableChildren } from '../../xml/fields.js';
import { enumOf, intBetween, token, uint, type Scalar } from '../../xml/scalars.js';
import type { IceCandidate } from '../../media/media-link.js';
import { Fingerprint } from './dtls.js';

export const NS_ICE_UDP = 'urn:xmpp:jingle:transports:ice-udp:1';
/** Of XEP-0371: where the end of the candidates is said. */
const NS_ICE = 'urn:xmpp:jingle:transports:ice:0';

/** RFC 8445 allows more letters in neither of the two. */
const iceText = (min: number): Scalar<string> => ({
  what: 'ICE credentials',
  read: (raw) => {
    const trimmed = raw.trim();
    return trimmed.length >= min && trimmed.length <= 256 && /^[\x21-\x7e]+$/.test(trimmed)
      ? trimmed
      : undefined;
  },
  write: (value) => value,
});

/** COMPAT(Dino 0.4): `fe80::1%eth0`, whose zone means nothing anywhere else: left out by the reader. */
const address: Scalar<string> = {
  what: 'an IP address',
  read: (raw) => {
    const trimmed = raw.trim();
    return isIP(trimmed) !== 0 && !trimmed.includes('%') ? trimmed : undefined;
  },
  write: (value) => value,
};

const Candidate = element(NS_ICE_UDP, 'candidate', {
  component: attr('component', intBetween(1, 256)),
  foundation: attr('foundation', token),
  generation: optional(attr('generation', uint)),
  id: optional(attr('id')),
  ip: attr('ip', address),
  network: optional(attr('network')),
  port: attr('port', intBetween(1, 65_535)),
  priority: attr('priority', uint),
  protocol: attr('protocol', enumOf('udp')),
  type: attr('type', enumOf('host', 'srflx', 'prflx', 'relay')),
  relatedAddress: optional(attr('rel-addr')),
  relatedPort: optional(attr('rel-port')),
});

/** As many candidates as one stanza may have. */
const MAX_CANDIDATES = 64;

/** Offers, answers and what is trickled: all of it may be missing in a transport-info. */
export const IceTransport = element(NS_ICE_UDP, 'transport', {
  ufrag: optional(attr('ufrag', iceText(1))),
  pwd: optional(attr('pwd', iceText(1))),
  candidates: readableChildren(Candidate, MAX_CANDIDATES),
  fingerprints: readableChildren(Fingerprint, 8),
  isComplete: flag('gathering-complete', NS_ICE),
  /** COMPAT(clients that take it for a part of ICE-UDP): the same in the namespace of the transport. */
  isCompleteHere: flag('gathering-complete'),
});
export type IceTransport = Infer<typeof IceTransport>;

/** Those for RTP: what is multiplexed (RFC 5761) has no second component. */
export function candidatesOf(transport: IceTransport): IceCandidate[] {
  return transport.candidates
    .filter(({ component }) => component === 1)
    .map(({ id: _, network: __, generation = 0, relatedAddress, relatedPort, ...candidate }) => {
      const port = relatedPort === undefined ? undefined : Number(relatedPort);
      return {
        ...candidate,
        generation,
        ...(relatedAddress !== undefined && isIP(relatedAddress) !== 0 && { relatedAddress }),
        ...(port !== undefined &&
          Number.isInteger(port) &&
          port >= 0 &&
          port <= 65_535 && { relatedPort: port }),
      };
    });
}

export interface TransportParts {
  ufrag: string;
  pwd: string;
  fingerprint?: Fingerprint;
  candidates: readonly IceCandidate[];
  isComplete: boolean;
}

/** @param newId names each candidate within its session */
export function encodeTransport(parts: TransportParts, newId: () => string): Element {
  const { ufrag, pwd, fingerprint, candidates, isComplete } = parts;
  return IceTransport.encode({
    ufrag,
    pwd,
    fingerprints: fingerprint ? [fingerprint] : [],
    candidates: candidates.map(({ relatedAddress, relatedPort, ...candidate }) => ({
      ...candidate,
      id: newId(),
      network: '0',
      ...(relatedAddress !== undefined && { relatedAddress }),
      ...(relatedPort !== undefined && { relatedPort: String(relatedPort) }),
    })),
    isComplete,
  });
}
