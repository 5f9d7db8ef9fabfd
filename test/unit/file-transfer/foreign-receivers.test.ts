/** What receivers in the field do with a file of ours; facts seen with Dino 0.4.2, Gajim 1.7.3 and Libervia 0.9. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sendFiles, type SendFilesOptions } from '../../../src/lib/file-transfer/sending/send-files.js';
import type { FileSource, TransferEvent } from '../../../src/lib/file-transfer/transfer.js';
import type { Element } from '../../../src/lib/xml/element.js';
import { asSession, linkStreams, type LinkedStream } from '../../support/linked-streams.js';
import { memorySource } from '../../support/memory-files.js';
import { MemoryTransport } from '../../support/memory-transport.js';
import { ScriptedPeer } from '../../support/scripted-peer.js';

const content = Buffer.from('what is in the file');

interface Sending {
  peer: ScriptedPeer;
  streams: [LinkedStream, LinkedStream];
  memory: MemoryTransport;
  /** All events, once the sender is through. */
  finished: Promise<TransferEvent[]>;
}

function send(
  options: Partial<SendFilesOptions> = {},
  sources: FileSource[] = [memorySource(content)],
): Sending {
  const streams = linkStreams();
  const [romeo, juliet] = streams;
  const peer = new ScriptedPeer(juliet, romeo.jid);
  const memory = new MemoryTransport();
  const finished = (async () => {
    const events: TransferEvent[] = [];
    const all = { transports: [memory], timeoutMs: 150, acceptTimeoutMs: 150, ...options };
    for await (const event of sendFiles(asSession(romeo), juliet.jid, sources, all)) events.push(event);
    return events;
  })();
  return { peer, streams, memory, finished };
}

const endOf = (events: TransferEvent[]): unknown[] =>
  events.flatMap((event) =>
    event.kind === 'done'
      ? [event.result.certainty]
      : event.kind === 'failed'
        ? [`${event.error.name}: ${event.error.message}`]
        : [],
  );

function transportOf(offer: Element): string {
  return offer.getChild('content')?.getChild('transport')?.toString() ?? '';
}

/** Says yes as clients do that know nothing of ranges. */
async function accept(peer: ScriptedPeer, offer: Element, description = ''): Promise<void> {
  const name = String(offer.getChild('content')?.attrs['name']);
  const inner = `<content creator='initiator' name='${name}' senders='initiator'>${description}${transportOf(offer)}</content>`;
  const action = offer.attrs['action'] === 'content-add' ? 'content-accept' : 'session-accept';
  await peer.send(action, inner);
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const descriptionWithRange = `<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><range/></file></description>`;
const success = '<reason><success/></reason>';

describe('a receiver that ends the session with success', () => {
  it('proves nothing about the content (Libervia says so after a wrong hash, too)', async () => {
    const { peer, memory, finished } = send();
    const offer = await peer.next('session-initiate');
    await accept(peer, offer);
    expect(await readAll(await peer.connectTo(offer, memory))).toEqual(content);
    await peer.next('session-info');
    await peer.send('session-terminate', success);
    expect(endOf(await finished)).toEqual(['unverified']);
  });

  it('before everything was sent has not received it', async () => {
    const { peer, memory, finished } = send({}, [memorySource(Buffer.alloc(1 << 20))]);
    const offer = await peer.next('session-initiate');
    await accept(peer, offer);
    const stream = await peer.connectTo(offer, memory);
    await peer.send('session-terminate', success);
    stream.destroy();
    expect(endOf(await finished)).toEqual([
      'NegativeError: juliet@capulet.example/b ended the transfer before everything was sent',
    ]);
  });
});

describe('an offer of ours', () => {
  it('has a description, promises a hash and does not carry its value (Libervia refuses others)', async () => {
    const hashes = [{ algorithm: 'sha-256' as const, value: createHash('sha256').update(content).digest() }];
    const { peer, finished } = send({}, [memorySource(content, { hashes })]);
    const offer = (await peer.next('session-initiate')).toString();
    expect(offer).toContain('<desc/>');
    expect(offer).toMatch(/<hash-used [^>]*algo="sha-256"/);
    expect(offer).not.toContain('<hash ');
    expect(offer).toContain('<range/>');
    await peer.send('session-terminate', '<reason><decline/><text>not now</text></reason>');
    expect(endOf(await finished)).toEqual([
      'NegativeError: juliet@capulet.example/b declined the file (not now)',
    ]);
  });

  it('has the session id that was announced', async () => {
    const { peer, finished } = send({ sid: 'announced' });
    expect((await peer.next('session-initiate')).attrs['sid']).toBe('announced');
    await peer.send('session-terminate', '<reason><busy/></reason>');
    expect(endOf(await finished)).toEqual(['CannotReceiveError: juliet@capulet.example/b is busy']);
  });

  it.each([
    ['unsupported-applications', 'CannotReceiveError: juliet@capulet.example/b takes no files by Jingle'],
    ['unsupported-transports', 'CannotReceiveError: juliet@capulet.example/b shares no transport with us'],
    ['failed_transport', 'TransportFailedError: juliet@capulet.example/b found no way to connect'],
    ['cancel', 'NegativeError: juliet@capulet.example/b cancelled the transfer'],
    ['something-new', 'RemoteError: juliet@capulet.example/b ended the transfer: something-new'],
  ])('that is ended with %s fails in words', async (reason, error) => {
    const { peer, finished } = send();
    await peer.next('session-initiate');
    await peer.send('session-terminate', `<reason><${reason}/></reason>`);
    expect(endOf(await finished)).toEqual([error]);
  });

  it('that is refused because Jingle is not known is told apart', async () => {
    const { peer, finished } = send();
    peer.refuse('session-initiate', 'service-unavailable');
    expect(endOf(await finished)[0]).toMatch(/^CannotReceiveError: .*service-unavailable/);
  });
});

describe('a receiver that sends something before it accepts', () => {
  it('has it kept (Libervia sends candidate-used first)', async () => {
    const { peer, memory, finished } = send();
    const offer = await peer.next('session-initiate');
    const sid = /sid="([^"]*)"/.exec(transportOf(offer))?.[1] ?? '';
    const info = `<content creator='initiator' name='file-1'><transport xmlns='urn:example:memory' sid='${sid}'><used/></transport></content>`;
    // Dino repeats the initiator.
    await peer.send('transport-info', info, `initiator='romeo@montague.example/a'`);
    await accept(peer, offer);
    await readAll(await peer.connectTo(offer, memory));
    await peer.send('session-info', `<received xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>`);
    expect(endOf(await finished)).toEqual(['verified']);
    expect(memory.infos).toHaveLength(1);
  });
});

describe('a receiver that falls silent', () => {
  it('before it answers the offer at all', async () => {
    const { streams, finished } = send();
    streams[1].ignore(() => true);
    expect(endOf(await finished)[0]).toMatch(/^TimeoutError/);
  });

  it('after it has acknowledged the offer (Gajim): the session is ended', async () => {
    const { peer, finished } = send();
    await peer.next('session-initiate');
    expect(endOf(await finished)).toEqual([
      'TimeoutError: juliet@capulet.example/b did not answer the offer within 0.15 s',
    ]);
    expect((await peer.next('session-terminate')).toString()).toContain('<timeout/>');
  });

  it('while somebody is asked, and is gone: nobody waits for the answer', async () => {
    const { peer, streams, finished } = send({ acceptTimeoutMs: 60_000, timeoutMs: 20 });
    await peer.next('session-initiate');
    streams[1].leave();
    expect(endOf(await finished)).toEqual(['CannotReceiveError: juliet@capulet.example/b has gone away']);
  });

  it('while somebody is asked, and is seen to go: nobody waits for anything', async () => {
    const { peer, streams, finished } = send({ acceptTimeoutMs: 60_000, timeoutMs: 60_000 });
    await peer.next('session-initiate');
    streams[1].leaveVisibly();
    expect(endOf(await finished)).toEqual(['CannotReceiveError: juliet@capulet.example/b has gone away']);
  });

  it('while data is on its way, and is seen to go: no other path is tried', async () => {
    const both = { acceptTimeoutMs: 60_000, timeoutMs: 60_000 };
    const { peer, streams, memory, finished } = send(both, [memorySource(Buffer.alloc(1 << 20))]);
    const offer = await peer.next('session-initiate');
    await accept(peer, offer, descriptionWithRange);
    await peer.connectTo(offer, memory);
    streams[1].leaveVisibly();
    expect(endOf(await finished)).toEqual(['CannotReceiveError: juliet@capulet.example/b has gone away']);
    expect(streams[1].received.filter((text) => text.includes('transport-replace'))).toEqual([]);
  });

  it('only to be invisible: the transfer goes on', async () => {
    const { peer, streams, memory, finished } = send();
    const offer = await peer.next('session-initiate');
    streams[1].becomeInvisible();
    await accept(peer, offer);
    await readAll(await peer.connectTo(offer, memory));
    await peer.send('session-terminate', success);
    expect(endOf(await finished)).toEqual(['unverified']);
  });

  it('while data is on its way, to questions as well: no other path is tried', async () => {
    const { peer, streams, memory, finished } = send({ timeoutMs: 300 }, [
      memorySource(Buffer.alloc(1 << 20)),
    ]);
    const offer = await peer.next('session-initiate');
    await accept(peer, offer, descriptionWithRange);
    await peer.connectTo(offer, memory);
    streams[1].ignore(() => true);
    expect(endOf(await finished)[0]).toMatch(/^TimeoutError/);
    expect(streams[1].received.filter((text) => text.includes('session-initiate'))).toHaveLength(1);
  });

  it('after it has accepted', async () => {
    const { peer, finished } = send();
    await accept(peer, await peer.next('session-initiate'));
    expect(endOf(await finished)[0]).toMatch(/^TimeoutError/);
    expect((await peer.next('session-terminate')).toString()).toContain('<timeout/>');
  });

  it('after it has taken everything (Dino, in-band): it is not confirmed', async () => {
    const { peer, memory, finished } = send();
    const offer = await peer.next('session-initiate');
    await accept(peer, offer);
    await readAll(await peer.connectTo(offer, memory));
    expect(endOf(await finished)).toEqual(['unconfirmed']);
  });

  it('when another transport is proposed', async () => {
    const failing = new MemoryTransport({ namespace: 'urn:example:first', plan: ['fails'] });
    const { peer, finished } = send({ transports: [failing, new MemoryTransport()] });
    await accept(peer, await peer.next('session-initiate'));
    await peer.next('transport-replace');
    expect(endOf(await finished)[0]).toMatch(/^TimeoutError: .*replacement of the transport/);
  });

  it('while data is on its way: it is not waited for for ever', async () => {
    const { peer, memory, finished } = send({}, [memorySource(Buffer.alloc(1 << 20))]);
    const offer = await peer.next('session-initiate');
    await accept(peer, offer);
    await peer.connectTo(offer, memory);
    // Each offer that follows is answered with silence as well.
    expect(endOf(await finished)[0]).toMatch(/^TimeoutError/);
  });
});

describe('a receiver with its own idea of the next transport', () => {
  const other = `<transport xmlns='urn:example:other' sid='o'/>`;
  const replace = (transport: string): string =>
    `<content creator='initiator' name='file-1' senders='initiator'>${transport}</content>`;

  it('that crosses with ours, and rejects ours (Dino): the transfer fails, and does not hang', async () => {
    const failing = new MemoryTransport({ namespace: 'urn:example:first', plan: ['fails'] });
    const { peer, finished } = send({ transports: [failing, new MemoryTransport()] });
    await accept(peer, await peer.next('session-initiate'));
    const ours = await peer.next('transport-replace');
    await expect(peer.send('transport-replace', replace(other))).rejects.toThrow('tie-break');
    await peer.send('transport-reject', replace(transportOf(ours)));
    expect(endOf(await finished)).toEqual(['TransportFailedError: no path over urn:example:first']);
    expect((await peer.next('session-terminate')).toString()).toContain('<failed-transport/>');
  });

  it('that comes first is gone along with', async () => {
    const silent = new MemoryTransport({ namespace: 'urn:example:first', plan: ['silent'] });
    const memory = new MemoryTransport();
    const { peer, finished } = send({ transports: [silent, memory], timeoutMs: 1000 });
    await accept(peer, await peer.next('session-initiate'));
    const { element, connect } = await peer.offer(memory);
    await peer.send('transport-replace', replace(element));
    await peer.next('transport-accept');
    expect(await readAll(await connect())).toEqual(content);
    await peer.send('session-terminate', success);
    expect(endOf(await finished)).toEqual(['unverified']);
  });

  it('which we do not have is rejected, and ours follows', async () => {
    const silent = new MemoryTransport({ namespace: 'urn:example:first', plan: ['silent'] });
    const memory = new MemoryTransport();
    const { peer, finished } = send({ transports: [silent, memory], timeoutMs: 1000 });
    await accept(peer, await peer.next('session-initiate'));
    await peer.send('transport-replace', replace(other));
    expect((await peer.next('transport-reject')).toString()).toContain('urn:example:other');
    const ours = await peer.next('transport-replace');
    await peer.send('transport-accept', replace(transportOf(ours)));
    expect(await readAll(await peer.connectTo(ours, memory))).toEqual(content);
    await peer.send('session-terminate', success);
    expect(endOf(await finished)).toEqual(['unverified']);
  });
});

describe('a receiver that takes one file for each session', () => {
  const sources = ['one', 'two', 'three'].map((name) => memorySource(Buffer.from(name), { name }));

  async function takeOne({ peer, memory }: Sending, offer: Element): Promise<string> {
    await accept(peer, offer);
    const text = (await readAll(await peer.connectTo(offer, memory))).toString();
    await peer.send('session-terminate', success);
    return text;
  }

  it('and refuses a second content gets each file by itself', async () => {
    const sending = send({}, sources);
    const { peer, finished } = sending;
    peer.refuse('content-add', 'feature-not-implemented');
    for (const name of ['one', 'two', 'three'])
      expect(await takeOne(sending, await peer.next('session-initiate'))).toBe(name);
    expect(endOf(await finished)).toEqual(['unverified', 'unverified', 'unverified']);
  });

  it('and ends the session after the first gets each file by itself', async () => {
    const sending = send({}, sources);
    const { peer, finished } = sending;
    const taken: string[] = [];
    while (taken.length < 3) taken.push(await takeOne(sending, await peer.next('session-initiate')));
    expect(taken.sort()).toEqual(['one', 'three', 'two']);
    expect(endOf(await finished)).toEqual(['unverified', 'unverified', 'unverified']);
  });
});

describe('a path that breaks, with a receiver that knows no ranges', () => {
  it('means a new session, in which the receiver may say where to begin', async () => {
    const memory = new MemoryTransport({ plan: [{ cutAfter: 5 }, 'ok'] });
    const { peer, finished } = send({ transports: [memory] });
    const first = await peer.next('session-initiate');
    await accept(peer, first);
    await readAll(await peer.connectTo(first, memory)).catch(() => undefined);
    expect((await peer.next('session-terminate')).toString()).toContain('general-error');
    const second = await peer.next('session-initiate');
    const range = `<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><range offset='5'/></file></description>`;
    await accept(peer, second, range);
    expect(await readAll(await peer.connectTo(second, memory))).toEqual(content.subarray(5));
    await peer.send('session-terminate', success);
    expect(endOf(await finished)).toEqual(['unverified']);
  });
});

describe('sending', () => {
  it('can be interrupted: the receiver is told', async () => {
    const interrupted = new AbortController();
    const { peer, finished } = send({ signal: interrupted.signal, acceptTimeoutMs: 10_000 });
    await peer.next('session-initiate');
    interrupted.abort();
    expect(endOf(await finished)[0]).toMatch(/^InterruptedError/);
    expect((await peer.next('session-terminate')).toString()).toContain('<cancel/>');
  });

  it('refuses an offset that is not in the file', async () => {
    const { peer, finished } = send();
    const range = `<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'><file><range offset='500'/></file></description>`;
    await accept(peer, await peer.next('session-initiate'), range);
    expect(endOf(await finished)[0]).toMatch(/from byte 500 on/);
  });

  it('declines what the receiver offers in return', async () => {
    const { peer, finished } = send({ acceptTimeoutMs: 10_000 });
    await accept(peer, await peer.next('session-initiate'));
    await peer.send(
      'content-add',
      `<content creator='responder' name='x' senders='responder'><description xmlns='urn:example:x'/></content>`,
    );
    expect((await peer.next('content-reject')).toString()).toContain('decline');
    await peer.send('session-terminate', '<reason><cancel/></reason>');
    await finished;
  });
});
