import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { acceptSocks5Bytestream } from '../../../../src/lib/bytestreams/socks5/accept-bytestream.js';
import { destinationOf } from '../../../../src/lib/bytestreams/socks5/candidates.js';
import {
  grantStream,
  readStreamRequest,
  refuseStream,
} from '../../../../src/lib/bytestreams/socks5/handshake.js';
import { NS_BYTESTREAMS } from '../../../../src/lib/bytestreams/socks5/stanzas.js';
import { InterruptedError, StanzaError, TimeoutError } from '../../../../src/lib/errors.js';
import { TransportFailedError } from '../../../../src/lib/jingle/transport.js';
import { xml, type Element } from '../../../../src/lib/xml/element.js';
import { listenOnLoopback } from '../../../support/loopback.js';
import { MemoryNetwork } from '../../../support/memory-network.js';
import { readAll } from '../../../support/read-all.js';

const sid = 'vxf9n471bn46';

function connectBoth() {
  const network = new MemoryNetwork();
  const requester = network.connect('requester@example.com/foo');
  const target = network.connect('target@example.org/bar');
  const ask = (streamhosts: readonly Element[], more: Record<string, string> = {}): Promise<Element> =>
    requester.request({
      type: 'set',
      to: target.jid,
      payload: xml('query', { xmlns: NS_BYTESTREAMS, sid, ...more }, ...streamhosts),
    });
  return { network, requester, target, ask };
}

const streamhost = (jid: string, port: number): Element =>
  xml('streamhost', { jid, host: '127.0.0.1', port });

async function conditionOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  if (!(error instanceof StanzaError)) throw new Error(`expected a stanza error, got ${String(error)}`);
  return error.condition;
}

describe('a SOCKS5 bytestream that is opened without Jingle', () => {
  it('is connected to the first streamhost that lets us through', async () => {
    const { requester, target, ask } = connectBoth();
    const wanted = destinationOf(sid, requester.jid.toString(), target.jid.toString());
    await using refusing = await listenOnLoopback(
      createServer((socket) => void readStreamRequest(socket).then(() => refuseStream(socket))),
    );
    await using granting = await listenOnLoopback(
      createServer((socket) => {
        void readStreamRequest(socket).then((destination) => {
          if (destination !== wanted) throw new Error(`asked for ${destination}`);
          grantStream(socket, destination);
          socket.end('from the requester');
        });
      }),
    );
    const { opened } = acceptSocks5Bytestream(target, { peer: requester.jid, sid });
    const reply = await ask([
      streamhost('proxy.example.net', refusing.port),
      streamhost(requester.jid.toString(), granting.port),
    ]);
    expect(reply.getChild('query')?.getChild('streamhost-used')?.attrs['jid']).toBe(
      'requester@example.com/foo',
    );
    const { stream, method } = await opened;
    expect(method).toBe('direct');
    expect(String(await readAll(stream))).toBe('from the requester');
    stream.destroy();
  });

  it('fails where nothing can be reached', async () => {
    const { requester, target, ask } = connectBoth();
    const gone = await listenOnLoopback(createServer());
    await gone[Symbol.asyncDispose]();
    const { opened } = acceptSocks5Bytestream(target, { peer: requester.jid, sid });
    expect(await conditionOf(ask([streamhost('proxy.example.net', gone.port)]))).toBe('item-not-found');
    await expect(opened).rejects.toThrow(TransportFailedError);
    // It was asked for once.
    expect(await conditionOf(ask([]))).toBe('not-acceptable');
  });

  it('tries nothing on its own machine for a party that cannot be there', async () => {
    const { requester, target, ask } = connectBoth();
    target.info = { ...target.info, endpoint: 'xmpp://192.0.2.7:5222' };
    let connections = 0;
    await using own = await listenOnLoopback(createServer(() => (connections += 1)));
    const { opened } = acceptSocks5Bytestream(target, { peer: requester.jid, sid });
    expect(await conditionOf(ask([streamhost(requester.jid.toString(), own.port)]))).toBe('item-not-found');
    await expect(opened).rejects.toThrow('it is an address of this machine');
    expect(connections).toBe(0);
  });

  it('is not for strangers, not for datagrams, and not for ever', async () => {
    const { network, requester, target, ask } = connectBoth();
    const acceptor = acceptSocks5Bytestream(target, { peer: requester.jid, sid });
    const stranger = network.connect('requester@example.com/other');
    const payload = xml('query', { xmlns: NS_BYTESTREAMS, sid });
    expect(await conditionOf(stranger.request({ type: 'set', to: target.jid, payload }))).toBe(
      'not-acceptable',
    );
    expect(await conditionOf(ask([], { mode: 'udp' }))).toBe('not-acceptable');
    acceptor[Symbol.dispose]();
    await expect(acceptor.opened).rejects.toThrow(InterruptedError);
    expect(await conditionOf(ask([]))).toBe('not-acceptable');
    const { opened } = acceptSocks5Bytestream(target, { peer: requester.jid, sid }, { timeoutMs: 5 });
    await expect(opened).rejects.toThrow(TimeoutError);
  });
});
