/**
 * XEP-0363: HTTP File Upload, version 1.2.0: what goes over the wire.
 *
 * Not there: purposes (§5), of which `message` is the default and ours.
 */
import { element, type Infer } from '../xml/codec.js';
import { attr, child, children, optional, text } from '../xml/fields.js';
import { token, uint } from '../xml/scalars.js';

export const NS_UPLOAD = 'urn:xmpp:http:upload:0';

export const UploadRequest = element(NS_UPLOAD, 'request', {
  fileName: attr('filename'),
  sizeBytes: attr('size', uint),
  mediaType: optional(attr('content-type')),
});

const Header = element(NS_UPLOAD, 'header', { name: attr('name', token), value: text() });
const Put = element(NS_UPLOAD, 'put', { url: attr('url', token), headers: children(Header) });
const Get = element(NS_UPLOAD, 'get', { url: attr('url', token) });

/** Where one file goes, and where it can be fetched from then on (§4). */
export const UploadSlot = element(NS_UPLOAD, 'slot', { put: child(Put), get: child(Get) });
export type UploadSlot = Infer<typeof UploadSlot>;
