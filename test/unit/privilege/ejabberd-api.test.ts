import { X509Certificate } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import {
  AuthError,
  ConnectError,
  ProtocolError,
  RemoteError,
  TimeoutError,
  TlsError,
} from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { EjabberdApi, parseApiUrl, type ApiCredentials } from '../../../src/lib/privilege/ejabberd-api.js';
import { formatPin } from '../../../src/lib/session/transport/pins.js';
import { startWebServer } from '../../support/https-server.js';
import { makeTlsFixtures } from '../../support/tls-fixtures.js';

const tls = makeTlsFixtures();
const closing: { close: () => void }[] = [];
afterEach(() => {
  for (const api of closing.splice(0)) api.close();
});

function openApi(
  origin: string,
  {
    credentials,
    ca = tls.ca,
    isInsecure = false,
    pins = [],
    timeoutMs = 20_000,
  }: {
    credentials?: ApiCredentials;
    ca?: string;
    isInsecure?: boolean;
    pins?: readonly string[];
    timeoutMs?: number;
  } = {},
): EjabberdApi {
  const url = new URL(`${origin}/api/`);
  const api = new EjabberdApi({ url, credentials, trust: { ca, isInsecure }, pins, timeoutMs });
  closing.push(api);
  return api;
}

const answering =
  (status: number, text: string): RequestListener =>
  (request, response) => {
    request.resume().on('end', () => response.writeHead(status).end(text));
  };

describe('a call of a command', () => {
  test('says who calls and with what, over one connection, one after the other', async () => {
    const seen: { path: string; authorization: string | undefined; body: unknown }[] = [];
    const ports = new Set<number | undefined>();
    let atOnce = 0;
    await using server = await startWebServer((request, response) => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      ports.add(request.socket.remotePort);
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        seen.push({ path, authorization: headers.authorization, body: JSON.parse(body) });
        setImmediate(() => {
          atOnce -= 1;
          response.end('0');
        });
      });
    }, tls.good);
    const api = openApi(server.origin, {
      credentials: { kind: 'password', account: 'admin@a.example', password: 'sésame' },
    });
    const [from, to] = [JID.parse('bob@a.example'), 'bob@a.example'];
    await Promise.all(
      ['<iq/>', '<message/>', '<presence/>'].map((text) => api.sendStanza({ from, to, text })),
    );
    expect(seen).toEqual(
      ['<iq/>', '<message/>', '<presence/>'].map((stanza) => ({
        path: '/api/send_stanza',
        authorization: `Basic ${Buffer.from('admin@a.example:sésame').toString('base64')}`,
        body: { from: 'bob@a.example', to: 'bob@a.example', stanza },
      })),
    );
    expect(ports.size).toBe(1);
  });

  test('says nothing to a server with another certificate than the pin asks for', async () => {
    let requests = 0;
    const answer: RequestListener = (request, response) => {
      requests += 1;
      request.resume().on('end', () => response.end('[]'));
    };
    await using good = await startWebServer(answer, tls.good);
    await using stranger = await startWebServer(answer, tls.stranger);
    const pin = formatPin(new X509Certificate(tls.good.cert));
    const strangePin = formatPin(new X509Certificate(tls.stranger.cert));
    const call = (origin: string, options: Parameters<typeof openApi>[1]) =>
      openApi(origin, options).call('registered_users', { host: 'a.example' });
    await expect(call(good.origin, { pins: [pin] })).resolves.toEqual([]);
    await expect(call(stranger.origin, { pins: [strangePin], isInsecure: true })).resolves.toEqual([]);
    expect(requests).toBe(2);
    await expect(call(good.origin, { pins: [strangePin] })).rejects.toThrow(TlsError);
    await expect(call(stranger.origin, { pins: [pin], isInsecure: true })).rejects.toThrow(
      /is not the one that --tls-pin asks for/,
    );
    // A pin is no reason to trust whoever has signed it.
    await expect(call(stranger.origin, { pins: [strangePin] })).rejects.toThrow(TlsError);
    expect(requests).toBe(2);
  });

  test('by a token', async () => {
    let authorization: string | undefined;
    await using server = await startWebServer((request, response) => {
      ({ authorization } = request.headers);
      response.end('["alice","bob"]');
    }, tls.good);
    const api = openApi(server.origin, { credentials: { kind: 'token', token: 'abc' } });
    expect(await api.registeredUsers('a.example')).toEqual(['alice', 'bob']);
    expect(authorization).toBe('Bearer abc');
  });

  test('is made again when the connection that was kept has been closed', async () => {
    let count = 0;
    await using server = await startWebServer((request, response) => {
      count += 1;
      if (count === 2) request.socket.resetAndDestroy();
      else response.end('0');
    });
    const api = openApi(server.origin);
    expect(await api.call('status', {})).toBe(0);
    expect(await api.call('status', {})).toBe(0);
    expect(count).toBe(3);
  });

  test.each([
    [401, '{"message":"You are not authorized to call this command."}', AuthError, 'does not know who calls'],
    [403, '{"message":"AccessRules"}', AuthError, 'does not allow us to call status: AccessRules'],
    [404, '{"message":"Endpoint not found."}', RemoteError, 'there is no API of ejabberd at'],
    [400, '"unknown_command"', RemoteError, 'ejabberd has no command status'],
    [500, '"internal_error"', RemoteError, 'HTTP status 500: internal_error'],
    [502, '<html>', RemoteError, 'HTTP status 502'],
    [302, '', RemoteError, 'HTTP status 302'],
    [200, '<html>', ProtocolError, 'is no JSON'],
  ])('that is answered %s %s fails in words', async (status, text, kind, message) => {
    await using server = await startWebServer(answering(status, text), tls.good);
    const failure = openApi(server.origin).call('status', {});
    await expect(failure).rejects.toBeInstanceOf(kind);
    await expect(failure).rejects.toThrow(message);
  });

  test.each(['"all of them"', '{}', '[1]', 'null'])('that lists no names but %s is refused', async (text) => {
    await using server = await startWebServer(answering(200, text), tls.good);
    await expect(openApi(server.origin).registeredUsers('a.example')).rejects.toBeInstanceOf(ProtocolError);
  });

  test('that was not carried out says so', async () => {
    await using server = await startWebServer(answering(200, '1'), tls.good);
    const stanza = { from: JID.parse('a@b'), to: 'a@b', text: '<iq/>' };
    await expect(openApi(server.origin).sendStanza(stanza)).rejects.toThrow('ejabberd did not send it: 1');
  });

  test('has an end when nothing comes, when too much comes, and when nobody is there', async () => {
    await using silent = await startWebServer(() => undefined, tls.good);
    await expect(openApi(silent.origin, { timeoutMs: 50 }).call('status', {})).rejects.toBeInstanceOf(
      TimeoutError,
    );
    const chunk = Buffer.alloc(1024 * 1024, 0x20);
    await using endless = await startWebServer((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await expect(openApi(endless.origin).call('status', {})).rejects.toThrow('is larger than');
    const gone = await startWebServer(answering(200, '0'));
    await gone[Symbol.asyncDispose]();
    await expect(openApi(gone.origin).call('status', {})).rejects.toBeInstanceOf(ConnectError);
  });

  test('is not made to a server that cannot be trusted', async () => {
    await using server = await startWebServer(answering(200, '0'), tls.stranger);
    await expect(openApi(server.origin).call('status', {})).rejects.toBeInstanceOf(ConnectError);
  });
});

test('an address is over TLS, or of this computer, and holds no secret', () => {
  expect(parseApiUrl('https://xmpp.example.org:5443/api').href).toBe('https://xmpp.example.org:5443/api');
  expect(parseApiUrl('http://127.0.0.1:5280/api').port).toBe('5280');
  for (const wrong of [
    'http://xmpp.example.org/api',
    'ftp://a/',
    'api',
    'https://a:b@c/',
    'https://c/?key=x',
  ])
    expect(() => parseApiUrl(wrong)).toThrow('--api');
});
