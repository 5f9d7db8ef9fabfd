/** Which codecs read the fixtures of a family: the one that matches the element is used. */
import type { ElementCodec } from '../../src/lib/xml/codec.js';
import * as inBand from '../../src/lib/bytestreams/in-band/stanzas.js';
import { InBandParameters } from '../../src/lib/bytestreams/in-band/in-band-transport.js';
import { Caps } from '../../src/lib/disco/caps.js';
import { DiscoInfoQuery, DiscoItemsQuery } from '../../src/lib/disco/stanzas.js';
import { DataForm, FormField, Media } from '../../src/lib/forms/stanzas.js';
import { HashElement, HashUsed } from '../../src/lib/hashes/stanzas.js';
import { FileMetadata, FileSharing } from '../../src/lib/http-upload/sharing-stanzas.js';
import { UploadRequest, UploadSlot } from '../../src/lib/http-upload/stanzas.js';
import * as messaging from '../../src/lib/messaging/stanzas.js';
import { JoinRequest, RoomUser } from '../../src/lib/muc/stanzas.js';
import { StreamInitiation } from '../../src/lib/file-transfer/stream-initiation-stanzas.js';
import * as jingleMessage from '../../src/lib/jingle/message-initiation.js';
import { PageInfo } from '../../src/lib/rsm/stanzas.js';

/** A codec whose type has been forgotten. */
export type AnyCodec = ElementCodec<unknown>;

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
  'stream-initiation': [StreamInitiation],
};
