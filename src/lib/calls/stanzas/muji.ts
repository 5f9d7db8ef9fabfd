/**
 * XEP-0272: Multiparty Jingle (Muji), version 0.2.0: what goes over the wire.
 *
 * Not here: relays and mixers.
 */
import { DecodeError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { NS_JINGLE } from '../../jingle/stanzas.js';
import { element } from '../../xml/codec.js';
import { childElements, xml, type Element } from '../../xml/element.js';
import { attr } from '../../xml/fields.js';
import { jid } from '../../xml/jid-scalar.js';
import { Description } from './rtp.js';

export const NS_MUJI = 'urn:xmpp:jingle:muji:0';
const MAX_CONTENTS = 16;

/** One content of a conference, as one participant has it: what it calls it, and its map of payload types. */
export interface MujiContent {
  name: string;
  description: Description;
}

/** In the presence of a participant (§"Joining a Conference"). */
export interface MujiPresence {
  isPreparing: boolean;
  contents: readonly MujiContent[];
}

/** In an invitation, and in the session-initiate of a conference. */
export const MujiRoom = element(NS_MUJI, 'muji', { room: attr('room', jid) });

/** What a presence says of a conference; undefined when it says nothing. What cannot be read of it is left out. */
export function readMujiPresence(presence: Element): MujiPresence | undefined {
  const muji = presence.getChild('muji', NS_MUJI);
  if (!muji) return undefined;
  const contents: MujiContent[] = [];
  for (const child of childElements(muji)) {
    const name: unknown = child.attrs['name'];
    if (contents.length >= MAX_CONTENTS || !isContent(child) || typeof name !== 'string' || name === '')
      continue;
    if (contents.some((content) => content.name === name)) continue;
    try {
      const description = Description.find(child);
      if (description) contents.push({ name, description });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  return { isPreparing: muji.getChild('preparing', NS_MUJI) !== undefined, contents };
}

/** In the examples of the XEP contents are in the namespace of Muji, by inheritance. */
function isContent(child: Element): boolean {
  return child.getName() === 'content' && (child.getNS() === NS_JINGLE || child.getNS() === NS_MUJI);
}

/** COMPAT(Dino 0.4): it reads contents in the namespace of Jingle only. */
export function encodeMujiPresence({ isPreparing, contents }: MujiPresence): Element {
  return xml(
    'muji',
    { xmlns: NS_MUJI },
    contents.map(({ name, description }) =>
      xml('content', { xmlns: NS_JINGLE, creator: 'initiator', name }, Description.encode(description)),
    ),
    isPreparing ? xml('preparing') : undefined,
  );
}

/** The room of the conference that an offer belongs to. */
export function mujiRoomOf(payload: readonly Element[]): JID | undefined {
  const muji = payload.find((child) => MujiRoom.matches(child));
  try {
    return muji && MujiRoom.decode(muji).room;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
