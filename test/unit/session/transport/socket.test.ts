import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, type TlsOptions as ServerTlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import {
  ConnectError,
  ConnectionLostError,
  DnsError,
  InterruptedError,
  TimeoutError,
  TlsError,
  UsageError,
} from '../../../../src/lib/errors.js';
import { XmppSocket, type SocketParameters } from '../../../../src/lib/session/transport/socket.js';
import { StreamParser } from '../../../../src/lib/xml/stream-parser.js';
import { a, srv, startFakeDns } from '../../../support/fake-dns.js';
import { listenOnLoopback } from '../../../support/loopback.js';
import { makeTlsFixtures, type KeyPair } from '../../../support/tls-fixtures.js';

const domain = 'xmpp.test';
const fixtures = makeTlsFixtures(domain);
const PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

function parameters(
  port: number,
  more: Partial<SocketParameters> & { scheme?: string } = {},
): SocketParameters {
  const { scheme = 'xmpp', ...rest } = more;
  return {
    domain,
    service: `${scheme}://127.0.0.1:${port}`,
    timeoutMs: 10_000,
    tls: { ca: fixtures.ca },
    ...rest,
  };
}

/** Opens, and sees to it that nothing stays open. */
async function openSocket(options: SocketParameters): Promise<XmppSocket & AsyncDisposable> {
  const socket = new XmppSocket();
  await socket.open(options);
  return Object.assign(socket, {
    [Symbol.asyncDispose]: () => {
      socket.destroy();
      return Promise.resolve();
    },
  });
}

async function read(socket: XmppSocket | Socket): Promise<string> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString();
}

function tlsServer(pair: KeyPair, options: ServerTlsOptions = {}): Server {
  const server = createTlsServer({ ...pair, ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => socket.write(`echo ${bytes.toString()}`));
  });
  server.on('tlsClientError', () => undefined);
  return server;
}

/** Answers the first line with <proceed/> (and whatever is to be sent in plain behind it), then speaks TLS. */
function startTlsServer(pair: KeyPair, behindProceed = ''): Server {
  return createServer((plain) => {
    plain.once('data', () => {
      plain.write(PROCEED + behindProceed);
      const secure = new TLSSocket(plain, { isServer: true, ...pair });
      secure.on('error', () => undefined);
      secure.on('data', (bytes: Buffer) => secure.write(`echo ${bytes.toString()}`));
    });
  });
}

describe('XmppSocket over TCP', () => {
  it('fits what @xmpp/connection expects of a socket', async () => {
    await using server = await listenOnLoopback(createServer((peer) => peer.pipe(peer)));
    const socket = new XmppSocket();
    socket.connect(parameters(server.port));
    await once(socket, 'connect');
    expect(socket.secure).toBe(false);
    expect(socket.framing).toBe('stream');
    expect(socket.remote).toBe(`xmpp://127.0.0.1:${server.port}`);
    expect(socket.endpoint).toMatchObject({ kind: 'tcp', source: 'service' });
    const written = new Promise((resolve) => socket.write('<hällo/>', resolve));
    expect(await read(socket)).toBe('<hällo/>');
    expect(await written).toBeFalsy();
    socket.end();
    expect(await once(socket, 'close')).toEqual([false, undefined]);
  });

  it('emits one error when nothing listens', async () => {
    const closed = await listenOnLoopback(createServer());
    await closed[Symbol.asyncDispose]();
    const socket = new XmppSocket();
    socket.connect(parameters(closed.port));
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error).toBeInstanceOf(ConnectError);
    expect(error.message).toBe(`could not connect: ECONNREFUSED 127.0.0.1:${closed.port}`);
  });

  it('says that a domain does not exist', async () => {
    await using dns = await startFakeDns({});
    const opening = new XmppSocket().open({
      domain: 'nowhere.test',
      dnsServers: [dns.server],
      timeoutMs: 5000,
    });
    await expect(opening).rejects.toThrow(DnsError);
    await expect(opening).rejects.toThrow('nowhere.test');
  });

  it('tries the next endpoint, and says what came of each when none answers', async () => {
    await using server = await listenOnLoopback(createServer());
    const closed = await listenOnLoopback(createServer());
    await closed[Symbol.asyncDispose]();
    const name = `_xmpp-client._tcp.${domain}`;
    const host = { [`A one.${domain}`]: [a(`one.${domain}`, '127.0.0.1')] };
    const first = srv(name, `one.${domain}`, closed.port, 1);
    await using both = await startFakeDns({
      ...host,
      [`SRV ${name}`]: [first, srv(name, `one.${domain}`, server.port, 2)],
    });
    const found = { domain, timeoutMs: 10_000, useHostMeta: false };
    await using socket = await openSocket({ ...found, dnsServers: [both.server] });
    expect(socket.remote).toBe(`xmpp://127.0.0.1:${server.port}`);

    await using none = await startFakeDns({
      ...host,
      [`SRV ${name}`]: [first, srv(name, `two.${domain}`, 5222, 2)],
    });
    const failing = new XmppSocket().open({ ...found, dnsServers: [none.server] });
    await expect(failing).rejects.toThrow(ConnectError);
    await expect(failing).rejects.toThrow(
      `could not connect to ${domain}: could not connect: ECONNREFUSED 127.0.0.1:${closed.port}; ` +
        `there is no host two.${domain} in the DNS`,
    );
  });

  it('looks for a WebSocket on the web server when every endpoint has failed', async () => {
    const closed = await listenOnLoopback(createServer());
    await closed[Symbol.asyncDispose]();
    const name = `_xmpp-client._tcp.${domain}`;
    await using dns = await startFakeDns({
      [`SRV ${name}`]: [srv(name, domain, closed.port)],
      [`A ${domain}`]: [a(domain, '127.0.0.1')],
    });
    const attempts: unknown[] = [];
    const trace = {
      data: () => undefined,
      event: (event: string, detail: Readonly<Record<string, unknown>>) => {
        if (event === 'tcp') attempts.push(detail['port']);
      },
    };
    const found = { domain, timeoutMs: 10_000, dnsServers: [dns.server], trace };
    const refused = `could not connect: ECONNREFUSED 127.0.0.1:${closed.port}`;
    await expect(new XmppSocket().open(found)).rejects.toThrow(refused);
    expect(attempts).toEqual([closed.port, 443, 443]);
    attempts.length = 0;
    await expect(new XmppSocket().open({ ...found, useHostMeta: false })).rejects.toThrow(refused);
    expect(attempts).toEqual([closed.port]);
  });

  it('is given up before it stands', async () => {
    await using dns = await startFakeDns({ [`SRV _xmpp-client._tcp.${domain}`]: 'SILENT' });
    const socket = new XmppSocket();
    const opening = socket.open({ domain, dnsServers: [dns.server], timeoutMs: 10_000 });
    socket.destroy();
    await expect(opening).rejects.toThrow(InterruptedError);
  });

  it('tells that the connection was lost', async () => {
    await using server = await listenOnLoopback(
      createServer((peer) => setImmediate(() => peer.resetAndDestroy())),
    );
    await using socket = await openSocket(parameters(server.port));
    const closing = new Promise((resolve) => socket.on('close', (...args) => resolve(args)));
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error).toBeInstanceOf(ConnectionLostError);
    expect(error.message).toContain('ECONNRESET');
    expect(await closing).toEqual([true, error]);
  });

  it('closes quietly when the server does', async () => {
    await using server = await listenOnLoopback(createServer((peer) => peer.end()));
    await using socket = await openSocket(parameters(server.port));
    socket.on('error', (error) => expect.unreachable(error.message));
    expect(await once(socket, 'close')).toEqual([false, undefined]);
    const refused = await new Promise((resolve) => socket.write('late', resolve));
    expect(refused).toBeInstanceOf(ConnectionLostError);
  });

  it('hangs up on a server that does not', async () => {
    await using server = await listenOnLoopback(
      createServer({ allowHalfOpen: true }, (peer) => peer.resume()),
    );
    const socket = new XmppSocket();
    await socket.open(parameters(server.port, { timeoutMs: 50 }));
    socket.end();
    await once(socket, 'close');
  });

  it('stops reading while it is paused', async () => {
    await using server = await listenOnLoopback(createServer((peer) => peer.pipe(peer)));
    await using socket = await openSocket(parameters(server.port));
    const seen: string[] = [];
    socket.on('data', (bytes) => seen.push(bytes.toString()));
    socket.pause();
    await new Promise((resolve) => socket.write('one', resolve));
    const [peer] = await Promise.all([openSocket(parameters(server.port))]);
    peer.write('x');
    await read(peer);
    peer.destroy();
    expect(seen).toEqual([]);
    socket.resume();
    await once(socket, 'data');
    expect(seen).toEqual(['one']);
  });

  it('shows the trace every byte as it was', async () => {
    const stream = ['<a>', 'ü'.repeat(40_000), '</a>'];
    await using server = await listenOnLoopback(createServer((peer) => peer.pipe(peer)));
    const seen = { in: [] as Uint8Array[], out: [] as Uint8Array[] };
    const events: string[] = [];
    const trace = {
      data: (dir: 'in' | 'out', bytes: Uint8Array) => seen[dir].push(Buffer.from(bytes)),
      event: (name: string) => events.push(name),
    };
    const socket = new XmppSocket();
    await socket.open(parameters(server.port, { trace }));
    const total = Buffer.byteLength(stream.join(''));
    let received = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('data', (bytes) => {
        received += bytes.length;
        if (received === total) resolve();
      });
    });
    for (const piece of stream) socket.write(piece);
    await all;
    socket.end();
    await once(socket, 'close');
    expect(Buffer.concat(seen.out).toString()).toBe(stream.join(''));
    expect(Buffer.concat(seen.in).equals(Buffer.concat(seen.out))).toBe(true);
    expect(events).toEqual(['tcp', 'close']);
  });
});

describe('XmppSocket over direct TLS', () => {
  const direct = (port: number, more: Partial<SocketParameters> = {}) =>
    parameters(port, { scheme: 'xmpps', ...more });

  it('asks for the domain by SNI and for xmpp-client by ALPN, and verifies the domain', async () => {
    const asked: string[] = [];
    const options: ServerTlsOptions = {
      ALPNProtocols: ['xmpp-client'],
      SNICallback: (name, done) => {
        asked.push(name);
        done(null);
      },
    };
    await using server = await listenOnLoopback(tlsServer(fixtures.good, options));
    const events: Record<string, unknown>[] = [];
    const trace = {
      data: () => undefined,
      event: (name: string, detail: object) => events.push({ name, ...detail }),
    };
    await using socket = await openSocket(direct(server.port, { trace }));
    expect(asked).toEqual([domain]);
    expect(socket.secure).toBe(true);
    expect(socket.remote).toBe(`xmpps://127.0.0.1:${server.port}`);
    expect(socket.tls).toMatchObject({ version: 'TLSv1.3', alpn: 'xmpp-client', isVerified: true });
    expect(socket.tls?.subjectNames).toContain(domain);
    socket.write('hi');
    expect(await read(socket)).toBe('echo hi');
    expect(events.map(({ name }) => name)).toEqual(['tcp', 'tls']);
    expect(events[1]).toMatchObject({ serverName: domain, version: 'TLSv1.3', isVerified: true });
  });

  it('trusts an authority beside the usual ones, not instead of them', async () => {
    await using server = await listenOnLoopback(tlsServer(fixtures.good));
    const both = `a comment\n${fixtures.ca}\n${fixtures.selfSigned.cert}`;
    await using socket = await openSocket(direct(server.port, { tls: { ca: both } }));
    expect(socket.tls?.isVerified).toBe(true);
  });

  it('verifies an internationalised domain, and an address', async () => {
    const idn = makeTlsFixtures('xn--bcher-kva.test');
    await using server = await listenOnLoopback(tlsServer(idn.good));
    await using socket = await openSocket(
      direct(server.port, { domain: 'bücher.test', tls: { ca: idn.ca } }),
    );
    expect(socket.tls?.isVerified).toBe(true);
    await using byAddress = await openSocket(direct(server.port, { domain: '[::1]', tls: { ca: idn.ca } }));
    expect(byAddress.tls?.isVerified).toBe(true);
  });

  it.each([
    ['expired', fixtures.expired, /expired on \d{4}-\d\d-\d\d$/],
    ['not yet valid', fixtures.notYetValid, /is not valid before \d{4}-\d\d-\d\d$/],
    ['not for a server', fixtures.authority, /is not meant for a server$/],
    ['self-signed', fixtures.selfSigned, /is self-signed$/],
    ['issued by a stranger', fixtures.stranger, /authority that is not trusted \(CN=Stranger\)/],
    [
      'for another name',
      fixtures.wrongName,
      /is not valid for xmpp\.test; it is for other\.test, www\.other\.test/,
    ],
  ])('refuses a certificate that is %s', async (_, pair, message) => {
    await using server = await listenOnLoopback(tlsServer(pair));
    const opening = new XmppSocket().open(direct(server.port));
    await expect(opening).rejects.toThrow(TlsError);
    await expect(opening).rejects.toThrow(message);
  });

  it('accepts any with --insecure, and says so each time', async () => {
    await using server = await listenOnLoopback(tlsServer(fixtures.expired));
    const warnings: string[] = [];
    const options = direct(server.port, { tls: { isInsecure: true }, warn: (text) => warnings.push(text) });
    await using socket = await openSocket(options);
    await using _again = await openSocket(options);
    expect(socket.tls?.isVerified).toBe(false);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('was not verified (--insecure)');
  });

  it('wants a pin in addition to a valid certificate', async () => {
    await using good = await listenOnLoopback(tlsServer(fixtures.good));
    await using socket = await openSocket(direct(good.port));
    const pin = `sha256:${socket.tls?.fingerprintSha256 ?? ''}`;
    const tls = { ca: fixtures.ca, pins: [pin] };
    await using pinned = await openSocket(direct(good.port, { tls }));
    expect(pinned.secure).toBe(true);

    const wrong = `sha256:${'0'.repeat(64)}`;
    await expect(
      new XmppSocket().open(direct(good.port, { tls: { ...tls, pins: [wrong] } })),
    ).rejects.toThrow('is not the one that --tls-pin asks for');
    // Still without --ca, and with --insecure: the pin is what remains.
    await expect(new XmppSocket().open(direct(good.port, { tls: { pins: [pin] } }))).rejects.toThrow(
      TlsError,
    );
    const insecure = { isInsecure: true, pins: [pin] };
    await using byPin = await openSocket(direct(good.port, { tls: insecure }));
    expect(byPin.tls?.isVerified).toBe(false);
    await expect(
      new XmppSocket().open(direct(good.port, { tls: { ...insecure, pins: [wrong] } })),
    ).rejects.toThrow(TlsError);
  });

  it('shows a client certificate', async () => {
    const names: string[] = [];
    const server = tlsServer(fixtures.good, { requestCert: true, ca: fixtures.ca, rejectUnauthorized: true });
    server.on('secureConnection', (peer: TLSSocket) =>
      names.push(String(peer.getPeerCertificate().subject.CN)),
    );
    await using listening = await listenOnLoopback(server);
    await using socket = await openSocket(direct(listening.port, { clientCertificate: fixtures.client }));
    socket.write('hi');
    await read(socket);
    expect(names).toEqual(['alice']);
  });

  it('refuses what is no certificate, no key, no pin', async () => {
    const bad = { cert: fixtures.client.cert, key: fixtures.good.key };
    const attempts: Partial<SocketParameters>[] = [
      { tls: { ca: 'not PEM' } },
      { tls: { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' } },
      { tls: { pins: ['sha256:short'] } },
      { clientCertificate: bad },
    ];
    await using server = await listenOnLoopback(tlsServer(fixtures.good));
    for (const attempt of attempts) {
      await expect(new XmppSocket().open(direct(server.port, attempt))).rejects.toThrow(UsageError);
    }
  });

  it('names a port that answers in plain', async () => {
    await using server = await listenOnLoopback(
      createServer((peer) => peer.write('<?xml version="1.0"?><stream:stream>')),
    );
    const opening = new XmppSocket().open(direct(server.port));
    await expect(opening).rejects.toThrow(TlsError);
    await expect(opening).rejects.toThrow('does not speak TLS: it answered in plain');
  });

  it('names a server that hangs up in the handshake, and one that speaks only old TLS', async () => {
    await using rude = await listenOnLoopback(createServer((peer) => peer.once('data', () => peer.end())));
    await expect(new XmppSocket().open(direct(rude.port))).rejects.toThrow(
      'closed the connection in the TLS handshake',
    );
    await using old = await listenOnLoopback(
      tlsServer(fixtures.good, {
        minVersion: 'TLSv1.1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      }),
    );
    await expect(new XmppSocket().open(direct(old.port))).rejects.toThrow(/no TLS that is still safe/);
  });

  it('gives up on a handshake that goes nowhere', async () => {
    await using server = await listenOnLoopback(createServer((peer) => peer.resume()));
    const opening = new XmppSocket().open(direct(server.port, { timeoutMs: 100 }));
    await expect(opening).rejects.toThrow(TimeoutError);
    await expect(opening).rejects.toThrow('in the TLS handshake with');
  });

  it('has channel binding data that the server agrees with', async () => {
    const exported: Buffer[] = [];
    const server = tlsServer(fixtures.good);
    server.on('secureConnection', (peer: TLSSocket) => {
      exported.push(peer.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
    });
    await using listening = await listenOnLoopback(server);
    await using socket = await openSocket(direct(listening.port));
    socket.write('hi');
    await read(socket);
    expect(socket.channelBinding('tls-exporter')).toEqual(exported[0]);
    expect(socket.channelBinding('tls-unique')).toBeUndefined();
    const hash = socket.tls?.fingerprintSha256.replaceAll(':', '').toLowerCase();
    expect(socket.channelBinding('tls-server-end-point')?.toString('hex')).toBe(hash);

    const finished: (Buffer | undefined)[] = [];
    const older = tlsServer(fixtures.good, { maxVersion: 'TLSv1.2' });
    older.on('secureConnection', (peer: TLSSocket) => finished.push(peer.getPeerFinished()));
    await using listening12 = await listenOnLoopback(older);
    await using socket12 = await openSocket(direct(listening12.port));
    socket12.write('hi');
    await read(socket12);
    expect(socket12.channelBinding('tls-exporter')).toBeUndefined();
    expect(socket12.channelBinding('tls-unique')).toEqual(finished[0]);
  });

  it('acknowledges session tickets with white space, but only behind the stream header', async () => {
    let received = '';
    const server = createTlsServer(fixtures.good, (peer) =>
      peer.on('data', (bytes: Buffer) => (received += bytes.toString())),
    );
    await using listening = await listenOnLoopback(server);
    const header = "<?xml version='1.0'?><stream:stream>";
    for (const behind of ['', '<auth/>']) {
      received = '';
      const socket = new XmppSocket();
      await socket.open(direct(listening.port));
      socket.write(header);
      if (behind !== '') socket.write(behind);
      // The answer to a polite close comes after everything that was written.
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (received.length >= header.length + Math.max(behind.length, 1)) resolve();
          else setImmediate(look);
        };
        look();
      });
      socket.end();
      await once(socket, 'close');
      expect(received.trimEnd()).toBe(header + behind);
      if (behind !== '') expect(received).toBe(header + behind);
    }
  });
});

describe('XmppSocket with STARTTLS', () => {
  /** As a session does it: asks, parses the answer, upgrades. */
  async function upgrade(socket: XmppSocket): Promise<void> {
    const parser = new StreamParser();
    socket.on('data', (bytes) => parser.write(bytes));
    parser.write("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
    socket.write('<starttls/>');
    await once(parser, 'element');
    socket.removeAllListeners('data');
    await socket.startTls();
  }

  it('upgrades, and verifies the domain', async () => {
    await using server = await listenOnLoopback(startTlsServer(fixtures.good));
    await using socket = await openSocket(parameters(server.port));
    await upgrade(socket);
    expect(socket.secure).toBe(true);
    expect(socket.tls).toMatchObject({ version: 'TLSv1.3', alpn: undefined, isVerified: true });
    socket.write('hi');
    expect(await read(socket)).toBe('echo hi');
    await expect(socket.startTls()).rejects.toThrow('not plain TCP');
  });

  it('closes when the certificate is not the right one', async () => {
    await using server = await listenOnLoopback(startTlsServer(fixtures.wrongName));
    await using socket = await openSocket(parameters(server.port));
    const closing = once(socket, 'close');
    await expect(upgrade(socket)).rejects.toThrow('is not valid for xmpp.test');
    const [hadError, reason] = (await closing) as [boolean, Error];
    expect(hadError).toBe(true);
    expect(reason).toBeInstanceOf(TlsError);
  });

  it.each(["<stream:features xmlns:stream='x'/>", '<', ' x'])(
    'refuses what is injected in plain behind <proceed/>: %j',
    async (injected) => {
      await using server = await listenOnLoopback(startTlsServer(fixtures.good, injected));
      await using socket = await openSocket(parameters(server.port));
      const upgrading = upgrade(socket);
      await expect(upgrading).rejects.toThrow(TlsError);
      await expect(upgrading).rejects.toThrow('in plain behind its consent to TLS');
      expect(socket.secure).toBe(false);
    },
  );

  it('gives up on a server that goes silent after <proceed/>', async () => {
    await using server = await listenOnLoopback(
      createServer((peer) => peer.once('data', () => peer.write(PROCEED))),
    );
    await using socket = await openSocket(parameters(server.port, { timeoutMs: 100 }));
    await expect(upgrade(socket)).rejects.toThrow(TimeoutError);
  });
});
