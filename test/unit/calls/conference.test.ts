import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CallContext } from '../../../src/lib/calls/call-session.js';
import {
  Conference,
  type ConferenceEvent,
  type ConferenceOptions,
} from '../../../src/lib/calls/muji/conference.js';
import type { Participant } from '../../../src/lib/calls/muji/participant.js';
import { NS_MUJI } from '../../../src/lib/calls/stanzas/muji.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { JingleEndpoint } from '../../../src/lib/jingle/endpoint.js';
import { NS_JINGLE } from '../../../src/lib/jingle/stanzas.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { within } from '../../../src/lib/session/wait.js';
import { World, type RoomRules, type WorldStream } from '../../support/chat-world.js';
import { FakeEngine } from '../../support/fake-media.js';

const ROOM = 'call@chat.example';
const RTP = 'urn:xmpp:jingle:apps:rtp:1';
const ICE = 'urn:xmpp:jingle:transports:ice-udp:1';
const DTLS = 'urn:xmpp:jingle:apps:dtls:0';
const opus = `<payload-type xmlns="${RTP}" id="111" name="opus" clockrate="48000" channels="2"><parameter name="useinbandfec" value="1"/></payload-type>`;
const fingerprint = (setup: string): string =>
  `<fingerprint xmlns="${DTLS}" hash="sha-256" setup="${setup}">${Array(32).fill('AB').join(':')}</fingerprint>`;
const content = (payload = opus, setup = 'actpass'): string =>
  `<content xmlns="${NS_JINGLE}" creator="initiator" name="audio"><description xmlns="${RTP}" media="audio">${payload}<rtcp-mux/></description><transport xmlns="${ICE}" ufrag="abcd" pwd="0123456789012345678901">${fingerprint(setup)}</transport></content>`;

describe('a call in a room', () => {
  const joined: Conference[] = [];
  afterEach(async () => {
    await Promise.all(joined.splice(0).map((conference) => conference.leave()));
  });

  interface Party {
    stream: WorldStream;
    engine: FakeEngine;
    conference: Conference;
    events: ConferenceEvent[];
    until: (name: string, fits: (participants: readonly Participant[]) => boolean) => Promise<void>;
  }

  function optionsOf(stream: WorldStream, nick: string, engine: FakeEngine): ConferenceOptions {
    const call: CallContext = {
      endpoint: new JingleEndpoint(stream.session),
      engine,
      servers: [],
      isRelayOnly: false,
      interfaces: [],
      video: { isSent: false, isReceived: false },
      timeoutMs: 2000,
    };
    return {
      ...call,
      session: stream.session,
      room: { room: JID.parse(ROOM), nick },
      prepareMs: 150,
      signal: new AbortController().signal,
    };
  }

  async function join(world: World, nick: string, changed: Partial<ConferenceOptions> = {}): Promise<Party> {
    const stream = world.stream(`${nick}@a.example/x`);
    const engine = new FakeEngine();
    const conference = await Conference.join({ ...optionsOf(stream, nick, engine), ...changed });
    joined.push(conference);
    const events: ConferenceEvent[] = [];
    let wake = (): void => undefined;
    void (async () => {
      for await (const event of conference.events) {
        events.push(event);
        wake();
      }
      wake();
    })();
    const until = async (
      name: string,
      fits: (participants: readonly Participant[]) => boolean,
    ): Promise<void> => {
      while (!fits(conference.participants()))
        await within(new Promise<void>((resolve) => (wake = resolve)), {
          doing: `${name}: ${JSON.stringify(conference.participants().map(({ nick: who, state, failure }) => [who, state, failure]))}`,
          timeoutMs: 5000,
        });
    };
    return { stream, engine, conference, events, until };
  }

  const connected =
    (...nicks: string[]) =>
    (participants: readonly Participant[]): boolean =>
      nicks.every((nick) => participants.some((one) => one.nick === nick && one.state === 'connected'));
  const stateOf = ({ conference }: Party, nick: string): string | undefined =>
    conference.participants().find((one) => one.nick === nick)?.state;

  function worldWithRoom(rules?: RoomRules): World {
    const world = new World();
    world.room(ROOM, rules);
    return world;
  }

  const presence = (nick: string, inner: string): string =>
    `<presence to="${ROOM}/${nick}"><x xmlns="http://jabber.org/protocol/muc"/>${inner}</presence>`;
  const muji = (inner: string): string => `<muji xmlns="${NS_MUJI}">${inner}</muji>`;
  const announced = (payload = opus): string =>
    muji(
      `<content xmlns="${NS_JINGLE}" name="audio"><description xmlns="${RTP}" media="audio">${payload}</description></content>`,
    );
  const actions = (stream: WorldStream): string[] =>
    stream.received
      .map((stanza) => String(stanza.getChild('jingle')?.attrs['action']))
      .filter((name) => name !== 'undefined');
  const isAction =
    (name: string) =>
    (stanza: Element): boolean =>
      stanza.getChild('jingle')?.attrs['action'] === name;

  it('connects each with each, and whoever comes calls those who are there', async () => {
    const world = worldWithRoom();
    const a = await join(world, 'a');
    const b = await join(world, 'b');
    const c = await join(world, 'c');
    await Promise.all([
      a.until('a', connected('b', 'c')),
      b.until('b', connected('a', 'c')),
      c.until('c', connected('a', 'b')),
    ]);
    expect(actions(a.stream).filter((name) => name === 'session-initiate')).toHaveLength(2);
    expect(actions(b.stream).filter((name) => name === 'session-initiate')).toHaveLength(1);
    expect(actions(c.stream)).not.toContain('session-initiate');
    const initiate = await a.stream.next(isAction('session-initiate'), 'an offer');
    expect(initiate.getChild('jingle')?.getChild('muji', NS_MUJI)?.attrs['room']).toBe(ROOM);
  });

  it('connects those who come at the same moment', async () => {
    const world = worldWithRoom();
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((nick) => join(world, nick)));
    await Promise.all(
      all.map(async (party) => {
        const others = ['a', 'b', 'c', 'd'].filter((nick) => nick !== party.conference.nick);
        await party.until(party.conference.nick, connected(...others));
      }),
    );
    const offers = all.flatMap(({ stream }) => actions(stream)).filter((name) => name === 'session-initiate');
    expect(offers).toHaveLength(6);
  });

  it('does not wait for ever for somebody who prepares for ever', async () => {
    const world = worldWithRoom();
    const lazy = world.stream('lazy@a.example/x');
    lazy.say(presence('lazy', muji('<preparing/>')));
    const a = await join(world, 'a');
    const b = await join(world, 'b');
    await a.until('a', connected('b'));
    expect(b.events).toContainEqual({
      kind: 'warning',
      text: 'lazy has not finished preparing in 0.15 s, and is not waited for any longer',
    });
    expect(stateOf(a, 'lazy')).toBe('preparing');
  });

  it('goes on without somebody who has no codec in common, and does not begin with nobody else', async () => {
    const world = worldWithRoom();
    const alien = world.stream('alien@a.example/x');
    alien.say(presence('alien', announced('<payload-type id="97" name="speex" clockrate="8000"/>')));
    await expect(join(world, 'a')).rejects.toMatchObject({ name: 'CallError', phase: 'muji', exitCode: 21 });
    const friend = world.stream('friend@a.example/x');
    friend.say(presence('friend', announced()));
    const a = await join(world, 'b');
    expect(stateOf(a, 'alien')).toBe('failed');
    expect(a.conference.participants().find(({ nick }) => nick === 'alien')?.failure).toEqual({
      phase: 'muji',
      reason: 'no codec in common',
    });
    await friend.next(isAction('session-initiate'), 'an offer');
  });

  it('keeps the payload types of those who were there, and says who has others', async () => {
    const world = worldWithRoom();
    const other = opus.replace('111', '100');
    for (const nick of ['one', 'two'])
      world.stream(`${nick}@a.example/x`).say(presence(nick, announced(other)));
    const liar = world.stream('liar@a.example/x');
    liar.say(presence('liar', announced(opus.replaceAll('111', '99'))));
    const a = await join(world, 'a');
    expect(a.conference.contents[0]?.codecs[0]?.payloadType).toBe(100);
    await vi.waitFor(() => expect(a.events.some(({ kind }) => kind === 'warning')).toBe(true));
    expect(a.events).toContainEqual({
      kind: 'warning',
      text: 'liar has other payload types for audio than the others in the room',
    });
    // What counts in a session is what is negotiated there.
    const initiate = await liar.next(isAction('session-initiate'), 'an offer');
    expect(String(initiate)).toContain('id="100"');
  });

  it('refuses sessions of somebody who is not in the room, and of somebody who says another room', async () => {
    const world = worldWithRoom();
    await join(world, 'a');
    const stranger = world.stream('stranger@a.example/x');
    const offer = (room: string): Element =>
      parseXml(
        `<jingle xmlns="${NS_JINGLE}" action="session-initiate" sid="s1" initiator="stranger@a.example/x"><muji xmlns="${NS_MUJI}" room="${room}"/>${content()}</jingle>`,
      );
    const ask = (room: string): Promise<Element> =>
      stranger.request({ type: 'set', to: 'a@a.example/x', payload: offer(room) });
    await expect(ask(ROOM)).rejects.toMatchObject({ condition: 'service-unavailable' });
    stranger.say(presence('stranger', announced()));
    await stranger.next((stanza) => String(stanza).includes('code="110"'), 'being in the room');
    await expect(ask('another@chat.example')).rejects.toMatchObject({ condition: 'service-unavailable' });
    await ask(ROOM);
    await stranger.next(isAction('session-accept'), 'an answer');
  });

  it('ends the session with somebody who leaves, in the middle of negotiating too', async () => {
    const world = worldWithRoom();
    const silent = world.stream('silent@a.example/x');
    silent.respond({ type: 'set', name: 'jingle', namespace: NS_JINGLE }, () => undefined);
    silent.say(presence('silent', announced()));
    const a = await join(world, 'a');
    await silent.next(isAction('session-initiate'), 'an offer');
    expect(stateOf(a, 'silent')).toBe('calling');
    world.drop(silent);
    await a.until('a', (participants) => participants[0]?.state === 'left');
    await vi.waitFor(() => expect(a.engine.links.every(({ isClosed }) => isClosed)).toBe(true));
  });

  it('tells why somebody could not be connected', async () => {
    const world = worldWithRoom();
    const peer = world.stream('peer@a.example/x');
    peer.respond({ type: 'set', name: 'jingle', namespace: NS_JINGLE }, () => undefined);
    peer.say(presence('peer', announced()));
    const a = await join(world, 'a');
    const initiate = await peer.next(isAction('session-initiate'), 'an offer');
    const sid = String(initiate.getChild('jingle')?.attrs['sid']);
    // Only SDES in the answer.
    const answer = content(opus, 'active').replace(/<fingerprint.*<\/fingerprint>/, '');
    await peer.request({
      type: 'set',
      to: 'a@a.example/x',
      payload: parseXml(
        `<jingle xmlns="${NS_JINGLE}" action="session-accept" sid="${sid}">${answer}</jingle>`,
      ),
    });
    await a.until('a', (participants) => participants[0]?.state === 'failed');
    expect(a.conference.participants()[0]?.failure).toEqual({
      phase: 'dtls',
      reason: 'security-error: no fingerprint for DTLS-SRTP is on offer',
    });
    const end = await peer.next(isAction('session-terminate'), 'the end');
    expect(String(end)).toContain('<security-error/>');
  });

  it('says that a room hides real addresses', async () => {
    const world = worldWithRoom({ isAnonymous: true });
    await expect(join(world, 'a')).rejects.toThrow('hides the real addresses');
  });

  it.each([
    ['service-unavailable', 'full'],
    ['registration-required', 'members only'],
    ['not-authorized', 'password'],
  ])('says why a room refuses: %s', async (condition, hint) => {
    const world = worldWithRoom({ refuses: condition });
    await expect(join(world, 'a')).rejects.toMatchObject({
      phase: 'room',
      exitCode: 20,
      hint: expect.stringContaining(hint) as string,
    });
  });

  it('leaves the room first, and the sessions then', async () => {
    const world = worldWithRoom();
    const a = await join(world, 'a');
    const b = await join(world, 'b');
    await a.until('a', connected('b'));
    await b.until('b', connected('a'));
    a.stream.received.length = 0;
    await b.conference.leave();
    const kinds = a.stream.received
      .filter((stanza) => stanza.attrs['type'] === 'unavailable' || isAction('session-terminate')(stanza))
      .map((stanza) => stanza.getName());
    expect(kinds[0]).toBe('presence');
    await a.until('a', (participants) => participants[0]?.state === 'left');
  });

  it('lets the lower session id stand when both offer at once', async () => {
    const world = worldWithRoom();
    const peer = world.stream('peer@a.example/x');
    peer.respond({ type: 'set', name: 'jingle', namespace: NS_JINGLE }, () => undefined);
    peer.say(presence('peer', announced()));
    await join(world, 'a');
    await peer.next(isAction('session-initiate'), 'an offer');
    const offer = (sid: string): Promise<Element> =>
      peer.request({
        type: 'set',
        to: 'a@a.example/x',
        payload: parseXml(
          `<jingle xmlns="${NS_JINGLE}" action="session-initiate" sid="${sid}"><muji xmlns="${NS_MUJI}" room="${ROOM}"/>${content()}</jingle>`,
        ),
      });
    await expect(offer('zzz')).rejects.toMatchObject({
      condition: 'conflict',
      application: { name: 'tie-break' },
    });
    await offer('!');
    await peer.next(isAction('session-accept'), 'an answer');
    const end = await peer.next(isAction('session-terminate'), 'the end of the other');
    expect(String(end)).toContain('alternative-session');
  });
});
