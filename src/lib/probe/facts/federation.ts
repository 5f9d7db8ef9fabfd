/**
 * Talking to a server as a server: with the certificate of a domain of ours.
 *
 * XEP-0178: Best Practices for Use of SASL EXTERNAL with Certificates, version 1.2.
 * XEP-0220: Server Dialback, version 1.1.1 (only that a key which nobody confirms is refused).
 * XEP-0288: Bidirectional Server-to-Server Connections, version 1.0.1 (the connecting side).
 */
import { randomBytes } from 'node:crypto';
import { ProtocolError } from '../../errors.js';
import { stanzaErrorFrom } from '../../xml/stanza-error.js';
import { xml, type Element } from '../../xml/element.js';
import { serialize } from '../../xml/serialize.js';
import type { ProbeStream } from '../wire/probe-stream.js';
import type { FederationFacts, Measured } from './facts.js';
import { awaitOutcome, type Outcome } from './outcome.js';
import { readStream } from './read-stream.js';
import { openSecureStream } from './secure-stream.js';
import { readServices, type ServicesFacts } from './services.js';
import { openingOf, type EndpointProbe, type ServerIdentity } from './target.js';
import { measure } from './measure.js';

const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const NS_BIDI = 'urn:xmpp:bidi';
const NS_BIDI_FEATURE = '{urn:xmpp:features:bidi}bidi';
const NS_DIALBACK = 'jabber:server:dialback';
/** The server looks for ours in the DNS meanwhile, which can take longer than is worth waiting for. */
const DIALBACK_MS = 3000;

export interface FederationResult {
  facts: FederationFacts;
  services: Measured<ServicesFacts>;
}

/** @throws ConnectError @throws TlsError @throws TimeoutError @throws ProtocolError */
export async function collectFederation(
  probe: EndpointProbe,
  identity: ServerIdentity,
): Promise<FederationResult> {
  const [external, dialback] = await Promise.all([
    tryExternal(probe, identity),
    tryDialback(probe, identity),
  ]);
  return {
    facts: { external: external.outcome, bidi: external.bidi, dialback },
    services: external.services,
  };
}

async function tryExternal(
  probe: EndpointProbe,
  identity: ServerIdentity,
): Promise<{ outcome: Outcome; bidi: boolean; services: Measured<ServicesFacts> }> {
  using stream = await openSecureStream(probe, 'SASL EXTERNAL', { clientCertificate: identity });
  const { mechanisms, features } = await readStream(stream, openingOf(probe));
  if (!mechanisms.includes('EXTERNAL')) {
    const outcome = { outcome: 'not offered', evidence: stream.transcript.evidence() };
    return {
      outcome,
      bidi: false,
      services: { reason: 'the server did not offer SASL EXTERNAL for the certificate given' },
    };
  }
  stream.transcript.clear();
  const bidi = features.includes(NS_BIDI_FEATURE);
  // XEP-0288 §2.1: before authentication.
  if (bidi) stream.write(`<bidi xmlns='${NS_BIDI}'/>`);
  // XEP-0178 §3: `=` is an empty authorisation identity.
  const name = Buffer.from(identity.domain).toString('base64');
  stream.write(`<auth xmlns='${NS_SASL}' mechanism='EXTERNAL'>${name}</auth>`);
  const outcome = await awaitOutcome(stream, 5000);
  if (outcome.outcome !== 'answered success') {
    return { outcome, bidi, services: { reason: `SASL EXTERNAL did not succeed (${outcome.outcome})` } };
  }
  const services = await readServicesOver(stream, probe, bidi);
  return { outcome, bidi, services };
}

async function readServicesOver(
  stream: ProbeStream,
  probe: EndpointProbe,
  bidi: boolean,
): Promise<Measured<ServicesFacts>> {
  if (!bidi) return { reason: 'without XEP-0288 the answers would come on a connection to our domain' };
  await readStream(stream, openingOf(probe));
  const ask = askOver(stream, probe);
  return measure(() => readServices(ask, probe.domain));
}

/** Requests on a stream between servers, several at a time. */
function askOver(
  stream: ProbeStream,
  { identity }: EndpointProbe,
): (to: string | undefined, payload: Element) => Promise<Element> {
  const waiting = new Map<string, (reply: Element) => void>();
  let reader: Promise<void> | undefined;
  let failure: ProtocolError | undefined;
  const read = async (): Promise<void> => {
    while (waiting.size > 0) {
      const event = await stream.next();
      if (event.kind === 'element') {
        const id: unknown = event.element.attrs['id'];
        if (typeof id === 'string') waiting.get(id)?.(event.element);
      } else if (event.kind !== 'header') {
        failure = new ProtocolError(`the stream between servers ended: ${event.kind}`);
        return;
      }
    }
  };
  return async (to, payload) => {
    const id = randomBytes(9).toString('base64url');
    const answered = new Promise<Element>((resolve) => waiting.set(id, resolve));
    stream.write(serialize(xml('iq', { type: 'get', id, to, from: identity?.domain }, payload)));
    try {
      for (;;) {
        reader ??= read().finally(() => (reader = undefined));
        const reply = await Promise.race([answered, reader]);
        if (reply) {
          if (reply.attrs['type'] === 'error') throw stanzaErrorFrom(reply);
          return reply;
        }
        if (failure) throw failure;
      }
    } finally {
      waiting.delete(id);
    }
  };
}

/** A key for a domain of ours that only our own server could confirm, which does not exist for this connection. */
async function tryDialback(
  probe: EndpointProbe,
  identity: ServerIdentity,
): Promise<FederationFacts['dialback']> {
  using stream = await openSecureStream(probe, 'dialback');
  await readStream(stream, openingOf(probe));
  stream.transcript.clear();
  const key = randomBytes(16).toString('hex');
  stream.write(
    `<db:result xmlns:db='${NS_DIALBACK}' from='${identity.domain}' to='${probe.domain}'>${key}</db:result>`,
  );
  const event = await stream.next(DIALBACK_MS);
  const evidence = stream.transcript.evidence();
  if (event.kind !== 'element')
    return { outcome: event.kind === 'stream-error' ? event.condition : event.kind, evidence };
  const type: unknown = event.element.attrs['type'];
  return { outcome: typeof type === 'string' ? type : `answered ${event.element.getName()}`, evidence };
}
