/** Which codecs read the fixtures of a family: the one that matches the element is used. */
import type { ElementCodec } from '../../src/lib/xml/codec.js';
import * as inBand from '../../src/lib/bytestreams/in-band/stanzas.js';
import { InBandParameters } from '../../src/lib/bytestreams/in-band/in-band-transport.js';
import {
  NS_JINGLE_SOCKS5,
  decodeInfo,
  decodeParameters,
  encodeInfo,
  encodeParameters,
  type Socks5Info,
  type Socks5Parameters,
} from '../../src/lib/bytestreams/socks5/stanzas.js';
import type { Element } from '../../src/lib/xml/element.js';
import { Caps } from '../../src/lib/disco/caps.js';
import { DiscoInfoQuery, DiscoItemsQuery } from '../../src/lib/disco/stanzas.js';
import { DataForm, FormField, Media } from '../../src/lib/forms/stanzas.js';
import { HashElement, HashUsed } from '../../src/lib/hashes/stanzas.js';
import { FileMetadata, FileSharing } from '../../src/lib/http-upload/sharing-stanzas.js';
import { UploadRequest, UploadSlot } from '../../src/lib/http-upload/stanzas.js';
import * as messaging from '../../src/lib/messaging/stanzas.js';
import { JoinRequest, RoomUser } from '../../src/lib/muc/stanzas.js';
import { StreamInitiation } from '../../src/lib/file-transfer/receiving/stream-initiation-stanzas.js';
import * as jingleMessage from '../../src/lib/jingle/message-initiation.js';
import { PageInfo } from '../../src/lib/rsm/stanzas.js';

/** A codec whose type has been forgotten. */
export type AnyCodec = ElementCodec<unknown>;

/** A codec of functions: for what cannot be declared, because some of it may be wrong. */
function written<T>(
  namespace: string,
  name: string,
  isOne: (element: Element) => boolean,
  decode: (element: Element) => T,
  encode: (value: T) => Element,
): AnyCodec {
  const matches = (element: Element): boolean =>
    element.getName() === name && element.getNS() === namespace && isOne(element);
  return {
    name,
    namespace,
    matches,
    decode,
    find: (parent) => parent.getChildElements().filter(matches).map(decode)[0],
    findAll: (parent) => parent.getChildElements().filter(matches).map(decode),
    encode: (value) => encode(value as T),
  };
}

const socks5Info = written<Socks5Info & { sid: string }>(
  NS_JINGLE_SOCKS5,
  'transport',
  (element) => decodeInfo(element) !== undefined,
  (element) => {
    const info = decodeInfo(element);
    if (!info) throw new Error('it says nothing');
    return { sid: String(element.attrs['sid']), ...info };
  },
  ({ sid, ...info }) => encodeInfo(sid, info),
);
const socks5Offer = written<Socks5Parameters>(
  NS_JINGLE_SOCKS5,
  'transport',
  (element) => decodeInfo(element) === undefined,
  decodeParameters,
  encodeParameters,
);

export const fixtureCodecs: Readonly<Record<string, readonly AnyCodec[]>> = {
  disco: [Caps, DiscoInfoQuery, DiscoItemsQuery],
  forms: [DataForm, FormField, Media],
  'in-band': [inBand.Open, inBand.Data, inBand.Close, InBandParameters],
  hashes: [HashElement, HashUsed],
  'http-upload': [FileMetadata, FileSharing, UploadRequest, UploadSlot],
  'jingle-message': [
    jingleMessage.Ringing,
    jingleMessage.Proceed,
    jingleMessage.Accept,
    jingleMessage.Reject,
    jingleMessage.Retract,
    jingleMessage.Finish,
  ],
  messaging: [
    messaging.ArchiveEnd,
    messaging.ArchiveQuery,
    messaging.Correction,
    messaging.Delay,
    messaging.Encryption,
    messaging.Fallback,
    messaging.OriginId,
    messaging.OutOfBand,
    messaging.Reactions,
    messaging.Receipt,
    messaging.ReceiptRequest,
    messaging.Reply,
    messaging.StanzaId,
  ],
  muc: [JoinRequest, RoomUser],
  rsm: [PageInfo],
  socks5: [socks5Info, socks5Offer],
  'stream-initiation': [StreamInitiation],
};
