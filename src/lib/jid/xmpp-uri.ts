/** Addresses as people copy them: `xmpp:` URIs (RFC 5122) beside plain ones. */
import { UsageError } from '../errors.js';
import { JID } from './jid.js';

/**
 * The address in `xmpp:room@chat.example?join`, or the plain address. The query says what a client should do with it,
 * which the command decides here; an account to act as (`xmpp://me@…/them`) is left out as well.
 * @throws UsageError it is not an address
 */
export function parseAddress(text: string): JID {
  const uri = /^xmpp:(?:\/\/[^/?#]*\/)?([^?#]*)/i.exec(text);
  if (!uri) return JID.parse(text);
  try {
    return JID.parse(decodeURIComponent(uri[1] ?? ''));
  } catch (error) {
    if (error instanceof URIError) throw new UsageError(`not a valid URI: ${text}`, { cause: error });
    throw error;
  }
}

export interface NodeUri {
  service: JID;
  node: string;
  /** An item of it. */
  item?: string;
}

/**
 * A node, or an item of it, as `xmpp:` URI (XEP-0060 §12.21): `xmpp:romeo@example.org?;node=urn%3Axmpp%3Amicroblog%3A0;item=1`.
 * Clients in the field leave `:` and `/` as they are, which is read as well.
 *
 * @returns undefined when it is not one
 */
export function parseNodeUri(text: string): NodeUri | undefined {
  const [, address = '', query = ''] = /^xmpp:([^?#]*)\?([^#]*)/i.exec(text.trim()) ?? [];
  const parameters = new Map<string, string>();
  try {
    for (const part of query.split(';')) {
      const equals = part.indexOf('=');
      if (equals > 0)
        parameters.set(part.slice(0, equals).trim(), decodeURIComponent(part.slice(equals + 1).trim()));
    }
    const node = parameters.get('node');
    if (node === undefined || node === '') return undefined;
    const item = parameters.get('item');
    return {
      service: JID.parse(decodeURIComponent(address)).bare,
      node,
      ...(item !== undefined && item !== '' && { item }),
    };
  } catch {
    return undefined;
  }
}

/** The URI of a node, or of an item (XEP-0060 §12.21, RFC 5122). */
export function formatNodeUri({ service, node, item }: NodeUri): string {
  const address = encodeURIComponent(service.toString()).replaceAll('%40', '@');
  const query = `;node=${encodeURIComponent(node)}`;
  return `xmpp:${address}?${query}${item === undefined ? '' : `;item=${encodeURIComponent(item)}`}`;
}
