/**
 * Stream errors (RFC 6120 §4.9), read by namespace.
 */
import { StreamError } from '../errors.js';
import { childElements, type Element } from '../xml/element.js';
import { NS_STREAM_ERRORS } from './namespaces.js';

const hints: Readonly<Record<string, string>> = {
  conflict: 'another client has logged in with the same resource; leave the resource out of the address',
  'host-unknown': 'the server does not serve this domain: check the address and --service',
  'host-gone': 'the server no longer serves this domain: check the address and --service',
  'policy-violation': 'the server refuses what was sent, or how fast it was sent',
  'system-shutdown': 'the server is being shut down; try again later',
};

/** Reads `<stream:error/>`. Never fails: without a condition it is an `undefined-condition`. */
export function streamErrorFrom(element: Element): StreamError {
  let condition = 'undefined-condition';
  let text: string | undefined;
  let value: string | undefined;
  let application: { name: string; namespace: string } | undefined;
  for (const child of childElements(element)) {
    const namespace = child.getNS();
    if (namespace !== NS_STREAM_ERRORS) {
      if (namespace !== undefined) application ??= { name: child.getName(), namespace };
    } else if (child.getName() === 'text') {
      text ??= child.getText().trim() || undefined;
    } else {
      condition = child.getName();
      value = child.getText().trim() || undefined;
    }
  }
  const hint = hints[condition];
  return new StreamError(condition, text, {
    ...(hint !== undefined && { hint }),
    details: { ...(value !== undefined && { value }), ...(application && { application }) },
  });
}

/** The address that a `see-other-host` names (RFC 6120 §4.9.3.19). */
export function otherHostOf(error: unknown): string | undefined {
  if (!(error instanceof StreamError) || error.condition !== 'see-other-host') return undefined;
  const value = error.details['value'];
  return typeof value === 'string' ? value : undefined;
}
