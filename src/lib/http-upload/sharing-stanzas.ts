/**
 * A file that a message points at:
 * XEP-0446: File metadata element, version 0.2.0 · XEP-0447: Stateless file sharing, version 0.3.1 ·
 * XEP-0103: URL Address Information, version 0.4.1, of which only the address is used.
 *
 * Not there: sizes of pictures, lengths of recordings, thumbnails; sources that are attached later, sources by Jingle
 * (XEP-0358), and encrypted sources (XEP-0448). The plain link (XEP-0066) is in `messaging/stanzas.ts`.
 */
import type { FileFacts } from '../file-transfer/transfer.js';
import { NS_HASHES } from '../hashes/hashes.js';
import { readHashes, writeHash } from '../hashes/stanzas.js';
import { element, type Infer } from '../xml/codec.js';
import { attr, child, childText, children, optional, rawChildren } from '../xml/fields.js';
import { dateTime, enumOf, str, token, uint } from '../xml/scalars.js';

export const NS_FILE_METADATA = 'urn:xmpp:file:metadata:0';
export const NS_FILE_SHARING = 'urn:xmpp:sfs:0';
export const NS_URL_DATA = 'http://jabber.org/protocol/url-data';

export const FileMetadata = element(NS_FILE_METADATA, 'file', {
  date: optional(childText('date', str)),
  description: optional(childText('desc')),
  mediaType: optional(childText('media-type')),
  name: optional(childText('name')),
  size: optional(childText('size', str)),
  hashes: rawChildren({ namespace: NS_HASHES }),
});
type FileMetadata = Infer<typeof FileMetadata>;

const UrlData = element(NS_URL_DATA, 'url-data', { target: attr('target', token) });
const Sources = element(NS_FILE_SHARING, 'sources', { urls: children(UrlData) });

export const FileSharing = element(NS_FILE_SHARING, 'file-sharing', {
  id: optional(attr('id')),
  disposition: optional(attr('disposition', enumOf('attachment', 'inline'))),
  file: child(FileMetadata),
  sources: optional(child(Sources)),
});

/** What cannot be read of it is taken for not there. */
export function factsFromMetadata(metadata: FileMetadata): FileFacts {
  const { date, description, mediaType, name, size, hashes } = metadata;
  return {
    name: name?.trim() === '' ? undefined : name,
    sizeBytes: uint.read(size ?? ''),
    mediaType: mediaType?.trim() === '' ? undefined : mediaType,
    date: dateTime.read(date ?? ''),
    description: description?.trim() === '' ? undefined : description,
    hashes: readHashes(hashes).hashes,
    promisedHashes: [],
  };
}

export function metadataFromFacts(facts: FileFacts): FileMetadata {
  const { date, description, mediaType, name, sizeBytes, hashes } = facts;
  return {
    date: date && dateTime.write(date),
    description,
    mediaType,
    name,
    size: sizeBytes?.toString(),
    hashes: hashes.map(writeHash),
  };
}
