import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ConnectError,
  FileError,
  InterruptedError,
  ProtocolError,
  RemoteError,
  TimeoutError,
  TlsError,
} from '../../../src/lib/errors.js';
import type { FileSource } from '../../../src/lib/file-transfer/transfer.js';
import { uploadFile, type UploadOptions } from '../../../src/lib/http-upload/upload-file.js';
import { JID } from '../../../src/lib/jid/jid.js';
import type { Session } from '../../../src/lib/session/session.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { startWebServer, type WebServer } from '../../support/https-server.js';
import { memorySource } from '../../support/memory-files.js';
import { contentAt, sha256Of } from '../../support/numbered-content.js';
import { makeTlsFixtures } from '../../support/tls-fixtures.js';

const SIZE = 5_000_001;
const content = contentAt(0, SIZE);
const tls = makeTlsFixtures();
const service = { jid: JID.parse('upload.example.org'), maxSizeBytes: 10_000_000 };
const options: UploadOptions = { service, trust: { ca: tls.ca }, timeoutMs: 10_000 };

let server: WebServer;
afterEach(() => server[Symbol.asyncDispose]());

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void | Promise<void>;

async function serve(handler: Handler): Promise<void> {
  let count = 0;
  server = await startWebServer(
    (request, response) => void handler(request, response, (count += 1)),
    tls.good,
  );
}

/** A session whose upload service gives slots like this one. */
function session(slot?: string): { session: Session; slots: string[] } {
  const slots: string[] = [];
  const fake: Pick<Session, 'jid' | 'request'> = {
    jid: JID.parse('alice@example.org/x'),
    request: ({ payload }) => {
      slots.push(String(payload));
      const url = `${server.origin}/${slots.length}/secret-place`;
      const inner = slot ?? `<put url='${url}'/><get url='${url}'/>`;
      return Promise.resolve(
        parseXml(`<iq xmlns='jabber:client'><slot xmlns='urn:xmpp:http:upload:0'>${inner}</slot></iq>`),
      );
    },
  };
  return { session: fake as Session, slots };
}

describe('an upload', () => {
  it('sends the file, says how far it is, and knows its hash', async () => {
    let received: Buffer | undefined;
    let headers: IncomingMessage['headers'] = {};
    await serve(async (request, response) => {
      headers = request.headers;
      received = await buffer(request);
      response.writeHead(201).end();
    });
    const { session: alice, slots } = session();
    const progress: number[] = [];
    const uploaded = await uploadFile(
      alice,
      memorySource(content, { name: '../très\ncool.jpg', mediaType: 'image/jpeg' }),
      { ...options, onProgress: (bytes) => progress.push(bytes) },
    );
    expect(received?.equals(content)).toBe(true);
    expect(headers).toMatchObject({ 'content-length': String(SIZE), 'content-type': 'image/jpeg' });
    expect(slots).toHaveLength(1);
    expect(slots[0]).toContain(`filename="très_cool.jpg" size="${SIZE}" content-type="image/jpeg"`);
    expect(uploaded).toMatchObject({
      url: new URL(`${server.origin}/1/secret-place`),
      sizeBytes: SIZE,
      facts: { sizeBytes: SIZE, hashes: [{ algorithm: 'sha-256', value: sha256Of(SIZE) }] },
    });
    expect(progress.at(-1)).toBe(SIZE);
    expect([...progress].sort((a, b) => a - b)).toEqual(progress);
  });

  it('sends only the headers that it may, and never more than one of each line', async () => {
    let headers: string[] = [];
    await serve((request, response) => {
      headers = request.rawHeaders;
      request.resume();
      response.writeHead(201).end();
    });
    const url = `${server.origin}/x`;
    const slot = `<put url='${url}'><header name='Authorization'>Basic&#10;X-Evil: yes</header><header name='Coo&#10;kie'>a=b</header><header name='X-Other'>no</header><header name='Host'>evil.example</header><header name='Content-Length'>1</header></put><get url='${url}'/>`;
    await uploadFile(session(slot).session, memorySource(Buffer.from('abc')), options);
    const pairs = headers.flatMap((name, index) =>
      index % 2 === 0 ? [`${name.toLowerCase()}: ${headers[index + 1] ?? ''}`] : [],
    );
    expect(pairs.sort()).toEqual([
      'authorization: BasicX-Evil: yes',
      'connection: close',
      'content-length: 3',
      'content-type: application/octet-stream',
      'cookie: a=b',
      `host: ${new URL(url).host}`,
    ]);
  });

  it('is sent again, into a new slot, when the connection breaks', async () => {
    const paths: (string | undefined)[] = [];
    let received: Buffer | undefined;
    await serve(async (request, response, count) => {
      paths.push(request.url);
      if (count === 1) {
        await once(request, 'data');
        request.socket.destroy();
        return;
      }
      received = await buffer(request);
      response.writeHead(201).end();
    });
    const { session: alice, slots } = session();
    await uploadFile(alice, memorySource(content), options);
    expect(slots).toHaveLength(2);
    expect(paths).toEqual(['/1/secret-place', '/2/secret-place']);
    expect(received?.equals(content)).toBe(true);
  });

  it('is given up when it breaks a second time', async () => {
    await serve((request) => void request.socket.destroy());
    const { session: alice, slots } = session();
    const failed = uploadFile(alice, memorySource(content), options);
    await expect(failed).rejects.toThrow(ConnectError);
    await expect(failed).rejects.not.toThrow('secret-place');
    expect(slots).toHaveLength(2);
  });
});

describe('something of unknown size', () => {
  const spooled = () => readdirSync(tmpdir()).filter((name) => name.startsWith('xmppctl-upload-'));
  const pipe = (): FileSource => memorySource(content, { sizeBytes: undefined }, { isSeekable: false });

  it('is measured first, and leaves nothing behind', async () => {
    const before = spooled();
    let received: Buffer | undefined;
    await serve(async (request, response) => {
      received = await buffer(request);
      response.writeHead(201).end();
    });
    const uploaded = await uploadFile(session().session, pipe(), options);
    expect(received?.equals(content)).toBe(true);
    expect(uploaded.sizeBytes).toBe(SIZE);
    expect(spooled()).toEqual(before);
  });

  it('is not even read to its end when it is too long', async () => {
    const before = spooled();
    await serve(() => undefined);
    const { session: alice, slots } = session();
    let pieces = 0;
    const endless: FileSource = {
      ...pipe(),
      open: () =>
        Promise.resolve(
          Readable.from(
            (function* () {
              for (;;) {
                pieces += 1;
                yield Buffer.alloc(100_000);
              }
            })(),
          ),
        ),
    };
    await expect(uploadFile(alice, endless, options)).rejects.toThrow(
      'files of up to 10000000 bytes, and this is longer',
    );
    expect(pieces).toBeLessThan(200);
    expect(slots).toEqual([]);
    expect(spooled()).toEqual(before);
  });

  it('leaves nothing behind when it fails', async () => {
    const before = spooled();
    await serve((request, response) => {
      request.resume();
      response.writeHead(507).end();
    });
    await expect(uploadFile(session().session, pipe(), options)).rejects.toThrow('it has no room left');
    const broken: FileSource = {
      ...pipe(),
      open: () =>
        Promise.resolve(
          new Readable({
            read() {
              this.destroy(new FileError('it is gone'));
            },
          }),
        ),
    };
    await expect(uploadFile(session().session, broken, options)).rejects.toThrow('it is gone');
    expect(spooled()).toEqual(before);
  });
});

describe('a refusal', () => {
  it('before anything is sent: the file is too large', async () => {
    await serve(() => undefined);
    const { session: alice, slots } = session();
    const small = { ...options, service: { ...service, maxSizeBytes: 100 } };
    await expect(uploadFile(alice, memorySource(content), small)).rejects.toThrow(
      `upload.example.org takes files of up to 100 bytes, and this has ${SIZE}`,
    );
    expect(slots).toEqual([]);
  });

  it.each([
    [413, 'the file is too large'],
    [403, 'the slot has expired'],
    [302, 'it points elsewhere'],
    [500, 'refused the upload with status 500'],
  ])('with status %d is not tried again', async (status, message) => {
    await serve((request, response) => {
      request.resume();
      response.writeHead(status, { location: 'https://127.0.0.1:1/' }).end();
    });
    const { session: alice, slots } = session();
    const failed = uploadFile(alice, memorySource(content), options);
    await expect(failed).rejects.toThrow(RemoteError);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.not.toThrow('secret-place');
    expect(slots).toHaveLength(1);
  });

  it('in the middle of the file ends the sending', async () => {
    await serve((request, response) => {
      response.writeHead(413).end();
      request.pause();
    });
    const huge = memorySource(Buffer.alloc(9_999_999));
    await expect(uploadFile(session().session, huge, options)).rejects.toThrow(
      /too large|closed in the middle/,
    );
  });

  it('is what a slot without TLS gets', async () => {
    await serve(() => undefined);
    for (const [put, get] of [
      ['http://upload.example.org/x', 'https://upload.example.org/x'],
      ['https://upload.example.org/x', 'http://upload.example.org/x'],
      ['file:///tmp/x', 'https://upload.example.org/x'],
    ]) {
      const { session: alice } = session(`<put url='${put}'/><get url='${get}'/>`);
      await expect(uploadFile(alice, memorySource(content), options)).rejects.toThrow(ProtocolError);
    }
  });

  it('is what a certificate that is not trusted gets', async () => {
    await serve(() => undefined);
    const { session: alice, slots } = session();
    await expect(uploadFile(alice, memorySource(content), { ...options, trust: {} })).rejects.toThrow(
      TlsError,
    );
    expect(slots).toHaveLength(1);
  });
});

describe('a source that changes', () => {
  it.each([
    ['grew', SIZE - 10],
    ['shrank', SIZE + 10],
  ])('and %s while it was sent is an error of the file', async (how, sizeBytes) => {
    await serve((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(201).end());
    });
    const failed = uploadFile(session().session, memorySource(content, { sizeBytes }), options);
    await expect(failed).rejects.toThrow(FileError);
    await expect(failed).rejects.toThrow(`file.bin ${how} while it was being sent`);
  });
});

describe('a wait', () => {
  it('ends when the host takes nothing any more', async () => {
    await serve((request) => void request.pause());
    await expect(
      uploadFile(session().session, memorySource(Buffer.alloc(9_000_000)), { ...options, timeoutMs: 200 }),
    ).rejects.toThrow(TimeoutError);
  });

  it('ends when the host gives no answer', async () => {
    await serve((request) => void request.resume());
    await expect(
      uploadFile(session().session, memorySource(Buffer.from('abc')), { ...options, timeoutMs: 200 }),
    ).rejects.toThrow(TimeoutError);
  });

  it('ends when it is interrupted', async () => {
    const stop = new AbortController();
    await serve(() => stop.abort());
    await expect(
      uploadFile(session().session, memorySource(content), { ...options, signal: stop.signal }),
    ).rejects.toThrow(InterruptedError);
  });
});
