import { afterEach, describe, expect, it, vi } from 'vitest';
import { CallSession, type CallContext, type CallSessionEvent } from '../../../src/lib/calls/call-session.js';
import { IncomingCalls, type IncomingCall } from '../../../src/lib/calls/direct/incoming-calls.js';
import { placeCall, type PlacedCall } from '../../../src/lib/calls/direct/place-call.js';
import { isCallInfo } from '../../../src/lib/calls/stanzas/rtp.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { JingleEndpoint } from '../../../src/lib/jingle/endpoint.js';
import { NS_JINGLE } from '../../../src/lib/jingle/stanzas.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { World, type WorldStream } from '../../support/chat-world.js';
import { FakeEngine } from '../../support/fake-media.js';

const ROMEO = 'romeo@a.example/x';
const JULIET = 'juliet@b.example/y';
const NS = 'urn:xmpp:jingle-message:0';
const RTP = 'urn:xmpp:jingle:apps:rtp:1';
const ICE = 'urn:xmpp:jingle:transports:ice-udp:1';
const DTLS = 'urn:xmpp:jingle:apps:dtls:0';

describe('a call to somebody', () => {
  const open: Disposable[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) one[Symbol.dispose]();
  });

  interface Side {
    stream: WorldStream;
    engine: FakeEngine;
    context: CallContext;
    events: CallSessionEvent[];
    emit: (event: CallSessionEvent) => void;
  }

  function side(world: World, jid: string, video = false): Side {
    const stream = world.stream(jid);
    const engine = new FakeEngine();
    const events: CallSessionEvent[] = [];
    const endpoint = new JingleEndpoint(stream.session, { understands: isCallInfo });
    const context: CallContext = {
      endpoint,
      engine,
      servers: [],
      isRelayOnly: false,
      interfaces: [],
      video: { isSent: video, isReceived: video },
      timeoutMs: 1000,
    };
    return { stream, engine, context, events, emit: (event) => events.push(event) };
  }

  function call(
    { stream, context, emit }: Side,
    to = 'juliet@b.example',
    ringMs = 2000,
    signal = new AbortController().signal,
  ) {
    return placeCall({ ...context, session: stream.session, to: JID.parse(to), ringMs, signal, emit });
  }

  function waiting({ stream, context }: Side, isWanted = (): boolean => true): IncomingCalls {
    const { endpoint, timeoutMs } = context;
    const incoming = new IncomingCalls({ session: stream.session, endpoint, isWanted, timeoutMs });
    open.push(incoming);
    return incoming;
  }

  async function nextCall(incoming: IncomingCalls): Promise<IncomingCall> {
    const { value } = (await incoming.events.next()) as { value: IncomingCall };
    return value;
  }

  async function take(to: Side, incoming: IncomingCalls): Promise<CallSession> {
    const offered = await nextCall(incoming);
    await offered.ring();
    const session = CallSession.incoming(to.context, await offered.take(), 'romeo', to.emit);
    await session.accept();
    return session;
  }

  const heard =
    ({ events }: Side) =>
    () =>
      expect(events.map(({ kind }) => kind)).toContain('first-packet');
  const end = ({ events }: Side) => events.find(({ kind }) => kind === 'ended');
  const phases = ({ events }: Side): string[] =>
    events.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []));

  it.each(['juliet@b.example', JULIET])('to %s rings, is taken, and is heard on both sides', async (to) => {
    const world = new World();
    const [romeo, juliet] = [side(world, ROMEO), side(world, JULIET)];
    const incoming = waiting(juliet);
    const [placed, taken] = await Promise.all([call(romeo, to), take(juliet, incoming)]);
    await vi.waitFor(heard(romeo));
    await vi.waitFor(heard(juliet));
    expect(romeo.events[0]).toEqual({ kind: 'ringing' });
    expect(phases(romeo)).toEqual(['session', 'ice', 'dtls', 'media']);
    expect(phases(juliet)).toEqual(['session', 'ice', 'dtls', 'media']);
    await placed.hangUp();
    await vi.waitFor(() => expect(taken.isEnded).toBe(true));
    expect(end(juliet)).toMatchObject({ by: 'them', reason: { condition: 'success' } });
    expect([...romeo.engine.links, ...juliet.engine.links].every(({ isClosed }) => isClosed)).toBe(true);
  });

  it('that is taken back after it was taken is over, and one that was kept for us is none', async () => {
    const juliet = side(new World(), JULIET);
    const incoming = waiting(juliet);
    const tell = (payload: string): void =>
      juliet.stream.deliver(`<message from="${ROMEO}" to="${JULIET}" type="chat">${payload}</message>`);
    const propose = (id: string): string =>
      `<propose xmlns="${NS}" id="${id}"><description xmlns="${RTP}" media="audio"/></propose>`;
    tell(`${propose('old')}<delay xmlns="urn:xmpp:delay" stamp="2026-01-01T00:00:00Z"/>`);
    tell(propose('new'));
    const offered = await nextCall(incoming);
    expect(offered.id).toBe('new');
    const session = offered.take();
    tell(`<retract xmlns="${NS}" id="new"/>`);
    await expect(session).rejects.toThrow('the caller has hung up');
  });

  it('has pictures on the path of the sound when both can, and only sound when one cannot', async () => {
    const world = new World();
    const [romeo, juliet] = [side(world, ROMEO, true), side(world, JULIET, true)];
    const incoming = waiting(juliet);
    await Promise.all([call(romeo), take(juliet, incoming)]);
    await vi.waitFor(() =>
      expect(romeo.events.filter(({ kind }) => kind === 'first-packet')).toHaveLength(2),
    );
    expect(juliet.engine.links).toHaveLength(1);
    expect(romeo.engine.links.map(({ isClosed }) => isClosed)).toEqual([false, true]);
    const nurse = side(world, 'nurse@b.example/z');
    const atNurse = waiting(nurse);
    const again = side(world, 'romeo@a.example/again', true);
    await Promise.all([call(again, 'nurse@b.example'), take(nurse, atNurse)]);
    await vi.waitFor(heard(again));
    expect(again.engine.links.map(({ isClosed }) => isClosed)).toEqual([false, true]);
  });

  it.each(['busy', 'decline'] as const)('is over when it is answered with %s', async (why) => {
    const world = new World();
    const [romeo, juliet] = [side(world, ROMEO), side(world, JULIET)];
    const incoming = waiting(juliet);
    const placed = call(romeo).catch((error: unknown) => error);
    await (await nextCall(incoming)).reject(why);
    expect(await placed).toMatchObject({ name: 'NegativeError', exitCode: 1, details: { condition: why } });
    const direct = call(romeo, JULIET).catch((error: unknown) => error);
    await (await nextCall(incoming)).reject(why);
    expect(await direct).toMatchObject({ name: 'NegativeError', exitCode: 1, details: { condition: why } });
  });

  it('is taken back when nobody answers, and when it is interrupted', async () => {
    const world = new World();
    const [romeo, juliet] = [side(world, ROMEO), side(world, JULIET)];
    const incoming = waiting(juliet);
    const placed = call(romeo, undefined, 50).catch((error: unknown) => error);
    const offered = await nextCall(incoming);
    expect(await placed).toMatchObject({ name: 'TimeoutError', exitCode: 6 });
    await vi.waitFor(() => expect(offered.signal.aborted).toBe(true));
    const controller = new AbortController();
    const second = call(romeo, undefined, 5000, controller.signal).catch((error: unknown) => error);
    const again = await nextCall(incoming);
    controller.abort();
    expect(await second).toMatchObject({ name: 'InterruptedError' });
    await vi.waitFor(() => expect(again.signal.aborted).toBe(true));
  });

  it('says that nobody is there', async () => {
    const world = new World();
    await expect(call(side(world, ROMEO))).rejects.toMatchObject({ phase: 'session', exitCode: 22 });
    await expect(call(side(world, ROMEO), JULIET)).rejects.toMatchObject({ phase: 'session', exitCode: 22 });
  });

  it('of somebody who is not wanted gets no answer at all', async () => {
    const world = new World();
    const [romeo, juliet] = [side(world, ROMEO), side(world, JULIET)];
    waiting(juliet, () => false);
    await expect(call(romeo, undefined, 50)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(romeo.stream.received.filter((stanza) => stanza.getName() === 'message')).toEqual([]);
    await expect(call(romeo, JULIET)).rejects.toMatchObject({
      message: expect.stringContaining('service-unavailable') as string,
    });
  });

  it('becomes one call when both call at the same moment', async () => {
    const world = new World();
    const [romeo, juliet] = [side(world, ROMEO), side(world, JULIET)];
    const placed: PlacedCall[] = await Promise.all([call(romeo), call(juliet, 'romeo@a.example')]);
    await vi.waitFor(heard(romeo));
    await vi.waitFor(heard(juliet));
    expect(new Set(placed.map(({ session }) => session.sid)).size).toBe(1);
    await placed[0]?.hangUp();
  });

  it('ends with a failure in the phase that failed', async () => {
    const world = new World();
    const [romeo, juliet] = [side(world, ROMEO), side(world, JULIET)];
    const incoming = waiting(juliet);
    const [, taken] = await Promise.all([call(romeo), take(juliet, incoming)]);
    await vi.waitFor(heard(romeo));
    romeo.engine.links[0]?.fail('ice', 'no way any more');
    await vi.waitFor(() =>
      expect(end(romeo)).toMatchObject({
        by: 'us',
        failed: 'ice',
        reason: { condition: 'connectivity-error' },
      }),
    );
    await vi.waitFor(() => expect(taken.isEnded).toBe(true));
  });

  describe('with a client that does as it likes', () => {
    const digest = Array(32).fill('AB').join(':');
    const fingerprint = (setup: string): string =>
      `<fingerprint xmlns="${DTLS}" hash="sha-256" setup="${setup}">${digest}</fingerprint>`;
    const candidate = (component: number, port: number): string =>
      `<candidate component="${component}" foundation="1" generation="0" id="c${port}" ip="192.0.2.1" network="0" port="${port}" priority="1" protocol="udp" type="host"/>`;
    const opus = '<payload-type id="97" name="opus" clockrate="48000" channels="2"/>';
    const sdes = `<encryption><crypto crypto-suite="AES_CM_128_HMAC_SHA1_80" key-params="inline:AAAA" tag="1"/></encryption>`;
    const content = ({
      payload = opus,
      setup = 'actpass',
      mux = '<rtcp-mux/>',
      more = '',
      ufrag = 'abcd',
      crypto = '',
    } = {}): string =>
      `<content creator="initiator" name="audio"><description xmlns="${RTP}" media="audio">${payload}${crypto}${mux}</description><transport xmlns="${ICE}" ufrag="${ufrag}" pwd="0123456789012345678901">${setup === '' ? '' : fingerprint(setup)}${more}</transport></content>`;
    const jingle = (action: string, inner: string, sid = 's1'): Element =>
      parseXml(`<jingle xmlns="${NS_JINGLE}" action="${action}" sid="${sid}">${inner}</jingle>`);
    const isAction =
      (name: string) =>
      (stanza: Element): boolean =>
        stanza.getChild('jingle')?.attrs['action'] === name;

    async function offered(
      inner: string,
      before?: string,
    ): Promise<{ juliet: Side; romeo: WorldStream; session: CallSession }> {
      const world = new World();
      const juliet = side(world, JULIET);
      const romeo = world.stream(ROMEO);
      romeo.respond({ type: 'set', name: 'jingle', namespace: NS_JINGLE }, () => undefined);
      const incoming = waiting(juliet);
      await romeo.request({ type: 'set', to: JULIET, payload: jingle('session-initiate', inner) });
      const offer = await nextCall(incoming);
      const session = CallSession.incoming(juliet.context, await offer.take(), 'romeo', juliet.emit);
      if (before !== undefined)
        await romeo.request({ type: 'set', to: JULIET, payload: jingle('transport-info', before) });
      await session.accept();
      return { juliet, romeo, session };
    }

    it('prefers DTLS where SDES is on offer, too, and takes its payload types', async () => {
      const { romeo, juliet } = await offered(content({ crypto: sdes }));
      const accept = await romeo.next(isAction('session-accept'), 'an answer');
      const text = accept.toString();
      expect(text).toContain('setup="active"');
      expect(text).toContain('id="97"');
      expect(text).not.toContain('crypto');
      expect(juliet.engine.links[0]?.remote?.setup).toBe('actpass');
      expect(juliet.engine.links[0]?.plans[0]).toMatchObject({ send: { name: 'opus', payloadType: 97 } });
    });

    it.each([
      ['only SDES', content({ setup: '', crypto: sdes }), 'security-error'],
      [
        'no codec in common',
        content({ payload: '<payload-type id="0" name="PCMU" clockrate="8000"/>' }),
        'failed-application',
      ],
      ['two ports', content({ mux: '' }), 'incompatible-parameters'],
    ])('refuses %s with the reason', async (_what, inner, condition) => {
      const { romeo, juliet } = await offered(inner);
      const terminate = await romeo.next(isAction('session-terminate'), 'a refusal');
      expect(terminate.getChild('jingle')?.getChild('reason')?.getChild(condition)).toBeDefined();
      expect(end(juliet)).toMatchObject({ by: 'us' });
    });

    it('takes candidates that come before the answer, and none of component 2', async () => {
      const transport = `<content creator="initiator" name="audio"><transport xmlns="${ICE}" ufrag="abcd" pwd="0123456789012345678901">${candidate(1, 7000)}${candidate(2, 7001)}</transport></content>`;
      const { juliet } = await offered(content({ more: candidate(1, 6000) + candidate(2, 6001) }), transport);
      expect(juliet.engine.links[0]?.candidates.map(({ port }) => port)).toEqual([6000, 7000]);
    });

    it('answers a restart of ICE with new credentials, and keeps the certificate', async () => {
      const { juliet, romeo } = await offered(content());
      await romeo.next(isAction('session-accept'), 'an answer');
      const restart = content({ ufrag: 'efgh', more: candidate(1, 8000), setup: '' });
      await romeo.request({ type: 'set', to: JULIET, payload: jingle('transport-info', restart) });
      const [link] = juliet.engine.links;
      await vi.waitFor(() => expect(link?.remote?.credentials.ufrag).toBe('efgh'));
      expect(link?.restarts).toBe(1);
      expect(link?.remote?.fingerprints).toEqual([{ hash: 'sha-256', value: digest }]);
      expect(link?.candidates.map(({ port }) => port)).toEqual([8000]);
      const ours = await romeo.next(
        (stanza) => isAction('transport-info')(stanza) && stanza.toString().includes('fingerprint'),
        'new credentials',
      );
      const { ufrag } = ours.getChild('jingle')?.getChild('content')?.getChild('transport')?.attrs as {
        ufrag: string;
      };
      expect(ufrag).not.toBe(link?.local.credentials.ufrag);
    });

    it('survives nonsense in the middle of a call, and takes nothing new into it', async () => {
      const { juliet, romeo, session } = await offered(content());
      await romeo.next(isAction('session-accept'), 'an answer');
      const send = (action: string, inner: string): Promise<Element> =>
        romeo.request({ type: 'set', to: JULIET, payload: jingle(action, inner) });
      await send(
        'transport-info',
        `<content creator="initiator" name="audio"><transport xmlns="urn:x"/></content>`,
      );
      await send('session-info', '<mute xmlns="urn:xmpp:jingle:apps:rtp:info:1" name="audio"/>');
      await expect(send('session-info', '<x xmlns="urn:unknown"/>')).rejects.toMatchObject({
        condition: 'feature-not-implemented',
      });
      await send('content-add', content().replace('name="audio"', 'name="second"'));
      const rejection = await romeo.next(isAction('content-reject'), 'a rejection');
      expect(rejection.toString()).toContain('failed-application');
      expect(session.isQuiet).toBe(true);
      expect(end(juliet)).toBeUndefined();
      await send('content-remove', '<content creator="initiator" name="audio"/>');
      await romeo.next(isAction('session-terminate'), 'the end');
    });

    it('notices that its session is answered with what nobody can use', async () => {
      const world = new World();
      const romeo = side(world, ROMEO);
      const juliet = world.stream(JULIET);
      juliet.respond({ type: 'set', name: 'jingle', namespace: NS_JINGLE }, () => undefined);
      const placed = call(romeo, JULIET).catch((error: unknown) => error);
      const initiate = await juliet.next(isAction('session-initiate'), 'an offer');
      expect(initiate.toString()).toContain('setup="actpass"');
      const sid = String(initiate.getChild('jingle')?.attrs['sid']);
      const answer = jingle('session-accept', content({ setup: 'actpass', payload: opus }), sid);
      await juliet.request({ type: 'set', to: ROMEO, payload: answer });
      const terminate = await juliet.next(isAction('session-terminate'), 'the end');
      expect(terminate.toString()).toContain('nobody begins DTLS');
      await placed;
      expect(end(romeo)).toMatchObject({ failed: 'dtls' });
    });

    it('sends what Dino expects: an announcement without payload types, then the session under its id', async () => {
      const world = new World();
      const romeo = side(world, ROMEO);
      const dino = world.stream('juliet@b.example/dino.1234');
      dino.respond({ type: 'set', name: 'jingle', namespace: NS_JINGLE }, () => undefined);
      const placed = call(romeo).catch((error: unknown) => error);
      const message = await dino.next((stanza) => stanza.getName() === 'message', 'an announcement');
      const propose = message.getChild('propose', NS);
      const id = String(propose?.attrs['id']);
      expect(propose?.toString()).toBe(
        `<propose xmlns="${NS}" id="${id}"><description xmlns="${RTP}" media="audio"/></propose>`,
      );
      dino.say(
        `<message to="${ROMEO}" type="chat"><proceed xmlns="${NS}" id="${id}"><device xmlns="http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification" id="1"/></proceed></message>`,
      );
      const initiate = await dino.next(isAction('session-initiate'), 'an offer');
      expect(initiate.getChild('jingle')?.attrs['sid']).toBe(id);
      const end = jingle('session-terminate', '<reason><decline/></reason>', id);
      await dino.request({ type: 'set', to: ROMEO, payload: end });
      expect(await placed).toMatchObject({ name: 'NegativeError' });
    });
  });
});
