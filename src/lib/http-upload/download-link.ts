/**
 * Fetching what a link points at. Only `https:` is followed, redirects included; what the host says of name and type
 * is ignored: those come from the sender.
 */
import type { IncomingMessage } from 'node:http';
import { ConnectError, RemoteError } from '../errors.js';
import type { FileFacts, FileSink, TransferResult } from '../file-transfer/transfer.js';
import { createHasher } from '../hashes/hasher.js';
import { hashAlgorithms, matchesHash, type Hash } from '../hashes/hashes.js';
import { readEncryptedLink, type Decryption } from './encrypted-link.js';
import { checkUrl, openExchange, type HttpExchange, type HttpOptions } from './http-request.js';
import type { SharedLink } from './read-links.js';

const MAX_REDIRECTS = 5;
/** How often a broken download is taken up again without having got any further. */
const MAX_ATTEMPTS = 3;

export interface DownloadOptions extends HttpOptions {
  maxBytes?: number | undefined;
  onProgress?: ((keptBytes: number, totalBytes: number | undefined) => void) | undefined;
}

/** The content is not what was announced. What is kept of it is dropped. */
export class WrongDownloadError extends RemoteError {
  override readonly name = 'WrongDownloadError';
}

/**
 * Downloads into a sink, from where it is, and gives the file its name when it is complete and, where the sender said
 * a hash, right. Otherwise the sink keeps what it has for the next time, unless that is wrong.
 *
 * @throws RemoteError the host refuses, or the content is wrong @throws ConnectError @throws TimeoutError @throws FileError
 */
export async function downloadLink(
  link: SharedLink,
  sink: FileSink,
  options: DownloadOptions,
): Promise<TransferResult> {
  const startedMs = performance.now();
  const resumedFromBytes = sink.offset;
  try {
    const encrypted = readEncryptedLink(link.url);
    const url = checkUrl(encrypted?.url ?? link.url, 'the link', options.trust);
    await new Download(url, link.facts, encrypted?.begin, sink, options).run();
    const { hash, certainty } = await verify(sink, link.facts.hashes);
    const isVerified = certainty === 'verified' || encrypted !== undefined;
    const storedAs = await sink.commit();
    return {
      name: link.facts.name,
      sizeBytes: sink.offset,
      method: 'upload',
      // Without its fragment, which may be a key, and its query, which may be a permission.
      path: url.origin + url.pathname,
      certainty: isVerified ? 'verified' : 'unverified',
      hashes: hash ? [hash] : [],
      resumedFromBytes,
      elapsedMs: performance.now() - startedMs,
      ...(storedAs !== undefined && { storedAs }),
    };
  } catch (error) {
    if (error instanceof WrongDownloadError) await sink.discard();
    else await sink.suspend();
    throw error;
  }
}

async function verify(
  sink: FileSink,
  told: readonly Hash[],
): Promise<{ hash: Hash | undefined; certainty: 'verified' | 'unverified' }> {
  for (const algorithm of hashAlgorithms) {
    const values = told.filter((hash) => hash.algorithm === algorithm);
    if (values.length === 0) continue;
    const digest = await sink.digest(algorithm);
    if (!digest) continue;
    if (!values.some(({ value }) => matchesHash(digest, value)))
      throw new WrongDownloadError('what was downloaded is not what was sent: the hashes differ');
    return { hash: { algorithm, value: digest }, certainty: 'verified' };
  }
  return { hash: undefined, certainty: 'unverified' };
}

class Download {
  readonly #url: URL;
  readonly #facts: FileFacts;
  readonly #begin: (() => Decryption) | undefined;
  readonly #sink: FileSink;
  readonly #options: DownloadOptions;

  constructor(
    url: URL,
    facts: FileFacts,
    begin: (() => Decryption) | undefined,
    sink: FileSink,
    options: DownloadOptions,
  ) {
    this.#url = url;
    this.#facts = facts;
    this.#begin = begin;
    this.#sink = sink;
    this.#options = options;
    this.#check(facts.sizeBytes ?? 0);
  }

  async run(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      // A sender that says no size of an encrypted file is only believed by its tag.
      if (this.#sink.offset > 0 && this.#sink.offset === this.#facts.sizeBytes && !this.#begin) return;
      const before = this.#sink.offset;
      try {
        await this.#fetch(this.#url, 0);
        return;
      } catch (error) {
        const isBroken = error instanceof ConnectError && error.name === 'ConnectError';
        if (!isBroken || this.#options.signal?.aborted === true) throw error;
        if (this.#sink.offset > before) attempt = 0;
        if (attempt >= MAX_ATTEMPTS) throw error;
      }
    }
  }

  async #fetch(url: URL, redirects: number): Promise<void> {
    // What is encrypted can only be read from its beginning.
    const from = this.#begin ? 0 : this.#sink.offset;
    const exchange = openExchange(
      url,
      'GET',
      { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) },
      `downloading from ${url.host}`,
      this.#options,
    );
    try {
      exchange.request.end();
      const response = await exchange.response;
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
        if (redirects >= MAX_REDIRECTS) throw new RemoteError(`${url.host} points elsewhere again and again`);
        const next = URL.canParse(location, url.href) ? new URL(location, url).href : location;
        await this.#fetch(checkUrl(next, 'the place the link leads to', this.#options.trust), redirects + 1);
        return;
      }
      const start = startOf(response, url.host, from);
      if (start === 'complete') return;
      await this.#take(exchange, response, start);
    } finally {
      exchange.request.destroy();
    }
  }

  async #take(exchange: HttpExchange, response: IncomingMessage, start: number): Promise<void> {
    const sink = this.#sink;
    const decryption = this.#begin?.();
    const whole = decryption && (await createHasher('sha-256'));
    const total = decryption ? this.#facts.sizeBytes : totalOf(response, start, this.#facts.sizeBytes);
    this.#check(total ?? 0);
    let position = start;
    for await (const raw of bodyOf(response, exchange)) {
      const piece = decryption ? decryption.update(raw) : raw;
      whole?.update(piece);
      const end = position + piece.length;
      this.#check(end, total);
      // A host that knows no ranges begins at 0; what is here already is passed over.
      if (end > sink.offset) await sink.write(piece.subarray(Math.max(sink.offset - position, 0)));
      position = end;
      this.#options.onProgress?.(Math.max(position, sink.offset), total);
    }
    if (total !== undefined && position < total)
      throw new ConnectError(`the download ended after ${position} of ${total} bytes`);
    if (sink.offset > position)
      throw new WrongDownloadError(`what was downloaded is shorter than what is here from an earlier time`);
    if (decryption && whole) await this.#checkDecrypted(decryption, whole.digest());
  }

  /** The tag vouches for what was decrypted now, and not for what is here from an earlier attempt. */
  async #checkDecrypted(decryption: Decryption, digest: Buffer): Promise<void> {
    try {
      decryption.finish();
    } catch (error) {
      throw new WrongDownloadError(error instanceof Error ? error.message : String(error), { cause: error });
    }
    const stored = await this.#sink.digest('sha-256');
    if (stored?.equals(digest) === false)
      throw new WrongDownloadError('what is here from an earlier time is not the beginning of the file');
  }

  /** @throws RemoteError it is more than it may be */
  #check(bytes: number, total?: number): void {
    const { maxBytes } = this.#options;
    if (maxBytes !== undefined && bytes > maxBytes)
      throw new RemoteError(`the file is larger than the ${maxBytes} bytes that are allowed`, {
        details: { maxBytes },
      });
    const announced = total ?? this.#facts.sizeBytes;
    if (announced !== undefined && bytes > announced)
      throw new WrongDownloadError(`more came than the ${announced} bytes that were announced`);
  }
}

/** Where in the file the body begins. @throws RemoteError */
function startOf(response: IncomingMessage, host: string, from: number): number | 'complete' {
  const status = response.statusCode ?? 0;
  const range = response.headers['content-range'] ?? '';
  if (
    response.headers['content-encoding'] !== undefined &&
    response.headers['content-encoding'] !== 'identity'
  )
    throw new RemoteError(`${host} sends it in an encoding that was not asked for`);
  if (status === 200) return 0;
  if (status === 206) {
    const start = Number(/^bytes (\d+)-/.exec(range)?.[1] ?? Number.NaN);
    if (start === from) return start;
    throw new RemoteError(`${host} sends another part of the file than was asked for`);
  }
  // Nothing is missing but the name.
  if (status === 416 && from > 0 && range === `bytes */${from}`) return 'complete';
  const reasons: Readonly<Record<number, string>> = {
    401: 'it wants a password',
    403: 'it does not allow it',
    404: 'it is not there, or not any more',
    410: 'it is not there any more',
    416: 'it is shorter than what is here from an earlier time',
  };
  const reason = reasons[status];
  const message = `${host} answered with status ${status}${reason === undefined ? '' : `: ${reason}`}`;
  if (status === 416) throw new WrongDownloadError(message, { details: { status } });
  throw new RemoteError(message, { details: { host, status } });
}

/** The size of the whole. @throws WrongDownloadError it is not what the sender said */
function totalOf(
  response: IncomingMessage,
  start: number,
  announced: number | undefined,
): number | undefined {
  const length = response.headers['content-length'];
  if (length === undefined) return announced;
  const total = start + Number(length);
  if (announced !== undefined && total !== announced)
    throw new WrongDownloadError(`it has ${total} bytes, and the sender said ${announced}`);
  return total;
}

async function* bodyOf(response: IncomingMessage, exchange: HttpExchange): AsyncGenerator<Buffer> {
  try {
    for await (const piece of response as AsyncIterable<Buffer>) yield piece;
  } catch (error) {
    throw exchange.explain(error);
  }
}
