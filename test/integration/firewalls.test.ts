/** Two machines with firewalls and a server between them: the way that is open is found. */
import type { ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { bundleProgram, type Program } from '../support/bundle.js';
import {
  createHostNetwork,
  hasIpv6,
  obstacleToHosts,
  type Host,
  type HostNetwork,
} from '../support/host-network.js';
import { serverNames } from '../support/server-names.js';

const size = 300_000;
const obstacle = await obstacleToHosts();

type Saying = Record<string, unknown> & { kind: string };

/** One end of a transfer, on a host of its own. */
class End {
  readonly said: Saying[] = [];
  readonly ended: Promise<void>;
  readonly #lines: AsyncIterator<string, undefined>;
  readonly #errors: Promise<string>;

  constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    this.#errors = text(child.stderr);
    this.ended = new Promise((resolve) => child.once('close', () => resolve()));
  }

  /** What it says up to the first of a kind. */
  async until(kind: string): Promise<Saying> {
    for (;;) {
      const line = await this.#lines.next();
      if (line.done) throw new Error(`it ended before ${kind}: ${await this.#errors}`);
      const saying = JSON.parse(line.value) as Saying;
      this.said.push(saying);
      if (saying.kind === kind) return saying;
      if (saying.kind === 'failed') throw new Error(JSON.stringify(this.said));
    }
  }
}

describe.skipIf(obstacle !== undefined).each(serverNames)(
  `between firewalls${obstacle === undefined ? '' : ` (not possible here: ${obstacle})`}, on %s`,
  (name) => {
    let network: HostNetwork;
    let sandbox: Sandbox;
    let program: Program;

    beforeAll(async () => {
      program = await bundleProgram('transfer-file');
      network = await createHostNetwork();
      sandbox = await startSandbox({
        server: name,
        searchPath: process.env['PATH'],
        proxyAddress: network.gateway,
      });
      await network.publish(sandbox.ports.c2s);
      await network.publish(sandbox.ports.proxy);
    });
    afterAll(async () => {
      await network[Symbol.asyncDispose]();
      await sandbox.stop();
      await program[Symbol.asyncDispose]();
    });

    function start(host: Host, account: string, args: readonly string[]): End {
      const { jid, password } = sandbox.accounts[account] ?? { jid: '', password: '' };
      return new End(
        host.start([process.execPath, program.file, ...args], {
          PEER_JID: `${jid}/${account}`,
          PEER_PASSWORD: password,
          PEER_SERVICE: `xmpp://${network.gateway}:${sandbox.ports.c2s}`,
          PEER_CA: sandbox.ca,
        }),
      );
    }

    /** Sends a file from the first host to the second. @returns what both say was the way of it */
    async function transfer(): Promise<string> {
      const receiver = start(network.hosts[1], 'bob', ['receive', String(size)]);
      const { jid } = await receiver.until('online');
      const sender = start(network.hosts[0], 'alice', ['send', String(size), String(jid)]);
      const both = await Promise.all([sender.until('done'), receiver.until('done')]);
      expect(await receiver.until('same')).toMatchObject({ isSame: true });
      expect(both.map(({ certainty }) => certainty)).toEqual(['verified', 'verified']);
      expect(both[0]['method']).toBe(both[1]['method']);
      await Promise.all([sender.ended, receiver.ended]);
      const path = sender.said.findLast(({ kind }) => kind === 'transport')?.['path'];
      return `${String(both[0]['method'])} by ${String(path)}`;
    }

    // Each closes one more way.
    test('directly, where nothing is in the way', async () => {
      const [{ ipv4, ipv6 }, other] = network.hosts;
      const path = await transfer();
      const addresses = [ipv4, `[${ipv6}]`, other.ipv4, `[${other.ipv6}]`];
      expect(addresses.some((address) => path.startsWith(`direct by ${address}:`))).toBe(true);
    });

    test('directly, where only one of them can be reached', async () => {
      const [sender, { ipv4, ipv6 }] = network.hosts;
      await sender.drop('incoming', `ip saddr ${ipv4} tcp flags & (syn | ack) == syn`);
      await sender.drop('incoming', `ip6 saddr ${ipv6} tcp flags & (syn | ack) == syn`);
      expect(await transfer()).toMatch(/^direct by /);
    });

    test.skipIf(!hasIpv6)('directly by IPv6, where IPv4 is closed', async () => {
      const [sender, { ipv4, ipv6 }] = network.hosts;
      await sender.drop('outgoing', `ip daddr ${ipv4}`);
      expect(await transfer()).toContain(`direct by [${ipv6}]:`);
    });

    test('through the proxy, where neither can be reached', async () => {
      const [sender, { ipv4, ipv6 }] = network.hosts;
      await sender.drop('outgoing', `ip daddr ${ipv4}`);
      await sender.drop('outgoing', `ip6 daddr ${ipv6}`);
      expect(await transfer()).toBe(`proxy by ${network.gateway}:${sandbox.ports.proxy}`);
    });

    test('in-band, where the proxy cannot be reached by one of them', async () => {
      const [, receiver] = network.hosts;
      await receiver.drop('outgoing', `tcp dport ${sandbox.ports.proxy}`);
      expect(await transfer()).toMatch(/^in-band by /);
    });
  },
);
