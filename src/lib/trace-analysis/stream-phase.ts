/** How far a stream has come: its parties, what was offered, whether it is authenticated and bound. Shared by what analyses it. */
import type { Direction } from '../trace/events.js';
import {
  elementsOf,
  NS_CLIENT,
  NS_STREAM,
  textOf,
  walkElements,
  type TraceElement,
} from '../trace/trace-element.js';
import type { TracedStanza } from '../trace/traced-stanza.js';
import {
  NS_AUTH,
  NS_BIND,
  NS_BIND2,
  NS_COMPONENT,
  NS_DIALBACK,
  NS_FRAMING,
  NS_SASL,
  NS_SASL2,
  NS_SERVER,
} from './namespaces.js';

export type StreamKind = 'client' | 'component' | 'server';

export class StreamPhase {
  /** Who opened the stream; undefined while no header was seen. */
  initiator: Direction | undefined;
  kind: StreamKind = 'client';
  content = NS_CLIENT;
  /** The domain that the initiator asked for. */
  domain: string | undefined;
  /** What the other side offered last. */
  features: TraceElement | undefined;
  isAuthenticated = false;
  isBound = false;
  /** Authenticated by SASL, and the header that must follow has not come. */
  needsRestart = false;
  /** The address that was bound, or the domain of a component. */
  jid: string | undefined;
  isWebSocket = false;
  readonly ended: Record<Direction, boolean> = { in: false, out: false };
  #legacyId: string | undefined;

  /** Takes the next unit. */
  observe(stanza: TracedStanza): void {
    const { unit, kind, start } = stanza;
    if (unit.kind === 'footer') {
      this.ended[unit.dir] = true;
      return;
    }
    if (start === undefined) return;
    const { name, namespace } = start;
    if (unit.kind === 'header' || (namespace === NS_FRAMING && name === 'open')) this.#open(unit.dir, start);
    else if (namespace === NS_FRAMING && name === 'close') this.ended[unit.dir] = true;
    else if (namespace === NS_STREAM && name === 'features') this.features = stanza.tree;
    else if (kind === 'iq') this.#observeIq(stanza, start);
    else if (kind === 'nonza') this.#observeNonza(stanza, start);
  }

  /** Whether the last features have an element, at any depth: SASL2 offers inline. */
  offers(name: string, namespace: string): boolean {
    if (this.features === undefined) return false;
    for (const element of walkElements(this.features))
      if (element.name === name && element.namespace === namespace) return true;
    return false;
  }

  /** Mechanisms of the profile that the namespace means. */
  mechanisms(namespace: string): string[] {
    if (this.features === undefined) return [];
    const list = elementsOf(this.features).filter((child) => child.namespace === namespace);
    return list.flatMap((child) =>
      elementsOf(child)
        .filter(({ name }) => name === 'mechanism')
        .map((mechanism) => textOf(mechanism).trim()),
    );
  }

  /** A session of before goes on here. */
  resume(jid: string | undefined): void {
    this.isBound = this.isAuthenticated = true;
    this.jid ??= jid;
  }

  #open(dir: Direction, start: TraceElement): void {
    const { namespace, attributes } = start;
    this.ended[dir] = false;
    this.initiator ??= dir;
    if (dir !== this.initiator) return;
    this.isWebSocket = namespace === NS_FRAMING;
    if (!this.isWebSocket) this.content = attributes['xmlns'] ?? NS_CLIENT;
    this.kind =
      this.content === NS_COMPONENT ? 'component' : this.content === NS_SERVER ? 'server' : 'client';
    this.domain = attributes['to'];
    if (this.kind === 'component') this.jid = this.domain;
    this.needsRestart = false;
    this.features = undefined;
  }

  #observeIq({ unit, tree }: TracedStanza, start: TraceElement): void {
    if (this.isBound || tree === undefined) return;
    const payload = elementsOf(tree)[0];
    const { type, id } = start.attributes;
    if (unit.dir === this.initiator) {
      // XEP-0078: authentication and binding in one.
      if (payload?.namespace === NS_AUTH && type === 'set') this.#legacyId = id;
      return;
    }
    if (type !== 'result') return;
    if (payload?.namespace === NS_BIND) {
      const jid = elementsOf(payload).find(({ name }) => name === 'jid');
      this.isBound = true;
      this.jid = jid && textOf(jid).trim();
    } else if (id !== undefined && id === this.#legacyId) this.isAuthenticated = this.isBound = true;
  }

  #observeNonza({ unit, tree }: TracedStanza, { name, namespace, attributes }: TraceElement): void {
    if (unit.dir === this.initiator || tree === undefined) return;
    if (namespace === NS_SASL && name === 'success') this.isAuthenticated = this.needsRestart = true;
    else if (namespace === NS_SASL2 && name === 'success') {
      this.isAuthenticated = true;
      for (const element of walkElements(tree)) {
        if (element.name === 'authorization-identifier') this.jid = textOf(element).trim();
        if (element.name === 'bound' && element.namespace === NS_BIND2) this.isBound = true;
      }
    } else if (namespace === NS_COMPONENT && name === 'handshake') this.isAuthenticated = this.isBound = true;
    else if (namespace === NS_DIALBACK && name === 'result' && attributes['type'] === 'valid')
      this.isAuthenticated = true;
  }
}
