/**
 * ejabberd's commands over HTTP (mod_http_api), for administrators.
 *
 * One after the other, over one connection: of changes to nodes that arrive at the same time ejabberd 23.01 loses some,
 * and answers all of them with success.
 */
import type { Agent, IncomingMessage } from 'node:http';
import { AuthError, ConnectError, ProtocolError, RemoteError, UsageError } from '../errors.js';
import { checkUrl, openExchange, type HttpTrust } from '../http-upload/http-request.js';
import { createKeepAliveAgent } from '../http-upload/keep-alive-agent.js';
import type { JID } from '../jid/jid.js';
import { SerialQueue } from './serial-queue.js';

/** Room for the names of some millions of accounts. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Undefined: the server knows us by our address. */
export type ApiCredentials =
  { kind: 'token'; token: string } | { kind: 'password'; account: string; password: string } | undefined;

export interface EjabberdApiOptions {
  url: URL;
  credentials: ApiCredentials;
  trust: HttpTrust;
  /** What the certificate must be besides being valid, as `--tls-pin` takes it. */
  pins?: readonly string[];
  /** For each call, in milliseconds. */
  timeoutMs: number;
}

/**
 * The address as it was typed.
 * @throws UsageError it is no address over TLS (or of this computer), or there is a secret in it
 */
export function parseApiUrl(text: string): URL {
  let url: URL;
  try {
    url = checkUrl(text, '--api', { allowPlainLoopback: true });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new UsageError(error.message, {
      hint: 'for example https://xmpp.example.org:5443/api; without TLS this computer only',
      cause: error,
    });
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new UsageError('--api takes an address without a password and without what follows ? or #', {
      hint: 'who asks is said by --api-user, and the secret is in --api-secret-file or XMPPCTL_API_SECRET',
    });
  return url;
}

export class EjabberdApi {
  readonly #agent: Agent;
  readonly #queue = new SerialQueue();

  constructor(private readonly options: EjabberdApiOptions) {
    const { url, trust, pins = [] } = options;
    checkUrl(url.href, '--api', { ...trust, allowPlainLoopback: true });
    this.#agent = createKeepAliveAgent(url, { trust, pins, maxSockets: 1 });
  }

  /**
   * @throws AuthError we are not known, or may not do that @throws RemoteError the command failed
   * @throws ConnectError @throws TimeoutError
   */
  call(command: string, args: object, options: { signal?: AbortSignal | undefined } = {}): Promise<unknown> {
    return this.#queue.run(() => this.#call(command, args, options.signal));
  }

  /**
   * Sends it as if it came from `from`. What is answered goes there, too, and we never see it.
   * @throws what `call` throws
   */
  async sendStanza(
    stanza: { from: JID; to: JID | string; text: string },
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    const { from, to, text } = stanza;
    const code = await this.call(
      'send_stanza',
      { from: from.toString(), to: to.toString(), stanza: text },
      options,
    );
    if (code !== 0) throw new RemoteError(`ejabberd did not send it: ${JSON.stringify(code).slice(0, 200)}`);
  }

  /** The local parts of all accounts of a host. @throws what `call` throws */
  async registeredUsers(host: string, options: { signal?: AbortSignal | undefined } = {}): Promise<string[]> {
    const answer = await this.call('registered_users', { host }, options);
    if (!Array.isArray(answer) || !answer.every((name) => typeof name === 'string'))
      throw new ProtocolError('the command registered_users of ejabberd did not answer with names');
    return answer;
  }

  async #call(command: string, args: object, signal: AbortSignal | undefined): Promise<unknown> {
    const body = Buffer.from(JSON.stringify(args));
    try {
      return await this.#exchange(command, body, signal);
    } catch (error) {
      // The server had closed the connection that was kept, before it read anything.
      if (!(error instanceof StaleConnection)) throw error;
      return await this.#exchange(command, body, signal);
    }
  }

  async #exchange(command: string, body: Buffer, signal: AbortSignal | undefined): Promise<unknown> {
    const { url, trust, timeoutMs } = this.options;
    const doing = `calling ${command} at ${url.host}`;
    const target = new URL(`${url.pathname.replace(/\/+$/, '')}/${command}`, url);
    const headers = {
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...authorization(this.options.credentials),
    };
    const exchange = openExchange(target, 'POST', headers, doing, {
      trust: { ...trust, allowPlainLoopback: true },
      timeoutMs,
      signal,
      agent: this.#agent,
    });
    exchange.request.end(body);
    let response: IncomingMessage;
    try {
      response = await exchange.response;
    } catch (error) {
      const isStale = exchange.request.reusedSocket && isCut(error);
      throw isStale ? new StaleConnection('closed', { cause: error }) : error;
    }
    const text = await readBody(response, doing, (error) => exchange.explain(error));
    return readAnswer(response.statusCode ?? 0, text, command, url);
  }

  close(): void {
    this.#agent.destroy();
  }
}

class StaleConnection extends Error {}

function isCut(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  const { code } = error.details;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function authorization(credentials: ApiCredentials): { authorization?: string } {
  if (!credentials) return {};
  if (credentials.kind === 'token') return { authorization: `Bearer ${credentials.token}` };
  const pair = Buffer.from(`${credentials.account}:${credentials.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}

async function readBody(
  response: IncomingMessage,
  doing: string,
  explain: (error: unknown) => Error,
): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) {
        response.destroy();
        throw new ProtocolError(`failed ${doing}: the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw explain(error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer(status: number, text: string, command: string, url: URL): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  if (status === 200 && answer !== undefined) return answer;
  const said = reasonIn(answer);
  const reason = said === '' ? '' : `: ${said}`;
  if (status === 401)
    throw new AuthError(`ejabberd does not know who calls ${command}${reason}`, {
      hint: 'give --api-user and its password, or a token, in --api-secret-file or XMPPCTL_API_SECRET',
    });
  if (status === 403)
    throw new AuthError(`ejabberd does not allow us to call ${command}${reason}`, {
      hint: 'see "api_permissions" of ejabberd: send_stanza and registered_users are needed',
    });
  if (status === 404)
    throw new RemoteError(`there is no API of ejabberd at ${url.href}${reason}`, {
      hint: 'the path is that of mod_http_api in "request_handlers", mostly /api',
    });
  if (said === 'unknown_command')
    throw new RemoteError(`ejabberd has no command ${command}`, { hint: 'it comes with mod_admin_extra' });
  if (status === 200) throw new ProtocolError(`the answer to ${command} is no JSON`);
  throw new RemoteError(`ejabberd failed at ${command}: HTTP status ${status}${reason}`);
}

function reasonIn(answer: unknown): string {
  if (typeof answer === 'string') return answer.slice(0, 200);
  const found = typeof answer === 'object' && answer !== null && 'message' in answer ? answer.message : '';
  return typeof found === 'string' ? found.slice(0, 200) : '';
}
