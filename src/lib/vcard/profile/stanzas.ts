/**
 * XEP-0084: User Avatar, version 1.1.4 and XEP-0153: vCard-Based Avatars, version 1.1.1: what goes over the wire.
 *
 * Not here: the hash in presence, which servers put there themselves; avatars that are elsewhere on the web.
 */
import { element, type Infer } from '../../xml/codec.js';
import { attr, children, optional, text } from '../../xml/fields.js';
import { uint } from '../../xml/scalars.js';

export const NODE_VCARD4 = 'urn:xmpp:vcard4';
export const VCARD4_ITEM = 'current';
export const NS_AVATAR_DATA = 'urn:xmpp:avatar:data';
export const NS_AVATAR_METADATA = 'urn:xmpp:avatar:metadata';
/** XEP-0398: User Avatar to vCard-Based Avatars Conversion, version 1.0.0: only whether a server does it. */
export const NS_AVATAR_CONVERSION = 'urn:xmpp:pep-vcard-conversion:0';

export const AvatarInfo = element(NS_AVATAR_METADATA, 'info', {
  id: attr('id'),
  bytes: optional(attr('bytes', uint)),
  type: optional(attr('type')),
  width: optional(attr('width', uint)),
  height: optional(attr('height', uint)),
  url: optional(attr('url')),
});
export type AvatarInfo = Infer<typeof AvatarInfo>;

/** Empty: there is none any more (XEP-0084 §4.3). */
export const AvatarMetadata = element(NS_AVATAR_METADATA, 'metadata', { infos: children(AvatarInfo) });
export const AvatarData = element(NS_AVATAR_DATA, 'data', { base64: text() });
