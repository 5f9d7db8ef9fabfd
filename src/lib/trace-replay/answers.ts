/** Answers to live requests: those of the recording, and refusals of what it does not know, so that nobody waits for one. */
import { smNamespaces } from '../trace-analysis/namespaces.js';
import type { TraceElement } from '../trace/trace-element.js';

const NS_STANZAS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

/**
 * Refuses what the recording does not know.
 * @param role which side we are
 * @returns nothing where no answer is due
 */
export function refusalOf(live: TraceElement, role: 'client' | 'server'): TraceElement | undefined {
  const { name, namespace, attributes } = live;
  if (name === 'iq' && (attributes['type'] === 'get' || attributes['type'] === 'set')) {
    const { id, from, to } = attributes;
    return {
      name,
      namespace,
      attributes: {
        type: 'error',
        ...(id !== undefined && { id }),
        ...(from !== undefined && { to: from }),
        ...(role === 'server' && to !== undefined && { from: to }),
      },
      children: [refusal('error', namespace, { type: 'cancel' }, [empty('service-unavailable', NS_STANZAS)])],
    };
  }
  if (role === 'server' && smNamespaces.has(namespace) && (name === 'enable' || name === 'resume')) {
    const condition = name === 'enable' ? 'feature-not-implemented' : 'item-not-found';
    return refusal('failed', namespace, {}, [empty(condition, NS_STANZAS)]);
  }
  return undefined;
}

/** A recorded reply, for whoever asks here. */
export function answering(reply: TraceElement, asked: TraceElement): TraceElement {
  const { id, from, to } = asked.attributes;
  const attributes: Record<string, string> = { ...reply.attributes };
  if (id !== undefined) attributes['id'] = id;
  if (from !== undefined) attributes['to'] = from;
  if (to !== undefined && attributes['from'] !== undefined) attributes['from'] = to;
  return { ...reply, attributes };
}

function refusal(
  name: string,
  namespace: string,
  attributes: Record<string, string>,
  children: TraceElement[],
): TraceElement {
  return { name, namespace, attributes, children };
}

function empty(name: string, namespace: string): TraceElement {
  return refusal(name, namespace, {}, []);
}
