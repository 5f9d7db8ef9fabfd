/** One HTTPS request to one address: bounded, without redirections, and with what TLS had to say. */
import { request } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { rootCertificates, TLSSocket } from 'node:tls';
import { ConnectError } from '../../errors.js';
import { within } from '../../session/wait.js';
import type { Budget } from './budget.js';

export interface HttpsRequest {
  url: URL;
  method?: 'GET' | 'POST' | 'PUT' | 'OPTIONS';
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer;
  /** Where the name is, instead of asking the system. */
  address: string;
  /** PEM texts of more authorities. */
  extraRoots: readonly string[];
  budget: Budget;
}

export interface HttpsAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  bytes: Buffer;
  text: string;
  /** The reason why the certificate cannot be trusted; undefined when it can. */
  tlsProblem: string | undefined;
}

/** @throws ConnectError @throws TimeoutError @throws InterruptedError @throws BudgetSpentError */
export async function fetchOnce({
  url,
  method = 'GET',
  headers = {},
  body,
  address,
  extraRoots,
  budget,
}: HttpsRequest): Promise<HttpsAnswer> {
  using _ticket = await budget.take();
  const family = address.includes(':') ? 6 : 4;
  const lookup: LookupFunction = (_host, options, callback) =>
    options.all ? callback(null, [{ address, family }]) : callback(null, address, family);
  let stop: (() => void) | undefined;
  const answer = new Promise<HttpsAnswer>((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers: { 'user-agent': 'xmppctl-probe', ...headers, connection: 'close' },
        lookup,
        agent: false,
        rejectUnauthorized: false,
        ca: [...rootCertificates, ...extraRoots],
      },
      (response) => {
        const tlsProblem = problemOf(response.socket);
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > budget.limits.bytes)
            response.destroy(new Error(`it is longer than ${budget.limits.bytes} bytes`));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({
            bytes,
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(response.headers).map(([name, value]) => [
                name,
                Array.isArray(value) ? value.join(', ') : (value ?? ''),
              ]),
            ),
            text: bytes.toString('utf8'),
            tlsProblem,
          });
        });
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ConnectError(`${url.origin} gave no answer: ${error.code ?? error.message}`, { cause: error }),
      ),
    );
    stop = () => void sent.destroy();
    sent.end(body);
  });
  try {
    return await within(answer, {
      doing: `waiting for ${url.origin}`,
      timeoutMs: budget.limits.stepMs,
      signal: budget.signal,
    });
  } catch (error) {
    stop?.();
    throw error instanceof Error && !('exitCode' in error)
      ? new ConnectError(`${url.origin}: ${error.message}`, { cause: error })
      : error;
  }
}

function problemOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket)) return 'there is no TLS';
  return socket.authorized ? undefined : String(socket.authorizationError);
}
