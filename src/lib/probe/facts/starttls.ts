/**
 * Is TLS really required, or is it only advertised? Each question on a connection of its own, all before TLS.
 *
 * RFC 6120 §5.3.1 (mandatory STARTTLS), §5.4.2.2 (failure), §13.9.4 (refusing what comes before) · CVE-2011-0411
 * (text behind the command, taken into the secure stream).
 */
import { randomBytes } from 'node:crypto';
import { NS_TLS } from '../wire/probe-stream.js';
import { XmppctlError } from '../../errors.js';
import { streamHeader } from '../wire/probe-stream.js';
import { isForServers, type StarttlsFacts } from './facts.js';
import { awaitOutcome, type Outcome } from './outcome.js';
import { readStream } from './read-stream.js';
import { openSecureStream } from './secure-stream.js';
import { connectTo, openingOf, type EndpointProbe } from './target.js';

const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
/** How many times longer than its last answer took nothing is said inside TLS before we believe that nothing will be. */
const INJECTION_PATIENCE = 8;
const LEAST_INJECTION_WAIT_MS = 300;
const MOST_INJECTION_WAIT_MS = 2000;
const ANSWER_MS = 1500;

export async function collectStarttls(probe: EndpointProbe): Promise<StarttlsFacts> {
  const isServer = isForServers(probe.endpoint.service);
  const [auth, registration, message, injection, again] = await Promise.all([
    ask(probe, 'authentication before TLS', isServer ? externalAuth() : plainAuth()),
    ask(probe, 'registration before TLS', "<iq type='get' id='r1'><query xmlns='jabber:iq:register'/></iq>"),
    ask(probe, 'message before TLS', messageTo(probe)),
    tryInjection(probe),
    askAgain(probe),
  ]);
  return { auth, registration, message, injection, again };
}

async function ask(probe: EndpointProbe, what: string, stimulus: string): Promise<Outcome> {
  using stream = await connectTo(probe, what);
  await readStream(stream, openingOf(probe));
  stream.transcript.clear();
  stream.write(stimulus);
  return await awaitOutcome(stream, ANSWER_MS);
}

/** A name that nobody has, and no password: what counts is whether it is looked at. */
function plainAuth(): string {
  const name = `probe-${randomBytes(8).toString('hex')}`;
  const message = Buffer.from(`\0${name}\0${randomBytes(8).toString('hex')}`).toString('base64');
  return `<auth xmlns='${NS_SASL}' mechanism='PLAIN'>${message}</auth>`;
}

const externalAuth = (): string => `<auth xmlns='${NS_SASL}' mechanism='EXTERNAL'>=</auth>`;

function messageTo({ domain, endpoint }: EndpointProbe): string {
  const from = isForServers(endpoint.service) ? ` from='probe.invalid'` : '';
  return `<message to='${domain}'${from} type='headline' id='m1'><body>a probe: please ignore</body></message>`;
}

/**
 * The command and a stream header behind it in one segment, then silence inside TLS: a server that answers took text
 * that came before TLS for text that came inside it.
 */
async function tryInjection(probe: EndpointProbe): Promise<StarttlsFacts['injection']> {
  using stream = await connectTo(probe, 'injection behind STARTTLS');
  await readStream(stream, openingOf(probe));
  stream.transcript.clear();
  stream.write(`<starttls xmlns='${NS_TLS}'/>${streamHeader(openingOf(probe))}`);
  const startedAt = performance.now();
  const proceed = await stream.next();
  const patienceMs = INJECTION_PATIENCE * (performance.now() - startedAt);
  if (proceed.kind !== 'element' || proceed.element.getName() !== 'proceed') {
    return { outcome: 'refused', evidence: stream.transcript.evidence() };
  }
  // COMPAT(Prosody 0.12.3): it answers the header in clear, behind <proceed/>, and TLS never begins.
  const inClear = await stream.next(50);
  if (inClear.kind !== 'silent') return { outcome: 'ignored', evidence: stream.transcript.evidence() };
  try {
    await stream.startTls({ serverName: probe.domain });
  } catch (error) {
    if (!(error instanceof XmppctlError)) throw error;
    return { outcome: 'refused', evidence: stream.transcript.evidence() };
  }
  const inside = await stream.next(
    Math.min(MOST_INJECTION_WAIT_MS, Math.max(LEAST_INJECTION_WAIT_MS, patienceMs)),
  );
  const isInjected = inside.kind === 'header' || inside.kind === 'element';
  return { outcome: isInjected ? 'injected' : 'ignored', evidence: stream.transcript.evidence() };
}

/** RFC 6120 §5.4.2.2: inside TLS the command is refused, and the stream closed. */
async function askAgain(probe: EndpointProbe): Promise<Outcome> {
  using stream = await openSecureStream(probe, 'STARTTLS inside TLS');
  await readStream(stream, openingOf(probe));
  stream.transcript.clear();
  stream.write(`<starttls xmlns='${NS_TLS}'/>`);
  return await awaitOutcome(stream, ANSWER_MS);
}
