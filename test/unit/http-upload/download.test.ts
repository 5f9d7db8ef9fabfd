import { createCipheriv, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ConnectError,
  InterruptedError,
  ProtocolError,
  TimeoutError,
  TlsError,
} from '../../../src/lib/errors.js';
import type { FileFacts } from '../../../src/lib/file-transfer/transfer.js';
import {
  WrongDownloadError,
  downloadLink,
  type DownloadOptions,
} from '../../../src/lib/http-upload/download-link.js';
import type { SharedLink } from '../../../src/lib/http-upload/read-links.js';
import { startWebServer, type WebServer } from '../../support/https-server.js';
import { MemorySink } from '../../support/memory-files.js';
import { contentAt, factsOf, sha256Of } from '../../support/numbered-content.js';
import { makeTlsFixtures } from '../../support/tls-fixtures.js';

const SIZE = 300_001;
const content = contentAt(0, SIZE);
const tls = makeTlsFixtures();
const options: DownloadOptions = { trust: { ca: tls.ca }, timeoutMs: 10_000 };

let server: WebServer;
afterEach(() => server[Symbol.asyncDispose]());

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function serve(handler: Handler, pair = tls.good): Promise<void> {
  let count = 0;
  server = await startWebServer((request, response) => handler(request, response, (count += 1)), pair);
}

function link(facts: Partial<FileFacts> = {}, path = '/file.bin'): SharedLink {
  return {
    url: server.origin + path,
    facts: factsOf('file.bin', undefined, { promisedHashes: [], ...facts }),
  };
}

/** As web servers do: whole, or from where it is asked. */
const answerRange: Handler = (request, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from >= SIZE) {
    response.writeHead(416, { 'content-range': `bytes */${SIZE}` }).end();
    return;
  }
  response.writeHead(from > 0 ? 206 : 200, {
    'content-length': SIZE - from,
    ...(from > 0 && { 'content-range': `bytes ${from}-${SIZE - 1}/${SIZE}` }),
    'content-disposition': 'attachment; filename="../../.bashrc"',
  });
  response.end(content.subarray(from));
};

const rightHash = { hashes: [{ algorithm: 'sha-256' as const, value: sha256Of(SIZE) }] };
const wrongHash = { hashes: [{ algorithm: 'sha-256' as const, value: sha256Of(1) }] };

describe('a download', () => {
  it('is verified by the hash that the sender said', async () => {
    await serve(answerRange);
    const sink = new MemorySink();
    const seen: number[] = [];
    const result = await downloadLink(link({ sizeBytes: SIZE, ...rightHash }), sink, {
      ...options,
      onProgress: (bytes) => seen.push(bytes),
    });
    expect(result).toMatchObject({
      name: 'file.bin',
      sizeBytes: SIZE,
      method: 'upload',
      path: `${server.origin}/file.bin`,
      certainty: 'verified',
      hashes: rightHash.hashes,
      resumedFromBytes: 0,
      storedAs: '/stored/file.bin',
    });
    expect(sink.content.equals(content)).toBe(true);
    expect(seen.at(-1)).toBe(SIZE);
  });

  it('is complete but unverified without one', async () => {
    await serve(answerRange);
    expect(await downloadLink(link(), new MemorySink(), options)).toMatchObject({ certainty: 'unverified' });
  });

  it('is thrown away when the hash is another', async () => {
    await serve(answerRange);
    const sink = new MemorySink();
    await expect(downloadLink(link(wrongHash), sink, options)).rejects.toThrow('the hashes differ');
    expect(sink.state).toBe('discarded');
  });

  it.each([
    ['asks for the rest only', 100_000, answerRange, [`bytes=100000-`]],
    [
      'passes over what it has when the host knows no ranges',
      100_000,
      (_, response) => response.end(content),
      ['bytes=100000-'],
    ],
    ['asks for nothing when everything is here', SIZE, answerRange, []],
  ])('that was begun before %s', async (_, kept, handler, ranges) => {
    const asked: (string | undefined)[] = [];
    await serve((request, response, count) => {
      asked.push(request.headers.range);
      handler(request, response, count);
    });
    const sink = new MemorySink(content.subarray(0, kept));
    const result = await downloadLink(link({ sizeBytes: SIZE, ...rightHash }), sink, options);
    expect(result).toMatchObject({ certainty: 'verified', resumedFromBytes: kept });
    expect(asked).toEqual(ranges);
    expect(sink.content.equals(content)).toBe(true);
  });

  it('of which only the name was missing is complete, though the size was never said', async () => {
    await serve(answerRange);
    const sink = new MemorySink(content);
    await downloadLink(link(rightHash), sink, options);
    expect(sink.state).toBe('committed');
  });

  it('goes on where it was when the connection breaks in the middle', async () => {
    const ranges: (string | undefined)[] = [];
    await serve((request, response, count) => {
      ranges.push(request.headers.range);
      if (count > 5) {
        answerRange(request, response, count);
        return;
      }
      const from = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
      response.writeHead(from > 0 ? 206 : 200, {
        'content-length': SIZE - from,
        ...(from > 0 && { 'content-range': `bytes ${from}-${SIZE - 1}/${SIZE}` }),
      });
      response.write(content.subarray(from, from + 10_000), () => response.destroy());
    });
    const sink = new MemorySink();
    await downloadLink(link(rightHash), sink, options);
    expect(sink.content.equals(content)).toBe(true);
    expect(ranges).toEqual([undefined, ...[1, 2, 3, 4, 5].map((n) => `bytes=${n * 10_000}-`)]);
  });

  it('gives up when the connection breaks again and again, and keeps what it has', async () => {
    let requests = 0;
    await serve((request, response, count) => {
      requests = count;
      if (count > 1) request.socket.destroy();
      else {
        response.writeHead(200, { 'content-length': SIZE });
        response.write(content.subarray(0, 10_000), () => response.destroy());
      }
    });
    const sink = new MemorySink();
    await expect(downloadLink(link(), sink, options)).rejects.toThrow(ConnectError);
    expect(sink.state).toBe('suspended');
    expect(sink.offset).toBe(10_000);
    expect(requests).toBe(4);
  });
});

describe('a host that lies', () => {
  it.each<[string, Handler, Partial<FileFacts>, RegExp, 'discarded' | 'suspended']>([
    [
      'sends more than was announced',
      (_, r) => r.end(content),
      { sizeBytes: 10 },
      /the sender said 10/,
      'discarded',
    ],
    [
      'sends more, without saying how much',
      (_, r) => {
        r.write(content);
        r.end(content);
      },
      { sizeBytes: SIZE },
      /more came than the 300001 bytes/,
      'discarded',
    ],
    [
      'sends another part than was asked for',
      (_, r) => r.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('12345'),
      {},
      /another part/,
      'suspended',
    ],
    [
      'sends an encoding that nobody asked for',
      (_, r) => r.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      {},
      /encoding/,
      'suspended',
    ],
    [
      'points elsewhere without end',
      (_, r, count) => r.writeHead(302, { location: `/${count}` }).end(),
      {},
      /again and again/,
      'suspended',
    ],
    [
      'points to what is not secure',
      (_, r) => r.writeHead(302, { location: 'http://127.0.0.1:1/x' }).end(),
      {},
      /not https: but http:/,
      'suspended',
    ],
    [
      'points to a file of ours',
      (_, r) => r.writeHead(301, { location: 'file:///etc/passwd' }).end(),
      {},
      /not https: but file:/,
      'suspended',
    ],
    [
      'has it no more',
      (_, r) => r.writeHead(404).end('<html>'),
      {},
      /status 404: it is not there/,
      'suspended',
    ],
    ['fails', (_, r) => r.writeHead(500).end(), {}, /status 500/, 'suspended'],
  ])('%s', async (_, handler, facts, message, state) => {
    await serve(handler);
    const sink = new MemorySink();
    await expect(downloadLink(link(facts), sink, options)).rejects.toThrow(message);
    expect(sink.state).toBe(state);
  });

  it('cannot send more than is allowed', async () => {
    await serve((_, response) => void response.end(content));
    const sink = new MemorySink();
    await expect(downloadLink(link(), sink, { ...options, maxBytes: 1000 })).rejects.toThrow('1000 bytes');
    expect(sink.offset).toBe(0);
  });

  it('may lead to another secure place', async () => {
    await serve((request, response, count) => {
      if (request.url === '/file.bin') response.writeHead(307, { location: '/other' }).end();
      else answerRange(request, response, count);
    });
    expect(await downloadLink(link(rightHash), new MemorySink(), options)).toMatchObject({
      certainty: 'verified',
    });
  });

  it('whose file became shorter is not believed', async () => {
    await serve((_, response) => void response.end('short'));
    const sink = new MemorySink(content.subarray(0, 1000));
    await expect(downloadLink(link(), sink, options)).rejects.toThrow(WrongDownloadError);
    expect(sink.state).toBe('discarded');
  });
});

describe('who may be trusted', () => {
  it('is said by the certificate', async () => {
    await serve(answerRange, tls.wrongName);
    await expect(downloadLink(link(), new MemorySink(), options)).rejects.toThrow(TlsError);
    await expect(downloadLink(link(), new MemorySink(), { ...options, trust: {} })).rejects.toThrow(
      'not trusted',
    );
    await downloadLink(link(), new MemorySink(), { ...options, trust: { isInsecure: true } });
  });

  it('is nobody without TLS, but this computer where that was said', async () => {
    server = await startWebServer((request, response) => answerRange(request, response, 1));
    await expect(downloadLink(link(), new MemorySink(), options)).rejects.toThrow(ProtocolError);
    const trust = { allowPlainLoopback: true };
    await downloadLink(link(), new MemorySink(), { ...options, trust });
    const elsewhere = { url: 'http://example.org/x', facts: link().facts };
    await expect(downloadLink(elsewhere, new MemorySink(), { ...options, trust })).rejects.toThrow(
      ProtocolError,
    );
  });
});

describe('a wait', () => {
  it('ends when nothing comes any more', async () => {
    await serve((_, response) => void response.writeHead(200, { 'content-length': SIZE }).write('some'));
    const sink = new MemorySink();
    await expect(downloadLink(link(), sink, { ...options, timeoutMs: 200 })).rejects.toThrow(TimeoutError);
    expect(sink.state).toBe('suspended');
    expect(sink.content.toString()).toBe('some');
  });

  it('ends when it is interrupted', async () => {
    const stop = new AbortController();
    await serve((_, response) => {
      response.writeHead(200, { 'content-length': SIZE }).write('some');
      setImmediate(() => stop.abort());
    });
    const sink = new MemorySink();
    await expect(downloadLink(link(), sink, { ...options, signal: stop.signal })).rejects.toThrow(
      InterruptedError,
    );
    expect(sink.state).toBe('suspended');
  });
});

describe('an encrypted link', () => {
  const key = randomBytes(32);

  const encrypt = (iv: Buffer): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', key, iv);
    return Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  };
  const encryptedLink = (iv: Buffer): SharedLink => ({
    url: `${server.origin.replace('https:', 'aesgcm:')}/x.bin#${iv.toString('hex')}${key.toString('hex')}`,
    facts: factsOf('x.bin', undefined, { promisedHashes: [] }),
  });

  it.each([12, 16])('is decrypted and verified (IV of %d bytes)', async (ivBytes) => {
    const iv = randomBytes(ivBytes);
    await serve((_, response) => void response.end(encrypt(iv)));
    const sink = new MemorySink();
    const result = await downloadLink(encryptedLink(iv), sink, options);
    expect(result).toMatchObject({ certainty: 'verified', sizeBytes: SIZE, path: `${server.origin}/x.bin` });
    expect(sink.content.equals(content)).toBe(true);
  });

  it('is taken up again when the connection breaks', async () => {
    const iv = randomBytes(12);
    const encrypted = encrypt(iv);
    await serve((_, response, count) => {
      response.writeHead(200, { 'content-length': encrypted.length });
      if (count === 1) response.write(encrypted.subarray(0, 50_000), () => response.destroy());
      else response.end(encrypted);
    });
    const sink = new MemorySink();
    await downloadLink(encryptedLink(iv), sink, options);
    expect(sink.content.equals(content)).toBe(true);
  });

  it.each([
    ['one bit is another', (data: Buffer) => data.fill((data[7] ?? 0) ^ 1, 7, 8)],
    ['the end is missing', (data: Buffer) => data.subarray(0, -1)],
    ['there is not even a tag', () => Buffer.alloc(3)],
  ])('is thrown away when %s', async (_, spoil) => {
    const iv = randomBytes(12);
    await serve((_request, response) => void response.end(spoil(encrypt(iv))));
    const sink = new MemorySink();
    await expect(downloadLink(encryptedLink(iv), sink, options)).rejects.toThrow('cannot be decrypted');
    expect(sink.state).toBe('discarded');
  });

  it('never shows its key in an error', async () => {
    await serve((_, response) => void response.writeHead(403).end());
    const error: unknown = await downloadLink(
      encryptedLink(randomBytes(12)),
      new MemorySink(),
      options,
    ).catch((caught: unknown) => caught);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(key.toString('hex'));
    await expect(
      downloadLink({ ...encryptedLink(Buffer.alloc(2)) }, new MemorySink(), options),
    ).rejects.toThrow('the encrypted link has no key');
  });
});
