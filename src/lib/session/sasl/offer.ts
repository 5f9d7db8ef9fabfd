/**
 * What the server offers to authenticate with.
 *
 * XEP-0388: Extensible SASL Profile, version 1.0.4.
 * XEP-0440: SASL Channel-Binding Type Capability, version 1.0.0.
 */
import type { Element } from '../../xml/element.js';
import { NS_CHANNEL_BINDING, NS_SASL, NS_SASL2 } from './namespaces.js';

export interface Offer {
  profile: 'sasl' | 'sasl2';
  mechanisms: readonly string[];
  /** Types of channel binding; undefined where the server does not say. */
  channelBindings: readonly string[] | undefined;
  /** SASL2: what can be negotiated along with it. */
  inline: Element | undefined;
}

/**
 * Reads the stream features. SASL2 is for secure streams only (XEP-0388 §3).
 *
 * @returns undefined where nothing is offered
 */
export function readOffer(features: Element, isSecure: boolean): Offer | undefined {
  const channelBindings = features
    .getChild('sasl-channel-binding', NS_CHANNEL_BINDING)
    ?.getChildren('channel-binding')
    .map((element) => String(element.attrs['type'] ?? ''));
  const sasl2 = isSecure ? features.getChild('authentication', NS_SASL2) : undefined;
  if (sasl2) {
    const mechanisms = mechanismNames(sasl2);
    return { profile: 'sasl2', mechanisms, channelBindings, inline: sasl2.getChild('inline') };
  }
  const sasl = features.getChild('mechanisms', NS_SASL);
  if (!sasl) return undefined;
  return { profile: 'sasl', mechanisms: mechanismNames(sasl), channelBindings, inline: undefined };
}

export function mechanismNames(parent: Element): string[] {
  return parent.getChildren('mechanism').map((element) => element.text().trim());
}
