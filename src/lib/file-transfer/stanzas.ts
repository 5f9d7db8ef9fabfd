/**
 * XEP-0234: Jingle File Transfer, version 0.19.1: what goes over the wire.
 *
 * Not there: hashes of a range, requests for files.
 */
import { readHashes, writeHash, writePromise } from '../hashes/stanzas.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { dateTime, uint } from '../xml/scalars.js';
import type { ContentKey } from '../jingle/content-router.js';
import type { FileFacts } from './transfer.js';

export const NS_FILE_TRANSFER = 'urn:xmpp:jingle:apps:file-transfer:5';
/** Ours: XEP-0234 §5 wants names without folders, so the folder is beside the name, where others pass over it. */
const NS_FOLDER = 'urn:xmppctl:folder:0';

export interface FileDescription {
  file: FileFacts;
  /** In an offer: the sender knows ranges. In an answer: where it shall begin, which we always write. */
  range: { offset?: number | undefined } | undefined;
}

/** What cannot be read is taken for not there: peers send dates, sizes and hashes of their own kind. */
export function readDescription(description: Element): FileDescription {
  const file = description.getChild('file', NS_FILE_TRANSFER);
  const range = file?.getChild('range', NS_FILE_TRANSFER);
  return {
    file: readFile(file),
    range: range && { offset: uint.read(String(range.attrs['offset'] ?? '')) },
  };
}

export function writeDescription({ file, range }: FileDescription): Element {
  return xml('description', { xmlns: NS_FILE_TRANSFER }, writeFile(file, range));
}

export function writeChecksum(key: ContentKey, file: Pick<FileFacts, 'hashes' | 'sizeBytes'>): Element {
  const facts: FileFacts = { ...noFacts, ...file };
  return xml('checksum', { xmlns: NS_FILE_TRANSFER, ...keyAttributes(key) }, writeFile(facts, undefined));
}

export function writeReceived(key: ContentKey): Element {
  return xml('received', { xmlns: NS_FILE_TRANSFER, ...keyAttributes(key) });
}

export type FileInfo =
  | { kind: 'checksum'; key: Partial<ContentKey>; file: FileFacts }
  | { kind: 'received'; key: Partial<ContentKey> };

/** A payload of session-info; undefined where it is none of ours. */
export function readInfo(payload: Element): FileInfo | undefined {
  if (payload.getNS() !== NS_FILE_TRANSFER) return undefined;
  const { creator, name } = payload.attrs as Record<string, unknown>;
  const key: Partial<ContentKey> = {
    ...((creator === 'initiator' || creator === 'responder') && { creator }),
    ...(typeof name === 'string' && { name }),
  };
  switch (payload.getName()) {
    case 'received':
      return { kind: 'received', key };
    case 'checksum':
      return { kind: 'checksum', key, file: readFile(payload.getChild('file', NS_FILE_TRANSFER)) };
    default:
      return undefined;
  }
}

const noFacts: FileFacts = {
  name: undefined,
  sizeBytes: undefined,
  mediaType: undefined,
  date: undefined,
  description: undefined,
  hashes: [],
  promisedHashes: [],
};

function readFile(file: Element | undefined): FileFacts {
  if (!file) return noFacts;
  const text = (name: string): string | undefined => {
    const value: unknown = file.getChildText(name, NS_FILE_TRANSFER);
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  };
  const { hashes, promised } = readHashes(childElements(file));
  const folder = file.getChildText('folder', NS_FOLDER) ?? '';
  return {
    name: text('name'),
    sizeBytes: uint.read(text('size') ?? ''),
    mediaType: text('media-type'),
    date: readDate(text('date') ?? ''),
    description: text('desc'),
    hashes,
    promisedHashes: promised,
    ...(folder !== '' && { folder }),
  };
}

/** COMPAT(Gajim 1.7.3): a zone by its offset, and then `Z` again. */
function readDate(text: string): Date | undefined {
  return dateTime.read(text.replace(/([+-]\d{2}:\d{2})Z$/, '$1'));
}

function writeFile(file: FileFacts, range: FileDescription['range']): Element {
  const textual = (name: string, value: string | undefined): Element | undefined =>
    value === undefined ? undefined : xml(name, {}, value);
  return xml(
    'file',
    {},
    textual('date', file.date && dateTime.write(file.date)),
    textual('desc', file.description),
    textual('media-type', file.mediaType),
    textual('name', file.name),
    textual('size', file.sizeBytes?.toString()),
    file.folder === undefined ? undefined : xml('folder', { xmlns: NS_FOLDER }, file.folder),
    range && xml('range', { offset: range.offset }),
    ...file.hashes.map(writeHash),
    ...file.promisedHashes.map(writePromise),
  );
}

function keyAttributes({ creator, name }: ContentKey): { creator: string; name: string } {
  return { creator, name };
}
