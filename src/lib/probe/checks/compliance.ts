/**
 * XEP-0479: XMPP Compliance Suites 2023, version 0.1.0 (what servers have to offer, by suite and level).
 *
 * Each row is a check; what only an account can see is skipped without one.
 */
import type { ProbeFacts, Service } from '../facts/facts.js';
import type { EntityFacts, ServicesFacts } from '../facts/services.js';
import type { Verdict } from '../model.js';
import { insideStream } from './streams.js';
import { fail, info, pass, skip, type Check } from './check.js';

export const suites = ['core', 'web', 'im', 'mobile', 'calls'] as const;
export type Suite = (typeof suites)[number];
export type Level = 'server' | 'advanced';

export interface SuiteRow {
  suite: Suite;
  /** The lowest level that asks for it. */
  level: Level;
  feature: string;
  xep: string;
  /** Undefined where it cannot be seen this way. */
  isThere: (facts: ProbeFacts) => boolean | undefined;
}

const ofServices =
  (judge: (services: ServicesFacts) => boolean | undefined) =>
  ({ services }: ProbeFacts): boolean | undefined =>
    services?.value && judge(services.value);

/** A feature of the server, or of the account: servers differ in where they announce it. */
const offers = (...names: readonly string[]) =>
  ofServices(({ server, account, via }) => {
    const has = [server, account].some((entity) => names.some((name) => entity?.features.includes(name)));
    // Some of it is only said to accounts.
    return has ? true : via === 'account' ? false : undefined;
  });

const hasItem = (matches: (item: EntityFacts) => boolean) => ofServices(({ items }) => items.some(matches));

const afterLogin = (name: string) =>
  ofServices(({ streamFeatures }) => streamFeatures?.some((feature) => feature.startsWith(name)));

const isRooms = ({ identities, features }: EntityFacts): boolean =>
  identities.includes('conference/text') && features.includes('http://jabber.org/protocol/muc');

/** Undefined where nobody knows of such an endpoint, because they were given by hand. */
const hasEndpoint =
  (...wanted: readonly Service[]) =>
  ({ endpoints, dns }: ProbeFacts): boolean | undefined => {
    const chosen = endpoints.filter(({ endpoint }) => wanted.includes(endpoint.service));
    if (chosen.length === 0) return dns?.value && endpoints.length > 0 ? false : undefined;
    return chosen.some((one) => (insideStream(one) ?? one.plain?.value)?.header !== undefined);
  };

export const suiteRows: readonly SuiteRow[] = [
  {
    suite: 'core',
    level: 'server',
    feature: 'Core features',
    xep: 'RFC 6120',
    isThere: hasEndpoint('xmpp-client', 'xmpps-client'),
  },
  {
    suite: 'core',
    level: 'server',
    feature: 'TLS',
    xep: 'RFC 7590',
    isThere: (facts) => facts.endpoints.some((one) => insideStream(one) !== undefined) || undefined,
  },
  {
    suite: 'core',
    level: 'server',
    feature: 'Feature discovery',
    xep: 'XEP-0030',
    isThere: ofServices(({ server }) => server.features.includes('http://jabber.org/protocol/disco#info')),
  },
  {
    suite: 'core',
    level: 'advanced',
    feature: 'Direct TLS',
    xep: 'XEP-0368',
    isThere: hasEndpoint('xmpps-client'),
  },
  {
    suite: 'core',
    level: 'advanced',
    feature: 'Feature broadcasts',
    xep: 'XEP-0115',
    isThere: afterLogin('{http://jabber.org/protocol/caps}'),
  },
  {
    suite: 'core',
    level: 'advanced',
    feature: 'Event publishing',
    xep: 'XEP-0163',
    isThere: ofServices(
      ({ account, server, via }) =>
        [account, server].some((entity) => entity?.identities.includes('pubsub/pep')) ||
        (via === 'account' ? false : undefined),
    ),
  },
  {
    suite: 'web',
    level: 'server',
    feature: 'Web connection mechanisms',
    xep: 'RFC 7395, XEP-0206',
    isThere: ({ web }) =>
      web?.value
        ? [...web.value.websockets, ...web.value.boshes].some(({ opened }) => opened.value === true) ||
          undefined
        : undefined,
  },
  { suite: 'im', level: 'server', feature: 'vcard-temp', xep: 'XEP-0054', isThere: offers('vcard-temp') },
  {
    suite: 'im',
    level: 'server',
    feature: 'Outbound message synchronisation',
    xep: 'XEP-0280',
    isThere: offers('urn:xmpp:carbons:2'),
  },
  { suite: 'im', level: 'server', feature: 'Group chat', xep: 'XEP-0045', isThere: hasItem(isRooms) },
  {
    suite: 'im',
    level: 'server',
    feature: 'File upload',
    xep: 'XEP-0363',
    isThere: ofServices(({ server, items }) =>
      [server, ...items].some(({ features }) => features.includes('urn:xmpp:http:upload:0')),
    ),
  },
  {
    suite: 'im',
    level: 'advanced',
    feature: 'User avatar compatibility',
    xep: 'XEP-0398, XEP-0153',
    isThere: offers('urn:xmpp:pep-vcard-conversion:0'),
  },
  {
    suite: 'im',
    level: 'advanced',
    feature: 'User blocking',
    xep: 'XEP-0191',
    isThere: offers('urn:xmpp:blocking'),
  },
  {
    suite: 'im',
    level: 'advanced',
    feature: 'History of rooms',
    xep: 'XEP-0313',
    isThere: hasItem(
      (item) => isRooms(item) && item.features.some((name) => name.startsWith('urn:xmpp:mam:2')),
    ),
  },
  {
    suite: 'im',
    level: 'advanced',
    feature: 'Bookmarks',
    xep: 'XEP-0402',
    isThere: offers('urn:xmpp:bookmarks:1#compat', 'urn:xmpp:bookmarks:1#compat-pep'),
  },
  {
    suite: 'im',
    level: 'advanced',
    feature: 'Persistent storage of private data',
    xep: 'XEP-0223',
    isThere: offers('http://jabber.org/protocol/pubsub#publish-options'),
  },
  {
    suite: 'im',
    level: 'advanced',
    feature: 'Private XML storage',
    xep: 'XEP-0049',
    isThere: ({ account }) => account?.value?.privateStorage.value,
  },
  {
    suite: 'im',
    level: 'advanced',
    feature: 'Stream management',
    xep: 'XEP-0198',
    isThere: afterLogin('{urn:xmpp:sm:3}'),
  },
  { suite: 'im', level: 'advanced', feature: 'History', xep: 'XEP-0313', isThere: offers('urn:xmpp:mam:2') },
  {
    suite: 'mobile',
    level: 'server',
    feature: 'Stream management',
    xep: 'XEP-0198',
    isThere: afterLogin('{urn:xmpp:sm:3}'),
  },
  {
    suite: 'mobile',
    level: 'server',
    feature: 'Client state indication',
    xep: 'XEP-0352',
    isThere: afterLogin('{urn:xmpp:csi:0}'),
  },
  {
    suite: 'mobile',
    level: 'advanced',
    feature: 'Push notifications',
    xep: 'XEP-0357',
    isThere: offers('urn:xmpp:push:0'),
  },
  {
    suite: 'calls',
    level: 'server',
    feature: 'STUN and TURN discovery',
    xep: 'XEP-0215',
    isThere: ofServices(
      ({ externalServices, server }) =>
        server.features.includes('urn:xmpp:extdisco:2') || externalServices.length > 0,
    ),
  },
];

const titles: Readonly<Record<Suite, string>> = {
  core: 'core',
  web: 'web',
  im: 'instant messaging',
  mobile: 'mobile',
  calls: 'calls',
};

export const idOf = ({ suite, feature }: SuiteRow): string =>
  `compliance.${suite}.${feature.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;

export const complianceChecks: readonly Check[] = suiteRows.map((row): Check => {
  const level = row.level === 'server' ? '' : ', advanced';
  return {
    id: idOf(row),
    group: 'compliance',
    severity: row.level === 'server' ? 'medium' : 'low',
    title: `${row.feature} (${row.xep})`,
    expected: `what XEP-0479 asks of the suite "${titles[row.suite]}"${level}`,
    references: ['XEP-0479 §2', ...row.xep.split(', ')],
    why: `Clients that keep to the suite "${titles[row.suite]}" count on it.`,
    reads: ['services', 'account', 'web', 'handshakes'],
    judge: (facts): readonly Verdict[] => {
      const isThere = row.isThere(facts);
      if (isThere === true) return [pass('there')];
      if (isThere === undefined) return [skip('needs an account (--account) to be seen')];
      return [
        row.level === 'server'
          ? fail('missing', { caps: { compliance: row.suite === 'core' || row.suite === 'im' ? 'C' : 'B' } })
          : info('missing', { caps: { compliance: 'A' } }),
      ];
    },
  };
});
