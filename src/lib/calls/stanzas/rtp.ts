/**
 * XEP-0167: Jingle RTP Sessions, version 1.2.3: what goes over the wire.
 *
 * Not here: SDES, of which it is only seen that it is offered; bandwidth.
 */
import { element, type Infer } from '../../xml/codec.js';
import { xml, type Element } from '../../xml/element.js';
import { attr, flag, optional, readableChildren, withDefault } from '../../xml/fields.js';
import { bool, enumOf, intBetween, str, token, uint } from '../../xml/scalars.js';
import type { Codec } from '../../media/media-link.js';
import { Feedback, feedbackFrom, feedbackText } from './feedback.js';
import { HeaderExtensionElement } from './header-extensions.js';
import { Source } from './sources.js';

export const NS_RTP = 'urn:xmpp:jingle:apps:rtp:1';
export const NS_RTP_AUDIO = 'urn:xmpp:jingle:apps:rtp:audio';
export const NS_RTP_VIDEO = 'urn:xmpp:jingle:apps:rtp:video';
export const NS_RTP_INFO = 'urn:xmpp:jingle:apps:rtp:info:1';
const NS_RTP_ERRORS = 'urn:xmpp:jingle:apps:rtp:errors:1';

const MAX_PAYLOAD_TYPES = 64;
const MAX_PARAMETERS = 32;

const Parameter = element(NS_RTP, 'parameter', {
  name: attr('name', token),
  value: withDefault(attr('value'), ''),
});

export const PayloadType = element(NS_RTP, 'payload-type', {
  channels: withDefault(attr('channels', intBetween(1, 255)), 1),
  clockRate: optional(attr('clockrate', uint)),
  id: attr('id', intBetween(0, 127)),
  maxPtime: optional(attr('maxptime', uint)),
  name: withDefault(attr('name', str), ''),
  ptime: optional(attr('ptime', uint)),
  parameters: readableChildren(Parameter, MAX_PARAMETERS),
  feedback: readableChildren(Feedback, MAX_PARAMETERS),
});
export type PayloadType = Infer<typeof PayloadType>;

const Crypto = element(NS_RTP, 'crypto', { suite: attr('crypto-suite', token) });

export const Description = element(NS_RTP, 'description', {
  media: attr('media', enumOf('audio', 'video')),
  payloadTypes: readableChildren(PayloadType, MAX_PAYLOAD_TYPES),
  feedback: readableChildren(Feedback, MAX_PARAMETERS),
  headerExtensions: readableChildren(HeaderExtensionElement, MAX_PARAMETERS),
  sources: readableChildren(Source, 64),
  encryption: readableChildren(
    element(NS_RTP, 'encryption', {
      isRequired: withDefault(attr('required', bool), false),
      cryptos: readableChildren(Crypto, 16),
    }),
    1,
  ),
  usesRtcpMux: flag('rtcp-mux'),
});
export type Description = Infer<typeof Description>;

/** RTP media keys (SDES, RFC 4568) are on offer. */
export function offersSdes({ encryption }: Description): boolean {
  return encryption.some(({ cryptos }) => cryptos.length > 0);
}

/** A payload type as the media half sees it. Static ones (RFC 3551) need no name; those are not among what is spoken here. */
export function codecOf({ id, name, clockRate, channels, parameters, feedback }: PayloadType): Codec {
  return {
    name,
    payloadType: id,
    clockRate: clockRate ?? 0,
    channels,
    parameters: Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.value])),
    feedback: feedback.map(feedbackText),
  };
}

export function payloadTypeOf({
  name,
  payloadType,
  clockRate,
  channels,
  parameters,
  feedback,
}: Codec): PayloadType {
  return {
    id: payloadType,
    name,
    clockRate,
    channels,
    parameters: Object.entries(parameters).map(([key, value]) => ({ name: key, value })),
    feedback: feedback.map(feedbackFrom),
  };
}

/** What one side tells the other during a call (§6). */
export type CallInfo =
  | { kind: 'ringing' | 'active' | 'hold' | 'unhold' }
  /** Of one content, or of all. */
  | { kind: 'mute' | 'unmute'; name?: string };

const infos = ['ringing', 'active', 'hold', 'unhold', 'mute', 'unmute'] as const;

/** For an endpoint: whether a payload of session-info is one of a call. */
export function isCallInfo(payload: Element): boolean {
  return decodeCallInfo(payload) !== undefined;
}

export function decodeCallInfo(payload: Element): CallInfo | undefined {
  if (payload.getNS() !== NS_RTP_INFO) return undefined;
  const kind = infos.find((name) => name === payload.getName());
  if (kind === undefined) return undefined;
  if (kind !== 'mute' && kind !== 'unmute') return { kind };
  const name: unknown = payload.attrs['name'];
  return { kind, ...(typeof name === 'string' && { name }) };
}

/** @param creator of the content that is muted */
export function encodeCallInfo(info: CallInfo, creator?: 'initiator' | 'responder'): Element {
  const name = 'name' in info ? info.name : undefined;
  return xml(info.kind, { xmlns: NS_RTP_INFO, creator: name === undefined ? undefined : creator, name });
}

/** Beside the reason of a session-terminate: why security could not be agreed upon (§7). */
export const cryptoRequired = (): Element => xml('crypto-required', { xmlns: NS_RTP_ERRORS });
