import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import {
  Refusal,
  type IncomingFile,
  type OfferSource,
} from '../../src/lib/file-transfer/receiving/incoming-file.js';
import {
  inBandMethod,
  socks5Method,
  streamInitiationOffers,
} from '../../src/lib/file-transfer/receiving/stream-initiation.js';
import { queryInfo } from '../../src/lib/disco/query.js';
import type { Session } from '../../src/lib/session/session.js';
import { readAll } from '../support/read-all.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer, type ServerUnderTest } from '../support/servers.js';
import { startSlixmpp, type SlixmppPeer } from '../support/slixmpp-peer.js';

const IN_BAND = 'http://jabber.org/protocol/ibb';
const SOCKS5 = 'http://jabber.org/protocol/bytestreams';

async function receive(
  server: ServerUnderTest,
  methods = [inBandMethod],
): Promise<{ bob: Session; source: OfferSource }> {
  const bob = await connectAccount(server.sandbox, 'bob');
  onTestFinished(() => bob.close());
  const source = streamInitiationOffers(bob, { methods, timeoutMs: 20_000 });
  return { bob, source };
}

async function next({ offers }: OfferSource, peer: SlixmppPeer): Promise<IncomingFile> {
  const gone = peer.ended.then(({ said }) => Promise.reject(new Error(`slixmpp has ended: ${said}`)));
  gone.catch(() => undefined);
  const { value } = (await Promise.race([offers.next(), gone])) as IteratorYieldResult<
    readonly IncomingFile[]
  >;
  const [file] = value;
  if (!file) throw new Error('nothing was offered');
  return file;
}

describeOnEachServer('stream initiation by slixmpp', (server) => {
  const content = randomBytes(100_000);

  const offer = (bob: Session, methods: string, ...options: string[]) =>
    startSlixmpp(
      server.sandbox,
      'alice',
      ['si-send', bob.jid.toString(), 'old.txt', String(content.length), methods, ...options],
      content,
    );

  it('is advertised', async () => {
    const { bob } = await receive(server);
    const alice = await connectAccount(server.sandbox, 'alice');
    onTestFinished(() => alice.close());
    const { features } = await queryInfo(alice, bob.jid);
    expect(features).toEqual(
      expect.arrayContaining([
        'http://jabber.org/protocol/si',
        'http://jabber.org/protocol/si/profile/file-transfer',
        IN_BAND,
      ]),
    );
  });

  it('brings a file', async () => {
    const { bob, source } = await receive(server);
    const peer = await offer(bob, `${SOCKS5},${IN_BAND}`);
    const file = await next(source, peer);
    expect(file).toMatchObject({
      isResumable: false,
      file: {
        name: 'old.txt',
        sizeBytes: content.length,
        mediaType: 'text/plain',
        description: 'from an old client',
      },
    });
    expect(file.peer.toString()).toBe(peer.jid.toString());
    const { bytestream } = await file.accept(0);
    await file.ping();
    expect((await readAll(bytestream.stream)).equals(content)).toBe(true);
    await file.confirm();
    expect((await peer.ended).said).toContain(`accepted ${IN_BAND} 0`);
  });

  it('brings a file through the proxy of the server', async () => {
    const { bob, source } = await receive(server, [socks5Method, inBandMethod]);
    const peer = await offer(bob, `${SOCKS5},${IN_BAND}`, 'ranged');
    const { bytestream } = await (await next(source, peer)).accept(10_000);
    expect(bytestream).toMatchObject({
      method: 'proxy',
      path: `127.0.0.1:${server.sandbox.ports.proxy}`,
    });
    expect((await readAll(bytestream.stream)).equals(content.subarray(10_000))).toBe(true);
    bytestream.stream.destroy();
    expect((await peer.ended).said).toContain(`accepted ${SOCKS5} 10000`);
  });

  it('goes on from where an earlier attempt has stopped', async () => {
    const { bob, source } = await receive(server);
    const peer = await offer(bob, IN_BAND, 'ranged');
    const file = await next(source, peer);
    expect(file.isResumable).toBe(true);
    const { bytestream, startBytes } = await file.accept(60_000);
    expect(startBytes).toBe(60_000);
    expect((await readAll(bytestream.stream)).equals(content.subarray(60_000))).toBe(true);
    expect((await peer.ended).said).toContain(`accepted ${IN_BAND} 60000`);
  });

  it('is declined', async () => {
    const { bob, source } = await receive(server);
    const peer = await offer(bob, IN_BAND);
    await (await next(source, peer)).refuse(new Refusal());
    expect(await peer.ended).toMatchObject({ code: 1 });
    expect((await peer.ended).said).toContain('refused: forbidden: Offer Declined');
  });

  it('is refused where only methods are offered that are not there', async () => {
    const { bob } = await receive(server);
    const peer = await offer(bob, 'jabber:iq:oob');
    expect((await peer.ended).said).toContain('refused: bad-request');
  });
});
