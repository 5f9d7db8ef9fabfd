/**
 * Why a transfer ended, between the words of Jingle (XEP-0166 §7.4) and our errors.
 *
 * Nothing of a local error goes to the other party but its kind: messages name paths.
 */
import {
  ConnectionLostError,
  FileError,
  InterruptedError,
  NegativeError,
  RemoteError,
  StanzaError,
  TimeoutError,
  type XmppctlError,
} from '../errors.js';
import { UnsupportedTransportError } from '../jingle/negotiate-transport.js';
import type { Reason } from '../jingle/stanzas.js';
import { TransportFailedError } from '../jingle/transport.js';
import { xml, type Element } from '../xml/element.js';
import type { Refusal } from './receiving/incoming-file.js';

/** XEP-0234 §8. */
const NS_FILE_TRANSFER_ERRORS = 'urn:xmpp:jingle:apps:file-transfer:errors:0';

/** The other party cannot take the file by Jingle, or not now: another way may work (an upload, for example). */
export class CannotReceiveError extends RemoteError {
  override readonly name = 'CannotReceiveError';

  constructor(
    message: string,
    /** `busy`, `unsupported-applications`, `unsupported-transports`, or the condition of a stanza error. */
    readonly reason: string,
  ) {
    super(message, { details: { reason } });
  }
}

/** The content is not what was announced: its size or its hash. */
export class WrongContentError extends RemoteError {
  override readonly name = 'WrongContentError';
}

/** Our own stream broke, and with it what was on it. */
export function comesFromLostConnection(error: unknown): boolean {
  if (error instanceof ConnectionLostError) return true;
  return error instanceof Error && error.cause !== undefined && comesFromLostConnection(error.cause);
}

const unable: Readonly<Record<string, string>> = {
  busy: 'is busy',
  'unsupported-applications': 'takes no files by Jingle',
  'unsupported-transports': 'shares no transport with us',
};

/** What a session-terminate, content-reject or content-remove of `peer` means. */
export function errorOfReason(peer: string, reason: Reason | undefined): XmppctlError {
  const { condition, text } = reason ?? { condition: 'decline', text: undefined };
  const words = text?.trim() ? ` (${text.trim()})` : '';
  const detail = reason?.details.find((element) => element.getNS() === NS_FILE_TRANSFER_ERRORS)?.getName();
  const details = { reason: condition, ...(text && { text }) };
  if (detail === 'file-too-large')
    return new NegativeError(`${peer} declined: the file is too large for them${words}`, { details });
  const able = unable[condition];
  if (able !== undefined) return new CannotReceiveError(`${peer} ${able}${words}`, condition);
  switch (condition) {
    case 'decline':
      return new NegativeError(`${peer} declined the file${words}`, { details });
    case 'cancel':
      return new NegativeError(`${peer} cancelled the transfer${words}`, { details });
    case 'connectivity-error':
    case 'failed-transport':
      return new TransportFailedError(`${peer} found no way to connect${words}`, { details });
    case 'timeout':
    case 'expired':
      return new TimeoutError(`${peer} gave up waiting${words}`, { details });
    default:
      return new RemoteError(`${peer} ended the transfer: ${condition}${words}`, { details });
  }
}

type OurReason = Pick<Reason, 'condition' | 'text'> & Partial<Reason>;

/** What we say when we do not want a file (XEP-0234 §8.2). */
export function reasonOfRefusal({ condition, text }: Refusal): OurReason {
  const words = text === undefined ? {} : { text };
  if (condition !== 'file-too-large') return { condition, ...words };
  return { condition: 'media-error', ...words, details: [fileError('file-too-large')] };
}

/** What we say when a file of ours is asked for (XEP-0234 §8.1). */
export function notAvailable(): OurReason {
  return { condition: 'failed-application', details: [fileError('file-not-available')] };
}

function fileError(name: string): Element {
  return xml(name, { xmlns: NS_FILE_TRANSFER_ERRORS });
}

/** What an error of ours is called to the other party. */
export function reasonOfError(error: unknown): OurReason {
  if (error instanceof InterruptedError) return { condition: 'cancel' };
  if (error instanceof UnsupportedTransportError) return { condition: 'unsupported-transports' };
  if (error instanceof TransportFailedError) return { condition: 'failed-transport' };
  if (error instanceof TimeoutError) return { condition: 'timeout' };
  if (error instanceof WrongContentError) return { condition: 'media-error', text: error.message };
  if (error instanceof FileError)
    return { condition: 'failed-application', text: 'the file could not be read or written' };
  if (error instanceof NegativeError) return { condition: 'decline' };
  if (error instanceof ConnectionLostError) return { condition: 'gone' };
  return { condition: 'general-error' };
}

/** Conditions of a refused session-initiate that say: not by Jingle, or nobody there. */
const notByJingle: ReadonlySet<string> = new Set([
  'service-unavailable',
  'feature-not-implemented',
  'item-not-found',
  'recipient-unavailable',
  'remote-server-not-found',
  'remote-server-timeout',
]);

/** What a refusal of our offer means. */
export function errorOfRefusal(peer: string, error: unknown): unknown {
  if (!(error instanceof StanzaError)) return error;
  const text = error.text ? ` (${error.text})` : '';
  if (notByJingle.has(error.condition))
    return new CannotReceiveError(
      `${peer} is not there, or takes no files by Jingle: ${error.condition}${text}`,
      error.condition,
    );
  if (error.condition === 'resource-constraint')
    return new CannotReceiveError(`${peer} is busy${text}`, 'busy');
  return error;
}
