/** Whether what is asked for together with authentication (XEP-0388) was offered inline: XEP-0386, XEP-0198, XEP-0484. */
import { elementsOf, textOf, walkElements, type TraceElement } from '../trace/trace-element.js';
import type { Report } from './findings.js';
import { NS_BIND2, NS_FAST, NS_SASL2, smNamespaces } from './namespaces.js';
import { quote } from './quote.js';
import type { StreamPhase } from './stream-phase.js';

/**
 * @param authenticate the whole `<authenticate/>`
 * @returns whether the login is one with a token, whose mechanism was looked at here
 */
export function lintInlineOffers(
  authenticate: TraceElement,
  phase: StreamPhase,
  n: number,
  report: Report,
): { usesFast: boolean } {
  const offer = inlineOffer(phase.features);
  const offered = (name: string, namespace: string): TraceElement | undefined =>
    offer.find((element) => element.name === name && element.namespace === namespace);
  let usesFast = false;
  for (const element of elementsOf(authenticate)) {
    const { name, namespace, attributes } = element;
    if (namespace === NS_BIND2 && name === 'bind') {
      const bind = offered('bind', NS_BIND2);
      if (bind) lintBindFeatures(element, bind, n, report);
      else report('bind.not-offered', [n], 'a resource is bound inline, and that was not offered');
    } else if (smNamespaces.has(namespace) && name === 'resume') {
      if (!offered('sm', namespace))
        report('sm.not-offered', [n], `resume, and ${namespace} was not offered inline`);
    } else if (namespace === NS_FAST) {
      usesFast ||= name === 'fast';
      // The mechanism of a login with a token is that of the login; a token that is asked for names its own.
      const asked = name === 'fast' ? authenticate.attributes['mechanism'] : attributes['mechanism'];
      const fast = offered('fast', NS_FAST);
      if (!fast) report('sasl.fast-not-offered', [n], `${quote(name)}, and FAST was not offered`);
      else if (!mechanismsOf(fast).includes(asked ?? ''))
        report('sasl.fast-not-offered', [n], `FAST was not offered with ${quote(asked ?? 'no mechanism')}`);
    }
  }
  return { usesFast };
}

/** XEP-0386 §3: what is asked for with a resource is named in the offer of it. */
function lintBindFeatures(asked: TraceElement, bind: TraceElement, n: number, report: Report): void {
  const features = new Set<string | undefined>();
  for (const { name, attributes } of walkElements(bind))
    if (name === 'feature') features.add(attributes['var']);
  for (const { name, namespace } of elementsOf(asked)) {
    if (smNamespaces.has(namespace) && !features.has(namespace))
      report('sm.not-offered', [n], `${quote(name)}, and ${namespace} was not offered with the resource`);
  }
}

function inlineOffer(features: TraceElement | undefined): TraceElement[] {
  const authentication = features && elementsOf(features).find(({ namespace }) => namespace === NS_SASL2);
  const inline = authentication && elementsOf(authentication).find(({ name }) => name === 'inline');
  return inline ? elementsOf(inline) : [];
}

function mechanismsOf(fast: TraceElement): string[] {
  return elementsOf(fast)
    .filter(({ name }) => name === 'mechanism')
    .map((mechanism) => textOf(mechanism).trim());
}
