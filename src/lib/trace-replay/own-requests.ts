/** Requests that our side has made, by the ids they went out with: what a live reply replies to. */
import type { TraceElement } from '../trace/trace-element.js';
import type { Line } from './conversation.js';

export class OwnRequests {
  /** Ids are used again by some, so that the first of an id is answered first. */
  readonly #byId = new Map<string, Line[]>();

  /** @param sent as it went out */
  note(sent: TraceElement, line: Line): void {
    const { id, type } = sent.attributes;
    if (sent.name !== 'iq' || id === undefined || (type !== 'get' && type !== 'set')) return;
    const same = this.#byId.get(id);
    if (same) same.push(line);
    else this.#byId.set(id, [line]);
  }

  /** @returns the line of the request, or `none` for a reply to nothing of ours; undefined for what is no reply */
  take(live: TraceElement): number | 'none' | undefined {
    const { id = '', type } = live.attributes;
    if (live.name !== 'iq' || type === 'get' || type === 'set') return undefined;
    return this.#byId.get(id)?.shift()?.index ?? 'none';
  }
}
