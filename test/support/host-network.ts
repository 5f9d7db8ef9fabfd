/**
 * Machines of their own for tests of firewalls: network namespaces that a bridge joins with this one, each with an IPv4
 * and an IPv6 address, its own loopback, and a firewall. Nothing leaves this machine. Needs root, iproute2 and nftables.
 */
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Host {
  readonly ipv4: string;
  readonly ipv6: string;
  /** What to put before a command for it to run there. */
  readonly prefix: readonly string[];
  /** Starts a program there, which does not outlive the network. */
  start(
    command: readonly string[],
    env?: Readonly<Record<string, string | undefined>>,
  ): ChildProcessByStdio<null, Readable, Readable>;
  /** Its firewall drops without a word what matches this expression of nftables. */
  drop(direction: 'incoming' | 'outgoing', match: string): Promise<void>;
}

export interface HostNetwork extends AsyncDisposable {
  readonly hosts: readonly [Host, Host];
  /** The address of this machine in that network. */
  readonly gateway: string;
  /** Makes a server on loopback reachable for the hosts, at the gateway's address and the same port. */
  publish(port: number): Promise<void>;
}

/** Without it the hosts have IPv4 only. */
export const hasIpv6 = existsSync('/proc/net/if_inet6');

/** Why there can be none here; undefined when there can. */
export async function obstacleToHosts(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are there on Linux only';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `xmppctl-probe-${randomBytes(4).toString('hex')}`;
  try {
    await run('nft', ['--version']);
    await run('ip', ['netns', 'add', probe]);
    await run('ip', ['netns', 'exec', probe, 'nft', 'add', 'table', 'inet', 'probe']);
    return undefined;
  } catch (error) {
    const [firstLine] = (error instanceof Error ? error.message : String(error)).split('\n');
    return `no network namespace with a firewall can be made: ${firstLine ?? ''}`;
  } finally {
    await run('ip', ['netns', 'del', probe]).catch(() => undefined);
  }
}

export async function createHostNetwork(): Promise<HostNetwork> {
  const id = randomBytes(3).toString('hex');
  const bridge = `xc${id}`;
  const v4 = `10.213.${randomInt(256)}`;
  // Without leading zeros, as addresses are shown.
  const group = (): string => randomInt(0x1000, 0x10000).toString(16);
  const v6 = `fd5e:${group()}:${group()}:`;
  const gateway = `${v4}.1`;
  const namespaces = [`xmppctl-${id}-a`, `xmppctl-${id}-b`];
  const children = new Set<ChildProcessByStdio<null, Readable, Readable>>();
  const published: Server[] = [];
  const sockets = new Set<Socket>();

  const remove = async (): Promise<void> => {
    for (const child of children) child.kill('SIGKILL');
    for (const server of published) server.close();
    for (const socket of sockets) socket.destroy();
    for (const namespace of namespaces) await run('ip', ['netns', 'del', namespace]).catch(() => undefined);
    await run('ip', ['link', 'del', bridge]).catch(() => undefined);
  };

  const createHost = async (namespace: string, number: number): Promise<Host> => {
    const within = ['netns', 'exec', namespace];
    const [outer, inner] = [`${bridge}${number}`, 'eth0'];
    const ipv4 = `${v4}.${number}`;
    const ipv6 = `${v6}:${number}`;
    await run('ip', ['netns', 'add', namespace]);
    await run('ip', ['link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', namespace]);
    await run('ip', ['link', 'set', outer, 'master', bridge, 'up']);
    await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
    await run('ip', ['-n', namespace, 'link', 'set', inner, 'up']);
    await run('ip', ['-n', namespace, 'addr', 'add', `${ipv4}/24`, 'dev', inner]);
    // Without waiting whether somebody else has it: there is nobody else.
    if (hasIpv6) await run('ip', ['-n', namespace, 'addr', 'add', `${ipv6}/64`, 'dev', inner, 'nodad']);
    const nft = (command: string): Promise<unknown> => run('ip', [...within, 'nft', command]);
    await nft('add table inet firewall');
    await nft('add chain inet firewall incoming { type filter hook input priority 0; policy accept; }');
    await nft('add chain inet firewall outgoing { type filter hook output priority 0; policy accept; }');
    const prefix = ['ip', ...within];
    return {
      ipv4,
      ipv6,
      prefix,
      start: (command, env = {}) => {
        const [program = '', ...args] = [...prefix, ...command];
        const child = spawn(program, args, {
          env: { PATH: process.env['PATH'], ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        children.add(child);
        child.once('close', () => children.delete(child));
        return child;
      },
      drop: async (direction, match) => {
        await nft(`add rule inet firewall ${direction} ${match} drop`);
      },
    };
  };

  try {
    await run('ip', ['link', 'add', bridge, 'type', 'bridge']);
    await run('ip', ['addr', 'add', `${gateway}/24`, 'dev', bridge]);
    await run('ip', ['link', 'set', bridge, 'up']);
    const [first = '', second = ''] = namespaces;
    const hosts = [await createHost(first, 2), await createHost(second, 3)] as const;
    return {
      hosts,
      gateway,
      publish: async (port) => {
        const server = createServer({ allowHalfOpen: true, noDelay: true }, (outer) => {
          const inner = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
          for (const [from, to] of [
            [outer, inner],
            [inner, outer],
          ] as const) {
            sockets.add(from);
            from.on('error', () => to.destroy());
            from.on('close', () => sockets.delete(from));
            from.pipe(to);
          }
        });
        published.push(server);
        server.listen(port, gateway);
        await once(server, 'listening');
      },
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
