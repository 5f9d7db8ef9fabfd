/** The scan against OpenSSL as node:tls has it, and against servers by hand for what OpenSSL no longer does. */
import { once } from 'node:events';
import {
  connect,
  createServer as createPlainServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectError } from '../../../src/lib/errors.js';
import { scanTls, type TlsScan } from '../../../src/lib/tls-scan/scan.js';
import { ServerFlightReader } from '../../../src/lib/tls-scan/server-flight.js';
import { suiteOf, suites } from '../../../src/lib/tls-scan/suites.js';
import { makeTlsFixtures } from '../../support/tls-fixtures.js';

const { good } = makeTlsFixtures();

async function scanServer(
  server: Server,
  more: { maxConnections?: number; timeoutMs?: number } = {},
): Promise<TlsScan> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const open = async () => {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect').catch((error: unknown) => {
      throw new ConnectError(String(error));
    });
    return socket;
  };
  try {
    return await scanTls(open, { serverName: 'xmpp.test', timeoutMs: 2000, maxConnections: 150, ...more });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const scanOpenssl = (options: TlsOptions) => scanServer(createServer({ ...good, ...options }));

function namesOf(scan: TlsScan, version: keyof TlsScan['versions']): string[] {
  const found = scan.versions[version];
  return found.isSupported ? found.suites.map(({ name }) => name) : [found.refusal];
}

const modern = 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256';

describe('a scan of OpenSSL', () => {
  it('finds the suites in the order of the server, its groups, and what it was sent', async () => {
    const scan = await scanOpenssl({
      minVersion: 'TLSv1.2',
      ciphers: modern,
      honorCipherOrder: true,
      ecdhCurve: 'X25519:P-256',
    });
    expect(namesOf(scan, 'TLSv1.2')).toEqual([
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    ]);
    expect(scan.versions['TLSv1.2']).toMatchObject({ order: 'server' });
    expect(namesOf(scan, 'TLSv1.3')).toHaveLength(3);
    expect(scan.groups.tls12).toEqual(['X25519', 'P-256']);
    expect([...scan.groups.tls13].sort()).toEqual(['P-256', 'X25519']);
    for (const version of ['SSLv2', 'SSLv3', 'TLSv1.0', 'TLSv1.1'] as const)
      expect(scan.versions[version].isSupported).toBe(false);
    expect(scan.certificates).toHaveLength(1);
    expect(scan.older).toEqual({
      secureRenegotiation: true,
      extendedMasterSecret: true,
      encryptThenMac: false,
      sessionTickets: true,
      heartbeat: false,
      compression: false,
    });
    expect(scan.fallback).toBe('refused');
    expect(scan.diffieHellman).toEqual([]);
    expect(scan.requestsClientCertificate).toBe(false);
    expect(scan.limited).toBeUndefined();
    expect(scan.connectionsUsed).toBeLessThan(30);
  });

  it('tells whose order decides', async () => {
    const scan = await scanOpenssl({
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
      ciphers: modern,
      honorCipherOrder: false,
    });
    expect(scan.versions['TLSv1.2']).toMatchObject({ order: 'client' });
    expect(scan.versions['TLSv1.3'].isSupported).toBe(false);
  });

  it('finds every old version, with its own suites', async () => {
    const scan = await scanOpenssl({
      minVersion: 'TLSv1',
      ciphers: `${modern}:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0`,
    });
    expect(namesOf(scan, 'TLSv1.0')).toEqual(['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA']);
    expect(namesOf(scan, 'TLSv1.1')).toEqual(['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA']);
    expect(namesOf(scan, 'TLSv1.2')).toHaveLength(3);
    expect(scan.older?.encryptThenMac).toBe(true);
  });

  it('sees primes of Diffie-Hellman', async () => {
    const scan = await scanOpenssl({
      maxVersion: 'TLSv1.2',
      minVersion: 'TLSv1.2',
      ciphers: 'ADH-AES256-GCM-SHA384:@SECLEVEL=0',
      dhparam: 'auto',
    });
    expect(namesOf(scan, 'TLSv1.2')).toEqual(['TLS_DH_anon_WITH_AES_256_GCM_SHA384']);
    expect(scan.diffieHellman).toHaveLength(1);
    expect(scan.diffieHellman[0]?.bits).toBeGreaterThanOrEqual(1024);
  });

  it('notices that certificates are asked for', async () => {
    const scan = await scanOpenssl({ maxVersion: 'TLSv1.2', ciphers: modern, requestCert: true });
    expect(scan.requestsClientCertificate).toBe(true);
  });

  it('ends where no more connections are allowed, and keeps what it has', async () => {
    const scan = await scanServer(createServer({ ...good, ciphers: modern }), { maxConnections: 8 });
    expect(scan.connectionsUsed).toBe(8);
    expect(scan.limited).toMatch(/8 connections/);
  });
});

const record = (type: number, version: number, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from([type, version >> 8, version & 0xff, body.length >> 8, body.length & 0xff]),
    body,
  ]);
const message = (type: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 0, body.length >> 8, body.length & 0xff]), body]);
const serverHello = (version: number, suite: number, compression = 0): Buffer =>
  message(
    2,
    Buffer.concat([
      Buffer.from([version >> 8, version & 0xff]),
      Buffer.alloc(32, 7),
      Buffer.from([0, suite >> 8, suite & 0xff, compression]),
    ]),
  );

/** A server by hand: what it answers to a ClientHello of this version with these suites. */
function scripted(
  answer: (version: number, offered: readonly number[], hello: Buffer) => Buffer | undefined,
): Server {
  return createPlainServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (hello: Buffer) => {
      if (hello[0] !== 22) {
        socket.destroy();
        return;
      }
      const length = hello.readUInt8(43);
      const at = 44 + length;
      const offered = Array.from({ length: hello.readUInt16BE(at) / 2 }, (_, index) =>
        hello.readUInt16BE(at + 2 + 2 * index),
      );
      const reply = answer(hello.readUInt16BE(9), offered, hello);
      if (reply) socket.write(reply);
      else socket.end(record(21, 0x0301, Buffer.from([2, 40])));
    });
  });
}

describe('a scan of what OpenSSL no longer does', () => {
  it('finds SSL 3 with RC4, and compression', async () => {
    const wanted = [0x0005, 0x0004];
    const scan = await scanServer(
      scripted((version, offered) => {
        const suite = wanted.find((code) => offered.includes(code));
        return version === 0x0300 && suite !== undefined
          ? record(22, 0x0300, Buffer.concat([serverHello(0x0300, suite, 1), message(14, Buffer.alloc(0))]))
          : undefined;
      }),
    );
    expect(namesOf(scan, 'SSLv3')).toEqual(['TLS_RSA_WITH_RC4_128_SHA', 'TLS_RSA_WITH_RC4_128_MD5']);
    expect(scan.older).toMatchObject({ compression: true, secureRenegotiation: false });
    expect(scan.versions['TLSv1.2']).toEqual({ isSupported: false, refusal: 'alert 40' });
  });

  it('finds SSL 2', async () => {
    const server = createPlainServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (hello: Buffer) => {
        if (hello[0] === 0x80) socket.write(Buffer.from([0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0]));
        else socket.destroy();
      });
    });
    expect((await scanServer(server)).versions.SSLv2.isSupported).toBe(true);
  });

  it('reads an answer that comes in small pieces, over several records, behind a warning', async () => {
    const scan = await scanServer(
      scripted((version, offered) => {
        if (version !== 0x0303 || !offered.includes(0xc02f) || offered.length < 3) return undefined;
        const hello = Buffer.concat([serverHello(0x0303, 0xc02f), message(14, Buffer.alloc(0))]);
        const pieces = [...hello].map((byte) => record(22, 0x0303, Buffer.from([byte])));
        return Buffer.concat([record(21, 0x0303, Buffer.from([1, 112])), ...pieces]);
      }),
    );
    expect(namesOf(scan, 'TLSv1.2')[0]).toBe('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256');
  });

  it.each([
    ['says nothing', () => undefined],
    ['is no TLS server', (socket: Socket): void => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    [
      'sends records without end',
      (socket: Socket) =>
        void setInterval(() => socket.write(record(22, 0x0303, Buffer.alloc(4000))), 1).unref(),
    ],
    [
      'announces a message of 16 MB',
      (socket: Socket): void => void socket.write(record(22, 0x0303, Buffer.from([2, 0xff, 0xff, 0xff]))),
    ],
    [
      'picks a suite that nobody offered',
      (socket: Socket): void => void socket.write(record(22, 0x0303, serverHello(0x0303, 0x9999))),
    ],
  ] satisfies readonly [string, (socket: Socket) => void][])(
    'survives a server that %s',
    async (_name, onConnection) => {
      const server = createPlainServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => onConnection(socket));
      });
      const scan = await scanServer(server, { timeoutMs: 200 });
      for (const found of Object.values(scan.versions)) expect(found.isSupported).toBe(false);
    },
  );
});

describe('the reader of answers', () => {
  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 })), (chunks) => {
        const reader = new ServerFlightReader();
        for (const chunk of chunks) reader.push(Buffer.from(chunk));
        expect(reader.end('closed')).toHaveProperty('refusal');
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.uint8Array({ maxLength: 120 }), (type, body) => {
        const reader = new ServerFlightReader();
        reader.push(record(22, 0x0303, message(type, Buffer.from(body))));
        expect(reader.end('closed')).toHaveProperty('refusal');
      }),
    );
  });
});

describe('the registry of suites', () => {
  it('has each code once, and knows what is weak', () => {
    expect(new Set(suites.map(({ code }) => code)).size).toBe(suites.length);
    expect(suites.length).toBeGreaterThan(200);
    expect(suiteOf(0x0005)).toMatchObject({
      name: 'TLS_RSA_WITH_RC4_128_SHA',
      hasForwardSecrecy: false,
      weaknesses: ['rc4', 'no-forward-secrecy'],
    });
    expect(suiteOf(0x000a).weaknesses).toContain('3des');
    expect(suiteOf(0x0009).weaknesses).toContain('des');
    expect(suiteOf(0xc006).weaknesses).toContain('null');
    expect(suiteOf(0x0018).weaknesses).toContain('anonymous');
    expect(suiteOf(0x0003).weaknesses).toEqual(expect.arrayContaining(['export', 'rc4']));
    expect(suiteOf(0x1301)).toMatchObject({ isAead: true, hasForwardSecrecy: true, weaknesses: [] });
    expect(suiteOf(0xcca8)).toMatchObject({ isAead: true, weaknesses: [] });
    expect(suiteOf(0xfefe).name).toBe('0xfefe');
  });
});
