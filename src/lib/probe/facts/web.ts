/**
 * What a domain says on the web about how to reach it, and whether that is true.
 *
 * XEP-0156 (host-meta) · RFC 7395 (WebSocket) · XEP-0124 and XEP-0206 (BOSH) · RFC 6120 over the web needs CORS, so
 * that pages of other origins may read it.
 */
import { WebSocket } from 'ws';
import { rootCertificates } from 'node:tls';
import { ConnectError } from '../../errors.js';
import { readXrdLinks, readJsonLinks } from '../../session/transport/host-meta.js';
import { within } from '../../session/wait.js';
import type { Evidence } from '../wire/transcript.js';
import type { Budget } from '../wire/budget.js';
import { fetchOnce, type HttpsAnswer } from '../wire/https.js';
import { escapeAnywhere } from '../../xml/escape.js';
import type { Measured } from './facts.js';
import { reasonOf } from './measure.js';

const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';
const ORIGIN = 'https://probe.invalid';

export interface WebTarget {
  domain: string;
  /** Of the URLs: the domain, with the port of its web server where that is not 443. */
  authority: string;
  /** The addresses of a name; none where it may not be connected to. @throws DnsError */
  resolve: (host: string) => Promise<readonly string[]>;
  extraRoots: readonly string[];
  budget: Budget;
}

export interface HostMetaFacts {
  status: number;
  allowOrigin: string | undefined;
  contentType: string | undefined;
  tlsProblem: string | undefined;
  location: string | undefined;
  websockets: readonly string[];
  boshes: readonly string[];
  isReadable: boolean;
}

export interface WebConnectionFacts {
  url: string;
  /** It led to a stream. */
  opened: Measured<true>;
  evidence: Evidence;
  /** BOSH only: what a browser is told before it posts. */
  preflight?: { status: number; allowOrigin: string | undefined; allowHeaders: string | undefined };
}

export interface WebFacts {
  xrd: Measured<HostMetaFacts>;
  json: Measured<HostMetaFacts>;
  websockets: readonly WebConnectionFacts[];
  boshes: readonly WebConnectionFacts[];
}

/** Links beyond these are not followed. */
const MAX_LINKS = 3;

export async function collectWeb(target: WebTarget): Promise<WebFacts> {
  const [xrd, json] = await Promise.all([
    readHostMeta(target, 'host-meta'),
    readHostMeta(target, 'host-meta.json'),
  ]);
  const links = (name: 'websockets' | 'boshes'): string[] =>
    [...new Set([...(xrd.value?.[name] ?? []), ...(json.value?.[name] ?? [])])].slice(0, MAX_LINKS);
  const [websockets, boshes] = await Promise.all([
    Promise.all(links('websockets').map((url) => openWebSocket(target, url))),
    Promise.all(links('boshes').map((url) => openBosh(target, url))),
  ]);
  return { xrd, json, websockets, boshes };
}

async function readHostMeta(
  target: WebTarget,
  name: 'host-meta' | 'host-meta.json',
): Promise<Measured<HostMetaFacts>> {
  try {
    const url = new URL(`https://${target.authority}/.well-known/${name}`);
    const answer = await get(target, url);
    const { text, status, headers, tlsProblem } = answer;
    const read = name === 'host-meta' ? readXrdLinks : readJsonLinks;
    const links = status === 200 ? read(text) : [];
    return {
      value: {
        status,
        allowOrigin: headers['access-control-allow-origin'],
        contentType: headers['content-type'],
        location: headers['location']?.slice(0, 300),
        tlsProblem,
        websockets: hrefs(links, 'urn:xmpp:alt-connections:websocket'),
        boshes: hrefs(links, 'urn:xmpp:alt-connections:xbosh'),
        isReadable: links.length > 0,
      },
    };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

const hrefs = (links: readonly { rel: string; href: string }[], rel: string): string[] =>
  links.filter((link) => link.rel === rel).map(({ href }) => href.slice(0, 500));

async function addressOf(target: WebTarget, url: URL): Promise<string> {
  const [address] = await target.resolve(url.hostname.replace(/^\[|\]$/g, ''));
  if (address === undefined)
    throw new ConnectError(`${url.hostname} has no address that may be connected to`);
  return address;
}

async function get(target: WebTarget, url: URL): Promise<HttpsAnswer> {
  return fetchOnce({
    url,
    address: await addressOf(target, url),
    headers: { origin: ORIGIN, accept: '*/*' },
    extraRoots: target.extraRoots,
    budget: target.budget,
  });
}

async function openWebSocket(target: WebTarget, href: string): Promise<WebConnectionFacts> {
  const sent = `<open xmlns='${NS_FRAMING}' to='${escapeAnywhere(target.domain)}' version='1.0'/>`;
  let received = '';
  try {
    const url = secureUrl(href, 'wss:');
    const address = await addressOf(target, url);
    using _ticket = await target.budget.take();
    const family = address.includes(':') ? 6 : 4;
    const socket = new WebSocket(url, 'xmpp', {
      ca: [...rootCertificates, ...target.extraRoots],
      maxPayload: target.budget.limits.bytes,
      followRedirects: false,
      handshakeTimeout: target.budget.limits.stepMs,
      lookup: (_host, options, callback) =>
        options.all ? callback(null, [{ address, family }]) : callback(null, address, family),
    });
    const opened = new Promise<void>((resolve, reject) => {
      socket.on('open', () => {
        if (socket.protocol !== 'xmpp') reject(new ConnectError('the subprotocol "xmpp" was not accepted'));
        socket.send(sent);
      });
      socket.on('message', (data: Buffer) => {
        received += data.toString('utf8').slice(0, 2000);
        if (/<(\w+:)?features[\s>]/.test(received)) resolve();
      });
      socket.on('error', (error: Error) => reject(new ConnectError(error.message, { cause: error })));
      socket.on('close', () => reject(new ConnectError('it was closed before the features came')));
    });
    try {
      await within(opened, {
        doing: `waiting for ${url.origin}`,
        timeoutMs: target.budget.limits.stepMs,
        signal: target.budget.signal,
      });
    } finally {
      if (socket.readyState === WebSocket.OPEN) socket.send(`<close xmlns='${NS_FRAMING}'/>`);
      socket.terminate();
    }
    return { url: href, opened: { value: true }, evidence: { sent, received: received.slice(0, 2000) } };
  } catch (error) {
    return {
      url: href,
      opened: { reason: reasonOf(error) },
      evidence: { sent, ...(received !== '' && { received }) },
    };
  }
}

async function openBosh(target: WebTarget, href: string): Promise<WebConnectionFacts> {
  const rid = 1_000_000 + Math.floor(Math.random() * 1_000_000);
  const body =
    `<body xmlns='http://jabber.org/protocol/httpbind' content='text/xml; charset=utf-8' hold='1' rid='${rid}' ` +
    `to='${escapeAnywhere(target.domain)}' ver='1.6' wait='5' xml:lang='en' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>`;
  let received: string | undefined;
  let preflight: WebConnectionFacts['preflight'];
  try {
    const url = secureUrl(href, 'https:');
    const common = {
      url,
      address: await addressOf(target, url),
      extraRoots: target.extraRoots,
      budget: target.budget,
    };
    const asked = await fetchOnce({
      ...common,
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    preflight = {
      status: asked.status,
      allowOrigin: asked.headers['access-control-allow-origin'],
      allowHeaders: asked.headers['access-control-allow-headers'],
    };
    const headers = { 'content-type': 'text/xml; charset=utf-8', origin: ORIGIN };
    const answer = await fetchOnce({ ...common, method: 'POST', headers, body });
    received = answer.text.slice(0, 2000);
    const sid = /<body[^>]*\ssid=(?:'([^'<]{1,200})'|"([^"<]{1,200})")/.exec(answer.text);
    if (answer.tlsProblem !== undefined)
      throw new ConnectError(`its certificate cannot be trusted: ${answer.tlsProblem}`);
    if (answer.status !== 200 || !sid)
      throw new ConnectError(`it answered with status ${answer.status} and no session`);
    const end = `<body xmlns='http://jabber.org/protocol/httpbind' rid='${rid + 1}' sid='${sid[1] ?? sid[2] ?? ''}' type='terminate'/>`;
    await fetchOnce({ ...common, method: 'POST', headers, body: end }).catch(() => undefined);
    return { url: href, opened: { value: true }, evidence: { sent: body, received }, preflight };
  } catch (error) {
    return {
      url: href,
      opened: { reason: reasonOf(error) },
      evidence: { sent: body, ...(received !== undefined && { received }) },
      ...(preflight && { preflight }),
    };
  }
}

/** @throws ConnectError */
function secureUrl(href: string, protocol: 'wss:' | 'https:'): URL {
  if (!URL.canParse(href)) throw new ConnectError('it is not a URL');
  const url = new URL(href);
  if (url.protocol !== protocol) throw new ConnectError(`it is not secure: ${url.protocol}//`);
  return url;
}
