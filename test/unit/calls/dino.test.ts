/** What Dino 0.4.2 sends, word for word, and what it must be answered. */
import { describe, expect, it, vi } from 'vitest';
import { CallSession, type CallContext, type CallSessionEvent } from '../../../src/lib/calls/call-session.js';
import { isCallInfo } from '../../../src/lib/calls/stanzas/rtp.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { JingleEndpoint } from '../../../src/lib/jingle/endpoint.js';
import type { JingleSession } from '../../../src/lib/jingle/jingle-session.js';
import { NS_JINGLE } from '../../../src/lib/jingle/stanzas.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { World, type WorldStream } from '../../support/chat-world.js';
import { FakeEngine, type FakeLink } from '../../support/fake-media.js';

const US = 'romeo@a.example/x';
const DINO = 'juliet@b.example/dino.1234';
const RTP = 'urn:xmpp:jingle:apps:rtp:1';
const FEEDBACK = 'urn:xmpp:jingle:apps:rtp:rtcp-fb:0';
const digest = Array(32).fill('0D').join(':');

const transport = (setup: string, ufrag = 'm/8p'): string =>
  `<transport ufrag="${ufrag}" pwd="Yv6+kxnrCW/laSVqryvB0I" xmlns="urn:xmpp:jingle:transports:ice-udp:1"><fingerprint hash="sha-256" xmlns="urn:xmpp:jingle:apps:dtls:0" setup="${setup}">${digest}</fingerprint><candidate priority="2015363327" generation="0" ip="192.0.2.2" component="1" type="host" foundation="1" protocol="udp" port="44252" network="0" id="1"/><candidate priority="2015363326" generation="0" ip="192.0.2.2" component="2" type="host" foundation="1" protocol="udp" port="49526" network="0" id="2"/></transport>`;
const crypto = `<encryption><crypto tag="1" crypto-suite="AES_CM_128_HMAC_SHA1_80" key-params="inline:${'A'.repeat(40)}"/></encryption>`;
const opus = `<payload-type channels="2" clockrate="48000" name="opus" id="111"><parameter name="useinbandfec" value="1"/></payload-type>`;
const vp8 = `<payload-type clockrate="90000" name="VP8" id="98"><rtcp-fb xmlns="${FEEDBACK}" type="goog-remb"/><rtcp-fb subtype="fir" type="ccm" xmlns="${FEEDBACK}"/><rtcp-fb xmlns="${FEEDBACK}" type="nack"/><rtcp-fb subtype="pli" type="nack" xmlns="${FEEDBACK}"/></payload-type>`;
const orientation =
  '<rtp-hdrext id="1" xmlns="urn:xmpp:jingle:apps:rtp:rtp-hdrext:0" uri="urn:3gpp:video-orientation"/>';
const sound = (setup: string): string =>
  `<content senders="both" name="audio" creator="initiator"><description xmlns="${RTP}" media="audio">${opus}${crypto}<rtcp-mux/></description>${transport(setup)}</content>`;
const pictures = (senders: string): string =>
  `<content senders="${senders}" name="video" creator="initiator"><description xmlns="${RTP}" media="video">${vp8}${orientation}${crypto}<rtcp-mux/></description>${transport('actpass', 'v1/p')}</content>`;

interface Talk {
  engine: FakeEngine;
  session: CallSession;
  events: CallSessionEvent[];
  dino: WorldStream;
  /** From Dino, acknowledged. */
  say: (action: string, inner: string) => Promise<Element>;
}

function contextOf(stream: WorldStream, engine: FakeEngine, video: CallContext['video']): CallContext {
  const endpoint = new JingleEndpoint(stream.session, { understands: isCallInfo });
  return { endpoint, engine, servers: [], isRelayOnly: false, interfaces: [], video, timeoutMs: 1000 };
}

const isAction =
  (name: string) =>
  (stanza: Element): boolean =>
    stanza.getChild('jingle')?.attrs['action'] === name;

function open(): { world: World; stream: WorldStream; dino: WorldStream; engine: FakeEngine } {
  const world = new World();
  const dino = world.stream(DINO);
  dino.respond({ type: 'set', name: 'jingle', namespace: NS_JINGLE }, () => undefined);
  return { world, stream: world.stream(US), dino, engine: new FakeEngine() };
}

function sayAs(dino: WorldStream, sid: () => string): Talk['say'] {
  return (action, inner) =>
    dino.request({
      type: 'set',
      to: US,
      payload: parseXml(`<jingle action="${action}" sid="${sid()}" xmlns="${NS_JINGLE}">${inner}</jingle>`),
    });
}

/** It has called us. */
async function calledBy(
  video = { isSent: false, isReceived: true },
  inner = sound('actpass'),
): Promise<Talk> {
  const { stream, dino, engine } = open();
  const events: CallSessionEvent[] = [];
  const context = contextOf(stream, engine, video);
  const offers = context.endpoint.incoming({ application: RTP });
  const say = sayAs(dino, () => 'a5cf6d84');
  await say('session-initiate', inner);
  const { value: jingle } = (await offers.next()) as { value: JingleSession };
  const session = CallSession.incoming(context, jingle, 'juliet', (event) => events.push(event));
  await session.accept();
  await dino.next(isAction('session-accept'), 'an answer');
  return { engine, session, events, dino, say };
}

/** We have called it. */
async function called(video = { isSent: false, isReceived: true }): Promise<Talk> {
  const { stream, dino, engine } = open();
  const events: CallSessionEvent[] = [];
  const codec = {
    name: 'opus',
    payloadType: 111,
    clockRate: 48_000,
    channels: 2,
    parameters: {},
    feedback: [],
  };
  const session = await CallSession.offer(
    contextOf(stream, engine, video),
    { peer: JID.parse(DINO), name: 'juliet' },
    [{ name: 'audio', kind: 'audio', codecs: [codec] }],
    (event) => events.push(event),
  );
  const say = sayAs(dino, () => session.sid);
  await say('session-accept', sound('active'));
  await vi.waitFor(() => expect(session.isAccepted).toBe(true));
  return { engine, session, events, dino, say };
}

const lastLink = ({ engine }: Talk): FakeLink | undefined => engine.links.at(-1);

describe('Dino', () => {
  it.each([
    ['has called us', calledBy, 'initiator'],
    ['was called, and says that the initiator has made it', called, 'responder'],
  ])('turns its camera on when it %s', async (_when, begin, senders) => {
    const talk = await begin();
    await talk.say('content-add', pictures(senders));
    const accept = await talk.dino.next(isAction('content-accept'), 'an answer');
    const content = accept.getChild('jingle')?.getChild('content');
    // It finds the content by its name, and takes the first payload type.
    expect(content?.attrs).toMatchObject({ creator: 'initiator', name: 'video', senders });
    expect(content?.getChild('description')?.getChild('payload-type')?.attrs).toMatchObject({ id: '98' });
    expect(content?.toString()).toContain('<rtcp-mux/>');
    expect(content?.toString()).toContain('setup="active"');
    expect(content?.toString()).not.toContain('crypto');
    expect(talk.engine.links).toHaveLength(2);
    await vi.waitFor(() => expect(lastLink(talk)?.remote?.credentials.ufrag).toBe('v1/p'));
    expect(lastLink(talk)?.candidates.map(({ port }) => port)).toEqual([44252]);
    const [plan] = lastLink(talk)?.plans ?? [];
    expect([plan?.kind, plan?.send, plan?.receive.length]).toEqual(['video', undefined, 1]);
    // Candidates that follow go to that path.
    const more = `<transport xmlns="urn:xmpp:jingle:transports:ice-udp:1" ufrag="v1/p" pwd="Yv6+kxnrCW/laSVqryvB0I"><candidate priority="1" generation="0" ip="192.0.2.9" component="1" type="host" foundation="3" protocol="udp" port="7000" network="0" id="3"/></transport>`;
    await talk.say('transport-info', `<content creator="initiator" name="video">${more}</content>`);
    await vi.waitFor(() => expect(lastLink(talk)?.candidates.map(({ port }) => port)).toEqual([44252, 7000]));
    expect(talk.session.isEnded).toBe(false);
  });

  it('is told no when nobody wants its pictures, and the call goes on', async () => {
    const talk = await calledBy({ isSent: false, isReceived: false });
    await talk.say('content-add', pictures('initiator'));
    await talk.dino.next(isAction('content-reject'), 'a refusal');
    expect(talk.engine.links).toHaveLength(1);
    expect(talk.session.isEnded).toBe(false);
  });

  it('cannot make us send pictures that we do not have, and is sent those that we have', async () => {
    const without = await calledBy();
    await without.say('content-add', pictures('both'));
    const accept = await without.dino.next(isAction('content-accept'), 'an answer');
    expect(accept.getChild('jingle')?.getChild('content')?.attrs['senders']).toBe('initiator');
    const having = await calledBy({ isSent: true, isReceived: true });
    await having.say('content-add', pictures('both'));
    await having.dino.next(isAction('content-accept'), 'an answer');
    await vi.waitFor(() => expect(lastLink(having)?.plans[0]?.send?.name).toBe('VP8'));
  });

  it('turns its camera on where pictures went the other way only, by a change of the senders', async () => {
    const talk = await calledBy({ isSent: true, isReceived: true }, sound('actpass') + pictures('responder'));
    expect(lastLink(talk)?.plans[0]).toMatchObject({ send: { payloadType: 98 }, receive: [] });
    await talk.say('content-modify', '<content creator="initiator" name="video" senders="both"/>');
    await vi.waitFor(() => expect(lastLink(talk)?.plans[0]?.receive).toHaveLength(1));
    expect(lastLink(talk)?.plans[0]?.send?.payloadType).toBe(98);
    await talk.say('content-modify', '<content creator="initiator" name="video" senders="initiator"/>');
    await vi.waitFor(() => expect(lastLink(talk)?.plans[0]?.send).toBeUndefined());
  });

  it('loses its pictures, and not the call, when no path is found for them', async () => {
    const talk = await calledBy();
    await talk.say('content-add', pictures('initiator'));
    await talk.dino.next(isAction('content-accept'), 'an answer');
    await vi.waitFor(() => expect(lastLink(talk)?.remote).toBeDefined());
    lastLink(talk)?.fail('ice', 'no path');
    const removal = await talk.dino.next(isAction('content-remove'), 'a removal');
    expect(removal.toString()).toContain('connectivity-error');
    expect(talk.session.isEnded).toBe(false);
    // Its end is still understood.
    await talk.say('session-terminate', '<reason><success/></reason>');
    await vi.waitFor(() => expect(talk.session.isEnded).toBe(true));
    expect(talk.events.at(-1)).toMatchObject({ kind: 'ended', by: 'them', reason: { condition: 'success' } });
  });

  it('adds the same twice, or sound beside the sound, and is refused', async () => {
    const talk = await calledBy();
    await expect(talk.say('content-add', sound('actpass'))).rejects.toMatchObject({
      condition: 'bad-request',
    });
    await talk.say('content-add', sound('actpass').replace('name="audio"', 'name="second"'));
    await talk.dino.next(isAction('content-reject'), 'a refusal');
    await talk.say('content-add', pictures('initiator'));
    await talk.dino.next(isAction('content-accept'), 'an answer');
    await expect(talk.say('content-add', pictures('initiator'))).rejects.toMatchObject({
      condition: 'bad-request',
    });
  });
});

describe('who bundles', () => {
  it('adds pictures to the path of the sound', async () => {
    const talk = await calledBy();
    const group = `<group xmlns="urn:xmpp:jingle:apps:grouping:0" semantics="BUNDLE"><content name="audio"/><content name="video"/></group>`;
    await talk.say('content-add', pictures('initiator') + group);
    const accept = await talk.dino.next(isAction('content-accept'), 'an answer');
    expect(accept.getChild('jingle')?.getChild('group')?.getChildren('content')).toHaveLength(2);
    expect(talk.engine.links).toHaveLength(1);
    await vi.waitFor(() => expect(lastLink(talk)?.plans.map(({ kind }) => kind)).toEqual(['audio', 'video']));
  });
});
