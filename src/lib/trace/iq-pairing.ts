/** Which reply belongs to which request, and how long it took. */
import type { Direction } from './events.js';

/** The facts of an IQ that decide. */
export interface TracedIq {
  conn: number;
  dir: Direction;
  /** Number of the record it began in. */
  n: number;
  /** When it was complete. */
  endedAt: number;
  type: string | undefined;
  id: string | undefined;
  from: string | undefined;
  to: string | undefined;
}

export interface IqPair {
  /** Number of the record in which the request began. */
  replyTo: number;
  rttMs: number;
}

/** Requests that nobody answers must not fill memory; the oldest are given up first. */
const maxPending = 100_000;

export class IqPairing {
  readonly #pending = new Map<string, TracedIq[]>();
  #count = 0;

  /** Takes the next IQ. For a reply whose request was seen: which it was, and the round trip in milliseconds. */
  observe(iq: TracedIq): IqPair | undefined {
    const { conn, dir, id, type } = iq;
    if (id === undefined) return undefined;
    if (type === 'get' || type === 'set') {
      this.#remember(`${conn} ${dir} ${id}`, iq);
      return undefined;
    }
    const key = `${conn} ${dir === 'in' ? 'out' : 'in'} ${id}`;
    const candidates = this.#pending.get(key);
    const index = candidates?.findIndex((request) => isAnsweredBy(request, iq)) ?? -1;
    const request = candidates?.[index];
    if (candidates === undefined || request === undefined) return undefined;
    candidates.splice(index, 1);
    this.#count -= 1;
    if (candidates.length === 0) this.#pending.delete(key);
    return { replyTo: request.n, rttMs: Math.round((iq.endedAt - request.endedAt) * 1000) / 1000 };
  }

  #remember(key: string, request: TracedIq): void {
    const same = this.#pending.get(key);
    if (same) same.push(request);
    else this.#pending.set(key, [request]);
    this.#count += 1;
    if (this.#count <= maxPending) return;
    for (const [oldest, requests] of this.#pending) {
      this.#pending.delete(oldest);
      this.#count -= requests.length;
      break;
    }
  }
}

/**
 * RFC 6120 §8.1.2.1: a reply comes from whom the request went to. Without `to` that is the own account or the
 * server, which may leave `from` out.
 */
export function isAnsweredBy(request: TracedIq, reply: TracedIq): boolean {
  const asked = fold(request.to);
  const answering = fold(reply.from);
  // Our own reply need not name us; whom it goes to decides.
  if (reply.dir === 'out') {
    const isSameSender = asked === undefined || answering === undefined || asked === answering;
    return isSameSender && fold(reply.to) === fold(request.from);
  }
  if (asked === answering) return true;
  const self = fold(request.from ?? reply.to);
  const own = self === undefined ? [] : [self, bare(self), bare(self).replace(/^[^@]*@/, '')];
  if (asked === undefined) return answering === undefined || own.length === 0 || own.includes(answering);
  return answering === undefined && own.includes(asked);
}

/** Good enough for pairing; the resource is compared as it is. */
function fold(jid: string | undefined): string | undefined {
  if (jid === undefined) return undefined;
  const slash = jid.indexOf('/');
  return slash < 0 ? jid.toLowerCase() : jid.slice(0, slash).toLowerCase() + jid.slice(slash);
}

function bare(jid: string): string {
  const slash = jid.indexOf('/');
  return slash < 0 ? jid : jid.slice(0, slash);
}
