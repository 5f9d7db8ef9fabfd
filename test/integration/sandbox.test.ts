import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InterruptedError, SandboxError } from '../../src/lib/errors.js';
import type { SandboxOptions } from '../../src/lib/sandbox/options.js';
import type { Sandbox, SandboxFacts } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { connectPlain, connectSecure } from '../support/raw-client.js';
import { serverNames } from '../support/server-names.js';
import { describeOnEachServer } from '../support/servers.js';

const searchPath = process.env['PATH'];

function plainResponse(name: string, password: string): string {
  return Buffer.from(`\0${name}\0${password}`).toString('base64');
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

async function expectNothingLeft(facts: SandboxFacts): Promise<void> {
  expect(existsSync(facts.dir)).toBe(false);
  expect(await isListening(facts.ports.c2s)).toBe(false);
}

describeOnEachServer('a sandbox', (server) => {
  it('lets each account log in with its own password, and not with another', async () => {
    const { sandbox } = server;
    for (const [name, { jid, password }] of Object.entries(sandbox.accounts)) {
      using right = await connectSecure(sandbox);
      expect(await right.logIn('PLAIN', plainResponse(name, password))).toContain(`${jid}/`);
      using wrong = await connectSecure(sandbox);
      expect(await wrong.logIn('PLAIN', plainResponse(name, `${password}x`))).toContain('<not-authorized');
    }
    expect(Object.keys(sandbox.accounts)).toEqual(['alice', 'bob', 'carol']);
  });

  it('requires STARTTLS before it offers a way to log in', async () => {
    using client = await connectPlain(server.sandbox);
    const features = await client.open();
    expect(features).toMatch(/<starttls.*<required/);
    expect(features).not.toContain('<mechanism>');
  });

  it('lets anybody in at its anonymous host', async () => {
    const { sandbox } = server;
    using client = await connectSecure(sandbox, sandbox.addresses.anonymous);
    expect(await client.logIn('ANONYMOUS', '=')).toContain(`@${sandbox.addresses.anonymous}/`);
  });

  it('has its services where it says', async () => {
    const { sandbox } = server;
    using client = await connectSecure(sandbox);
    await client.logIn('PLAIN', plainResponse('alice', sandbox.accounts['alice']?.password ?? ''));
    const { muc, pubsub, upload, proxy } = sandbox.addresses;
    for (const [service, identity] of [
      [muc, /category=.conference/],
      [pubsub, /category=.pubsub/],
      [upload, /category=.store/],
      [proxy, /category=.proxy/],
      [sandbox.accounts['alice']?.jid, /urn:xmpp:mam:2/],
    ] as const) {
      const answer = await client.exchange(
        `<iq id='disco' type='get' to='${service ?? ''}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
        /<\/iq>/,
      );
      expect(answer).toMatch(identity);
    }
  });

  it('reaches no other server', async () => {
    const { sandbox } = server;
    using client = await connectSecure(sandbox);
    await client.logIn('PLAIN', plainResponse('bob', sandbox.accounts['bob']?.password ?? ''));
    const answer = await client.exchange(
      "<iq id='ping' type='get' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
      /<\/iq>/,
    );
    expect(answer).toMatch(/<remote-server-(not-found|timeout)/);
  });

  it('serves host-meta over HTTPS with a certificate of its own authority', async () => {
    const { sandbox } = server;
    const call = request({
      host: sandbox.host,
      port: sandbox.ports.https,
      path: '/.well-known/host-meta',
      ca: sandbox.ca,
      servername: sandbox.domain,
      headers: { host: sandbox.domain },
      agent: false,
    }).end();
    const [response] = (await once(call, 'response')) as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toContain(`'${sandbox.services.websocket}'`);
  });

  it('keeps passwords out of the log that it shows', async () => {
    const { sandbox } = server;
    const log = await sandbox.readLog();
    expect(log).not.toBe('');
    for (const { password } of Object.values(sandbox.accounts)) expect(log).not.toContain(password);
  });

  it('keeps its directory to itself', async () => {
    const { stat } = await import('node:fs/promises');
    expect((await stat(server.sandbox.dir)).mode & 0o077).toBe(0);
  });
});

describe.each(serverNames)('on %s', (name) => {
  const start = (options: SandboxOptions = {}): Promise<Sandbox> =>
    startSandbox({ server: name, searchPath, ...options });

  it('two sandboxes run side by side, and stopping one leaves the other', async () => {
    await using first = await start();
    const second = await start();
    expect(Object.values(first.ports).filter((port) => Object.values(second.ports).includes(port))).toEqual(
      [],
    );
    await second.stop();
    await expectNothingLeft(second);
    using client = await connectPlain(first);
    expect(await client.open()).toContain('features');
  });

  it('restarts on the same ports with what it has stored on disk', async () => {
    await using sandbox = await start({ storage: 'disk' });
    const publish = async (request: string, until: RegExp) => {
      using client = await connectSecure(sandbox);
      await client.logIn('PLAIN', plainResponse('alice', sandbox.accounts['alice']?.password ?? ''));
      return await client.exchange(request, until);
    };
    const node = `<pubsub xmlns='http://jabber.org/protocol/pubsub'>`;
    const to = sandbox.addresses.pubsub;
    const published = await publish(
      `<iq id='1' type='set' to='${to}'>${node}<publish node='kept'><item id='one'><kept xmlns='urn:example'/></item></publish></pubsub></iq>`,
      /<\/iq>|<iq[^>]*\/>/,
    );
    expect(published).toMatch(/type=.result/);
    const { pid } = sandbox;
    await sandbox.restart();
    expect(sandbox.pid).not.toBe(pid);
    const answer = await publish(
      `<iq id='2' type='get' to='${to}'>${node}<items node='kept'/></pubsub></iq>`,
      /<\/iq>/,
    );
    expect(answer).toContain('urn:example');
  });

  it('says what the server logged when it does not start', async () => {
    const broken = start({ prosody: { global: { 'not lua': 1 } }, ejabberd: { no_such_option: true } });
    const error = await broken.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SandboxError);
    expect((error as SandboxError).exitCode).toBe(3);
    expect((error as SandboxError).message).toMatch(
      /did not start: it exited .* it logged: .*(near 'not'|no_such_option)/s,
    );
  });

  it('stops starting when it is told to', async () => {
    const abort = new AbortController();
    const starting = start({ signal: abort.signal });
    abort.abort();
    await expect(starting).rejects.toBeInstanceOf(InterruptedError);
  });

  it.each([
    ['expired', 'CERT_HAS_EXPIRED'],
    ['wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['self-signed', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ] as const)('can show a certificate that is %s', async (certificate, code) => {
    await using sandbox = await start({ certificate });
    await expect(connectSecure(sandbox)).rejects.toMatchObject({ code });
  });

  it('can be held to one version of TLS and one mechanism', async () => {
    await using sandbox = await start({ tlsVersion: '1.2', mechanisms: ['SCRAM-SHA-1'] });
    using client = await connectSecure(sandbox);
    expect(client.socket instanceof TLSSocket && client.socket.getProtocol()).toBe('TLSv1.2');
    const mechanisms = [...(await client.open()).matchAll(/<mechanism>([^<]*)/g)].map(([, found]) => found);
    expect(mechanisms.sort()).toEqual(['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS']);
  });

  it('can do without TLS', async () => {
    await using sandbox = await start({ encryption: 'none' });
    using client = await connectPlain(sandbox);
    const features = await client.open();
    expect(features).not.toContain('starttls');
    expect(features).toContain('<mechanism>PLAIN</mechanism>');
  });

  it('can let clients in by their certificate', async () => {
    await using sandbox = await start({ clientCertificates: true });
    const domain = sandbox.addresses.certificates;
    const jid = `alice@${domain}`;
    using client = await connectSecure(sandbox, domain, sandbox.issueClientCertificate(jid));
    expect(await client.logIn('EXTERNAL', '=')).toContain(`${jid}/`);
    using stranger = await connectSecure(sandbox, domain);
    expect(await stranger.logIn('EXTERNAL', '=')).toContain('<failure');
  });

  it('leaves nothing behind when its process group is signalled away', async () => {
    const sandbox = await start();
    sandbox.signal('SIGKILL');
    await vi.waitFor(async () => expect(await isListening(sandbox.ports.c2s)).toBe(false), {
      timeout: 10_000,
    });
    await sandbox.stop();
    await sandbox.stop();
    await expectNothingLeft(sandbox);
  });
});

describe('the parent of a sandbox', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-test-'));
    await writeFile(
      path.join(dir, 'parent.ts'),
      `import { startSandbox } from ${JSON.stringify(path.resolve('src/lib/sandbox/start-sandbox.ts'))};
       const [server, isDetached] = process.argv.slice(2);
       const sandbox = await startSandbox({ server: server as 'prosody', isDetached: isDetached === 'detached', searchPath: process.env.PATH });
       console.log(JSON.stringify(sandbox));
       if (!isDetached) setInterval(() => undefined, 1000);`,
    );
    await build({
      entryPoints: [path.join(dir, 'parent.ts')],
      outfile: path.join(dir, 'parent.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    });
  });
  afterAll(() => rm(dir, { recursive: true }));

  const startParent = async (...args: string[]) => {
    const parent = spawn(process.execPath, [path.join(dir, 'parent.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    return { parent, facts: JSON.parse(line.toString()) as SandboxFacts };
  };

  it.each(serverNames)('takes %s with it, even when it is killed', async (name) => {
    const { parent, facts } = await startParent(name);
    expect(isAlive(facts.pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(existsSync(facts.dir)).toBe(false), { timeout: 20_000 });
    expect(await isListening(facts.ports.c2s)).toBe(false);
  });

  it('leaves a detached sandbox running', async () => {
    const { parent, facts } = await startParent('prosody', 'detached');
    try {
      if (parent.exitCode === null) await once(parent, 'exit');
      expect(await isListening(facts.ports.c2s)).toBe(true);
    } finally {
      process.kill(-facts.pid, 'SIGKILL');
      await rm(facts.dir, { recursive: true });
    }
  });
});
