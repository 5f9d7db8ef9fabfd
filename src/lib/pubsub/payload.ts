/**
 * Text that somebody wants to publish, as the payload of an item.
 *
 * XEP-0335: JSON Containers, version 0.1.1.
 * XEP-0432: Simple JSON Messaging, version 0.1.1.
 * RFC 4287: an Atom entry of a title and a text.
 */
import { ProtocolError, UsageError } from '../errors.js';
import { xml, type Element } from '../xml/element.js';
import { parseXml } from '../xml/parse.js';

export const payloadKinds = ['xml', 'json', 'atom'] as const;
export type PayloadKind = (typeof payloadKinds)[number];

const NS_JSON = 'urn:xmpp:json:0';
const NS_JSON_MESSAGE = 'urn:xmpp:json-msg:0';
const NS_ATOM = 'http://www.w3.org/2005/Atom';
const DECLARATION = /^\ufeff?\s*<\?xml[^>]*\?>/;

/**
 * @param text XML, JSON, or plain text whose first line is the title of an Atom entry
 * @param name of the input, for errors
 * @param datatype what the JSON is, as a URI: it goes into a container that says so (XEP-0432 §3)
 * @throws UsageError it is not what it should be
 */
export function makePayload(
  text: string,
  kind: PayloadKind,
  name: string,
  { datatype, ...entry }: { id: string; now: Date; datatype?: string | undefined },
): Element {
  switch (kind) {
    case 'xml':
      return parsePayload(text, name);
    case 'json':
      try {
        return jsonPayload(JSON.stringify(JSON.parse(text)), datatype);
      } catch (error) {
        throw new UsageError(`${name} is not JSON`, { cause: error });
      }
    case 'atom':
      return makeEntry(text, entry);
  }
}

/** When a payload says that it is from: an Atom entry, or a location (XEP-0080). Undefined when it does not say. */
export function timeOf(payload: Element): Date | undefined {
  for (const name of ['updated', 'published', 'timestamp']) {
    const text = payload.getChildText(name);
    const time = text === null ? NaN : Date.parse(text.trim());
    if (!Number.isNaN(time)) return new Date(time);
  }
  return undefined;
}

function jsonPayload(json: string, datatype: string | undefined): Element {
  const container = xml('json', { xmlns: NS_JSON }, json);
  return datatype === undefined ? container : xml('payload', { xmlns: NS_JSON_MESSAGE, datatype }, container);
}

/** An element that says by its namespace what it is. @throws UsageError */
export function parsePayload(text: string, name: string): Element {
  try {
    const payload = parseXml(text.replace(DECLARATION, ''));
    if (payload.getNS() === undefined || payload.getNS() === '') {
      throw new UsageError(`the element <${payload.getName()}> of ${name} has no namespace`, {
        hint: 'a payload says by its xmlns what it is',
      });
    }
    return payload;
  } catch (error) {
    if (error instanceof ProtocolError) throw new UsageError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

function makeEntry(text: string, { id, now }: { id: string; now: Date }): Element {
  const [title = '', ...rest] = text.trim().split(/\r?\n/);
  const content = rest.join('\n').trim();
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  return xml(
    'entry',
    { xmlns: NS_ATOM },
    xml('title', { type: 'text' }, title),
    content === '' ? undefined : xml('content', { type: 'text' }, content),
    xml('id', {}, `urn:uuid:${id}`),
    xml('published', {}, time),
    xml('updated', {}, time),
  );
}
