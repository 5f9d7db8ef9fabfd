/**
 * XEP-0198: Stream Management, version 1.6.1: the counters of one managed stream, and its elements.
 *
 * Ours, because @xmpp/stream-management takes any `h` as true, does not wrap at 2^32, loses what is sent while
 * disconnected, ignores `h` on `<failed/>` and keeps its queue without bound.
 */
import { ProtocolError } from '../errors.js';
import { xml, type Element } from '../xml/element.js';
import { NS_SM } from './namespaces.js';
import { stringAttribute } from './stream.js';

/** Without resumption: for sessions that end with their stream. */
export const ENABLE = `<enable xmlns="${NS_SM}"/>`;
export const REQUEST = `<r xmlns="${NS_SM}"/>`;

export function acknowledgementText(h: number): string {
  return `<a xmlns="${NS_SM}" h="${h}"/>`;
}

export class StreamManagement {
  /** Stanzas received since the stream was managed, modulo 2^32. */
  inbound = 0;
  /** The last `h` of the server. */
  #handled = 0;
  /** The stream's name for resumption, if the server allows it. */
  id: string | undefined;
  /** Where the server would like to be reconnected to. */
  location: string | undefined;
  /** How long the server keeps the stream for us. */
  maxSeconds: number | undefined;

  /** Reads `<enabled/>`. */
  onEnabled(enabled: Element): void {
    const resume = stringAttribute(enabled, 'resume');
    if (resume === 'true' || resume === '1') {
      this.id = stringAttribute(enabled, 'id');
      this.location = stringAttribute(enabled, 'location');
      const max = Number(stringAttribute(enabled, 'max'));
      if (Number.isInteger(max) && max > 0) this.maxSeconds = max;
    }
  }

  countInbound(): void {
    this.inbound = (this.inbound + 1) >>> 0;
  }

  /**
   * How many more stanzas the server has handled, by the `h` of `<a/>`, `<resumed/>` or `<failed/>`.
   *
   * @throws ProtocolError `h` is no number
   */
  advance(element: Element): number {
    const h = stringAttribute(element, 'h');
    const handled = Number(h);
    if (h === undefined || !/^\d+$/.test(h) || handled > 0xffff_ffff) {
      throw new ProtocolError(
        `the server acknowledged with h='${h ?? ''}', which is not a number of stanzas`,
      );
    }
    // Both wrap at 2^32 (XEP-0198 §4), so the difference does too.
    const count = (handled - this.#handled) >>> 0;
    this.#handled = handled;
    return count;
  }

  resumeElement(): Element {
    return xml('resume', { xmlns: NS_SM, previd: this.id, h: this.inbound });
  }
}
