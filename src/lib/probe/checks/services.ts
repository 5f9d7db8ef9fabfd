/** What the server says about itself: software, contacts, services. */
import { ofDomain, info, list, pass, skip, warn, type Check } from './check.js';
import type { EntityFacts, ServicesFacts } from '../facts/services.js';
import type { Verdict } from '../model.js';

function ofServices(
  judge: (services: ServicesFacts) => Verdict | readonly Verdict[] | undefined,
): Check['judge'] {
  return ({ services }) => ofDomain(services, judge);
}

/** Releases before these have no support by their makers any more, or known holes. */
const oldest: readonly { name: RegExp; version: readonly [number, number]; say: string }[] = [
  { name: /^prosody$/i, version: [0, 12], say: '0.12' },
  { name: /^ejabberd$/i, version: [23, 1], say: '23.01' },
];

/** Something that a server, its account or its rooms announce, or do not. Nobody fails for it. */
function announced(
  id: string,
  rest: Pick<Check, 'title' | 'expected' | 'references' | 'why' | 'fix'> & {
    find: (services: ServicesFacts) => boolean | undefined;
  },
): Check {
  const { find, ...texts } = rest;
  return {
    id,
    group: 'service',
    severity: 'low',
    reads: ['services'],
    judge: ofServices((services) => {
      const isThere = find(services);
      if (isThere === undefined) return skip('needs an account (--account) to be seen');
      return isThere ? pass('announced') : info('not announced');
    }),
    ...texts,
  };
}

const isRoomService = ({ identities }: EntityFacts): boolean => identities.includes('conference/text');

/** Undefined where there are no rooms. */
const roomsOffer =
  (...names: readonly string[]) =>
  ({ items }: ServicesFacts): boolean | undefined => {
    const rooms = items.filter(isRoomService);
    return rooms.length === 0
      ? undefined
      : rooms.some(({ features }) => names.some((name) => features.includes(name)));
  };

export const serviceChecks: readonly Check[] = [
  {
    id: 'service.disco',
    group: 'service',
    severity: 'medium',
    title: 'the server describes itself',
    expected: 'the identity server/im in its disco#info',
    references: ['XEP-0030 §3', 'RFC 6120 §8.4'],
    why: 'Clients decide by it what they offer to people.',
    fix: { prosody: 'add "disco" to modules_enabled', ejabberd: 'add mod_disco' },
    reads: ['services'],
    judge: ofServices(({ server }) => {
      if (server.identities.includes('server/im')) return pass(`${server.features.length} features`);
      return warn(server.identities.length === 0 ? 'no identity' : `it says ${list(server.identities)}`);
    }),
  },
  {
    id: 'service.software',
    group: 'service',
    severity: 'medium',
    title: 'the software is maintained',
    expected: 'a release that its makers still mend',
    references: ['XEP-0092'],
    why: 'Holes that are known are used.',
    fix: {
      prosody: 'update to a supported release: https://prosody.im/doc/release_policy',
      ejabberd: 'update: https://www.process-one.net/blog/tag/release',
    },
    reads: ['services'],
    judge: ofServices(({ software }) => {
      if (!software) return skip('the server does not say what it is');
      const said = `${software.name} ${software.version}`;
      const known = oldest.find(({ name }) => name.test(software.name));
      const version = /^(\d{1,4})\.(\d{1,4})/.exec(software.version);
      if (!known || !version) return info(said);
      const [major, minor] = [Number(version[1]), Number(version[2])];
      const isOld = major < known.version[0] || (major === known.version[0] && minor < known.version[1]);
      return isOld ? warn(`${said} is older than ${known.say}`) : pass(said);
    }),
  },
  {
    id: 'service.contacts',
    group: 'service',
    severity: 'low',
    title: 'the administrators can be reached',
    expected: 'admin- or support-addresses, and security-addresses, in the disco#info of the domain',
    references: ['XEP-0157'],
    why: 'Whoever finds a fault, or a hole, has to know whom to tell.',
    fix: {
      prosody: 'contact_info = { admin = { … }, security = { … } } with mod_server_contact_info',
      ejabberd: 'mod_disco: server_info with admin-addresses and security-addresses',
    },
    reads: ['services'],
    judge: ofServices(({ contacts }) => {
      const kinds = [...contacts].filter(([, values]) => values.length > 0).map(([kind]) => kind);
      const hasPeople = kinds.some((kind) => ['admin', 'support', 'feedback'].includes(kind));
      if (hasPeople && kinds.includes('security')) return pass(list(kinds));
      return info(kinds.length === 0 ? 'no contacts' : `only ${list(kinds)}`);
    }),
  },
  {
    id: 'service.upload',
    group: 'service',
    severity: 'medium',
    title: 'files can be uploaded, and how large they may be is said',
    expected: 'a service with urn:xmpp:http:upload:0 and max-file-size',
    references: ['XEP-0363 §3'],
    why: 'It is how pictures are sent to people who are offline.',
    fix: { prosody: 'Component "upload.example.org" "http_file_share"', ejabberd: 'mod_http_upload' },
    reads: ['services'],
    judge: ofServices(({ server, items, uploadMaxBytes }) => {
      const found = [server, ...items].find(({ features }) => features.includes('urn:xmpp:http:upload:0'));
      if (!found) return info('no upload service is known');
      if (uploadMaxBytes === undefined) return info(`${found.jid}, without a limit that is said`);
      return pass(`${found.jid}, up to ${Math.floor(uploadMaxBytes / 1024 / 1024)} MiB`);
    }),
  },
  {
    id: 'service.upload.works',
    group: 'service',
    severity: 'high',
    title: 'an uploaded file comes back unchanged',
    expected: 'a slot, 201 for the upload, and the same bytes on the way back',
    references: ['XEP-0363 §4', 'XEP-0363 §5'],
    why: 'A proxy with a limit of its own, or a certificate for another name, breaks it for everybody.',
    fix: {
      prosody: 'http_external_url, and the limits of the web server in front',
      ejabberd: 'put_url and get_url of mod_http_upload, and the web server in front',
    },
    caps: { compliance: 'C' },
    reads: ['account'],
    judge: ({ account }) =>
      ofDomain(account, ({ upload }) => {
        if (upload.value === undefined) return skip(upload.reason);
        const { put, get, isSame } = upload.value;
        return isSame
          ? pass(`PUT ${put}, GET ${get}`)
          : { ...warn(`PUT ${put}, GET ${get}`), status: 'fail' };
      }),
  },
  {
    id: 'service.upload.cors',
    group: 'service',
    severity: 'low',
    title: 'pages of other origins may upload',
    expected: 'Access-Control-Allow-Origin and -Methods in answer to OPTIONS at the address of the slot',
    references: ['XEP-0363 §10'],
    why: 'Clients in browsers cannot send files otherwise.',
    fix: {
      prosody: 'mod_http_file_share does so; look at the web server in front',
      ejabberd: 'custom_headers of mod_http_upload',
    },
    reads: ['account'],
    judge: ({ account }) =>
      ofDomain(account, ({ upload }) => {
        if (upload.value === undefined) return skip(upload.reason);
        const { allowOrigin, allowMethods } = upload.value;
        const isAllowed = allowOrigin !== undefined && /PUT|\*/.test(allowMethods ?? '');
        return isAllowed
          ? pass(`origin ${allowOrigin}, methods ${allowMethods ?? ''}`)
          : warn(`origin ${allowOrigin ?? 'not allowed'}, methods ${allowMethods ?? 'none'}`);
      }),
  },
  {
    id: 'service.publish-options',
    group: 'service',
    severity: 'medium',
    title: 'nodes of an account are made as they are asked for',
    expected: 'a publish with publish-options makes a node with that access model',
    references: ['XEP-0060 §7.1.5', 'XEP-0223'],
    why: 'Bookmarks and keys of end-to-end encryption depend on it.',
    fix: {
      prosody: 'Prosody 0.11 and later',
      ejabberd: 'ejabberd 18 and later, with plugins: [pep] of mod_pubsub',
    },
    caps: { compliance: 'C' },
    reads: ['account'],
    judge: ({ account }) =>
      ofDomain(account, ({ publishOptions }) => {
        if (publishOptions.value === undefined) return skip(publishOptions.reason);
        const { outcome } = publishOptions.value;
        return outcome === 'honoured' ? pass('honoured') : { ...warn(outcome), status: 'fail' };
      }),
  },
  {
    id: 'service.proxy',
    group: 'service',
    severity: 'low',
    title: 'there is a proxy for file transfers',
    expected: 'a service proxy/bytestreams',
    references: ['XEP-0065 §6'],
    why: 'Two people behind routers have no faster way to send a large file.',
    fix: { prosody: 'Component "proxy.example.org" "proxy65"', ejabberd: 'mod_proxy65' },
    reads: ['services'],
    judge: ofServices(({ items }) => {
      const proxy = items.find(({ identities }) => identities.includes('proxy/bytestreams'));
      return proxy ? pass(proxy.jid) : info('none');
    }),
  },
  announced('service.offline', {
    title: 'messages wait for those who are offline',
    expected: 'msgoffline among the features of the server',
    references: ['XEP-0160'],
    why: 'Without it a message to somebody who is offline is gone, unless the archive keeps it.',
    fix: { prosody: 'add "offline" to modules_enabled', ejabberd: 'add mod_offline' },
    find: ({ server, account }) =>
      [server, account].some((entity) => entity?.features.includes('msgoffline')),
  }),
  announced('service.roster-versioning', {
    title: 'contact lists are sent only when they have changed',
    expected: 'roster versioning among the features of the stream',
    references: ['RFC 6121 §2.6'],
    why: 'A long list costs a mobile client a second at each login.',
    fix: { prosody: 'part of mod_roster', ejabberd: 'mod_roster: versioning: true' },
    find: ({ streamFeatures }) => streamFeatures?.includes('{urn:xmpp:features:rosterver}ver'),
  }),
  announced('service.rooms.self-ping', {
    title: 'clients can ask whether they are still in a room',
    expected: 'the optimisation of self-pings among the features of the room service',
    references: ['XEP-0410'],
    why: 'A client that was thrown out unnoticed misses what is said.',
    fix: { prosody: 'part of Prosody 0.12', ejabberd: 'part of newer versions of mod_muc' },
    find: roomsOffer('http://jabber.org/protocol/muc#self-ping-optimization'),
  }),
  announced('service.rooms.occupant-id', {
    title: 'people in rooms have ids that stay',
    expected: 'urn:xmpp:occupant-id:0 among the features of the room service',
    references: ['XEP-0421'],
    why: 'Corrections and reactions can be told from forgeries by somebody who took the nickname.',
    fix: { prosody: 'part of Prosody 0.12', ejabberd: 'mod_muc_occupantid' },
    find: roomsOffer('urn:xmpp:occupant-id:0'),
  }),
  announced('service.rooms.moderation', {
    title: 'moderators can take messages back',
    expected: 'urn:xmpp:message-moderate among the features of the room service',
    references: ['XEP-0425'],
    why: 'It is how spam in public rooms is removed from the screens of others.',
    fix: { prosody: 'mod_muc_moderation of prosody-modules', ejabberd: 'part of newer versions of mod_muc' },
    find: roomsOffer('urn:xmpp:message-moderate:1', 'urn:xmpp:message-moderate:0'),
  }),
  announced('service.rooms.avatar', {
    title: 'rooms can have pictures',
    expected: 'vcard-temp among the features of the room service',
    references: ['XEP-0486', 'XEP-0054'],
    why: 'People find a room by it.',
    fix: { prosody: 'mod_vcard_muc of prosody-modules', ejabberd: 'part of mod_muc' },
    find: roomsOffer('vcard-temp'),
  }),
];
