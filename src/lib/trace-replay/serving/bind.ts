/**
 * The resource of a client that is served: by a request of its own (RFC 6120 §7), or inside of its login.
 *
 * XEP-0386: Bind 2, version 1.1.0: what is asked for inline is granted; nothing is resumed.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { ProtocolError } from '../../errors.js';
import { NS_BIND, NS_BIND2, smNamespaces } from '../../trace-analysis/namespaces.js';
import { elementsOf, textOf, type TraceElement } from '../../trace/trace-element.js';
import { escapeText, escapeValue } from '../../xml/escape.js';
import type { ServedLink } from './link.js';

/** RFC 7622 §3.4. */
const maxResourceBytes = 1023;

/** @returns the full address @throws ProtocolError and what `ServedLink.element` throws */
export async function bindByRequest(link: ServedLink, bare: string): Promise<string> {
  const iq = await link.element('waiting for the client to bind a resource');
  const [payload] = elementsOf(iq);
  const { id = '', type } = iq.attributes;
  if (iq.name !== 'iq' || type !== 'set' || payload?.namespace !== NS_BIND)
    throw new ProtocolError(`the client sent <${iq.name}/> before it had bound a resource`);
  const jid = `${bare}/${resourceFrom(textIn(payload, 'resource')) ?? randomUUID()}`;
  const xmlns = link.isFramed ? ' xmlns="jabber:client"' : '';
  link.write(
    `<iq${xmlns} type="result" id="${escapeValue(id)}"><bind xmlns="${NS_BIND}"><jid>${escapeText(jid)}</jid></bind></iq>`,
  );
  return jid;
}

export interface InlineBinding {
  jid: string;
  /** `<bound/>`, for the success. */
  answer: string;
  /** What was switched on with it, by namespace. */
  inline: string[];
}

/** @param request the client's `<authenticate/>` @returns undefined where it does not ask to be bound */
export function bindInline(request: TraceElement, bare: string): InlineBinding | undefined {
  const bind = elementsOf(request).find(({ name, namespace }) => name === 'bind' && namespace === NS_BIND2);
  if (!bind) return undefined;
  const inline = elementsOf(bind)
    .filter(({ name }) => name === 'enable')
    .map(({ namespace }) => namespace);
  const tag = resourceFrom(textIn(bind, 'tag'));
  const unique = randomBytes(6).toString('hex');
  const enabled = inline
    .filter((namespace) => smNamespaces.has(namespace))
    .map((namespace) => `<enabled xmlns="${namespace}"/>`);
  return {
    jid: `${bare}/${tag === undefined ? unique : `${tag}.${unique}`}`,
    answer: `<bound xmlns="${NS_BIND2}">${enabled.join('')}</bound>`,
    inline,
  };
}

/** @returns undefined where the server has to think of one */
function resourceFrom(wanted: string): string | undefined {
  return wanted === '' || Buffer.byteLength(wanted) > maxResourceBytes ? undefined : wanted;
}

function textIn(element: TraceElement, name: string): string {
  const child = elementsOf(element).find((each) => each.name === name);
  return child === undefined ? '' : textOf(child).trim();
}
