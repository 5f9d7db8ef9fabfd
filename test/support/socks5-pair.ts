/** Two parties that negotiate SOCKS5 with each other: their transport-infos travel through memory, their bytes over loopback. */
import type { Socks5TransportOptions } from '../../src/lib/bytestreams/socks5/socks5-transport.js';
import { socks5Transport } from '../../src/lib/bytestreams/socks5/socks5-transport.js';
import { JID } from '../../src/lib/jid/jid.js';
import type { Role } from '../../src/lib/jingle/stanzas.js';
import type { JingleTransport, TransportNegotiation } from '../../src/lib/jingle/transport.js';
import type { IqRequest, Session } from '../../src/lib/session/session.js';
import type { Element } from '../../src/lib/xml/element.js';

export interface Party {
  negotiation: TransportNegotiation;
  /** What it has said in transport-infos. */
  said: string[];
  /** The transport that it offered or answered with. */
  offered?: string;
  /** What was tried, in words. */
  notes: string[];
}

export interface PartyOptions extends Socks5TransportOptions {
  /** Answers what is asked of services; without it nobody answers. */
  answer?: (request: IqRequest) => Promise<Element>;
  timeoutMs?: number;
  /** Where the own stream goes to. */
  endpoint?: string;
  /** One that is shared with other negotiations; the other options are its own, then. */
  transport?: JingleTransport;
  signal?: AbortSignal;
}

export const romeo = JID.parse('romeo@montague.lit/orchard');
export const juliet = JID.parse('juliet@capulet.lit/balcony');

/** A negotiation of `self` with `peer`; `deliver` takes its transport-infos. */
export function partyOf(
  self: JID,
  peer: JID,
  role: Role,
  {
    answer,
    timeoutMs = 5000,
    signal,
    endpoint = 'xmpp://127.0.0.1:5222',
    transport,
    ...options
  }: PartyOptions,
  deliver: (info: Element) => void,
): Party {
  const said: string[] = [];
  const notes: string[] = [];
  const session = {
    jid: self,
    info: { endpoint },
    request: answer ?? (() => Promise.reject(new Error('nobody answers'))),
  } as unknown as Session;
  const negotiation = (transport ?? socks5Transport(options)).begin({
    session,
    peer,
    role,
    timeoutMs,
    ...(signal && { signal }),
    note: (fact) => notes.push(fact),
    sendInfo: (info) => {
      said.push(info.toString());
      setImmediate(() => deliver(info));
      return Promise.resolve();
    },
  });
  return { negotiation, said, notes };
}

/** Initiator and responder, with offer and answer exchanged. */
export async function exchange(
  initiatorOptions: PartyOptions = {},
  responderOptions: PartyOptions = {},
): Promise<[initiator: Party, responder: Party]> {
  const initiator: Party = partyOf(romeo, juliet, 'initiator', initiatorOptions, (info) =>
    responder.negotiation.receiveInfo(info),
  );
  const responder: Party = partyOf(juliet, romeo, 'responder', responderOptions, (info) =>
    initiator.negotiation.receiveInfo(info),
  );
  const offer = await initiator.negotiation.offer();
  const answer = await responder.negotiation.answer(offer);
  initiator.offered = offer.toString();
  responder.offered = answer.toString();
  initiator.negotiation.setAnswer(answer);
  return [initiator, responder];
}
