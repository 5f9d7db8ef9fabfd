/** Whether a stream is opened in the order of RFC 6120, with what was offered, and in the name of who opened it. */
import { elementsOf, NS_STREAM, textOf, type TraceElement } from '../trace/trace-element.js';
import type { TracedStanza } from '../trace/traced-stanza.js';
import type { Report } from './findings.js';
import { lintInlineOffers } from './lint-sasl2.js';
import {
  NS_AUTH,
  NS_BIND,
  NS_REGISTER,
  NS_SASL,
  NS_SASL2,
  NS_STREAM_ERRORS,
  NS_TLS,
  smNamespaces,
} from './namespaces.js';
import { quote } from './quote.js';
import type { StreamPhase } from './stream-phase.js';

/** To be called before the phase takes the unit. @param hasTls TLS was made, or none of the transport was recorded */
export function lintStream(stanza: TracedStanza, phase: StreamPhase, hasTls: boolean, report: Report): void {
  const { unit, start, kind } = stanza;
  const { n, dir } = unit;
  if (start === undefined) return;
  if (unit.kind === 'header' && start.namespace !== NS_STREAM)
    report('ns.stream', [n], `a stream header in ${quote(start.namespace) || 'no namespace'}`);
  if (start.namespace === NS_STREAM && start.name === 'error')
    report('stream.error', [n], describeStreamError(stanza.tree ?? start));
  const isStanza = kind === 'iq' || kind === 'message' || kind === 'presence';
  if (isStanza && phase.ended[dir]) report('stream.after-end', [n], `${kind} after the end of the stream`);
  if (phase.isWebSocket && unit.kind === 'element' && start.attributes['xmlns'] === undefined && isStanza)
    report('ns.stanza', [n], `${kind} without a namespace of its own, on WebSocket (RFC 7395 §3.3.3)`);
  if (isStanza && phase.kind === 'server') lintAddresses(start, n, report);
  if (dir !== phase.initiator) return;
  if (isStanza) {
    lintOrder(stanza, start, phase, report);
    lintSender(start, phase, n, report);
  } else if (kind === 'nonza') lintOffer(stanza, start, phase, hasTls, report);
}

function describeStreamError(error: TraceElement): string {
  const parts = elementsOf(error).filter(({ namespace }) => namespace === NS_STREAM_ERRORS);
  const condition = parts.find(({ name }) => name !== 'text')?.name ?? 'no condition';
  const text = parts.find(({ name }) => name === 'text');
  return `${quote(condition)}${text ? `: ${quote(textOf(text))}` : ''}`;
}

function lintOrder(stanza: TracedStanza, start: TraceElement, phase: StreamPhase, report: Report): void {
  const { n } = stanza.unit;
  const payload = stanza.tree && elementsOf(stanza.tree)[0];
  const isBinding = start.name === 'iq' && payload?.namespace === NS_BIND;
  if (phase.needsRestart) {
    report(
      'stream.no-restart',
      [n],
      `${start.name} on the stream that was authenticated, before a new header`,
    );
    phase.needsRestart = false;
  }
  if (!phase.isAuthenticated) {
    const isLogin = payload?.namespace === NS_AUTH || payload?.namespace === NS_REGISTER;
    if (!isLogin) report('stream.before-auth', [n], `${start.name} before authentication`);
    return;
  }
  if (isBinding && phase.features !== undefined && !phase.offers('bind', NS_BIND))
    report('bind.not-offered', [n], 'a resource is bound, and the features had no bind');
  const { to } = start.attributes;
  const isToOthers = start.name !== 'iq' || (to !== undefined && to !== phase.domain);
  if (phase.kind === 'client' && !phase.isBound && !isBinding && isToOthers)
    report('stream.before-bind', [n], `${start.name} before a resource was bound`);
}

/** RFC 6120 §8.1.1.2 and §8.1.2.2: between servers both are there. */
function lintAddresses({ name, attributes }: TraceElement, n: number, report: Report): void {
  const missing = ['from', 'to'].filter((key) => attributes[key] === undefined);
  if (missing.length > 0)
    report('stream.no-address', [n], `${name} without ${missing.join(' and ')} between servers`);
}

function lintSender({ name, attributes }: TraceElement, phase: StreamPhase, n: number, report: Report): void {
  const { from } = attributes;
  const { jid, kind } = phase;
  if (kind === 'component') {
    const domain = domainOf(from ?? '');
    const own = jid?.toLowerCase();
    if (from === undefined) report('stream.wrong-from', [n], `a component sends ${name} without from`);
    else if (own !== undefined && domain !== own && !domain.endsWith(`.${own}`))
      report('stream.wrong-from', [n], `from is ${quote(from)}, and the component is ${quote(own)}`);
    return;
  }
  if (kind !== 'client' || from === undefined || jid === undefined) return;
  const [ownBare, ownResource] = split(jid);
  const [bare, resource] = split(from);
  const isOwn =
    bare.toLowerCase() === ownBare.toLowerCase() &&
    (resource === undefined || ownResource === undefined || resource === ownResource);
  if (!isOwn) report('stream.wrong-from', [n], `from is ${quote(from)}, and the stream is of ${quote(jid)}`);
}

function lintOffer(
  { unit: { n }, tree }: TracedStanza,
  start: TraceElement,
  phase: StreamPhase,
  hasTls: boolean,
  report: Report,
): void {
  const { name, namespace, attributes } = start;
  if (phase.features === undefined) return;
  if (namespace === NS_TLS && name === 'starttls' && !phase.offers('starttls', NS_TLS))
    report('starttls.not-offered', [n], 'starttls, and the features had none');
  const isAuth =
    (namespace === NS_SASL && name === 'auth') || (namespace === NS_SASL2 && name === 'authenticate');
  if (isAuth) {
    const { mechanism = '' } = attributes;
    const inline = namespace === NS_SASL2 && tree ? lintInlineOffers(tree, phase, n, report) : undefined;
    // XEP-0484 §3.2: a login with a token has mechanisms of its own.
    if (inline?.usesFast !== true && !phase.mechanisms(namespace).includes(mechanism))
      report('sasl.not-offered', [n], `the mechanism ${quote(mechanism)} was not offered`);
    if (mechanism === 'PLAIN' && !hasTls) report('sasl.in-clear', [n], 'PLAIN on a connection without TLS');
  }
  if (
    smNamespaces.has(namespace) &&
    (name === 'enable' || name === 'resume') &&
    !phase.offers('sm', namespace)
  )
    report('sm.not-offered', [n], `${name}, and the features had no sm of ${namespace}`);
}

function split(jid: string): [string, string | undefined] {
  const slash = jid.indexOf('/');
  return slash < 0 ? [jid, undefined] : [jid.slice(0, slash), jid.slice(slash + 1)];
}

function domainOf(jid: string): string {
  const [bare] = split(jid);
  return bare.slice(bare.indexOf('@') + 1).toLowerCase();
}
