/**
 * What goes along inside SASL2's `<authenticate/>`, and the answers in its `<success/>`.
 *
 * XEP-0386: Bind 2, version 1.1.0.
 */
import { childElements, xml, type Element } from '../../xml/element.js';
import type { AuthenticationOptions, InlineFeature } from './authentication.js';
import { NS_BIND2, NS_SASL2 } from './namespaces.js';
import type { Offer } from './offer.js';

type Inline = Pick<AuthenticationOptions, 'bind2' | 'inline'>;

/** `<user-agent/>`: the software and nothing that tells one user or machine from another. */
export function userAgent(id: string): Element {
  return xml('user-agent', { id }, xml('software', {}, 'xmppctl'));
}

/** The requests for whatever of `inline` the server offers. */
export function requestInline(offer: Offer, { bind2, inline = [] }: Inline): Element[] {
  const offered = childElements(offer.inline ?? xml('inline')).map((element) => element.getNS());
  const requests = collect(inline, (namespace) => offered.includes(namespace));
  const bind = offer.inline?.getChild('bind', NS_BIND2);
  if (bind && bind2) {
    const features = bind.getChild('inline')?.getChildren('feature') ?? [];
    const vars = features.map((feature) => String(feature.attrs['var']));
    const children = collect(bind2.features, (namespace) => vars.includes(namespace));
    requests.push(xml('bind', { xmlns: NS_BIND2 }, xml('tag', {}, bind2.tag), ...children));
  }
  return requests;
}

function collect(features: readonly InlineFeature[], isOffered: (namespace: string) => boolean): Element[] {
  return features
    .filter(({ namespace }) => isOffered(namespace))
    .map((feature) => feature.request())
    .filter((request) => request !== undefined);
}

/**
 * Hands the answers to the features that asked.
 *
 * @returns whether Bind 2 has bound a resource
 */
export function receiveInline(success: Element, { bind2, inline = [] }: Inline): boolean {
  const bound = success.getChild('bound', NS_BIND2);
  deliver(success, inline);
  if (bound) deliver(bound, bind2?.features ?? []);
  return bound !== undefined;
}

function deliver(parent: Element, features: readonly InlineFeature[]): void {
  for (const child of childElements(parent)) {
    features.find(({ namespace }) => namespace === child.getNS())?.receive(child);
  }
}

export function authorizationIdentifier(success: Element): string | undefined {
  return success.getChild('authorization-identifier', NS_SASL2)?.text().trim();
}
