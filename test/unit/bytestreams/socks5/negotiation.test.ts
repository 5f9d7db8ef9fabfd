import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { destinationOf } from '../../../../src/lib/bytestreams/socks5/candidates.js';
import {
  grantStream,
  readStreamRequest,
  refuseStream,
  requestStream,
} from '../../../../src/lib/bytestreams/socks5/handshake.js';
import { decodeParameters, encodeInfo } from '../../../../src/lib/bytestreams/socks5/stanzas.js';
import { TransportFailedError, type Bytestream } from '../../../../src/lib/jingle/transport.js';
import { xml, type Element } from '../../../../src/lib/xml/element.js';
import { exchange, juliet, partyOf, romeo } from '../../../support/socks5-pair.js';

const servers = new Set<Server>();
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

/** A TCP server on loopback. @returns its port */
async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function transportOf(
  sid: string,
  candidates: readonly {
    cid: string;
    port: number;
    priority: number;
    type?: string;
    jid?: string;
    host?: string;
  }[],
  attributes: Record<string, string> = {},
): Element {
  return xml(
    'transport',
    { xmlns: 'urn:xmpp:jingle:transports:s5b:1', sid, ...attributes },
    ...candidates.map(
      ({ cid, port, priority, type = 'direct', jid = romeo.toString(), host = '127.0.0.1' }) =>
        xml('candidate', { cid, host, jid, port: String(port), priority: String(priority), type }),
    ),
  );
}

async function carries(from: Bytestream, to: Bytestream, what: string): Promise<void> {
  from.stream.end(what);
  expect(await text(to.stream)).toBe(what);
}

/** A proxy as XEP-0065 describes it, and the answers of the server it belongs to. */
async function proxy(options: { activation?: 'refused' } = {}) {
  const waiting = new Map<string, Socket[]>();
  const activated: Element[] = [];
  const port = await serve((socket) => {
    void readStreamRequest(socket).then(
      (hash) => {
        grantStream(socket, hash);
        waiting.set(hash, [...(waiting.get(hash) ?? []), socket]);
      },
      () => socket.destroy(),
    );
  });
  const answer = ({ payload, to }: { payload: Element; to?: unknown }): Promise<Element> => {
    const result = (...content: Element[]): Promise<Element> =>
      Promise.resolve(
        xml('iq', { type: 'result' }, xml(payload.getName(), { xmlns: payload.getNS() }, ...content)),
      );
    if (payload.getNS() === 'http://jabber.org/protocol/disco#items')
      return result(xml('item', { jid: 'proxy.capulet.lit' }));
    if (payload.getNS() === 'http://jabber.org/protocol/disco#info')
      return result(xml('identity', { category: 'proxy', type: 'bytestreams' }));
    expect(String(to)).toBe('proxy.capulet.lit');
    if (!payload.getChild('activate'))
      return result(xml('streamhost', { jid: 'proxy.capulet.lit', host: '127.0.0.1', port: String(port) }));
    activated.push(payload);
    if (options.activation === 'refused') return Promise.reject(new Error('not-allowed'));
    for (const [left, right] of waiting.values()) {
      if (left && right) left.pipe(right).pipe(left);
    }
    return result();
  };
  return { answer, activated, waiting };
}

describe('a SOCKS5 negotiation', () => {
  it('connects two parties that can reach each other, in both directions', async () => {
    const [initiator, responder] = await exchange();
    const [left, right] = await Promise.all([
      initiator.negotiation.connect(),
      responder.negotiation.connect(),
    ]);
    expect([left.method, right.method]).toEqual(['direct', 'direct']);
    left.stream.end('from the initiator');
    right.stream.end('and back');
    expect(await Promise.all([text(right.stream), text(left.stream)])).toEqual([
      'from the initiator',
      'and back',
    ]);
    expect(left.confirmedBytes()).toBe('from the initiator'.length);
    expect(right.confirmedBytes()).toBe('and back'.length);
    expect(initiator.said.join()).toContain('candidate-used');
    for (const { negotiation } of [initiator, responder]) negotiation.abandon();
  });

  it('keeps its stream when it is abandoned afterwards', async () => {
    const [initiator, responder] = await exchange();
    const [left, right] = await Promise.all([
      initiator.negotiation.connect(),
      responder.negotiation.connect(),
    ]);
    for (const { negotiation } of [initiator, responder]) negotiation.abandon();
    await carries(left, right, 'still there');
  });

  it('offers loopback only because the server is there, its own hash, and what a router forwards', async () => {
    const advertised = [{ host: 'home.example.org', port: 4444 }];
    const { negotiation } = partyOf(romeo, juliet, 'initiator', { advertised }, () => undefined);
    const { sid, destination, candidates } = decodeParameters(await negotiation.offer());
    expect(destination).toBe(destinationOf(sid, romeo.toString(), juliet.toString()));
    expect(candidates.map(({ host }) => host)).toContain('127.0.0.1');
    expect(candidates.find(({ type }) => type === 'assisted')).toMatchObject({
      host: 'home.example.org',
      port: 4444,
    });
    expect(new Set(candidates.map(({ priority }) => priority)).size).toBe(candidates.length);
    negotiation.abandon();
  });

  it('offers nothing of its own where nobody shall learn its address', async () => {
    const { negotiation } = partyOf(romeo, juliet, 'initiator', { direct: false }, () => undefined);
    expect(decodeParameters(await negotiation.offer()).candidates).toEqual([]);
  });

  it('goes through a proxy of the initiator where nothing direct works', async () => {
    const relay = await proxy();
    const [initiator, responder] = await exchange({ direct: false, answer: relay.answer }, { direct: false });
    const [left, right] = await Promise.all([
      initiator.negotiation.connect(),
      responder.negotiation.connect(),
    ]);
    expect([left.method, right.method]).toEqual(['proxy', 'proxy']);
    expect(relay.activated.map(String)).toEqual([
      expect.stringContaining('<activate>juliet@capulet.lit/balcony</activate>'),
    ]);
    expect([...relay.waiting.keys()]).toEqual([
      destinationOf(initiator.negotiation.sid, romeo.toString(), juliet.toString()),
    ]);
    await carries(left, right, 'through the proxy');
  });

  it('goes through a proxy of the responder, with the hash the other way round', async () => {
    const relay = await proxy();
    const [initiator, responder] = await exchange({ direct: false }, { direct: false, answer: relay.answer });
    const [left, right] = await Promise.all([
      initiator.negotiation.connect(),
      responder.negotiation.connect(),
    ]);
    expect([...relay.waiting.keys()]).toEqual([
      destinationOf(initiator.negotiation.sid, juliet.toString(), romeo.toString()),
    ]);
    await carries(right, left, 'through the proxy');
  });

  it('uses a proxy that both know once, as the initiator offered it', async () => {
    const relay = await proxy();
    const options = { direct: false, answer: relay.answer };
    const [initiator, responder] = await exchange(options, options);
    const [left, right] = await Promise.all([
      initiator.negotiation.connect(),
      responder.negotiation.connect(),
    ]);
    expect(relay.activated).toHaveLength(1);
    await carries(left, right, 'once');
  });

  it('fails on both sides when the proxy cannot be activated', async () => {
    const relay = await proxy({ activation: 'refused' });
    const [initiator, responder] = await exchange({ direct: false, answer: relay.answer }, { direct: false });
    const both = await Promise.allSettled([initiator.negotiation.connect(), responder.negotiation.connect()]);
    expect(
      both.map((each) => each.status === 'rejected' && each.reason instanceof TransportFailedError),
    ).toEqual([true, true]);
    expect(initiator.said.join()).toContain('proxy-error');
  });

  it('fails on both sides, and says why, when nothing can be reached', async () => {
    const [initiator, responder] = await exchange({ direct: false }, { direct: false });
    await expect(
      Promise.all([initiator.negotiation.connect(), responder.negotiation.connect()]),
    ).rejects.toThrow('no SOCKS5 candidate can be reached');
    expect([initiator.said.join(), responder.said.join()]).toEqual([
      expect.stringContaining('candidate-error'),
      expect.stringContaining('candidate-error'),
    ]);
  });

  it('names each candidate that failed', async () => {
    const refused = await serve(() => undefined);
    for (const server of servers) server.close();
    const strange = await serve((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    const { negotiation } = partyOf(juliet, romeo, 'responder', { direct: true }, () => undefined);
    await negotiation.answer(
      transportOf('s', [
        { cid: 'refused', port: refused, priority: 2 },
        { cid: 'strange', port: strange, priority: 1 },
      ]),
    );
    negotiation.receiveInfo(encodeInfo('s', { kind: 'candidate-error' }));
    const failure = negotiation.connect();
    await expect(failure).rejects.toThrow(TransportFailedError);
    await expect(failure).rejects.toThrow(`127.0.0.1:${refused}: connection refused`);
    await expect(failure).rejects.toThrow(`127.0.0.1:${strange}: it does not speak SOCKS5`);
    negotiation.abandon();
  });

  it('asks again with the parties the other way round where a candidate wants it so', async () => {
    const asked: string[] = [];
    const wanted = destinationOf('s', juliet.toString(), romeo.toString());
    const port = await serve((socket) => {
      void readStreamRequest(socket).then((hash) => {
        asked.push(hash);
        if (hash === wanted) grantStream(socket, hash);
        else refuseStream(socket);
        if (hash !== wanted) socket.end();
      });
    });
    const { negotiation, said } = partyOf(juliet, romeo, 'responder', {}, () => undefined);
    await negotiation.answer(transportOf('s', [{ cid: 'c', port, priority: 9_000_000 }]));
    negotiation.receiveInfo(encodeInfo('s', { kind: 'candidate-error' }));
    const { method } = await negotiation.connect();
    expect(method).toBe('direct');
    expect(asked).toEqual([destinationOf('s', romeo.toString(), juliet.toString()), wanted]);
    expect(said.join()).toContain('cid="c"');
    negotiation.abandon();
  });

  it.each(['theirs first', 'ours first'])(
    'lets in who asks with either order of the parties: %s',
    async (order) => {
      const { negotiation } = partyOf(romeo, juliet, 'initiator', {}, () => undefined);
      const { sid, candidates } = decodeParameters(await negotiation.offer());
      const candidate = candidates.find(({ host }) => host === '127.0.0.1');
      const names = [romeo.toString(), juliet.toString()];
      if (order === 'theirs first') names.reverse();
      const socket = connect({ port: candidate?.port ?? 0, host: '127.0.0.1' });
      sockets.add(socket);
      await requestStream(socket, destinationOf(sid, names[0] ?? '', names[1] ?? ''));
      negotiation.setAnswer(transportOf(sid, []));
      negotiation.receiveInfo(encodeInfo(sid, { kind: 'candidate-used', cid: candidate?.cid ?? '' }));
      const { stream } = await negotiation.connect();
      socket.end('hello');
      expect(await text(stream)).toBe('hello');
      negotiation.abandon();
    },
  );

  it('lets nobody in who does not know the stream', async () => {
    const { negotiation } = partyOf(romeo, juliet, 'initiator', {}, () => undefined);
    const { candidates } = decodeParameters(await negotiation.offer());
    const socket = connect({ port: candidates[0]?.port ?? 0, host: '127.0.0.1' });
    sockets.add(socket);
    await expect(requestStream(socket, 'f'.repeat(40))).rejects.toThrow('it refused the stream');
    negotiation.abandon();
  });

  it('hears of their choice before it has their answer', async () => {
    const { negotiation } = partyOf(romeo, juliet, 'initiator', {}, () => undefined);
    const { sid, candidates } = decodeParameters(await negotiation.offer());
    const candidate = candidates.find(({ host }) => host === '127.0.0.1');
    negotiation.receiveInfo(encodeInfo(sid, { kind: 'candidate-used', cid: candidate?.cid ?? '' }));
    const socket = connect({ port: candidate?.port ?? 0, host: '127.0.0.1' });
    sockets.add(socket);
    await requestStream(socket, destinationOf(sid, romeo.toString(), juliet.toString()));
    negotiation.setAnswer(transportOf(sid, []));
    const { stream } = await negotiation.connect();
    socket.end('early');
    expect(await text(stream)).toBe('early');
    negotiation.abandon();
  });

  it('on a tie reads where the other party writes', async () => {
    const theirs = new Promise<Socket>((resolve) => {
      void serve((socket) => {
        void readStreamRequest(socket).then((hash) => {
          grantStream(socket, hash);
          resolve(socket);
        });
      }).then(async (port) => {
        const { negotiation } = party;
        const offered = decodeParameters(await negotiation.offer());
        const own = offered.candidates.find(({ host }) => host === '127.0.0.1');
        negotiation.setAnswer(
          transportOf(offered.sid, [
            { cid: 'theirs', port, priority: own?.priority ?? 0, jid: juliet.toString() },
          ]),
        );
        const socket = connect({ port: own?.port ?? 0, host: '127.0.0.1' });
        sockets.add(socket);
        await requestStream(socket, destinationOf(offered.sid, romeo.toString(), juliet.toString()));
        negotiation.receiveInfo(encodeInfo(offered.sid, { kind: 'candidate-used', cid: own?.cid ?? '' }));
        connected = negotiation.connect();
        // Dino writes to what the initiator has offered, whatever the initiator has chosen.
        socket.end('as Dino sends it');
      });
    });
    const party = partyOf(romeo, juliet, 'initiator', {}, () => undefined);
    let connected: Promise<Bytestream> | undefined;
    await theirs;
    const { stream } = await (connected as unknown as Promise<Bytestream>);
    expect(await text(stream)).toBe('as Dino sends it');
    party.negotiation.abandon();
  });

  it('does not wait for ever for a party that says nothing', async () => {
    const { negotiation } = partyOf(romeo, juliet, 'initiator', { timeoutMs: 100 }, () => undefined);
    const { sid } = decodeParameters(await negotiation.offer());
    negotiation.setAnswer(transportOf(sid, []));
    await expect(negotiation.connect()).rejects.toMatchObject({ name: 'TimeoutError' });
    negotiation.abandon();
  });

  it('does not believe in a connection that never came', async () => {
    const { negotiation } = partyOf(romeo, juliet, 'initiator', { timeoutMs: 100 }, () => undefined);
    const { sid, candidates } = decodeParameters(await negotiation.offer());
    negotiation.setAnswer(transportOf(sid, []));
    negotiation.receiveInfo(encodeInfo(sid, { kind: 'candidate-used', cid: candidates[0]?.cid ?? '' }));
    await expect(negotiation.connect()).rejects.toBeInstanceOf(TransportFailedError);
    negotiation.abandon();
  });

  it('refuses a transport that is none', async () => {
    const { negotiation } = partyOf(juliet, romeo, 'responder', {}, () => undefined);
    await expect(
      negotiation.answer(xml('transport', { xmlns: 'urn:xmpp:jingle:transports:s5b:1' })),
    ).rejects.toBeInstanceOf(TransportFailedError);
  });
});
