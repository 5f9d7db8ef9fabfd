/**
 * Files that old clients offer by stream initiation (XEP-0095, XEP-0096), as a source of offers.
 *
 * There is one request and one answer, and then the stream: no other path when it breaks, nothing told afterwards, and
 * nobody is told whether the file was stored.
 */
import { acceptInBandBytestream } from '../../bytestreams/in-band/in-band-bytestream.js';
import { NS_IN_BAND } from '../../bytestreams/in-band/stanzas.js';
import { acceptSocks5Bytestream } from '../../bytestreams/socks5/accept-bytestream.js';
import { NS_BYTESTREAMS } from '../../bytestreams/socks5/stanzas.js';
import { ConnectionLostError, DecodeError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { EventQueue } from '../../event-queue.js';
import type { Bytestream } from '../../jingle/transport.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { StanzaReply } from '../../session/stanza-reply.js';
import { xml, type Element } from '../../xml/element.js';
import type { IncomingFile, OfferSource } from './incoming-file.js';
import { InitiatedFile } from './initiated-file.js';
import {
  NS_SI_FILE_TRANSFER,
  NS_STREAM_INITIATION,
  StreamInitiation,
  readMethods,
} from './stream-initiation-stanzas.js';

/** A kind of bytestream that can be negotiated so. */
export interface StreamMethod {
  readonly namespace: string;
  /** Waits, from the moment of the call, for one party to open one stream. */
  expect(
    session: Session,
    stream: { peer: JID; sid: string },
    wait: WaitOptions,
  ): Disposable & { readonly opened: Promise<Bytestream> };
}

export const inBandMethod: StreamMethod = { namespace: NS_IN_BAND, expect: acceptInBandBytestream };
export const socks5Method: StreamMethod = { namespace: NS_BYTESTREAMS, expect: acceptSocks5Bytestream };

export interface StreamInitiationOptions {
  /** In the order in which we would use them. */
  methods: readonly StreamMethod[];
  /** For the opening of the stream. */
  timeoutMs: number;
  /** Whom offers are taken from; others are told that nothing of the kind is here. Everybody, when left out. */
  admits?: (peer: JID) => boolean;
}

/** Offers that wait to be looked at; more are refused. */
const MAX_WAITING = 100;

export function streamInitiationOffers(session: Session, options: StreamInitiationOptions): OfferSource {
  const { methods, timeoutMs, admits } = options;
  const offers = new EventQueue<readonly IncomingFile[]>(MAX_WAITING);
  /** By who offers and the id of the stream: it has to be theirs alone (XEP-0095 §4.2). */
  const open = new Set<string>();
  const features = [NS_STREAM_INITIATION, NS_SI_FILE_TRANSFER, ...methods.map(({ namespace }) => namespace)];
  const registration = session.respond(
    { type: 'set', name: 'si', namespace: NS_STREAM_INITIATION, feature: features },
    async ({ payload, from }) => {
      if (admits && !admits(from)) throw new StanzaReply({ condition: 'service-unavailable' });
      const { offer, sid } = readOffer(payload);
      const offered = readMethods(offer);
      const method = methods.find(({ namespace }) => offered.includes(namespace));
      if (!method) throw refusal('no-valid-streams', 'cancel');
      const key = `${from.toString()} ${sid}`;
      if (open.has(key)) throw new StanzaReply({ condition: 'conflict' });
      if (offers.isFull) throw new StanzaReply({ condition: 'resource-constraint' });
      open.add(key);
      const file = new InitiatedFile({ session, peer: from, sid, offer, method, timeoutMs });
      void file.ended.then(() => open.delete(key));
      offers.push([file]);
      return file.answer;
    },
  );
  const lost = session.on('closed', ({ error }) =>
    offers.end(error ?? new ConnectionLostError('the stream was closed while files were awaited')),
  );
  return {
    offers,
    [Symbol.dispose]: () => {
      lost[Symbol.dispose]();
      registration[Symbol.dispose]();
      offers.end();
    },
  };
}

/** @throws StanzaReply it is none, or is for something else than a file */
function readOffer(payload: Element): { offer: StreamInitiation; sid: string } {
  let offer: StreamInitiation;
  try {
    offer = StreamInitiation.decode(payload);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new StanzaReply({ condition: 'bad-request', text: error.message });
  }
  if (offer.profile !== NS_SI_FILE_TRANSFER || !offer.file) throw refusal('bad-profile', 'modify');
  if (!offer.id) throw new StanzaReply({ condition: 'bad-request', text: 'the stream has no id' });
  return { offer, sid: offer.id };
}

/** XEP-0095 §4.2. */
function refusal(condition: 'no-valid-streams' | 'bad-profile', type: 'cancel' | 'modify'): StanzaReply {
  return new StanzaReply({
    condition: 'bad-request',
    type,
    application: xml(condition, { xmlns: NS_STREAM_INITIATION }),
  });
}
