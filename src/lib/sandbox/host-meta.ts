/** XEP-0156: Discovering Alternative XMPP Connection Methods, version 1.4.0: the two documents. Not here: DNS TXT records. */
import type { SandboxPorts } from './options.js';

export const WEBSOCKET_PATH = '/xmpp-websocket';
export const BOSH_PATH = '/http-bind';
/** ejabberd's commands (mod_http_api). */
export const API_PATH = '/api';

export function hostMeta(ports: SandboxPorts, hasTls: boolean): { xml: string; json: string } {
  const links = [
    { rel: 'urn:xmpp:alt-connections:websocket', href: webSocketUrl(ports, hasTls) },
    { rel: 'urn:xmpp:alt-connections:xbosh', href: boshUrl(ports, hasTls) },
  ];
  const elements = links.map(({ rel, href }) => `<Link rel='${rel}' href='${href}'/>`);
  return {
    xml: `<?xml version='1.0' encoding='utf-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>${elements.join('')}</XRD>`,
    json: JSON.stringify({ links }),
  };
}

export function webSocketUrl(ports: SandboxPorts, hasTls: boolean): string {
  return `${hasTls ? `wss://127.0.0.1:${ports.https}` : `ws://127.0.0.1:${ports.http}`}${WEBSOCKET_PATH}`;
}

export function boshUrl(ports: SandboxPorts, hasTls: boolean): string {
  return `${hasTls ? `https://127.0.0.1:${ports.https}` : `http://127.0.0.1:${ports.http}`}${BOSH_PATH}`;
}

export function apiUrl(ports: SandboxPorts, hasTls: boolean): string {
  return `${hasTls ? `https://127.0.0.1:${ports.https}` : `http://127.0.0.1:${ports.http}`}${API_PATH}`;
}
