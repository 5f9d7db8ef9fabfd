import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { destinationOf, priorityOf } from '../../../../src/lib/bytestreams/socks5/candidates.js';
import {
  grantStream,
  readStreamRequest,
  refuseStream,
  requestStream,
} from '../../../../src/lib/bytestreams/socks5/handshake.js';
import { socks5Transport } from '../../../../src/lib/bytestreams/socks5/socks5-transport.js';
import { decodeParameters, encodeInfo } from '../../../../src/lib/bytestreams/socks5/stanzas.js';
import { TransportFailedError, type Bytestream } from '../../../../src/lib/jingle/transport.js';
import { Deferred } from '../../../../src/lib/session/wait.js';
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

  it('gives up on an answer that is none when it would connect, not in the middle of the session', async () => {
    const { negotiation } = partyOf(romeo, juliet, 'initiator', {}, () => undefined);
    const { sid } = decodeParameters(await negotiation.offer());
    negotiation.setAnswer(transportOf(sid, [], { mode: 'udp' }));
    await expect(negotiation.connect()).rejects.toThrow(/only tcp is known/);
  });

  it('does not connect to itself where both parties have the same address and port', async () => {
    const { negotiation, said } = partyOf(romeo, juliet, 'initiator', {}, () => undefined);
    const { sid, candidates } = decodeParameters(await negotiation.offer());
    const own = candidates.find(({ host }) => host === '127.0.0.1');
    negotiation.setAnswer(
      transportOf(sid, [{ cid: 'same', port: own?.port ?? 0, priority: 9_000_000, jid: juliet.toString() }]),
    );
    negotiation.receiveInfo(encodeInfo(sid, { kind: 'candidate-error' }));
    await expect(negotiation.connect()).rejects.toBeInstanceOf(TransportFailedError);
    expect(said.join()).toContain('candidate-error');
  });

  it('tries nothing on its own machine for a party that cannot be there', async () => {
    let connections = 0;
    const port = await serve(() => (connections += 1));
    const { negotiation } = partyOf(
      juliet,
      romeo,
      'responder',
      { endpoint: 'xmpps://192.0.2.7:5223' },
      () => undefined,
    );
    const answer = await negotiation.answer(
      transportOf(
        's',
        ['127.0.0.1', '::1', '0.0.0.0', '127.1', 'localhost', '::ffff:7f00:1'].map((host, index) => ({
          cid: String(index),
          host,
          port,
          priority: 100 + index,
        })),
      ),
    );
    expect(decodeParameters(answer).candidates.map(({ host }) => host)).not.toContain('127.0.0.1');
    negotiation.receiveInfo(encodeInfo('s', { kind: 'candidate-error' }));
    await expect(negotiation.connect()).rejects.toThrow('127.0.0.1:');
    expect(connections).toBe(0);
  });

  it('never offers a priority that the other party has used', async () => {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const taken = Array.from({ length: 19 }, (_, index) => ({
        cid: String(index),
        port: index + 1,
        priority: priorityOf('direct', 0, attempt + index),
      }));
      const { negotiation } = partyOf(juliet, romeo, 'responder', {}, () => undefined);
      const answer = decodeParameters(await negotiation.answer(transportOf('s', taken)));
      const theirs = taken.map(({ priority }) => priority);
      for (const { priority } of answer.candidates) expect(theirs).not.toContain(priority);
      negotiation.abandon();
    }
  });

  it('goes on without its own port where that is taken, and says so', async () => {
    const port = await serve(() => undefined);
    const { negotiation, notes } = partyOf(
      romeo,
      juliet,
      'initiator',
      { listen: { hosts: ['127.0.0.1'], port } },
      () => undefined,
    );
    expect(decodeParameters(await negotiation.offer()).candidates).toEqual([]);
    expect(notes.join()).toContain(`cannot listen on 127.0.0.1 port ${port}`);
    negotiation.abandon();
  });

  it('listens on the addresses that it is told to, and offers no others', async () => {
    const { negotiation } = partyOf(
      romeo,
      juliet,
      'initiator',
      { listen: { hosts: ['127.0.0.1', '127.0.0.2'] } },
      () => undefined,
    );
    const { candidates } = decodeParameters(await negotiation.offer());
    expect(candidates.map(({ host }) => host)).toEqual(['127.0.0.1', '127.0.0.2']);
    for (const { host, port } of candidates) {
      const socket = connect({ host, port });
      sockets.add(socket);
      await once(socket, 'connect');
    }
    const elsewhere = connect({ host: '127.0.0.3', port: candidates[0]?.port ?? 0 });
    await expect(once(elsewhere, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    negotiation.abandon();
  });

  it('closes what it has connected to when it is abandoned before anything is agreed on', async () => {
    const closed = new Promise<void>((resolve) => {
      void serve((socket) => {
        socket.on('close', () => resolve());
        void readStreamRequest(socket).then((hash) => {
          grantStream(socket, hash);
          socket.on('end', () => socket.destroy()).resume();
        });
      }).then(async (port) => {
        await party.negotiation.answer(transportOf('s', [{ cid: 'c', port, priority: 9_000_000 }]));
        connecting = party.negotiation.connect();
        connecting.catch(() => undefined);
      });
    });
    let connecting: Promise<Bytestream> | undefined;
    const told = new Deferred<undefined>();
    const party = partyOf(juliet, romeo, 'responder', {}, () => told.resolve(undefined));
    await told.promise;
    party.negotiation.abandon();
    await closed;
    await expect(connecting).rejects.toBeInstanceOf(TransportFailedError);
  });

  it('tells streams of a run apart that come to the same port', async () => {
    const [left, right] = [socks5Transport(), socks5Transport()];
    const pairs = await Promise.all(
      Array.from({ length: 5 }, () => exchange({ transport: left }, { transport: right })),
    );
    const streams = await Promise.all(
      pairs.map(([initiator, responder]) =>
        Promise.all([initiator.negotiation.connect(), responder.negotiation.connect()]),
      ),
    );
    await Promise.all(streams.map(async ([from, to], index) => carries(from, to, `stream ${index}`)));
    for (const { negotiation } of pairs.flat()) negotiation.abandon();
  });

  it('is not kept busy by strangers who connect and say nothing', async () => {
    const [initiator, responder] = await exchange();
    // The port is what a scan finds; the hash is what it does not know.
    const port = Number(/port="(\d+)"/.exec(initiator.offered ?? '')?.[1]);
    const strangers = Array.from({ length: 100 }, () => connect({ port, host: '127.0.0.1' }));
    await Promise.all(
      strangers.map(async (socket) => {
        sockets.add(socket.on('error', () => undefined));
        await once(socket, 'connect');
      }),
    );
    const [left, right] = await Promise.all([
      initiator.negotiation.connect(),
      responder.negotiation.connect(),
    ]);
    await carries(left, right, 'undisturbed');
    for (const { negotiation } of [initiator, responder]) negotiation.abandon();
  });

  it('takes the connection that the other party has kept, of those to a forwarded port', async () => {
    const advertised = [{ host: 'home.example.org', port: 4444 }];
    const { negotiation } = partyOf(romeo, juliet, 'initiator', { advertised }, () => undefined);
    const { sid, candidates } = decodeParameters(await negotiation.offer());
    const port = candidates.find(({ type }) => type === 'direct')?.port ?? 0;
    const ask = async (): Promise<Socket> => {
      const socket = connect({ port, host: '127.0.0.1' });
      sockets.add(socket);
      await requestStream(socket, destinationOf(sid, romeo.toString(), juliet.toString()));
      return socket;
    };
    const [dropped, kept] = [await ask(), await ask()];
    dropped.destroy();
    // The end has reached us when one that came later has been answered.
    await ask();
    negotiation.setAnswer(transportOf(sid, []));
    const forwarded = candidates.find(({ type }) => type === 'assisted');
    negotiation.receiveInfo(encodeInfo(sid, { kind: 'candidate-used', cid: forwarded?.cid ?? '' }));
    const { stream } = await negotiation.connect();
    kept.end('kept');
    expect(await text(stream)).toBe('kept');
    negotiation.abandon();
  });
});
