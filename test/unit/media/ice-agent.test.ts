import { afterEach, describe, expect, it } from 'vitest';
import { bindDatagramPath } from '../../../src/lib/media/ice/datagram-path.js';
import { IceAgent, type IceAgentOptions } from '../../../src/lib/media/ice/ice-agent.js';
import type { CandidatePair, IceCandidate } from '../../../src/lib/media/media-link.js';

interface Side {
  agent: IceAgent;
  candidates: IceCandidate[];
  received: string[];
  connected: Promise<CandidatePair>;
  failed: Promise<string>;
}

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function openSide(options: Partial<IceAgentOptions>, peer?: () => Side | undefined): Side {
  const side: { -readonly [Key in keyof Side]?: Side[Key] } = { candidates: [], received: [] };
  let connect: (pair: CandidatePair) => void = () => undefined;
  let fail: (reason: string) => void = () => undefined;
  side.connected = new Promise((resolve) => (connect = resolve));
  side.failed = new Promise((resolve) => (fail = resolve));
  side.agent = new IceAgent(
    { isControlling: false, servers: [], isRelayOnly: false, interfaces: ['127.0.0.1'], ...options },
    {
      candidate: (candidate) => {
        side.candidates?.push(candidate);
        peer?.()?.agent.addRemoteCandidate(candidate);
      },
      gathered: () => peer?.()?.agent.endRemoteCandidates(),
      connected: connect,
      data: (datagram) => side.received?.push(datagram.toString()),
      failed: fail,
    },
  );
  open.push(side.agent);
  return side as Side;
}

function openPair(one: Partial<IceAgentOptions> = {}, other: Partial<IceAgentOptions> = {}): [Side, Side] {
  let second: Side | undefined = undefined;
  const first = openSide({ isControlling: true, ...one }, () => second);
  second = openSide(other, () => first);
  return [first, second];
}

async function start(first: Side, second: Side): Promise<void> {
  await Promise.all([first.agent.gather(), second.agent.gather()]);
  first.agent.setRemote(second.agent.credentials);
  second.agent.setRemote(first.agent.credentials);
}

describe('two agents', () => {
  it('find each other on loopback and exchange data', async () => {
    const [first, second] = openPair();
    await start(first, second);
    const [one, other] = await Promise.all([first.connected, second.connected]);
    expect(one).toMatchObject({ local: { type: 'host', ip: '127.0.0.1' }, remote: { type: 'host' } });
    expect(one.local.port).toBe(other.remote.port);
    first.agent.send(Buffer.from('\u0080there'));
    second.agent.send(Buffer.from('\u0080back'));
    await expect.poll(() => [first.received.length, second.received.length]).toEqual([1, 1]);
  });

  it('find each other over IPv6', async () => {
    const [first, second] = openPair({ interfaces: ['::1'] }, { interfaces: ['::1'] });
    await start(first, second);
    expect((await first.connected).remote.ip).toBe('::1');
  });

  it('repair it when both take the same role', async () => {
    const [first, second] = openPair({ isControlling: true }, { isControlling: true });
    await start(first, second);
    await Promise.all([first.connected, second.connected]);
  });

  it('learn an address that was not named', async () => {
    const [first, second] = openPair();
    await Promise.all([first.agent.gather(), second.agent.gather()]);
    const silent = openSide({ isControlling: true }, () => undefined);
    await silent.agent.gather();
    for (const candidate of second.candidates) silent.agent.addRemoteCandidate(candidate);
    silent.agent.setRemote(second.agent.credentials);
    second.agent.setRemote(silent.agent.credentials);
    await silent.connected;
    expect((await second.connected).remote.type).toBe('prflx');
  });

  it('use checks that come before the answer', async () => {
    const [first, second] = openPair();
    await Promise.all([first.agent.gather(), second.agent.gather()]);
    first.agent.setRemote(second.agent.credentials);
    await new Promise((resolve) => setImmediate(resolve));
    second.agent.setRemote(first.agent.credentials);
    await Promise.all([first.connected, second.connected]);
  });

  it('go on over the old pair during a restart, and then over the new one', async () => {
    const [first, second] = openPair();
    await start(first, second);
    await first.connected;
    const before = first.agent.credentials;
    first.agent.restart();
    second.agent.restart();
    expect(first.agent.credentials.ufrag).not.toBe(before.ufrag);
    first.agent.send(Buffer.from('\u0080still'));
    await expect.poll(() => second.received.length).toBe(1);
    await start(first, second);
    await expect.poll(() => first.agent.pair?.remote.generation).toBe(1);
  });
});

describe('an agent alone', () => {
  it('says why it failed when the other side names nothing', async () => {
    const side = openSide({ isRelayOnly: true, interfaces: [] });
    await side.agent.gather();
    expect(await side.failed).toBe('there is no address to send from');
  });

  it('ignores requests without the right integrity, and data of strangers', async () => {
    const [first, second] = openPair();
    await start(first, second);
    await first.connected;
    const stranger = await bindDatagramPath('127.0.0.1');
    open.push(stranger);
    const [target] = first.candidates;
    if (!target) throw new Error('no candidate');
    stranger.send(Buffer.from('\u0080strange'), target);
    second.agent.send(Buffer.from('\u0080known'));
    await expect.poll(() => first.received).toHaveLength(1);
  });

  it('keeps a flood of candidates out, and what is no address of one host', async () => {
    const side = openSide({ isControlling: true });
    await side.agent.gather();
    const [own] = side.candidates;
    if (!own) throw new Error('no candidate');
    for (const ip of ['224.0.0.1', '0.0.0.0', '255.255.255.255', 'ff02::1', '::', 'example.org', '']) {
      side.agent.addRemoteCandidate({ ...own, ip });
    }
    side.agent.addRemoteCandidate({ ...own, port: 0 });
    for (let port = 1000; port < 11_000; port += 1) side.agent.addRemoteCandidate({ ...own, port });
    expect(side.agent.pair).toBeUndefined();
  });

  it('refuses an interface that is not there', async () => {
    const side = openSide({ interfaces: ['nowhere0'] });
    await expect(side.agent.gather()).rejects.toThrow(/no interface or address "nowhere0" here/);
  });
});
