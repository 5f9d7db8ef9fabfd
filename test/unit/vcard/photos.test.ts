import type { RequestListener } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InterruptedError, RemoteError } from '../../../src/lib/errors.js';
import { embedPhoto } from '../../../src/lib/vcard/photos/embed-photo.js';
import { fetchPhoto, type FetchPhotoOptions } from '../../../src/lib/vcard/photos/fetch-photo.js';
import { isPublicAddress, lookupOnly, NOT_PUBLIC } from '../../../src/lib/vcard/photos/public-address.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { startWebServer } from '../../support/https-server.js';
import { makeTlsFixtures } from '../../support/tls-fixtures.js';

const gif = Buffer.from('R0lGODlhAQABAAAAACw=', 'base64');
const tls = makeTlsFixtures();
const anywhere: FetchPhotoOptions = { maxBytes: 1000, isAnywhere: true, trust: { ca: tls.ca } };
const careful: FetchPhotoOptions = { ...anywhere, isAnywhere: false };
const sending =
  (headers: Record<string, string>, body: Buffer = gif, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
  };
const picture = { 'content-type': 'image/gif' };

describe('an address is public', () => {
  test.each(['1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );
  test.each([
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.9.9.9', '169.254.169.254', '172.16.0.1'],
    ...[
      '172.31.255.255',
      '192.168.0.1',
      '192.0.2.1',
      '198.18.0.1',
      '203.0.113.9',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      'fc00::1',
      'fd12::1',
      'fe80::1',
    ],
    ...['fe80::1%eth0', 'ff02::1', '2001:db8::1', '2001::1', '2002:7f00:1::', 'localhost', ''],
  ])('and not %s', (address) => expect(isPublicAddress(address)).toBe(false));

  test('or is found by a name that has one', async () => {
    const found = await new Promise((resolve) =>
      lookupOnly(isPublicAddress)('localhost', { all: true }, (error, addresses) =>
        resolve(error?.code ?? addresses),
      ),
    );
    expect(found).toBe(NOT_PUBLIC);
  });
});

describe('a linked picture', () => {
  test('is fetched, also where it is redirected to', async () => {
    await using server = await startWebServer((request, response) => {
      if (request.url === '/a') response.writeHead(302, { location: '/b' }).end();
      else response.writeHead(200, picture).end(gif);
    }, tls.good);
    expect(await fetchPhoto(`${server.origin}/a`, anywhere)).toEqual(gif);
  });

  test.each([
    ['https://127.0.0.1:1/', 'is no public address'],
    ['https://[::1]/', 'is no public address'],
    ['https://[::ffff:7f00:1]/', 'is no public address'],
    ['https://2130706433/', 'is no public address'],
    ['https://0x7f.1/', 'is no public address'],
    ['https://localhost:1/', 'no public address'],
    ['http://example.org/', 'is not https:'],
    ['file:///etc/passwd', 'is not https:'],
    ['https://user:secret@example.org/', 'holds a password'],
    ['//example.org/a.png', 'is no URL'],
  ])('is not fetched from %s', async (link, message) => {
    await expect(fetchPhoto(link, careful)).rejects.toThrow(message);
  });

  test('is not fetched from a private address that a public one points to', async () => {
    const isPublic = (address: string) => address === '127.0.0.1';
    for (const location of [
      'https://127.0.0.2:1/',
      'https://10.0.0.1/',
      'http://127.0.0.1/',
      'https://[::1]/',
    ]) {
      await using server = await startWebServer(sending({ location }, gif, 302), tls.good);
      const failure = fetchPhoto(server.origin, { ...careful, isPublic });
      await expect(failure).rejects.toBeInstanceOf(RemoteError);
      await expect(failure).rejects.toThrow(/is no public address|is not https:/);
    }
  });

  test('is not followed in circles', async () => {
    let count = 0;
    await using server = await startWebServer((_request, response) => {
      count += 1;
      response.writeHead(307, { location: '/again' }).end();
    }, tls.good);
    await expect(fetchPhoto(server.origin, anywhere)).rejects.toThrow('again and again');
    expect(count).toBe(4);
  });

  test.each([
    ['another type', { 'content-type': 'text/html' }, gif, 200, 'sends no picture but text/html'],
    ['no type', {}, gif, 200, 'something without a type'],
    ['another content', picture, Buffer.from('<html>'), 200, 'no picture that clients show'],
    ['nothing', picture, Buffer.alloc(0), 200, 'no picture that clients show'],
    ['more than allowed', picture, Buffer.alloc(1001), 200, 'sends more than 1000 bytes'],
    ['an error', picture, gif, 404, 'answered with status 404'],
    ['a redirection to nowhere', {}, gif, 302, 'answered with status 302'],
  ])('is refused with %s', async (_what, headers, body, status, message) => {
    await using server = await startWebServer(sending(headers, body, status), tls.good);
    const failure = fetchPhoto(server.origin, anywhere);
    await expect(failure).rejects.toBeInstanceOf(RemoteError);
    await expect(failure).rejects.toThrow(message);
  });

  test('that never ends, in size or time, has an end', async () => {
    await using endless = await startWebServer((_request, response) => {
      response.writeHead(200, picture);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(100)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    }, tls.good);
    await expect(fetchPhoto(endless.origin, anywhere)).rejects.toThrow('sends more than');
    await using silent = await startWebServer((_request, response) => {
      response.writeHead(200, picture).write('GIF');
    }, tls.good);
    await expect(fetchPhoto(silent.origin, { ...anywhere, wholeMs: 100 })).rejects.toThrow(
      'it took longer than',
    );
    const stop = AbortSignal.abort();
    await expect(fetchPhoto(silent.origin, { ...anywhere, signal: stop })).rejects.toBeInstanceOf(
      InterruptedError,
    );
  });

  test('is not believed by a server that nobody vouches for', async () => {
    await using server = await startWebServer(sending(picture), tls.stranger);
    await expect(fetchPhoto(server.origin, anywhere)).rejects.toThrow();
  });
});

describe('embedding', () => {
  const card = (photos: string) =>
    parseXml(`<vCard xmlns='vcard-temp'><FN>A</FN>${photos}<NOTE>n</NOTE></vCard>`);
  const link = (url: string) => `<PHOTO><EXTVAL>${url}</EXTVAL></PHOTO>`;
  const source = (link: string) =>
    link.endsWith('good') ? Promise.resolve(gif) : Promise.reject(new RemoteError('it is not there'));

  test('puts the first that can be had into its place', async () => {
    const { card: made, warnings } = await embedPhoto(
      card(link('https://a/bad') + link('https://a/good')),
      source,
    );
    expect(made.toString()).toBe(
      `<vCard xmlns="vcard-temp"><FN>A</FN>${link('https://a/bad')}<PHOTO><TYPE>image/gif</TYPE><BINVAL>${gif.toString('base64')}</BINVAL></PHOTO><NOTE>n</NOTE></vCard>`,
    );
    expect(warnings).toEqual([
      { code: 'photo-not-fetched', element: 'PHOTO/EXTVAL', value: 'https://a/bad: it is not there' },
    ]);
  });

  test('leaves a card alone that has a picture, or no link', async () => {
    const none = () => Promise.reject(new Error('nothing is to be fetched'));
    for (const photos of [
      '',
      `<PHOTO><BINVAL>${gif.toString('base64')}</BINVAL></PHOTO>${link('https://a/good')}`,
    ]) {
      const given = card(photos);
      expect((await embedPhoto(given, none)).card).toBe(given);
    }
  });

  test('never throws for what stands in a card', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        const given = card('');
        given.getChild('NOTE')?.t(text);
        const photo = given.c('PHOTO').c('EXTVAL').t(text).root();
        await embedPhoto(photo, (url) => fetchPhoto(url, { ...careful, wholeMs: 50 }));
      }),
      { numRuns: 50 },
    );
  });
});
