/** What service discovery tells of us while we take calls. */
import { NS_JINGLE_MESSAGE } from '../jingle/message-initiation.js';
import { NS_CONFERENCE } from '../muc/direct-invitation.js';
import type { Session } from '../session/session.js';
import { NS_DTLS } from './stanzas/dtls.js';
import { NS_FEEDBACK } from './stanzas/feedback.js';
import { NS_HEADER_EXTENSIONS } from './stanzas/header-extensions.js';
import { NS_ICE_UDP } from './stanzas/ice.js';
import { NS_CALL_INVITES, NS_DINO_CALL } from './stanzas/invitations.js';
import { NS_MUJI } from './stanzas/muji.js';
import { NS_RTP, NS_RTP_AUDIO, NS_RTP_VIDEO } from './stanzas/rtp.js';

const features = [
  NS_RTP,
  NS_RTP_AUDIO,
  NS_ICE_UDP,
  NS_DTLS,
  NS_FEEDBACK,
  NS_HEADER_EXTENSIONS,
  // XEP-0338 and XEP-0339 are advertised by the RFCs that they map.
  'urn:ietf:rfc:5888',
  'urn:ietf:rfc:5576',
  NS_JINGLE_MESSAGE,
  NS_CALL_INVITES,
  NS_DINO_CALL,
  NS_MUJI,
  NS_CONFERENCE,
];

/** Until it is disposed. */
export function advertiseCalls(session: Session, hasVideo: boolean): Disposable {
  return session.advertise(...features, ...(hasVideo ? [NS_RTP_VIDEO] : []));
}
