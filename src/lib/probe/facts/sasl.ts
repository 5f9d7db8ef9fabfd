/**
 * How authentication answers those who have no account: names are made up for each try, so that nobody's account is
 * locked by it, and there are few tries.
 *
 * RFC 6120 §6.5 (errors), §13.11 (harvesting) · RFC 5802 (SCRAM) · RFC 9266, RFC 5929 (channel bindings).
 */
import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { XmppctlError } from '../../errors.js';
import { channelBindingData, type ChannelBindingType } from '../../session/transport/channel-binding.js';
import type { Element } from '../../xml/element.js';
import type { ProbeStream } from '../wire/probe-stream.js';
import type { ChannelBindingTrial, EndpointFacts, HandshakeFacts, SaslFacts, TlsVersion } from './facts.js';
import { awaitOutcome } from './outcome.js';
import { readStream } from './read-stream.js';
import { openSecureStream } from './secure-stream.js';
import { openingOf, type EndpointProbe } from './target.js';

const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const ANSWER_MS = 3000;

/** Which bindings are tried on which version: those that a client would use, and RFC 5929's where it still has a meaning. */
const trials: readonly { version: TlsVersion; types: readonly ChannelBindingType[] }[] = [
  { version: '1.3', types: ['tls-exporter', 'tls-server-end-point'] },
  { version: '1.2', types: ['tls-server-end-point', 'tls-unique'] },
];

export async function collectSasl(
  probe: EndpointProbe,
  handshakes: NonNullable<EndpointFacts['handshakes']>,
): Promise<SaslFacts> {
  const inside = handshakes['1.3']?.value ?? handshakes['1.2']?.value;
  const scram = strongestScram(inside?.stream.mechanisms ?? []);
  const [unknownMechanism, unknownUser, channelBinding] = await Promise.all([
    tryUnknownMechanism(probe),
    scram === undefined ? undefined : tryUnknownUser(probe, scram),
    Promise.all(
      trials.flatMap(({ version, types }) => tryBindings(probe, version, types, handshakes[version]?.value)),
    ),
  ]);
  return {
    unknownMechanism,
    unknownUser,
    channelBinding: channelBinding.filter((trial) => trial !== undefined),
  };
}

const strongestScram = (mechanisms: readonly string[]): string | undefined =>
  ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1'].find((name) => mechanisms.includes(name));

async function secured(probe: EndpointProbe, what: string, version?: TlsVersion): Promise<ProbeStream> {
  const stream = await openSecureStream(probe, what, version ? { version } : {});
  await readStream(stream, openingOf(probe));
  stream.transcript.clear();
  return stream;
}

async function tryUnknownMechanism(probe: EndpointProbe): Promise<SaslFacts['unknownMechanism']> {
  using stream = await secured(probe, 'unknown mechanism');
  stream.write(`<auth xmlns='${NS_SASL}' mechanism='X-PROBE'>=</auth>`);
  return await awaitOutcome(stream, ANSWER_MS);
}

async function tryUnknownUser(probe: EndpointProbe, mechanism: string): Promise<SaslFacts['unknownUser']> {
  using stream = await secured(probe, 'unknown name');
  const answer = await sayFirst(stream, mechanism, 'n,,');
  const evidence = stream.transcript.evidence();
  if (answer?.name === 'challenge') {
    const iterations = /(?:^|,)i=(\d{1,9})(?:,|$)/.exec(answer.data)?.[1];
    return {
      outcome: 'challenge',
      condition: undefined,
      iterations: iterations === undefined ? undefined : Number(iterations),
      evidence,
    };
  }
  if (answer?.name === 'failure')
    return { outcome: 'failure', condition: answer.condition, iterations: undefined, evidence };
  return undefined;
}

function tryBindings(
  probe: EndpointProbe,
  tlsVersion: TlsVersion,
  types: readonly ChannelBindingType[],
  handshake: HandshakeFacts | undefined,
): Promise<ChannelBindingTrial | undefined>[] {
  const mechanism = handshake?.stream.mechanisms.find((name) => /^SCRAM-.*-PLUS$/.test(name));
  if (mechanism === undefined) return [];
  return types.map((type) => tryBinding(probe, tlsVersion, type, mechanism));
}

async function tryBinding(
  probe: EndpointProbe,
  tlsVersion: TlsVersion,
  type: ChannelBindingType,
  mechanism: string,
): Promise<ChannelBindingTrial | undefined> {
  try {
    using stream = await secured(probe, `channel binding ${type}`, tlsVersion);
    const data = channelBindingData(stream.socket as TLSSocket, type);
    if (data === undefined) return undefined;
    const gs2 = `p=${type},,`;
    let answer = await sayFirst(stream, mechanism, gs2);
    if (answer?.name === 'challenge') {
      const nonce = /^r=([^,]{1,500})/.exec(answer.data)?.[1] ?? '';
      const binding = Buffer.concat([Buffer.from(gs2), data]).toString('base64');
      const proof = randomBytes(20).toString('base64');
      answer = await say(
        stream,
        `<response xmlns='${NS_SASL}'>${base64(`c=${binding},r=${nonce},p=${proof}`)}</response>`,
      );
    }
    if (answer === undefined) return undefined;
    // COMPAT(Prosody 0.12.3): malformed-request; COMPAT(ejabberd 23.01): bad-protocol or not-authorized, with a text.
    const isRefused =
      answer.condition === 'malformed-request' ||
      answer.condition === 'bad-protocol' ||
      /channel.?binding/i.test(answer.data);
    return { type, tlsVersion, mechanism, accepted: !isRefused, evidence: stream.transcript.evidence() };
  } catch (error) {
    if (error instanceof XmppctlError) return undefined;
    throw error;
  }
}

interface Answer {
  name: 'challenge' | 'failure';
  /** Of a challenge, decoded; of a failure, its text. */
  data: string;
  condition: string;
}

function sayFirst(stream: ProbeStream, mechanism: string, gs2: string): Promise<Answer | undefined> {
  const name = `probe-${randomBytes(8).toString('hex')}`;
  const first = `${gs2}n=${name},r=${randomBytes(18).toString('base64url')}`;
  return say(stream, `<auth xmlns='${NS_SASL}' mechanism='${mechanism}'>${base64(first)}</auth>`);
}

async function say(stream: ProbeStream, text: string): Promise<Answer | undefined> {
  stream.write(text);
  const event = await stream.next(ANSWER_MS);
  if (event.kind !== 'element' || event.element.getNS() !== NS_SASL) return undefined;
  return answerOf(event.element);
}

function answerOf(element: Element): Answer | undefined {
  const name = element.getName();
  if (name === 'challenge') {
    return { name, data: Buffer.from(element.getText(), 'base64').toString('utf8'), condition: '' };
  }
  if (name !== 'failure') return undefined;
  const condition = element.children.find((child) => typeof child !== 'string' && child.getName() !== 'text');
  return {
    name,
    data: element.getChildText('text') ?? '',
    condition: typeof condition === 'object' ? condition.getName() : '',
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
