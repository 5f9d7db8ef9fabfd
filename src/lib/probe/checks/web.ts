/** The way to the server for browsers. */
import type { HostMetaFacts, WebConnectionFacts, WebFacts } from '../facts/web.js';
import type { Verdict } from '../model.js';
import { fail, info, list, ofDomain, pass, skip, warn, type Check } from './check.js';

const hostMetaFix = {
  prosody: 'mod_http_host_meta of prosody-modules, or two static files on the web server of the domain',
  ejabberd: 'request_handlers: "/.well-known/host-meta": mod_host_meta, and the same with .json',
};

function ofFile(name: 'xrd' | 'json', path: string): Check['judge'] {
  return ({ web }) =>
    ofDomain(web, (facts): Verdict => {
      const file = facts[name];
      if (file.value === undefined) return info(file.reason);
      const { status, isReadable, tlsProblem, location } = file.value;
      if (status >= 300 && status < 400) return info(`${path} leads to ${location ?? 'somewhere else'}`);
      if (status !== 200) return info(`${path}: status ${status}`);
      if (tlsProblem !== undefined) return fail(`its certificate cannot be trusted: ${tlsProblem}`);
      return isReadable ? pass('readable') : warn('it has no links, or cannot be read');
    });
}

const served = ({ xrd, json }: WebFacts): HostMetaFacts[] =>
  [xrd.value, json.value]
    .filter((file) => file?.status === 200 && file.isReadable)
    .filter((file) => file !== undefined);

function ofConnections(
  name: 'websockets' | 'boshes',
  what: string,
  judge: (one: WebConnectionFacts) => Verdict,
): Check['judge'] {
  return ({ web }) =>
    ofDomain(web, (facts) => {
      const all = facts[name];
      if (all.length === 0) return skip(`no ${what} is announced`);
      return all.map(judge);
    });
}

export const webChecks: readonly Check[] = [
  {
    id: 'web.host-meta.xrd',
    group: 'web',
    severity: 'low',
    title: '/.well-known/host-meta can be read',
    expected: 'an XRD document over HTTPS with links to WebSocket or BOSH',
    references: ['XEP-0156 §3', 'RFC 6415'],
    why: 'Clients in browsers have no DNS: this file is how they find the server.',
    fix: hostMetaFix,
    reads: ['web'],
    judge: ofFile('xrd', 'host-meta'),
  },
  {
    id: 'web.host-meta.json',
    group: 'web',
    severity: 'low',
    title: '/.well-known/host-meta.json can be read',
    expected: 'a JSON document over HTTPS with links to WebSocket or BOSH',
    references: ['XEP-0156 §3', 'RFC 6415 Appendix A'],
    why: 'Most clients in browsers read the JSON form only.',
    fix: hostMetaFix,
    reads: ['web'],
    judge: ofFile('json', 'host-meta.json'),
  },
  {
    id: 'web.host-meta.same',
    group: 'web',
    severity: 'low',
    title: 'both files say the same',
    expected: 'the same links in host-meta and host-meta.json',
    references: ['XEP-0156 §3'],
    why: 'Otherwise some clients connect somewhere else than others.',
    fix: hostMetaFix,
    reads: ['web'],
    judge: ({ web }) =>
      ofDomain(web, ({ xrd, json }) => {
        if (xrd.value?.isReadable !== true || json.value?.isReadable !== true)
          return skip('there are not both files');
        const links = (file: HostMetaFacts): string => [...file.websockets, ...file.boshes].sort().join(' ');
        return links(xrd.value) === links(json.value)
          ? pass('the same')
          : warn(`${links(xrd.value)} and ${links(json.value)}`);
      }),
  },
  {
    id: 'web.host-meta.cors',
    group: 'web',
    severity: 'medium',
    title: 'pages of other origins may read host-meta',
    expected: 'Access-Control-Allow-Origin: *',
    references: ['XEP-0156 §3', 'XEP-0156 §5'],
    why: 'Without it a client in a browser sees an error instead of the file.',
    fix: {
      prosody: 'http_cors_override, or the header on the web server',
      ejabberd: 'custom_headers: "Access-Control-Allow-Origin": "*"',
    },
    reads: ['web'],
    judge: ({ web }) =>
      ofDomain(web, (facts) => {
        const files = served(facts);
        if (files.length === 0) return skip('there is no host-meta');
        const bad = files.filter(({ allowOrigin }) => allowOrigin !== '*');
        return bad.length === 0
          ? pass('*')
          : warn(`Access-Control-Allow-Origin: ${bad[0]?.allowOrigin ?? 'not sent'}`);
      }),
  },
  {
    id: 'web.links.secure',
    group: 'web',
    severity: 'high',
    title: 'only secure links are announced',
    expected: 'wss: and https: only',
    references: ['XEP-0156 §5', 'RFC 7395 §3.9'],
    why: 'A client that follows ws: or http: sends everything in clear.',
    fix: hostMetaFix,
    caps: { security: 'C' },
    reads: ['web'],
    judge: ({ web }) =>
      ofDomain(web, (facts) => {
        const files = served(facts);
        if (files.length === 0) return skip('there is no host-meta');
        const links = files.flatMap(({ websockets, boshes }) => [...websockets, ...boshes]);
        const bad = links.filter((href) => !/^(wss|https):\/\//i.test(href));
        return bad.length === 0 ? pass(`${new Set(links).size} links`) : fail(list([...new Set(bad)]));
      }),
  },
  {
    id: 'web.websocket',
    group: 'web',
    severity: 'medium',
    title: 'the WebSocket that is announced opens a stream',
    expected: '101 with the subprotocol xmpp, then <open/> and features',
    references: ['RFC 7395 §3.1', 'RFC 7395 §3.4'],
    why: 'It is the only way in for most clients in browsers.',
    fix: {
      prosody: 'add "websocket" to modules_enabled',
      ejabberd: 'request_handlers: "/ws": ejabberd_http_ws',
    },
    reads: ['web'],
    judge: ofConnections('websockets', 'WebSocket', ({ url, opened, evidence }) =>
      opened.value ? pass(`${url}: a stream opened`) : warn(`${url}: ${opened.reason}`, { evidence }),
    ),
  },
  {
    id: 'web.bosh',
    group: 'web',
    severity: 'low',
    title: 'the BOSH address that is announced opens a session',
    expected: '200 with a session id',
    references: ['XEP-0124 §7', 'XEP-0206'],
    why: 'What is announced and does not work costs every client a time-out.',
    fix: { prosody: 'add "bosh" to modules_enabled', ejabberd: 'request_handlers: "/bosh": mod_bosh' },
    reads: ['web'],
    judge: ofConnections('boshes', 'BOSH address', ({ url, opened, evidence }) =>
      opened.value ? pass(`${url}: a session opened`) : warn(`${url}: ${opened.reason}`, { evidence }),
    ),
  },
  {
    id: 'web.bosh.cors',
    group: 'web',
    severity: 'low',
    title: 'pages of other origins may use BOSH',
    expected: 'a preflight that allows the origin and the Content-Type header',
    references: ['XEP-0124 §14'],
    why: 'A browser asks before it posts, and gives up without this answer.',
    fix: { prosody: 'cross_domain_bosh, http_cors_override', ejabberd: 'custom_headers of the listener' },
    reads: ['web'],
    judge: ofConnections('boshes', 'BOSH address', ({ url, preflight }) => {
      if (!preflight) return skip(`${url}: no answer`);
      const isAllowed =
        preflight.allowOrigin !== undefined && /content-type|\*/i.test(preflight.allowHeaders ?? '');
      return isAllowed
        ? pass(`${url}: allowed`)
        : warn(
            `${url}: origin ${preflight.allowOrigin ?? 'not allowed'}, headers ${preflight.allowHeaders ?? 'none'}`,
          );
    }),
  },
];
