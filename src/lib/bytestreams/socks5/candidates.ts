/**
 * Candidates: how good each is, which can be tried, and which of two is used (XEP-0260 §2.2 and §2.4). Pure.
 */
import { createHash } from 'node:crypto';

export type CandidateType = 'direct' | 'assisted' | 'tunnel' | 'proxy';

export interface Candidate {
  cid: string;
  /** An address or a name. */
  host: string;
  /** Who listens there: the party itself, or a proxy. */
  jid: string;
  port: number;
  priority: number;
  type: CandidateType;
}

const typePreference: Readonly<Record<CandidateType, number>> = {
  direct: 126,
  assisted: 120,
  tunnel: 110,
  proxy: 10,
};

/**
 * @param rank 0 for the best of its type, up to 255
 * @param salt 0 to 127; different ones keep two parties from offering the same priority, on which clients disagree
 *
 * COMPAT(Dino 0.4): on a tie it takes the other candidate than XEP-0260 says. Its local preferences are 32768 minus a
 * small number, Libervia's are 10000, 5000 and 0, Gajim's 0: odd ones far from those never meet them.
 */
export function priorityOf(type: CandidateType, rank: number, salt: number): number {
  return typePreference[type] * 0x1_0000 + (0xff - Math.min(rank, 0xff)) * 0x100 + (salt & 0x7f) * 2 + 1;
}

/** The best first; what cannot be reached from here is left out. */
export function usable(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return [...candidates]
    .sort((left, right) => right.priority - left.priority)
    .filter(({ host, port, jid }) => {
      const place = `${host.toLowerCase()} ${port} ${jid}`;
      if (seen.has(place) || !isReachable(host)) return false;
      seen.add(place);
      return true;
    });
}

/** COMPAT(Dino 0.4): offers link-local addresses with zones of its own machine, `fe80::1%eth0`. */
function isReachable(host: string): boolean {
  return /^[\p{L}\p{N}.:_-]{1,255}$/u.test(host) && !/^fe[89ab][0-9a-f]:/i.test(host);
}

export type Nomination =
  /** The candidate of theirs that we have connected to. */
  | 'ours'
  /** The candidate of ours that they have connected to. */
  | 'theirs'
  /** The same priority: what we have connected to stands by the specification. */
  | 'tie-ours'
  | 'tie-theirs'
  | 'none';

/** Which of the two connections is used. @param ours the priority of what we have connected to, if of anything */
export function nominate(
  ours: number | undefined,
  theirs: number | undefined,
  isInitiator: boolean,
): Nomination {
  if (ours === undefined) return theirs === undefined ? 'none' : 'theirs';
  if (theirs === undefined || ours > theirs) return 'ours';
  if (ours < theirs) return 'theirs';
  return isInitiator ? 'tie-ours' : 'tie-theirs';
}

/** XEP-0065 §5.3.2: what stands for the stream at a SOCKS5 server. @param from who offered the server */
export function destinationOf(sid: string, from: string, to: string): string {
  return createHash('sha1').update(`${sid}${from}${to}`).digest('hex');
}

export function portNumber(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port > 0 && port <= 65_535 ? port : undefined;
}
