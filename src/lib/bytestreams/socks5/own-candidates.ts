/**
 * What we offer: our own addresses, forwarded ports, and proxies.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { priorityOf, type Candidate, type CandidateType } from './candidates.js';
import { localAddresses } from './local-addresses.js';
import type { Streamhost } from './stanzas.js';

export interface OwnPlaces {
  /** Our full JID. */
  jid: string;
  /** Where the own server is, as in `ConnectionInfo.endpoint`. */
  server: string;
  /** Where we listen; undefined when we do not. */
  port: number | undefined;
  /** Addresses to offer instead of those that the machine knows of, as for a port that a router forwards. */
  advertised: readonly { host: string; port: number | undefined }[];
  proxies: readonly Streamhost[];
  /** What the other party has offered: a proxy that both know is used as theirs (XEP-0260 §2.2). */
  theirs: readonly Candidate[];
}

export function ownCandidates({ jid, server, port, advertised, proxies, theirs }: OwnPlaces): Candidate[] {
  const salt = randomInt(128);
  const make = (type: CandidateType, rank: number, place: Streamhost): Candidate => ({
    cid: randomUUID(),
    type,
    priority: priorityOf(type, rank, salt),
    ...place,
  });
  const own = (): Candidate[] => {
    if (port === undefined) return [];
    const forwarded = advertised.map((place, rank) =>
      make('assisted', rank, { jid, host: place.host, port: place.port ?? port }),
    );
    return [
      ...localAddresses(hostOf(server)).map((host, rank) => make('direct', rank, { jid, host, port })),
      ...forwarded,
    ];
  };
  const relays = proxies
    .filter(
      (proxy) => !theirs.some(({ host, port: theirPort }) => host === proxy.host && theirPort === proxy.port),
    )
    .map((proxy, rank) => make('proxy', rank, proxy));
  return [...own(), ...relays];
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : '';
}
