/** Pictures that a card only links to, fetched with care: the link was written by somebody else. */
import { isIP } from 'node:net';
import { ConnectError, RemoteError, XmppctlError } from '../../errors.js';
import { openExchange, type HttpExchange, type HttpTrust } from '../../http-upload/http-request.js';
import { readAvatar } from '../convert/read-avatar.js';
import { isPublicAddress, lookupOnly, NOT_PUBLIC } from './public-address.js';

/** Larger is no avatar that anybody would show. */
export const MAX_PHOTO_BYTES = 1_000_000;

const MAX_REDIRECTS = 3;
/** For one picture, with all it is redirected to. */
const WHOLE_MS = 20_000;

export interface FetchPhotoOptions {
  /** Of the picture. */
  maxBytes: number;
  /** Also from private addresses, and over plain HTTP. */
  isAnywhere: boolean;
  trust: HttpTrust;
  signal?: AbortSignal | undefined;
  /** In milliseconds; shorter in tests. */
  wholeMs?: number;
  /** Which addresses are public; others in tests. */
  isPublic?: (address: string) => boolean;
}

/**
 * @returns the bytes, which are a picture that clients show
 * @throws RemoteError it may not be fetched, or is none @throws ConnectError @throws TimeoutError @throws InterruptedError
 */
export async function fetchPhoto(link: string, options: FetchPhotoOptions): Promise<Buffer> {
  const { signal, wholeMs = WHOLE_MS } = options;
  const end = AbortSignal.timeout(wholeMs);
  try {
    const data = await follow(link, 0, {
      ...options,
      signal: signal ? AbortSignal.any([signal, end]) : end,
    });
    if (!readAvatar(data)) throw new RemoteError('what is there is no picture that clients show');
    return data;
  } catch (error) {
    if (error instanceof ConnectError && error.details['code'] === NOT_PUBLIC)
      throw new RemoteError(`${String(error.details['host'])} has no public address`, { cause: error });
    if (end.aborted && signal?.aborted !== true && error instanceof XmppctlError)
      throw new RemoteError(`it took longer than ${wholeMs / 1000} s`, { cause: error });
    throw error;
  }
}

async function follow(link: string, redirects: number, options: FetchPhotoOptions): Promise<Buffer> {
  const { isAnywhere, isPublic = isPublicAddress, trust, signal, wholeMs = WHOLE_MS } = options;
  const isAllowed = isAnywhere ? () => true : isPublic;
  const url = checkLink(link, isAnywhere, isAllowed);
  const exchange = openExchange(
    url,
    'GET',
    { accept: 'image/*', 'accept-encoding': 'identity' },
    `fetching from ${url.host}`,
    { trust, timeoutMs: wholeMs, signal, ...(!isAnywhere && { lookup: lookupOnly(isAllowed) }) },
  );
  try {
    exchange.request.end();
    const response = await exchange.response;
    const { statusCode = 0, headers } = response;
    if ([301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined) {
      if (redirects >= MAX_REDIRECTS) throw new RemoteError(`${url.host} points elsewhere again and again`);
      const next = URL.canParse(headers.location, url.href) ? new URL(headers.location, url).href : '';
      return await follow(next, redirects + 1, options);
    }
    if (statusCode !== 200) throw new RemoteError(`${url.host} answered with status ${statusCode}`);
    const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (!type.startsWith('image/'))
      throw new RemoteError(
        `${url.host} sends no picture but ${type.slice(0, 80) || 'something without a type'}`,
      );
    return await readBody(exchange, url, options.maxBytes);
  } finally {
    exchange.request.destroy();
  }
}

/** @throws RemoteError it is not to be followed */
function checkLink(link: string, isAnywhere: boolean, isAllowed: (address: string) => boolean): URL {
  const url = URL.canParse(link) ? new URL(link) : undefined;
  if (!url) throw new RemoteError('the link is no URL');
  if (url.protocol !== 'https:' && !(isAnywhere && url.protocol === 'http:'))
    throw new RemoteError(`the link is not https: but ${url.protocol}`);
  if (url.username !== '' || url.password !== '') throw new RemoteError('the link holds a password');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // A name is looked up with the same care.
  if (isIP(host) !== 0 && !isAllowed(host)) throw new RemoteError(`${host} is no public address`);
  return url;
}

async function readBody(exchange: HttpExchange, url: URL, maxBytes: number): Promise<Buffer> {
  const response = await exchange.response;
  const chunks: Buffer[] = [];
  let length = 0;
  const add = (chunk: Buffer): void => {
    length += chunk.length;
    if (length > maxBytes) throw new RemoteError(`${url.host} sends more than ${maxBytes} bytes`);
    chunks.push(chunk);
  };
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) add(Buffer.alloc(maxBytes + 1));
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) add(chunk);
  } catch (error) {
    throw exchange.explain(error);
  }
  return Buffer.concat(chunks);
}
