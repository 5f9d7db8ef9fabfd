/** How easily the server can be abused, or brought down. */
import type { Service } from '../facts/facts.js';
import { atEachEndpoint, fail, info, list, of, ofDomain, pass, skip, warn, type Check } from './check.js';

const clients: readonly Service[] = ['xmpp-client', 'xmpps-client'];

export const abuseChecks: readonly Check[] = [
  {
    id: 'abuse.registration',
    group: 'abuse',
    severity: 'high',
    title: 'not everybody can register by machine',
    expected: 'no registration over XMPP, or one with a challenge, a redirection or an invitation',
    references: ['XEP-0077 §14', 'XEP-0158', 'XEP-0445'],
    why: 'Servers with open registration are where spammers come from, and other servers block them for it.',
    fix: {
      prosody: 'allow_registration = false, or mod_invites_register with registration_invite_only = true',
      ejabberd: 'mod_register: access: none, captcha_protected: true or mod_invites',
    },
    reads: ['registration', 'handshakes'],
    judge: atEachEndpoint({
      services: clients,
      judge: ({ registration }) =>
        of(registration, ({ kind, isAnnounced, fields, evidence }) => {
          switch (kind) {
            case 'open':
              return isAnnounced
                ? fail('a name and a password are enough', { evidence })
                : info('a form for a name and a password is sent, though registration is not announced', {
                    evidence,
                  });
            case 'captcha':
              return warn(`a challenge is asked for (${list(fields)})`, { evidence });
            case 'form':
              return info(`it asks for ${list(fields)}`, { evidence });
            case 'redirect':
              return pass('it points to a web page');
            case 'invitation':
              return pass('by invitation');
            case 'closed':
              return pass('closed');
          }
        }),
    }),
  },
  {
    id: 'abuse.stanza.size',
    group: 'abuse',
    severity: 'medium',
    title: 'strangers cannot make the server keep large stanzas',
    expected: 'an unfinished stanza of at most 64 KiB before authentication, then the end of the stream',
    references: ['RFC 6120 §13.12', 'XEP-0205 §2'],
    why: 'Whoever opens many connections with unfinished stanzas fills the memory of the server.',
    fix: {
      prosody: 'c2s_unauthed_stanza_size_limit (10000 by default), s2s_unauthed_stanza_size_limit',
      ejabberd: 'max_stanza_size in each listener: it is infinite unless set',
    },
    reads: ['limits'],
    judge: atEachEndpoint({
      judge: ({ limits }) =>
        of(limits, ({ accepted, refused }) => {
          if (!refused)
            return warn(`${accepted / 1024} KiB were taken without authentication, and no limit was found`);
          const limit = `refused at ${refused.bytes / 1024} KiB (${refused.outcome})`;
          return refused.bytes <= 64 * 1024 ? pass(limit) : info(limit);
        }),
    }),
  },
  {
    id: 'abuse.stanza.depth',
    group: 'abuse',
    severity: 'low',
    title: 'strangers cannot nest elements without end',
    expected: 'the end of the stream before 20,000 levels',
    references: ['RFC 6120 §13.12', 'XEP-0205 §2'],
    why: 'Deep trees cost servers and clients that walk them recursively their stack.',
    fix: { prosody: 'part of Prosody', ejabberd: 'max_stanza_size in each listener' },
    reads: ['limits'],
    judge: atEachEndpoint({
      judge: ({ limits }) =>
        of(limits, ({ nesting }) =>
          nesting === 'silent' ? info('20,000 levels were taken') : pass(`refused: ${nesting}`),
        ),
    }),
  },
  {
    id: 'abuse.stanza.attribute',
    group: 'abuse',
    severity: 'low',
    title: 'strangers cannot send endless attributes',
    expected: 'the end of the stream before 64 KiB of one attribute',
    references: ['RFC 6120 §13.12', 'XEP-0205 §2'],
    why: 'A parser keeps an attribute in memory until it ends.',
    fix: { prosody: 'part of Prosody', ejabberd: 'max_stanza_size in each listener' },
    reads: ['limits'],
    judge: atEachEndpoint({
      judge: ({ limits }) =>
        of(limits, ({ attribute }) =>
          attribute === 'silent' ? info('64 KiB were taken') : pass(`refused: ${attribute}`),
        ),
    }),
  },
  {
    id: 'abuse.blocking',
    group: 'abuse',
    severity: 'medium',
    title: 'people can block others',
    expected: 'urn:xmpp:blocking among the features of the server',
    references: ['XEP-0191'],
    why: 'It is the first thing that a person does about harassment.',
    fix: { prosody: 'add "blocklist" to modules_enabled', ejabberd: 'add mod_blocking' },
    reads: ['services'],
    judge: ({ services }) =>
      ofDomain(services, ({ server, account, via }) => {
        const isThere = [server, account].some((entity) => entity?.features.includes('urn:xmpp:blocking'));
        return isThere
          ? pass('offered')
          : via === 'server'
            ? skip('servers are not told')
            : warn('not offered');
      }),
  },
  {
    id: 'abuse.reporting',
    group: 'abuse',
    severity: 'low',
    title: 'people can report spam to the server',
    expected: 'urn:xmpp:reporting:1 among the features of the server',
    references: ['XEP-0377'],
    why: 'An administrator who is told early stops an abuser before others block the whole server.',
    fix: { prosody: 'mod_spam_reporting of prosody-modules', ejabberd: 'mod_spam_filter, or none' },
    reads: ['services'],
    judge: ({ services }) =>
      ofDomain(services, ({ server }) =>
        server.features.some((name) => /^urn:xmpp:reporting:\d/.test(name))
          ? pass('offered')
          : info('not offered'),
      ),
  },
  {
    id: 'abuse.contact',
    group: 'abuse',
    severity: 'medium',
    title: 'there is somebody to complain to',
    expected: 'abuse-addresses in the disco#info of the domain, as URIs',
    references: ['XEP-0157'],
    why: 'Who cannot reach the administrator of an abuser blocks the server.',
    fix: {
      prosody:
        'contact_info = { abuse = { "mailto:abuse@example.org", "xmpp:admin@example.org" } } with mod_server_contact_info',
      ejabberd:
        'mod_disco: server_info: [{modules: all, name: abuse-addresses, urls: [mailto:abuse@example.org]}]',
    },
    reads: ['services'],
    judge: ({ services }) =>
      ofDomain(services, ({ contacts }) => {
        const addresses = contacts.get('abuse') ?? [];
        if (addresses.length === 0)
          return warn(contacts.size === 0 ? 'no contact at all' : `only ${list([...contacts.keys()])}`);
        const bad = addresses.filter((address) => !/^(mailto|xmpp|https):[^\s]{3,}$/i.test(address));
        return bad.length > 0 ? warn(`not a URI: ${list(bad)}`) : pass(list(addresses));
      }),
  },
];
