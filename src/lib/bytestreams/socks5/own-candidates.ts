/**
 * What we offer: our own addresses, forwarded ports, and proxies.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { priorityOf, type Candidate, type CandidateType } from './candidates.js';
import type { Streamhost } from './stanzas.js';

export interface OwnPlaces {
  /** Our full JID. */
  jid: string;
  /** Where we listen; undefined when we do not. */
  listening: { addresses: readonly string[]; port: number } | undefined;
  /** Addresses to offer besides those that the machine knows of, as for a port that a router forwards. */
  advertised: readonly { host: string; port: number | undefined }[];
  proxies: readonly Streamhost[];
  /** What the other party has offered: a proxy that both know is used as theirs (XEP-0260 §2.2). */
  theirs: readonly Candidate[];
}

const SALTS = 128;

export function ownCandidates({ jid, listening, advertised, proxies, theirs }: OwnPlaces): Candidate[] {
  const taken = new Set(theirs.map(({ priority }) => priority));
  let salt = randomInt(SALTS);
  const make = (type: CandidateType, rank: number, place: Streamhost): Candidate => {
    // On a tie the other party may mean the other connection; whoever answers can see to it that there is none.
    while (taken.has(priorityOf(type, rank, salt))) salt = (salt + 1) % SALTS;
    return { cid: randomUUID(), type, priority: priorityOf(type, rank, salt), ...place };
  };
  const own = (): Candidate[] => {
    if (!listening) return [];
    const { addresses, port } = listening;
    return [
      ...addresses.map((host, rank) => make('direct', rank, { jid, host, port })),
      ...advertised.map((place, rank) =>
        make('assisted', rank, { jid, host: place.host, port: place.port ?? port }),
      ),
    ];
  };
  const relays = proxies
    .filter(
      (proxy) => !theirs.some(({ host, port: theirPort }) => host === proxy.host && theirPort === proxy.port),
    )
    .map((proxy, rank) => make('proxy', rank, proxy));
  return [...own(), ...relays];
}
