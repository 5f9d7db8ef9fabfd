/**
 * HTTP as uploads and downloads need it: the trust of the session, no redirects by itself, an end to every wait, and
 * errors that name the host but no secret: an upload's URL may be the permission itself, a link's may hold a key.
 */
import { request as requestPlain, type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { ConnectError, ProtocolError, XmppctlError } from '../errors.js';
import { explainTlsFailure } from '../session/transport/tls-failure.js';
import { interruption, timedOut } from '../session/wait.js';

export interface HttpTrust {
  /** PEM certificates trusted beside the system's. */
  ca?: string | undefined;
  /** Accept any certificate. */
  isInsecure?: boolean | undefined;
  /** Allow `http:` to this computer: a sandbox without TLS. */
  allowPlainLoopback?: boolean | undefined;
}

export interface HttpOptions {
  trust?: HttpTrust | undefined;
  /** Without a byte in either direction. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Keeps connections for the next request, and trusts whom it trusts; without it each has one of its own. */
  agent?: Agent | undefined;
  /** Finds the addresses of a name, in place of the system. */
  lookup?: LookupFunction | undefined;
}

/**
 * A URL that may be used: `https:` and nothing else. Addresses of private networks are allowed: servers at home have them.
 * @param what names it in the error: `the link`. @throws ProtocolError
 */
export function checkUrl(text: string, what: string, trust: HttpTrust = {}): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new ProtocolError(`${what} is no URL`);
  if (url.protocol === 'https:') return url;
  if (url.protocol === 'http:' && trust.allowPlainLoopback === true && isLoopback(url.hostname)) return url;
  throw new ProtocolError(`${what} is not https: but ${url.protocol}`, { details: { host: url.host } });
}

function isLoopback(host: string): boolean {
  return host === '[::1]' || host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.'));
}

export interface HttpExchange {
  readonly request: ClientRequest;
  /** Rejects with an XmppctlError. */
  readonly response: Promise<IncomingMessage>;
  /** What ended the exchange, in our words: for errors of the body. */
  explain(error: unknown): XmppctlError;
}

/** @param doing ends the sentence "timed out …": `uploading to upload.example.org` */
export function openExchange(
  url: URL,
  method: 'GET' | 'PUT' | 'POST',
  headers: Readonly<Record<string, string | readonly string[]>>,
  doing: string,
  { trust = {}, timeoutMs, signal, agent, lookup }: HttpOptions,
): HttpExchange {
  const connection = agent ? 'keep-alive' : 'close';
  const options = { method, headers: { ...headers, connection }, agent: agent ?? (false as const), lookup };
  const request =
    url.protocol === 'https:'
      ? requestSecure(url, {
          ...options,
          ...(agent === undefined && {
            minVersion: 'TLSv1.2' as const,
            rejectUnauthorized: trust.isInsecure !== true,
            ...(trust.ca !== undefined && { ca: [...rootCertificates, trust.ca] }),
          }),
        })
      : requestPlain(url, options);
  // The stream of the answer would only say that it was aborted.
  let ended: XmppctlError | undefined;
  const end = (error: XmppctlError): void => void request.destroy((ended ??= error));
  request.setTimeout(timeoutMs, () => end(timedOut(doing, timeoutMs)));
  const onAbort = (): void => end(interruption(signal, doing));
  signal?.addEventListener('abort', onAbort);
  request.once('close', () => signal?.removeEventListener('abort', onAbort));
  if (signal?.aborted) onAbort();
  const explain = (error: unknown): XmppctlError => ended ?? explainHttpFailure(error, url, doing);
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    const onClose = (): void => reject(explain(new Error('the connection was closed')));
    request.once('response', (message) => {
      // Nobody would hear of it, and making an error takes longer than all the rest.
      request.off('close', onClose);
      resolve(message);
    });
    // Stays on: a connection that is being taken down may complain more than once.
    request.on('error', (error) => reject(explain(error)));
    request.once('close', onClose);
  });
  response.catch(() => undefined);
  return { request, response, explain };
}

const tlsCode = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|INVALID_|ERR_TLS_|ERR_SSL_|EPROTO)/;

function explainHttpFailure(error: unknown, url: URL, doing: string): XmppctlError {
  if (error instanceof XmppctlError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (tlsCode.test(code))
    return explainTlsFailure(error, { name: url.hostname, place: url.host, certificate: undefined });
  const reason = code === '' && error instanceof Error ? error.message : (reasons[code] ?? code);
  return new ConnectError(`failed ${doing}: ${reason}`, {
    cause: error,
    details: { host: url.host, ...(code !== '' && { code }) },
  });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was closed in the middle',
  EPIPE: 'the connection was closed in the middle',
  ENOTFOUND: 'the host is not known',
  EAI_AGAIN: 'the name service gave no answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
};
