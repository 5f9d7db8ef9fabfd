/** Whole connections on loopback, with a server that does as it is told. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createServer, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../../../src/lib/sandbox/certificates.js';
import { parseFault } from '../../../src/lib/trace-proxy/faults.js';
import { openProxyAuthority } from '../../../src/lib/trace-proxy/authority.js';
import { startProxy, type ProxyOptions, type RunningProxy } from '../../../src/lib/trace-proxy/proxy.js';
import { applyRules, parseRules } from '../../../src/lib/trace-proxy/rules.js';
import { Server } from '../../../src/lib/trace-proxy/server-leg.js';
import type { Direction } from '../../../src/lib/trace/events.js';
import { listenOnLoopback } from '../../support/loopback.js';
import { useTemporaryHome } from '../../support/temporary-home.js';

const domain = 'xmpp.test';
const serverAuthority = createAuthority('Test authority');
const serverCertificate = serverAuthority.issue({ commonName: domain, names: [domain] });
const header = (namespace = 'jabber:client'): string =>
  `<?xml version='1.0'?><stream:stream xmlns='${namespace}' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}' version='1.0'>`;
const answer = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>`;

/** One recorded connection. */
class Recording {
  readonly bytes: Record<Direction, number> = { in: 0, out: 0 };
  readonly text: Record<Direction, string> = { in: '', out: '' };
  readonly events: Record<string, unknown>[] = [];
  data(dir: Direction, bytes: Uint8Array): void {
    this.bytes[dir] += bytes.length;
    if (this.text[dir].length < 10_000) this.text[dir] += Buffer.from(bytes).toString('utf8');
  }
  event(name: string, detail: Readonly<Record<string, unknown>>): void {
    this.events.push({ name, ...detail });
  }
}

/** What a socket has said; waits for more. */
class Heard {
  text = '';
  bytes = 0;
  isOver = false;
  constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.text.length < 10_000) this.text += chunk.toString('utf8');
      socket.emit('heard');
    });
    socket.on('close', () => {
      this.isOver = true;
      socket.emit('heard');
    });
  }
  async until(isEnough: (heard: Heard) => boolean): Promise<void> {
    while (!isEnough(this)) {
      if (this.isOver) throw new Error(`closed after ${this.bytes} bytes: ${this.text}`);
      await once(this.socket, 'heard');
    }
  }
  says(part: string): Promise<void> {
    return this.until(({ text }) => text.includes(part));
  }
  async over(): Promise<void> {
    while (!this.isOver) await once(this.socket, 'heard');
  }
}

describe('a proxied connection', () => {
  const home = useTemporaryHome();
  const running: RunningProxy[] = [];
  afterEach(async () => {
    for (const proxy of running.splice(0)) await proxy.close();
  });

  /** A server with TLS from the first byte. */
  async function startServer(serve: (socket: TLSSocket) => void): Promise<number> {
    const server = createServer({ ...serverCertificate, noDelay: true }, (socket) => {
      socket.on('error', () => undefined);
      serve(socket);
    });
    const listening = await listenOnLoopback(server);
    onTestFinished(() => listening[Symbol.asyncDispose]());
    return listening.port;
  }

  async function start(
    service: string,
    options: Partial<ProxyOptions> = {},
  ): Promise<{ port: number; recordings: Recording[]; failures: string[]; ca: string; proxy: RunningProxy }> {
    const recordings: Recording[] = [];
    const failures: string[] = [];
    const authority = await openProxyAuthority(home.dir);
    const secureContext = authority.issue(domain, []);
    const proxy = await startProxy({
      host: '127.0.0.1',
      port: 0,
      server: new Server({ domain, service, tls: { ca: serverAuthority.cert }, timeoutMs: 5000 }),
      domain,
      secureContext: () => secureContext,
      plain: 'always',
      allowsPlainComponents: true,
      stripsChannelBinding: false,
      faults: [],
      interceptors: [],
      timeoutMs: 5000,
      now: () => performance.now(),
      record: () => {
        const trace = new Recording();
        recordings.push(trace);
        return Promise.resolve({ trace, close: () => Promise.resolve() });
      },
      onPlusOffered: () => undefined,
      onFailure: (message) => failures.push(message),
      ...options,
    });
    running.push(proxy);
    return { port: proxy.port, recordings, failures, ca: authority.caFile, proxy };
  }

  function join(port: number): Heard {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    return new Heard(socket);
  }

  it('passes every byte as it is, both ways', async () => {
    let heard: Heard | undefined;
    const port = await startServer((socket) => {
      heard = new Heard(socket);
      socket.write(answer);
    });
    const { port: at, recordings } = await start(`xmpps://127.0.0.1:${port}`);
    const client = join(at);
    const odd = `${header()}<a\n  b = "c"   d='e'/><!-- hm -->\u00e4`;
    client.socket.write(odd);
    await client.says('</stream:features>');
    expect(client.text).toBe(answer);
    client.socket.end(Buffer.from([0xff, 0xc3, 0x28]));
    await client.over();
    expect(heard?.text.startsWith(odd)).toBe(true);
    expect(heard?.bytes).toBe(Buffer.byteLength(odd) + 3);
    expect(recordings[0]?.text.out.startsWith(odd)).toBe(true);
    expect(recordings[0]?.text.in).toBe(answer);
  });

  it('passes a stanza of 50 MB, recorded in pieces', async () => {
    const size = 50 * 1024 * 1024;
    let serverHeard: Heard | undefined;
    const port = await startServer((socket) => {
      serverHeard = new Heard(socket);
      socket.write(answer);
    });
    const rules = applyRules(await parseRules('- {match: "presence", action: drop}'));
    const { port: at, recordings } = await start(`xmpps://127.0.0.1:${port}`, { interceptors: [rules] });
    const client = join(at);
    const [open, close] = ['<message><body>', '</body></message>'];
    client.socket.write(header());
    client.socket.write(open);
    const block = Buffer.alloc(1024 * 1024, 'a');
    for (let sent = 0; sent < size; sent += block.length)
      if (!client.socket.write(block)) await once(client.socket, 'drain');
    client.socket.write(close);
    const total = header().length + open.length + size + close.length;
    while (!serverHeard) await once(client.socket, 'heard');
    await serverHeard.until(({ bytes }) => bytes === total);
    expect(recordings[0]?.bytes.out).toBe(total);
  });

  it('holds a server up while its client does not read', async () => {
    let written = 0;
    const port = await startServer((socket) => {
      socket.write(answer);
      const block = Buffer.alloc(256 * 1024, 'a');
      const more = (): void => {
        while (written < 512 * 1024 * 1024 && !socket.destroyed) {
          written += block.length;
          if (!socket.write(block)) return;
        }
      };
      socket.once('data', more);
      socket.on('drain', more);
    });
    const { port: at } = await start(`xmpps://127.0.0.1:${port}`);
    const client = join(at);
    client.socket.write(header());
    await client.says('</stream:features>');
    client.socket.pause();
    // It goes on until the buffers of the operating system and of the proxy are full.
    for (let last = -1; last !== written;) {
      last = written;
      for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(written).toBeLessThan(64 * 1024 * 1024);
    client.socket.destroy();
  });

  it('ends both sides when the server drops in the middle of a stanza', async () => {
    const port = await startServer((socket) => {
      socket.write(`${answer}<message><body>unfin`);
      socket.once('data', () => socket.destroySoon());
    });
    const { port: at, recordings, proxy } = await start(`xmpps://127.0.0.1:${port}`, { maxConnections: 1 });
    const client = join(at);
    client.socket.write(header());
    await client.over();
    expect(client.text.endsWith('<message><body>unfin')).toBe(true);
    await proxy.finished;
    expect(recordings[0]?.events.at(-1)).toMatchObject({ name: 'close' });
  });

  it('offers TLS to clients that may do without it, and begins again when one wants it', async () => {
    const heard: Heard[] = [];
    const port = await startServer((socket) => {
      heard.push(new Heard(socket));
      socket.write(answer);
    });
    const { port: at, ca } = await start(`xmpps://127.0.0.1:${port}`, { plain: 'allowed' });
    const client = join(at);
    client.socket.write(header());
    await client.says('</stream:features>');
    expect(client.text).toContain('<starttls ');
    client.socket.write(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
    await client.says('<proceed ');
    client.socket.removeAllListeners('data');
    const { readFileSync } = await import('node:fs');
    const secured = new Heard(
      connectTls({ socket: client.socket, servername: domain, ca: readFileSync(ca) }),
    );
    secured.socket.write(header());
    await secured.says('</stream:features>');
    expect(secured.text).toBe(answer);
    expect(heard).toHaveLength(2);
    expect(heard[1]?.text).toBe(header());
    const plain = join(at);
    plain.socket.write(header());
    await plain.says('</stream:features>');
    plain.socket.write('<presence/>');
    while (heard.length < 3) await once(plain.socket, 'heard');
    await heard[2]?.says('<presence/>');
  });

  it('asks servers for TLS in their own namespace', async () => {
    const { port: at } = await start('xmpps://127.0.0.1:1', { plain: 'never' });
    const other = join(at);
    other.socket.write(header('jabber:server'));
    await other.says('<required/></starttls></stream:features>');
    expect(other.text).toContain(`<stream:stream xmlns='jabber:server'`);
    other.socket.write('</stream:stream>');
    await other.over();
  });

  it('answers, duplicates and replaces by rules', async () => {
    let heard: Heard | undefined;
    const port = await startServer((socket) => {
      heard = new Heard(socket);
      socket.write(answer);
    });
    const rules = await parseRules(`
- {match: iq, direction: out, action: reply, with: "<iq type='result' id='{id}'/>"}
- {match: presence, action: duplicate}
- {match: message, action: replace, with: <other/>, ms: 1}`);
    const { port: at, recordings } = await start(`xmpps://127.0.0.1:${port}`, {
      interceptors: [applyRules(rules)],
    });
    const client = join(at);
    client.socket.write(`${header()}<iq id='7' type='get'/><message/><presence/><x/>`);
    await client.says("<iq type='result' id='7'/>");
    await heard?.says('<x/>');
    expect(heard?.text).toBe(`${header()}<other/><presence/><presence/><x/>`);
    expect(recordings[0]?.events.filter(({ what }) => what === 'stanza').map(({ action }) => action)).toEqual(
      ['reply', 'replace', 'duplicate'],
    );
  });

  it('resets the line behind so many bytes', async () => {
    const port = await startServer((socket) => socket.write(answer));
    const {
      port: at,
      recordings,
      proxy,
    } = await start(`xmpps://127.0.0.1:${port}`, {
      faults: [parseFault('in:cut-after=20')],
      maxConnections: 1,
    });
    const client = join(at);
    client.socket.write(header());
    await client.over();
    expect(client.bytes).toBeLessThanOrEqual(20);
    await proxy.finished;
    expect(recordings[0]?.events.at(-1)).toEqual({ name: 'close', clean: false, reason: 'cut by a fault' });
  });

  it.each([['there is no server', 'xmpps://127.0.0.1:1', 'remote-connection-failed', /could not connect/]])(
    'tells the client when %s',
    async (_what, service, condition, message) => {
      const { port: at, failures } = await start(service);
      const client = join(at);
      client.socket.write(header());
      await client.over();
      expect(client.text).toContain(`<${condition} `);
      expect(client.text).toMatch(/^<\?xml version='1\.0'\?><stream:stream .*<\/stream:stream>$/);
      expect(failures[0]).toMatch(message);
    },
  );

  it('does not pass anything to a server whose certificate is not good', async () => {
    const heard: Heard[] = [];
    const port = await startServer((socket) => heard.push(new Heard(socket)));
    const {
      port: at,
      recordings,
      proxy,
    } = await start('unused', {
      maxConnections: 1,
      server: new Server({
        domain: 'other.test',
        service: `xmpps://127.0.0.1:${port}`,
        tls: { ca: serverAuthority.cert },
        timeoutMs: 5000,
      }),
    });
    const client = join(at);
    client.socket.write(header());
    await client.over();
    expect(client.text).toContain('is not valid for other.test');
    expect(heard.map(({ bytes }) => bytes)).toEqual(heard.map(() => 0));
    await proxy.finished;
    expect(recordings[0]?.events.at(-1)).toMatchObject({ name: 'close', clean: false });
  });

  it('serves 500 connections at once', async () => {
    const port = await startServer((socket) => {
      socket.write(answer);
      socket.on('data', (chunk: Buffer) => {
        if (chunk.toString().endsWith('<ping/>')) socket.write('<pong/>');
      });
    });
    const { port: at, proxy } = await start(`xmpps://127.0.0.1:${port}`, {
      maxConnections: 500,
      timeoutMs: 15_000,
    });
    const clients = Array.from({ length: 500 }, () => join(at));
    await Promise.all(
      clients.map(async (client) => {
        client.socket.write(header());
        await client.says('</stream:features>');
        client.socket.write('<ping/>');
        await client.says('<pong/>');
      }),
    );
    for (const { socket } of clients) socket.end();
    await proxy.finished;
  });
});
