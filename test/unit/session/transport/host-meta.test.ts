import { createServer as createHttpsServer } from 'node:https';
import { describe, expect, it } from 'vitest';
import { ConnectError, TlsError } from '../../../../src/lib/errors.js';
import {
  findWebSocketEndpoints,
  readJsonLinks,
  readXrdLinks,
} from '../../../../src/lib/session/transport/host-meta.js';
import { TlsClient } from '../../../../src/lib/session/transport/tls.js';
import { listenOnLoopback } from '../../../support/loopback.js';
import { makeTlsFixtures } from '../../../support/tls-fixtures.js';

const fixtures = makeTlsFixtures('web.test');
const timeoutMs = 10_000;
const REL = 'urn:xmpp:alt-connections:websocket';

function serve(pages: Readonly<Record<string, { status?: number; location?: string; body?: string }>>) {
  return listenOnLoopback(
    createHttpsServer(fixtures.good, (request, response) => {
      const page = pages[request.url ?? ''] ?? { status: 404 };
      response.writeHead(page.status ?? 200, page.location === undefined ? {} : { location: page.location });
      response.end(page.body ?? '');
    }),
  );
}

/** The host is an authority here, so that the test needs no port 443. */
function find(port: number, ca = fixtures.ca) {
  return findWebSocketEndpoints(`127.0.0.1:${port}`, new TlsClient({ tls: { ca }, timeoutMs }), {
    timeoutMs,
  });
}

describe('host-meta', () => {
  it('reads JSON and XRD, and nothing else', () => {
    const links = [
      { rel: REL, href: 'wss://a/' },
      { rel: 'urn:xmpp:alt-connections:xbosh', href: 'https://b/' },
      { rel: REL },
      7,
    ];
    expect(readJsonLinks(JSON.stringify({ links }))).toEqual([
      { rel: REL, href: 'wss://a/' },
      { rel: 'urn:xmpp:alt-connections:xbosh', href: 'https://b/' },
    ]);
    for (const bad of ['', '{', '[]', '{"links":{}}', 'null']) expect(readJsonLinks(bad)).toEqual([]);
    const xrd = `<?xml version='1.0' encoding='utf-8'?>
      <XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
        <Link rel="urn:xmpp:alt-connections:xbosh" href="https://b/"/>
        <Link rel="${REL}" href="wss://c/?a=1&amp;b=2"/>
      </XRD>`;
    expect(readXrdLinks(xrd)).toEqual([
      { rel: 'urn:xmpp:alt-connections:xbosh', href: 'https://b/' },
      { rel: REL, href: 'wss://c/?a=1&b=2' },
    ]);
    for (const bad of ['', '<XRD', 'text', '<!DOCTYPE html><html/>']) expect(readXrdLinks(bad)).toEqual([]);
  });

  it('finds the WebSockets of both files, and only secure ones', async () => {
    await using server = await serve({
      '/.well-known/host-meta.json': {
        body: JSON.stringify({
          links: ['wss://one.test/ws', 'ws://plain.test/ws', 'nonsense'].map((href) => ({ rel: REL, href })),
        }),
      },
      '/.well-known/host-meta': { status: 302, location: '/moved' },
      '/moved': { body: `<XRD><Link rel='${REL}' href='wss://two.test/ws'/></XRD>` },
    });
    expect(await find(server.port)).toEqual([
      { kind: 'websocket', url: 'wss://one.test/ws', source: 'host-meta' },
      { kind: 'websocket', url: 'wss://two.test/ws', source: 'host-meta' },
    ]);
  });

  it('finds nothing in a file about something else', async () => {
    await using server = await serve({ '/.well-known/host-meta': { body: '<XRD/>' } });
    expect(await find(server.port)).toEqual([]);
  });

  it('says that there are no files, and follows no endless or insecure redirect', async () => {
    await using none = await serve({});
    await expect(find(none.port)).rejects.toThrow(ConnectError);
    await using circle = await serve({
      '/.well-known/host-meta.json': { status: 301, location: '/.well-known/host-meta.json' },
      '/.well-known/host-meta': { status: 301, location: 'http://127.0.0.1/' },
    });
    await expect(find(circle.port)).rejects.toThrow('status 301');
  });

  it('believes no web server that it cannot verify', async () => {
    await using server = await serve({ '/.well-known/host-meta.json': { body: '{}' } });
    await expect(find(server.port, fixtures.selfSigned.cert)).rejects.toThrow(TlsError);
  });
});
