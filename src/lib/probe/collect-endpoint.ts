/** Everything about one endpoint that the chosen checks want to know. */
import { ConnectError, TimeoutError } from '../errors.js';
import { scanTls, type TlsScan } from '../tls-scan/scan.js';
import { collectConformance } from './facts/conformance.js';
import { describeCertificate } from './facts/certificate.js';
import {
  isDirectTls,
  isForServers,
  type EndpointFacts,
  type HandshakeFacts,
  type Measured,
  type TlsVersion,
} from './facts/facts.js';
import { collectFederation, type FederationResult } from './facts/federation.js';
import { collectLimits } from './facts/limits.js';
import { readStream } from './facts/read-stream.js';
import { collectRegistration } from './facts/registration.js';
import { collectSasl } from './facts/sasl.js';
import { lookInside, negotiateStarttls } from './facts/secure-stream.js';
import { collectStarttls } from './facts/starttls.js';
import { alpnOf, connectTo, openingOf, type EndpointProbe } from './facts/target.js';
import type { Part } from './checks/check.js';
import { openSocket } from './wire/open-socket.js';
import { measure } from './facts/measure.js';

export interface EndpointWork extends EndpointProbe {
  parts: ReadonlySet<Part>;
  /** Ids of the conformance checks that were chosen. */
  stimuli: ReadonlySet<string>;
  /** PEM texts of more authorities. */
  extraRoots: readonly string[];
  now: Date;
}

export interface EndpointResult {
  facts: EndpointFacts;
  /** What the server said about itself to another server. */
  services: FederationResult['services'] | undefined;
}

export async function collectEndpoint(work: EndpointWork): Promise<EndpointResult> {
  const { endpoint, budget, parts } = work;
  const first = await connectFirst(work);
  const facts: EndpointFacts = { endpoint, ...first, connectionsUsed: 0 };
  let services: EndpointResult['services'];
  if (first.tcp.value && first.plain?.value?.header === undefined && first.plain) {
    // What does not speak XMPP is left alone.
    facts.connectionsUsed = budget.connectionsUsed;
    return { facts, services };
  }
  if (first.tcp.value && canHaveTls(facts)) {
    // An enumeration of TLS alone needs no handshake of its own.
    const isOnlyScan = parts.has('scan') && parts.size === 1;
    const handshakes: NonNullable<EndpointFacts['handshakes']> = isOnlyScan ? {} : await shakeHands(work);
    if (!isOnlyScan) facts.handshakes = handshakes;
    const isSecure = Object.values(handshakes).some(({ value }) => value !== undefined);
    const wanted = <T>(
      part: Part,
      collect: () => Promise<T>,
      applies = true,
    ): Promise<Measured<T>> | undefined =>
      parts.has(part) && applies
        ? isSecure
          ? measure(collect)
          : Promise.resolve({ reason: 'no handshake succeeded' })
        : undefined;
    const { identity } = work;
    const [scan, starttls, sasl, conformance, limits, registration, federation] = await Promise.all([
      parts.has('scan') || parts.has('certificate') ? measure(() => enumerateTls(work)) : undefined,
      wanted('starttls', () => collectStarttls(work), !isDirectTls(endpoint.service)),
      wanted('sasl', () => collectSasl(work, handshakes), !isForServers(endpoint.service)),
      wanted('conformance', () => collectConformance(work, work.stimuli)),
      wanted('limits', () => collectLimits(work)),
      wanted('registration', () => collectRegistration(work), !isForServers(endpoint.service)),
      identity && isForServers(endpoint.service)
        ? wanted('federation', () => collectFederation(work, identity))
        : undefined,
    ]);
    if (parts.has('certificate')) facts.certificate = describeCertificate(handshakes, scan?.value, work);
    assign(facts, { scan, starttls, sasl, conformance, limits, registration });
    if (federation) {
      facts.federation = federation.value ? { value: federation.value.facts } : { reason: federation.reason };
      services = federation.value?.services ?? { reason: federation.reason ?? 'not measured' };
    }
  }
  facts.connectionsUsed = budget.connectionsUsed;
  return { facts, services };
}

/** Only what was measured: a part that nobody asked for stays undefined. */
function assign(
  facts: EndpointFacts,
  more: { [K in keyof EndpointFacts]?: EndpointFacts[K] | undefined },
): void {
  Object.assign(facts, Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)));
}

async function connectFirst(work: EndpointWork): Promise<Pick<EndpointFacts, 'tcp' | 'plain'>> {
  const startedAt = performance.now();
  try {
    if (isDirectTls(work.endpoint.service)) {
      const socket = await openSocket(work.endpoint, work.budget);
      socket.destroy();
      return { tcp: { value: { elapsedMs: performance.now() - startedAt } } };
    }
    using stream = await connectTo(work, 'before TLS');
    const tcp = { value: { elapsedMs: performance.now() - startedAt } };
    return { tcp, plain: await measure(() => readStream(stream, openingOf(work))) };
  } catch (error) {
    if (error instanceof ConnectError || error instanceof TimeoutError)
      return { tcp: { reason: error.message } };
    throw error;
  }
}

const canHaveTls = ({ endpoint, plain }: EndpointFacts): boolean =>
  isDirectTls(endpoint.service) || (plain?.value !== undefined && plain.value.starttls !== 'absent');

async function shakeHands(work: EndpointWork): Promise<Record<TlsVersion, Measured<HandshakeFacts>>> {
  const [newer, older] = await Promise.all([
    measure(() => lookInside(work, '1.3')),
    measure(() => lookInside(work, '1.2')),
  ]);
  return { '1.3': newer, '1.2': older };
}

function enumerateTls(work: EndpointWork): Promise<TlsScan> {
  const { endpoint, budget, domain } = work;
  const open = async () => {
    if (isDirectTls(endpoint.service)) return openSocket(endpoint, budget);
    const stream = await connectTo(work, 'TLS enumeration');
    try {
      await negotiateStarttls(stream, work);
      return stream.detach();
    } catch (error) {
      stream.close();
      throw error;
    }
  };
  return scanTls(open, {
    serverName: domain,
    ...(isDirectTls(endpoint.service) && { alpn: [alpnOf(endpoint.service)] }),
    timeoutMs: budget.limits.stepMs,
    maxConnections: budget.limits.connections,
    signal: budget.signal,
  });
}
