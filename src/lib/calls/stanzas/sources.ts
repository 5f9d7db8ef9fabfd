/**
 * XEP-0339: Source-Specific Media Attributes in Jingle, version 1.0.1.
 *
 * Not here: groups of sources; nothing that is sent has more than one.
 */
import { element, type Infer } from '../../xml/codec.js';
import { attr, optional, readableChildren } from '../../xml/fields.js';
import { intBetween, token } from '../../xml/scalars.js';

export const NS_SOURCES = 'urn:xmpp:jingle:apps:rtp:ssma:0';

export const Source = element(NS_SOURCES, 'source', {
  ssrc: attr('ssrc', intBetween(0, 0xffff_ffff)),
  parameters: readableChildren(
    element(NS_SOURCES, 'parameter', { name: attr('name', token), value: optional(attr('value')) }),
    16,
  ),
});
export type Source = Infer<typeof Source>;
