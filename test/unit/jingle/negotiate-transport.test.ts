import { describe, expect, it } from 'vitest';
import { ContentRouter } from '../../../src/lib/jingle/content-router.js';
import { JingleEndpoint } from '../../../src/lib/jingle/endpoint.js';
import type { JingleSession } from '../../../src/lib/jingle/jingle-session.js';
import {
  TransportNegotiator,
  UnsupportedTransportError,
  type Connection,
} from '../../../src/lib/jingle/negotiate-transport.js';
import type { Content } from '../../../src/lib/jingle/stanzas.js';
import { xml } from '../../../src/lib/xml/element.js';
import { asSession, linkStreams } from '../../support/linked-streams.js';
import { MemoryTransport, type Fate } from '../../support/memory-transport.js';

const content: Content = { creator: 'initiator', name: 'c', senders: 'initiator' };

interface Side {
  negotiator: TransportNegotiator;
  jingle: JingleSession;
  notes: string[];
}

/** Two parties that have offered and accepted a content, and not connected yet. */
async function agreed(
  plans: Record<string, readonly Fate[]>,
  {
    theirs = Object.keys(plans),
    timeoutMs = 200,
    signal,
  }: { theirs?: string[]; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<{ ours: Side; their: Side; transports: MemoryTransport[] }> {
  const [romeo, juliet] = linkStreams();
  const transports = Object.entries(plans).map(
    ([namespace, plan]) => new MemoryTransport({ namespace, plan }),
  );
  const offers = new JingleEndpoint(juliet).incoming();
  const endpoint = new JingleEndpoint(romeo);
  const notes: [string[], string[]] = [[], []];
  const begun: JingleSession[] = [];
  const ours = new TransportNegotiator({
    session: asSession(romeo),
    jingle: {
      peer: juliet.jid,
      role: 'initiator',
      phase: 'active',
      request: (...args) => begun[0]?.request(...args) ?? Promise.reject(new Error('too early')),
    },
    content,
    transports,
    timeoutMs,
    ...(signal && { signal }),
    describe: () => xml('description', { xmlns: 'urn:example:app', from: 'initiator' }),
    note: (fact) => void notes[0].push(fact),
  });
  const offered = { ...content, transport: await ours.offer() };
  const ourSession = await endpoint.initiate(juliet.jid, [offered]);
  begun.push(ourSession);
  const ignore = { terminated: () => undefined, ended: () => undefined };
  const accepted = new Promise<void>((resolve) => {
    new ContentRouter(ourSession, ignore).attach(content, (event) => {
      if (event.kind === 'accepted') {
        ours.setAnswer(event.content.transport);
        resolve();
      } else if (event.kind.startsWith('transport-')) ours.receive(event as never);
    });
  });
  const incoming = await offers.next();
  const theirSession = incoming.value as JingleSession;
  const their = new TransportNegotiator({
    session: asSession(juliet),
    jingle: theirSession,
    content,
    transports: transports.filter(({ namespace }) => theirs.includes(namespace)),
    timeoutMs,
    describe: () => xml('description', { xmlns: 'urn:example:app', from: 'responder' }),
    note: (fact) => void notes[1].push(fact),
  });
  new ContentRouter(theirSession, ignore).attach(content, (event) => {
    if (event.kind.startsWith('transport-')) their.receive(event as never);
  });
  await theirSession.accept([
    { ...content, transport: await their.answer(theirSession.offered[0]?.transport) },
  ]);
  await accepted;
  return {
    ours: { negotiator: ours, jingle: ourSession, notes: notes[0] },
    their: { negotiator: their, jingle: theirSession, notes: notes[1] },
    transports,
  };
}

const connectBoth = ({ ours, their }: { ours: Side; their: Side }): Promise<[Connection, Connection]> =>
  Promise.all([ours.negotiator.connect(), their.negotiator.connect()]);

describe('the negotiation of a transport', () => {
  it('connects by the first that works', async () => {
    const sides = await agreed({ 'urn:a': ['ok'], 'urn:b': ['ok'] });
    const [left, right] = await connectBoth(sides);
    left.bytestream.stream.end('hello');
    expect((await right.bytestream.stream.toArray()).join('')).toBe('hello');
    expect(sides.transports.map(({ attempts }) => attempts)).toEqual([1, 0]);
  });

  it('goes through the list, tells why, and carries what the application has to say', async () => {
    const sides = await agreed({ 'urn:a': ['fails'], 'urn:b': ['fails'], 'urn:c': ['ok'] });
    const [left, right] = await connectBoth(sides);
    expect(left.reason).toBe('no path over urn:b');
    expect(sides.ours.notes).toEqual(['no path over urn:a', 'no path over urn:b']);
    expect(left.description?.attrs['from']).toBe('responder');
    expect(right.description?.attrs['from']).toBe('initiator');
  });

  it('passes over what the other party does not want', async () => {
    const sides = await agreed(
      { 'urn:a': ['fails'], 'urn:b': ['ok'], 'urn:c': ['ok'] },
      { theirs: ['urn:a', 'urn:c'] },
    );
    await connectBoth(sides);
    expect(sides.ours.notes).toContain('the other party does not want urn:b');
    expect(sides.transports.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
  });

  it('fails on both sides when nothing is left', async () => {
    const { ours, their } = await agreed({ 'urn:a': ['fails'], 'urn:b': ['fails'] });
    const results = await Promise.allSettled([ours.negotiator.connect(), their.negotiator.connect()]);
    expect(results.map((result) => result.status === 'rejected' && (result.reason as Error).message)).toEqual(
      ['no path over urn:b', 'no path over urn:b'],
    );
  });

  it('takes a silent other party for a path that fails', async () => {
    const sides = await agreed({ 'urn:a': ['silent'], 'urn:b': ['ok'] }, { timeoutMs: 50 });
    const [left] = await connectBoth(sides);
    expect(left.reason).toMatch(/timed out/);
  });

  it('does not answer what it does not know', async () => {
    const negotiator = (await agreed({ 'urn:a': ['ok'] })).their.negotiator;
    const answered = negotiator.answer(xml('transport', { xmlns: 'urn:x' }));
    await expect(answered).rejects.toBeInstanceOf(UnsupportedTransportError);
    await expect(negotiator.answer(undefined)).rejects.toThrow('no transport');
  });

  it('can be interrupted', async () => {
    const interrupted = new AbortController();
    const { ours } = await agreed({ 'urn:a': ['silent'] }, { signal: interrupted.signal, timeoutMs: 60_000 });
    const connecting = ours.negotiator.connect();
    interrupted.abort();
    await expect(connecting).rejects.toThrow('interrupted');
  });
});

describe('a path that breaks', () => {
  const why = new Error('cut');

  async function reconnectBoth(
    { ours, their }: { ours: Side; their: Side },
    hasCarried: boolean,
  ): Promise<[Connection, Connection]> {
    return Promise.all([
      ours.negotiator.reconnect(why, hasCarried),
      their.negotiator.reconnect(why, hasCarried),
    ]);
  }

  it('is tried again when it has carried something, but not for ever', async () => {
    const sides = await agreed({ 'urn:a': ['ok'], 'urn:b': ['ok'] });
    await connectBoth(sides);
    for (let count = 0; count < 3; count += 1) await reconnectBoth(sides, true);
    expect(sides.transports.map(({ attempts }) => attempts)).toEqual([4, 0]);
    await reconnectBoth(sides, true);
    expect(sides.transports.map(({ attempts }) => attempts)).toEqual([4, 1]);
  });

  it('is left for the next when it has carried nothing', async () => {
    const sides = await agreed({ 'urn:a': ['ok'], 'urn:b': ['ok'] });
    await connectBoth(sides);
    const [left] = await reconnectBoth(sides, false);
    expect(left.reason).toBe('cut');
    expect(sides.transports.map(({ attempts }) => attempts)).toEqual([1, 1]);
    await expect(sides.ours.negotiator.reconnect(why, false)).rejects.toThrow('cut');
  });

  it('on one side only is closed on the other, which then joins in', async () => {
    const sides = await agreed({ 'urn:a': ['ok'] });
    const [, right] = await connectBoth(sides);
    const broken = new Promise<Error>((resolve) => right.bytestream.stream.once('error', resolve));
    const again = sides.ours.negotiator.reconnect(why, true);
    expect((await broken).message).toBe('the other party replaces the transport');
    await sides.their.negotiator.reconnect(why, true);
    expect((await again).bytestream.stream.destroyed).toBe(false);
  });
});
