/**
 * XEP-0156: Discovering Alternative XMPP Connection Methods, version 1.4.0: a domain's WebSocket, from the
 * host-meta files of its web server.
 *
 * Not here: BOSH links; `ws:` links, which nothing vouches for; the DNS method, which was withdrawn.
 */
import { request, type IncomingMessage } from 'node:http';
import { ConnectError, XmppctlError } from '../../errors.js';
import { isRecord } from '../../json-object.js';
import { childElements } from '../../xml/element.js';
import { parseXml } from '../../xml/parse.js';
import { within } from '../wait.js';
import type { WebSocketEndpoint } from './endpoints.js';
import type { TcpOptions } from './tcp.js';
import type { TlsClient } from './tls.js';
import { connectToUrl } from './websocket.js';

const REL_WEBSOCKET = 'urn:xmpp:alt-connections:websocket';
/** An XML declaration, which the parser of fragments does not know. */
const DECLARATION = /^\s*<\?xml[^>]*\?>/;
const MAX_BYTES = 256 * 1024;
const MAX_REDIRECTS = 3;

/**
 * The WebSockets that `https://authority/.well-known/host-meta(.json)` names; none when there is no such file.
 *
 * @param authority a host in A-labels, with a port where it is not 443
 * @throws XmppctlError the web server could not be reached, or not be trusted
 */
export async function findWebSocketEndpoints(
  authority: string,
  tls: TlsClient,
  options: TcpOptions,
): Promise<WebSocketEndpoint[]> {
  const [json, xml] = await Promise.allSettled([
    fetchText(new URL(`https://${authority}/.well-known/host-meta.json`), tls, options).then(readJsonLinks),
    fetchText(new URL(`https://${authority}/.well-known/host-meta`), tls, options).then(readXrdLinks),
  ]);
  const links = [
    ...(json.status === 'fulfilled' ? json.value : []),
    ...(xml.status === 'fulfilled' ? xml.value : []),
  ];
  if (links.length === 0 && json.status === 'rejected' && xml.status === 'rejected') throw json.reason;
  const hrefs = links.filter(({ rel }) => rel === REL_WEBSOCKET).map(({ href }) => href);
  const urls = new Set(hrefs.filter((href) => /^wss:\/\//i.test(href) && URL.canParse(href)));
  return [...urls].map((url) => ({ kind: 'websocket', url, source: 'host-meta' }));
}

/** One link of a host-meta file. */
export interface HostMetaLink {
  rel: string;
  href: string;
}

/** RFC 6415 Appendix A; none where it cannot be read. */
export function readJsonLinks(text: string): HostMetaLink[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return [];
  }
  const links =
    isRecord(document) && Array.isArray(document['links']) ? (document['links'] as unknown[]) : [];
  return links.flatMap((link) => (isRecord(link) ? linkOf(link['rel'], link['href']) : []));
}

/** RFC 6415 §3: an XRD document; none where it cannot be read. */
export function readXrdLinks(text: string): HostMetaLink[] {
  try {
    return childElements(parseXml(text.replace(DECLARATION, ''))).flatMap((link) =>
      link.getName() === 'Link' ? linkOf(link.attrs['rel'], link.attrs['href']) : [],
    );
  } catch (error) {
    if (error instanceof XmppctlError) return [];
    throw error;
  }
}

function linkOf(rel: unknown, href: unknown): HostMetaLink[] {
  return typeof rel === 'string' && typeof href === 'string' ? [{ rel, href }] : [];
}

async function fetchText(url: URL, tls: TlsClient, options: TcpOptions, redirects = 0): Promise<string> {
  const { timeoutMs, signal } = options;
  const stream = await connectToUrl(url, tls, options);
  try {
    const answer = await within(get(url, stream), { doing: `waiting for ${url.href}`, timeoutMs, signal });
    const target =
      answer.location !== undefined && URL.canParse(answer.location, url.href)
        ? new URL(answer.location, url)
        : undefined;
    if (target?.protocol === 'https:' && redirects < MAX_REDIRECTS) {
      return await fetchText(target, tls, options, redirects + 1);
    }
    if (answer.status !== 200) {
      throw new ConnectError(`${url.href} answered with status ${answer.status}`, {
        details: { url: url.href },
      });
    }
    return answer.text;
  } finally {
    stream.destroy();
  }
}

interface Answer {
  status: number;
  location: string | undefined;
  text: string;
}

function get(url: URL, stream: Awaited<ReturnType<typeof connectToUrl>>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) response.destroy(new Error(`${url.href} is longer than ${MAX_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        const isRedirect = [301, 302, 303, 307, 308].includes(status);
        resolve({
          status,
          location: isRedirect ? response.headers.location : undefined,
          text: Buffer.concat(chunks).toString('utf8'),
        });
      });
    };
    // TLS is done already, and verified: HTTP runs inside it.
    request(
      {
        host: url.hostname,
        path: `${url.pathname}${url.search}`,
        headers: {
          host: url.host,
          accept: 'application/json, application/xrd+xml, */*',
          connection: 'close',
        },
        createConnection: () => stream,
      },
      onResponse,
    )
      .on('error', (error) =>
        reject(new ConnectError(`${url.href} gave no answer: ${error.message}`, { cause: error })),
      )
      .end();
  });
}
