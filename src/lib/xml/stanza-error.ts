/**
 * Stanza errors (RFC 6120 §8.3), read and written.
 *
 * Conditions are found by namespace and never by position: servers differ in the order of the children
 * (ejabberd puts the application's element first).
 */
import { StanzaError, type ErrorExtras, type StanzaErrorType } from '../errors.js';
import { childElements, xml, type Element } from './element.js';

export const NS_STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

const types: ReadonlySet<string> = new Set(['auth', 'cancel', 'continue', 'modify', 'wait']);

/** What each defined condition is usually sent with (RFC 6120 §8.3.3). */
const defaultTypes: Readonly<Record<string, StanzaErrorType>> = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'cancel',
  'unexpected-request': 'wait',
};

/** What to look at next, where the condition itself says so and whoever asked knows no better (RFC 6120 §8.3.3). */
const hints: Readonly<Record<string, string>> = {
  'feature-not-implemented': 'it does not know this kind of request',
  'item-not-found': 'check the address, and the node if there is one',
  'remote-server-not-found': 'check the domain',
  'remote-server-timeout': 'its server does not answer; try again later',
  'resource-constraint': 'it is busy; try again later',
  'service-unavailable': 'it is not there or not online, or does not know this kind of request',
  forbidden: 'this account may not do that',
  'not-allowed': 'this account may not do that',
  'registration-required': 'only members may do that',
  'subscription-required': 'only contacts may do that',
};

/**
 * Reads a stanza of type `error`, or an `<error/>` element by itself.
 *
 * Never fails: a reply without `<error/>`, or with one that names no condition, is an `undefined-condition`.
 */
export function stanzaErrorFrom(element: Element, extras: ErrorExtras = {}): StanzaError {
  const isStanza = element.getName() !== 'error';
  const error = isStanza ? element.getChild('error') : element;
  const from: unknown = isStanza ? element.attrs['from'] : undefined;
  let condition = 'undefined-condition';
  let text: string | undefined;
  let alternative: string | undefined;
  let application: { name: string; namespace: string } | undefined;
  for (const child of error ? childElements(error) : []) {
    const namespace = child.getNS();
    const name = child.getName();
    if (namespace !== NS_STANZA_ERRORS) {
      if (namespace !== undefined && namespace !== error?.getNS()) application ??= { name, namespace };
    } else if (name === 'text') {
      text ??= child.getText().trim() || undefined;
    } else {
      condition = name;
      // `gone` and `redirect` may carry the new address (RFC 6120 §8.3.3.5).
      alternative = child.getText().trim() || undefined;
    }
  }
  const type: unknown = error?.attrs['type'];
  const hint =
    alternative === undefined ? hints[condition] : `the other side names a new address: ${alternative}`;
  return new StanzaError(
    condition,
    isStanzaErrorType(type) ? type : undefined,
    text,
    application,
    typeof from === 'string' ? from : undefined,
    {
      ...(hint !== undefined && { hint }),
      ...extras,
      details: { ...(alternative !== undefined && { alternative }), ...extras.details },
    },
  );
}

function isStanzaErrorType(value: unknown): value is StanzaErrorType {
  return typeof value === 'string' && types.has(value);
}

export interface StanzaErrorFacts {
  condition: string;
  /** What RFC 6120 pairs with the condition when left out. */
  type?: StanzaErrorType;
  text?: string | undefined;
  /** The application's own condition, put after the defined one. */
  application?: Element | undefined;
}

/** Builds `<error/>` for a stanza of type `error`. */
export function stanzaErrorElement({ condition, type, text, application }: StanzaErrorFacts): Element {
  return xml(
    'error',
    { type: type ?? defaultTypes[condition] ?? 'cancel' },
    xml(condition, { xmlns: NS_STANZA_ERRORS }),
    text === undefined ? undefined : xml('text', { xmlns: NS_STANZA_ERRORS }, text),
    application,
  );
}
