/** How far both sides have counted by stream management (XEP-0198), for those who read a recording. */
import type { Direction } from './events.js';
import { walkElements, type TraceElement } from './trace-element.js';
import type { TracedStanza } from './traced-stanza.js';

/** What the counters say beside a stanza. */
export interface ManagedCount {
  /** Which of its direction the stanza is, since stream management began. */
  stanza?: number;
  /** Of an acknowledgement: how many stanzas of the other direction had been sent, and how many of those are not in it. */
  sent?: number;
  open?: number;
}

interface Counters {
  /** Stanzas sent in each direction; undefined while they are not counted. */
  in: number | undefined;
  out: number | undefined;
}

const namespaces: ReadonlySet<string> = new Set(['urn:xmpp:sm:2', 'urn:xmpp:sm:3']);
const NS_SASL2 = 'urn:xmpp:sasl:2';

/** The counters wrap there (§5). */
const wrap = 2 ** 32;

export class ManagedCounter {
  readonly #connections = new Map<number, Counters>();
  /** Counters that a session can be resumed with, by its id. */
  readonly #sessions = new Map<string, Counters>();
  readonly #resuming = new Map<number, string>();

  /** Takes the next stanza of any connection. */
  observe(stanza: TracedStanza): ManagedCount | undefined {
    const { unit, kind } = stanza;
    const counters = this.#connections.get(unit.conn);
    if (kind === 'message' || kind === 'presence' || kind === 'iq') {
      const count = counters?.[unit.dir];
      if (counters === undefined || count === undefined || unit.kind !== 'element') return undefined;
      counters[unit.dir] = (count + 1) % wrap;
      return { stanza: (count + 1) % wrap };
    }
    if (kind !== 'nonza') return undefined;
    const { start } = stanza;
    if (start !== undefined && namespaces.has(start.namespace)) return this.#manage(stanza, start, false);
    if (start?.namespace === NS_SASL2 && stanza.tree) {
      for (const element of walkElements(stanza.tree))
        if (namespaces.has(element.namespace)) this.#manage(stanza, element, true);
    }
    return undefined;
  }

  #manage(stanza: TracedStanza, element: TraceElement, isInline: boolean): ManagedCount | undefined {
    const { conn, dir } = stanza.unit;
    const { name, attributes } = element;
    const counters = this.#connections.get(conn) ?? { in: undefined, out: undefined };
    this.#connections.set(conn, counters);
    switch (name) {
      case 'enable':
        // Asked for together with authentication, counting begins when both have been granted.
        if (!isInline) counters[dir] = 0;
        return undefined;
      case 'enabled':
        counters[dir] = 0;
        if (isInline) counters[opposite(dir)] = 0;
        if (attributes['id'] !== undefined) this.#sessions.set(attributes['id'], counters);
        return undefined;
      case 'resume':
        this.#resuming.set(conn, attributes['previd'] ?? '');
        return undefined;
      case 'resumed': {
        const session = this.#sessions.get(this.#resuming.get(conn) ?? '');
        if (session) this.#connections.set(conn, session);
        return undefined;
      }
      case 'failed':
        this.#connections.delete(conn);
        return undefined;
      case 'a': {
        const sent = counters[opposite(dir)];
        const h = Number(attributes['h']);
        if (sent === undefined || !Number.isInteger(h)) return undefined;
        return { sent, open: (sent - h + wrap) % wrap };
      }
      default:
        return undefined;
    }
  }
}

/** For people, behind the stanza. */
export function describeCount({ stanza, sent, open }: ManagedCount): string {
  if (stanza !== undefined) return `(stanza ${stanza})`;
  if (sent === undefined || open === undefined) return '';
  if (open === 0) return `(all ${sent} are acknowledged)`;
  return open > sent ? `(only ${sent} were sent)` : `(${open} of ${sent} are not acknowledged)`;
}

function opposite(dir: Direction): Direction {
  return dir === 'in' ? 'out' : 'in';
}
