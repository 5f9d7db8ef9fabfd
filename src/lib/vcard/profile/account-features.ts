/** What the own server makes of cards and pictures by itself (XEP-0398 §3: features of the account). */
import { queryInfo } from '../../disco/query.js';
import { StanzaError } from '../../errors.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { NS_VCARD4_XML } from '../card.js';
import { NS_AVATAR_CONVERSION } from './stanzas.js';

export interface Conversions {
  /** The picture of the vcard-temp and the avatar are one. */
  avatars: boolean;
  /** The whole vcard-temp is made of the vCard4, and the other way round. */
  cards: boolean;
}

/** @throws TimeoutError */
export async function fetchConversions(session: Session, options: WaitOptions): Promise<Conversions> {
  try {
    const { features } = await queryInfo(session, session.jid.bare, undefined, options);
    const avatars = features.includes(NS_AVATAR_CONVERSION);
    // COMPAT(Prosody 0.12): mod_vcard_legacy has no feature of its own; beside mod_vcard4 these two stand for it.
    return { avatars, cards: avatars && features.includes(NS_VCARD4_XML) };
  } catch (error) {
    if (error instanceof StanzaError) return { avatars: false, cards: false };
    throw error;
  }
}
