import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  InBandParameters,
  inBandTransport,
  type InBandTransportOptions,
} from '../../../../src/lib/bytestreams/in-band/in-band-transport.js';
import { NS_IN_BAND, Open } from '../../../../src/lib/bytestreams/in-band/stanzas.js';
import { TimeoutError } from '../../../../src/lib/errors.js';
import type { Role } from '../../../../src/lib/jingle/stanzas.js';
import { TransportFailedError, type TransportNegotiation } from '../../../../src/lib/jingle/transport.js';
import type { Session } from '../../../../src/lib/session/session.js';
import { xml } from '../../../../src/lib/xml/element.js';
import { MemoryNetwork, type MemorySession } from '../../../support/memory-network.js';

function begin(
  session: MemorySession,
  peer: MemorySession,
  role: Role,
  options: InBandTransportOptions = {},
  timeoutMs = 2000,
): TransportNegotiation {
  return inBandTransport(options).begin({
    session: session as unknown as Session,
    peer: peer.jid,
    role,
    timeoutMs,
    sendInfo: () => Promise.reject(new Error('in-band has nothing to add')),
  });
}

function connectBoth(): [MemorySession, MemorySession] {
  const network = new MemoryNetwork();
  return [
    network.connect('romeo@montague.example/orchard'),
    network.connect('juliet@capulet.example/balcony'),
  ];
}

const opensOf = (session: MemorySession): Open[] =>
  session.received.flatMap((stanza) => {
    const open = stanza.getChild('open', NS_IN_BAND);
    return open ? [Open.decode(open)] : [];
  });

describe('the in-band transport', () => {
  it('says what it is', () => {
    expect(inBandTransport()).toMatchObject({
      namespace: 'urn:xmpp:jingle:transports:ibb:1',
      features: ['urn:xmpp:jingle:transports:ibb:1', 'http://jabber.org/protocol/ibb'],
    });
  });

  it.each([
    ['session-initiate', 'initiator'],
    ['a transport-replace of the responder', 'responder'],
  ] as const)('is opened by the initiator, after %s', async (_, offeredBy) => {
    const [romeo, juliet] = connectBoth();
    const ours = begin(romeo, juliet, 'initiator');
    const theirs = begin(juliet, romeo, 'responder', { blockSize: 2048 });
    const [first, second] = offeredBy === 'initiator' ? [ours, theirs] : [theirs, ours];
    const offer = await first.offer();
    first.setAnswer(await second.answer(offer));
    expect(second.sid).toBe(first.sid);
    const [there, here] = await Promise.all([ours.connect(), theirs.connect()]);
    expect(opensOf(romeo)).toEqual([]);
    expect(opensOf(juliet)).toEqual([{ blockSize: 2048, sid: ours.sid, stanza: 'iq' }]);
    ours.abandon();
    theirs.abandon();
    there.stream.end('after abandoning');
    expect(await text(here.stream)).toBe('after abandoning');
    expect(there.method).toBe('in-band');
  });

  it('agrees on the smaller block, whichever side wants it', async () => {
    const [romeo, juliet] = connectBoth();
    const ours = begin(romeo, juliet, 'initiator', { blockSize: 1000 });
    const theirs = begin(juliet, romeo, 'responder', { blockSize: 9000 });
    const answer = await theirs.answer(await ours.offer());
    expect(InBandParameters.decode(answer).blockSize).toBe(1000);
    // A peer that answers with more than was offered gets no more than that.
    ours.setAnswer(InBandParameters.encode({ blockSize: 65_535, sid: ours.sid }));
    await Promise.all([ours.connect(), theirs.connect()]);
    expect(opensOf(juliet)[0]?.blockSize).toBe(1000);
  });

  it('takes messages where the other party wants them', async () => {
    const [romeo, juliet] = connectBoth();
    const ours = begin(romeo, juliet, 'initiator', { stanza: 'message' });
    const theirs = begin(juliet, romeo, 'responder');
    ours.setAnswer(await theirs.answer(await ours.offer()));
    const [there, here] = await Promise.all([ours.connect(), theirs.connect()]);
    there.stream.end('in a message');
    expect(await text(here.stream)).toBe('in a message');
    expect(juliet.received.some(({ name }) => name === 'message')).toBe(true);
  });

  it('fails where the other party does not open, or does not want it', async () => {
    const [romeo, juliet] = connectBoth();
    const waiting = begin(juliet, romeo, 'responder', {}, 20);
    await waiting.answer(InBandParameters.encode({ blockSize: 4096, sid: 'a' }));
    await expect(waiting.connect()).rejects.toThrow(TimeoutError);
    const unwanted = begin(romeo, juliet, 'initiator');
    await unwanted.offer();
    await expect(unwanted.connect()).rejects.toThrow(TransportFailedError);
    await expect(unwanted.answer(xml('transport', { xmlns: unwanted.namespace }))).rejects.toThrow(
      TransportFailedError,
    );
  });

  it('is not opened any more once it was abandoned', async () => {
    const [romeo, juliet] = connectBoth();
    const theirs = begin(juliet, romeo, 'responder');
    const ours = begin(romeo, juliet, 'initiator');
    ours.setAnswer(await theirs.answer(await ours.offer()));
    theirs.abandon();
    await expect(ours.connect()).rejects.toThrow('not-acceptable');
  });

  it('closes what was opened and then abandoned before anybody asked for it', async () => {
    const [romeo, juliet] = connectBoth();
    const theirs = begin(juliet, romeo, 'responder');
    const ours = begin(romeo, juliet, 'initiator');
    ours.setAnswer(await theirs.answer(await ours.offer()));
    const { stream } = await ours.connect();
    theirs.abandon();
    stream.resume();
    await once(stream, 'end');
  });
});
