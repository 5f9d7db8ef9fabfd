import { describe, expect, it } from 'vitest';
import { ConnectionLostError, StanzaError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { JingleEndpoint, shareEndpoint, type IncomingOptions } from '../../../src/lib/jingle/endpoint.js';
import { isTieBreak, type JingleSession } from '../../../src/lib/jingle/jingle-session.js';
import type { SessionEvent } from '../../../src/lib/jingle/session-state.js';
import { NS_JINGLE, type Content } from '../../../src/lib/jingle/stanzas.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { xml } from '../../../src/lib/xml/element.js';
import { linkStreams, type LinkedStream } from '../../support/linked-streams.js';

const file: Content = {
  creator: 'initiator',
  name: 'f',
  senders: 'initiator',
  description: xml('description', { xmlns: 'urn:example:app' }),
  transport: xml('transport', { xmlns: 'urn:example:transport' }),
};

async function connected(options: IncomingOptions = {}): Promise<{
  streams: [LinkedStream, LinkedStream];
  ours: JingleSession;
  theirs: JingleSession;
}> {
  const streams = linkStreams();
  const offers = new JingleEndpoint(streams[1]).incoming(options);
  const ours = await new JingleEndpoint(streams[0]).initiate(streams[1].jid, [file]);
  return { streams, ours, theirs: await nextOf(offers) };
}

async function nextOf<T>(iterator: AsyncIterator<T>): Promise<T> {
  const result = await iterator.next();
  if (result.done === true) throw new Error('nothing more came');
  return result.value;
}

async function conditionOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  if (!(error instanceof StanzaError)) throw new Error(`expected a stanza error, got ${String(error)}`);
  return [error.condition, error.application?.name].filter((part) => part !== undefined).join(' ');
}

describe('a session between two endpoints', () => {
  it('is offered, accepted and ended', async () => {
    const { ours, theirs } = await connected();
    expect(theirs).toMatchObject({ sid: ours.sid, role: 'responder', phase: 'pending' });
    expect(theirs.offered[0]?.description?.getNS()).toBe('urn:example:app');
    await theirs.accept([file]);
    expect((await nextOf<SessionEvent>(ours.events)).kind).toBe('accepted');
    await ours.terminate({ condition: 'success' });
    expect(await nextOf<SessionEvent>(theirs.events)).toEqual({
      kind: 'terminated',
      reason: { condition: 'success', details: [] },
    });
    expect((await theirs.events.next()).done).toBe(true);
    expect(theirs.phase).toBe('ended');
  });

  it('is unknown once it has ended, and asking tells us so', async () => {
    const { ours, theirs } = await connected();
    const ping = () => ours.request({ action: 'session-info', contents: [], payload: [] });
    await ping();
    await theirs.terminate({ condition: 'cancel' });
    await nextOf<SessionEvent>(ours.events);
    await expect(ping()).rejects.toThrow('session that has ended');
  });

  it('tells a crossing apart', async () => {
    const { ours, theirs } = await connected();
    await theirs.accept([file]);
    const replace = { action: 'transport-replace' as const, contents: [file], payload: [] };
    const results = await Promise.allSettled([ours.request(replace), theirs.request(replace)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(results[1].status === 'rejected' && isTieBreak(results[1].reason)).toBe(true);
  });

  it('ends with the error of the stream when that is lost', async () => {
    const { streams, ours } = await connected();
    streams[0].lose(new ConnectionLostError('cut'));
    await expect(ours.events.next()).rejects.toThrow('cut');
  });
});

describe('an endpoint', () => {
  const sid = (stream: LinkedStream): string => String(parseXml(stream.received[0] ?? '').attrs['sid']);

  it('refuses offers while nobody asked for them', async () => {
    const [romeo, juliet] = linkStreams();
    using _endpoint = new JingleEndpoint(juliet);
    expect(await conditionOf(new JingleEndpoint(romeo).initiate(juliet.jid, [file]))).toBe(
      'service-unavailable',
    );
  });

  it('asks before it takes an offer from a stranger', async () => {
    const refuse = (from: JID) =>
      from.domain === 'montague.example' ? { condition: 'service-unavailable' } : undefined;
    await expect(connected({ refuse })).rejects.toThrow('service-unavailable');
  });

  it('tells an application that nobody serves from one that is refused', async () => {
    const { ours } = await connectedTo(['urn:example:other']);
    expect(await nextOf<SessionEvent>(ours.events)).toMatchObject({
      kind: 'terminated',
      reason: { condition: 'unsupported-applications' },
    });
  });

  it('gives each application its own offers', async () => {
    const { offers } = await connectedTo(['urn:example:other', 'urn:example:app']);
    expect((await nextOf(offers('urn:example:app'))).offered[0]?.name).toBe('f');
  });

  it('is shared by all who use the same connection, and goes with the last of them', async () => {
    const [romeo, juliet] = linkStreams();
    const first = shareEndpoint(juliet);
    const second = shareEndpoint(juliet);
    expect(first.endpoint).toBe(second.endpoint);
    second.endpoint.incoming();
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    const endpoint = new JingleEndpoint(romeo);
    await endpoint.initiate(juliet.jid, [file], { sid: 'announced' });
    second[Symbol.dispose]();
    expect(await conditionOf(endpoint.initiate(juliet.jid, [file]))).toBe('service-unavailable');
    expect(sid(juliet)).toBe('announced');
  });

  it('does not take a stranger who knows the sid for the other party', async () => {
    const { streams } = await connected();
    const reply = await juliet(streams).answer(
      JID.parse('mallory@montague.example/x'),
      'set',
      `<jingle xmlns='${NS_JINGLE}' action='session-terminate' sid='${sid(streams[1])}'/>`,
    );
    expect(reply.toString()).toContain('unknown-session');
  });

  it.each([
    ['an unknown action', "action='session-explode' sid='x'", '', 'bad-request'],
    ['an offer without contents', "action='session-initiate' sid='x'", '', 'bad-request'],
    [
      'an offer in our name',
      "action='session-initiate' sid='x'",
      "<content creator='responder' name='f'/>",
      'bad-request',
    ],
    ['a message for no session', "action='session-info' sid='x'", '', 'unknown-session'],
  ])('answers %s with an error', async (_name, attributes, inner, condition) => {
    const { streams } = await connected();
    const reply = await juliet(streams).answer(
      streams[0].jid,
      'set',
      `<jingle xmlns='${NS_JINGLE}' ${attributes}>${inner}</jingle>`,
    );
    expect(reply.attrs['type']).toBe('error');
    expect(reply.toString()).toContain(condition);
  });

  it('takes no more offers than it can hold', async () => {
    const [romeo, receiver] = linkStreams();
    new JingleEndpoint(receiver).incoming();
    const endpoint = new JingleEndpoint(romeo);
    for (let count = 0; count < 100; count += 1) {
      await endpoint.initiate(receiver.jid, [file]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await conditionOf(endpoint.initiate(receiver.jid, [file]))).toBe('resource-constraint');
  });
});

async function connectedTo(applications: string[]): Promise<{
  ours: JingleSession;
  offers: (application: string) => AsyncIterator<JingleSession>;
}> {
  const [romeo, receiver] = linkStreams();
  const endpoint = new JingleEndpoint(receiver);
  const queues = new Map(
    applications.map((application) => [application, endpoint.incoming({ application })]),
  );
  const ours = await new JingleEndpoint(romeo).initiate(receiver.jid, [file]);
  return { ours, offers: (application) => queues.get(application) ?? endpoint.incoming() };
}

/** The receiving side, which can be asked directly. */
function juliet([, stream]: [LinkedStream, LinkedStream]): LinkedStream {
  return stream;
}
