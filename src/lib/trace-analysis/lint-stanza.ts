/** What is right or wrong with a stanza by itself: types, children, errors, namespaces. */
import { elementsOf, walkElements, type TraceElement } from '../trace/trace-element.js';
import type { Report } from './findings.js';
import { NS_STANZAS } from './namespaces.js';
import { quote } from './quote.js';

const messageTypes = new Set(['chat', 'error', 'groupchat', 'headline', 'normal']);
const presenceTypes = new Set([
  'error',
  'probe',
  'subscribe',
  'subscribed',
  'unavailable',
  'unsubscribe',
  'unsubscribed',
]);
const errorTypes = new Set(['auth', 'cancel', 'continue', 'modify', 'wait']);

/** RFC 6120 §8.3.3, and `payment-required` of RFC 3920. */
const conditions = new Set([
  'bad-request',
  'conflict',
  'feature-not-implemented',
  'forbidden',
  'gone',
  'internal-server-error',
  'item-not-found',
  'jid-malformed',
  'not-acceptable',
  'not-allowed',
  'not-authorized',
  'payment-required',
  'policy-violation',
  'recipient-unavailable',
  'redirect',
  'registration-required',
  'remote-server-not-found',
  'remote-server-timeout',
  'resource-constraint',
  'service-unavailable',
  'subscription-required',
  'undefined-condition',
  'unexpected-request',
]);

/** What RFC 6121 lets stand in the content namespace. */
const ownChildren: Readonly<Record<string, ReadonlySet<string>>> = {
  message: new Set(['subject', 'body', 'thread', 'error']),
  presence: new Set(['show', 'status', 'priority', 'error']),
  iq: new Set(['error']),
};

/** @param content the content namespace of the stream (RFC 6120 §4.8.2) */
export function lintStanza(stanza: TraceElement, content: string, n: number, report: Report): void {
  const { name, attributes } = stanza;
  const type = attributes['type'];
  if (name === 'message' && type !== undefined && !messageTypes.has(type))
    report('message.type', [n], `a message of type ${quote(type)}`);
  if (name === 'presence' && type !== undefined && !presenceTypes.has(type))
    report('presence.type', [n], `a presence of type ${quote(type)}`);
  const children = elementsOf(stanza);
  if (name === 'iq') lintPayload(type, children, n, report);
  lintError(stanza, children, n, report);
  if (stanza.namespace !== content)
    report(
      'ns.stanza',
      [n],
      `${name} in ${quote(stanza.namespace) || 'no namespace'}, on a stream of ${content}`,
    );
  for (const child of children) {
    if (child.namespace === stanza.namespace && ownChildren[name]?.has(child.name) === false)
      report('ns.payload', [n], `${name}/${quote(child.name)} is in ${quote(child.namespace)}`);
  }
  for (const element of walkElements(stanza)) {
    if (element.namespace !== '' || element === stanza) continue;
    report('ns.none', [n], `${quote(element.name)} in ${name} is in no namespace`);
    break;
  }
}

function lintPayload(
  type: string | undefined,
  children: readonly TraceElement[],
  n: number,
  report: Report,
): void {
  const { length } = children;
  if ((type === 'get' || type === 'set') && length !== 1)
    report(
      'iq.payload',
      [n],
      `an iq of type ${type} with ${length === 0 ? 'no child' : `${length} children`}`,
    );
  if (type === 'result' && length > 1) report('iq.payload', [n], `a result with ${length} children`);
}

function lintError(
  { name, namespace, attributes }: TraceElement,
  children: readonly TraceElement[],
  n: number,
  report: Report,
): void {
  const error = children.find((child) => child.name === 'error' && child.namespace === namespace);
  if (attributes['type'] !== 'error') {
    if (error)
      report(
        'error.untyped',
        [n],
        `an error element in a ${name} of type ${quote(attributes['type'] ?? 'normal')}`,
      );
    return;
  }
  if (error === undefined) {
    report('error.none', [n], `a ${name} of type error that does not say which`);
    return;
  }
  const type = error.attributes['type'];
  if (type === undefined || !errorTypes.has(type))
    report(
      'error.type',
      [n],
      type === undefined ? 'an error without a type' : `an error of type ${quote(type)}`,
    );
  const condition = elementsOf(error).find(
    (child) => child.namespace === NS_STANZAS && child.name !== 'text',
  );
  if (condition === undefined) report('error.no-condition', [n], 'an error without a condition');
  else if (!conditions.has(condition.name))
    report('error.unknown-condition', [n], `the condition ${quote(condition.name)}`);
}
