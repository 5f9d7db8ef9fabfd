/**
 * XEP-0095: Stream Initiation, version 1.2, and its profile XEP-0096: SI File Transfer, version 1.3.1: what goes over
 * the wire.
 *
 * Both are deprecated in favour of Jingle; they are read for the sake of old clients. Not here: offering files so, the
 * `length` of a range, and the MD5 hash, which proves nothing any more.
 */
import { DataForm } from '../../forms/stanzas.js';
import { element, type Infer } from '../../xml/codec.js';
import type { Element } from '../../xml/element.js';
import { attr, child, childText, optional } from '../../xml/fields.js';
import { uint } from '../../xml/scalars.js';

export const NS_STREAM_INITIATION = 'http://jabber.org/protocol/si';
export const NS_SI_FILE_TRANSFER = 'http://jabber.org/protocol/si/profile/file-transfer';
/** XEP-0020. */
const NS_FEATURE_NEGOTIATION = 'http://jabber.org/protocol/feature-neg';

/** The one feature that is negotiated. */
const STREAM_METHOD = 'stream-method';

const Range = element(NS_SI_FILE_TRANSFER, 'range', {
  offset: optional(attr('offset', uint)),
  length: optional(attr('length', uint)),
});

/** In an offer it has a name and a size; in an answer only what is asked for. */
const OfferedFile = element(NS_SI_FILE_TRANSFER, 'file', {
  name: optional(attr('name')),
  size: optional(attr('size', uint)),
  date: optional(attr('date')),
  hash: optional(attr('hash')),
  description: optional(childText('desc')),
  range: optional(child(Range)),
});

const Feature = element(NS_FEATURE_NEGOTIATION, 'feature', { form: child(DataForm) });

export const StreamInitiation = element(NS_STREAM_INITIATION, 'si', {
  id: optional(attr('id')),
  mediaType: optional(attr('mime-type')),
  profile: optional(attr('profile')),
  file: optional(child(OfferedFile)),
  feature: optional(child(Feature)),
});
export type StreamInitiation = Infer<typeof StreamInitiation>;

/** The stream methods that an offer leaves the choice of. */
export function readMethods({ feature }: StreamInitiation): string[] {
  const field = feature?.form.fields.find(({ name }) => name === STREAM_METHOD);
  return field ? [...field.options.map(({ value }) => value), ...field.values] : [];
}

/** The answer yes. @param offset where the sender is to begin, if it can begin anywhere else than at 0 */
export function writeAcceptance(method: string, offset: number | undefined): Element {
  return StreamInitiation.encode({
    ...(offset && { file: { range: { offset } } }),
    feature: { form: { type: 'submit', fields: [{ name: STREAM_METHOD, values: [method] }] } },
  });
}
