/** The built program on two machines with firewalls: where nothing is direct, and where the proxy is closed, too. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { environmentOf } from '../support/as-account.js';
import { createHostNetwork, obstacleToHosts, type Host, type HostNetwork } from '../support/host-network.js';
import { startXmppctl, type RunOptions } from '../support/run-xmppctl.js';

const obstacle = await obstacleToHosts();
const title = `send-file between firewalls${obstacle === undefined ? '' : ` (not possible here: ${obstacle})`}`;

describe.skipIf(obstacle !== undefined)(title, () => {
  let network: HostNetwork;
  let sandbox: Sandbox;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-firewalls-'));
    network = await createHostNetwork();
    sandbox = await startSandbox({
      server: 'prosody',
      searchPath: process.env['PATH'],
      proxyAddress: network.gateway,
    });
    await network.publish(sandbox.ports.c2s);
    await network.publish(sandbox.ports.proxy);
    const [first, second] = network.hosts;
    await first.drop('outgoing', `ip daddr ${second.ipv4}`);
    await first.drop('outgoing', `ip6 daddr ${second.ipv6}`);
  });
  afterAll(async () => {
    await network[Symbol.asyncDispose]();
    await sandbox.stop();
    await rm(folder, { recursive: true });
  });

  const on = ({ prefix }: Host, account: string): RunOptions => ({
    prefix,
    input: '',
    env: {
      ...environmentOf(sandbox, account),
      XMPPCTL_SERVICE: `xmpp://${network.gateway}:${sandbox.ports.c2s}`,
    },
  });

  /** @returns the method and the certainty that the sender prints, and what it says beside that */
  async function transfer(name: string): Promise<string[]> {
    const [first, second] = network.hosts;
    const file = path.join(folder, name);
    const content = randomBytes(500_000);
    await writeFile(file, content);
    const { alice, bob } = sandbox.accounts;
    const place = path.join(folder, 'received');
    const receiver = startXmppctl(
      ['receive-file', '--verbose', '--once', '--from', alice?.jid ?? '', '--dir', place],
      on(second, 'bob'),
    );
    await receiver.waitFor('stderr', /waiting for files as/);
    const sent = await startXmppctl(['send-file', '--no-upload', file, bob?.jid ?? ''], on(first, 'alice'))
      .finished;
    expect(sent).toMatchObject({ code: 0 });
    expect(await receiver.finished).toMatchObject({ code: 0 });
    expect((await readFile(path.join(place, name))).equals(content)).toBe(true);
    return [...sent.stdout.split('\t').slice(3, 5), sent.stderr];
  }

  it('goes through the proxy', async () => {
    expect(await transfer('proxied.bin')).toEqual(['proxy', 'verified', '']);
  });

  it('goes in-band where the proxy is closed, too', async () => {
    await network.hosts[1].drop('outgoing', `tcp dport ${sandbox.ports.proxy}`);
    expect(await transfer('in-band.bin')).toEqual([
      'in-band',
      'verified',
      expect.stringContaining('because no SOCKS5 candidate can be reached: '),
    ]);
  });
});
