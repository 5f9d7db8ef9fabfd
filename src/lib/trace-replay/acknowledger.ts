/**
 * XEP-0198: Stream Management, version 1.6.1: the counting half, which a recording cannot play: how many stanzas came
 * is another number each time.
 */
import { smNamespaces } from '../trace-analysis/namespaces.js';
import type { TraceElement } from '../trace/trace-element.js';

export class Acknowledger {
  #namespace: string | undefined;
  #received = 0;

  /** @param role counting begins with what the other side says last: `<enable/>` of a client, `<enabled/>` of a server */
  constructor(private readonly role: 'client' | 'server') {}

  /** It was switched on inside of the login (XEP-0386). */
  begin(namespace: string): void {
    this.#namespace = namespace;
    this.#received = 0;
  }

  /**
   * Takes everything that arrives.
   * @returns `undefined` for what is no acknowledgement, otherwise the answer that is due, if one is
   */
  receive({ name, namespace }: TraceElement): { answer: string | undefined } | undefined {
    if (name === 'message' || name === 'presence' || name === 'iq') {
      this.#received = (this.#received + 1) >>> 0;
      return undefined;
    }
    if (!smNamespaces.has(namespace)) return undefined;
    if (name === (this.role === 'client' ? 'enabled' : 'enable')) {
      this.begin(namespace);
      return undefined;
    }
    if (name === 'a') return { answer: undefined };
    if (name !== 'r') return undefined;
    const isCounting = this.#namespace !== undefined;
    return { answer: isCounting ? `<a xmlns="${namespace}" h="${this.#received}"/>` : undefined };
  }
}
