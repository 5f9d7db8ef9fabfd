import { describe, expect, test } from 'vitest';
import { JID } from '../../../../src/lib/jid/jid.js';
import { chooseMechanisms } from '../../../../src/lib/session/sasl/choose-mechanism.js';
import type { ConnectOptions, Credentials } from '../../../../src/lib/session/options.js';
import type { Offer } from '../../../../src/lib/session/sasl/offer.js';

const password: Credentials = { password: () => Promise.resolve('wonderland') };
const tls13 = ['tls-exporter', 'tls-server-end-point', 'tls-finished'];
const tls12 = ['tls-unique', 'tls-server-end-point', 'tls-finished'];
const allScram = ['SHA-1', 'SHA-256', 'SHA-512'].flatMap((hash) => [`SCRAM-${hash}`, `SCRAM-${hash}-PLUS`]);

function choose(
  mechanisms: readonly string[],
  {
    types,
    has = [],
    profile = 'sasl',
    credentials = password,
  }: {
    types?: readonly string[];
    has?: readonly string[];
    profile?: Offer['profile'];
    credentials?: Credentials;
  } = {},
): string[] {
  const options: ConnectOptions = { jid: JID.parse('alice@example.org/x'), credentials, timeoutMs: 1000 };
  const offer: Offer = { profile, mechanisms, channelBindings: types, inline: undefined };
  const lookup = (type: string): Buffer | undefined => (has.includes(type) ? Buffer.from(type) : undefined);
  return chooseMechanisms(offer, options, lookup).map(({ name, channelBinding }) =>
    channelBinding === undefined ? name : `${name} ${channelBinding}`,
  );
}

async function firstMessage(
  mechanisms: readonly string[],
  types: readonly string[] | undefined,
  has: readonly string[],
): Promise<string> {
  const options: ConnectOptions = {
    jid: JID.parse('alice@example.org'),
    credentials: password,
    timeoutMs: 1000,
  };
  const offer: Offer = { profile: 'sasl', mechanisms, channelBindings: types, inline: undefined };
  const [mechanism] = chooseMechanisms(offer, options, (type) =>
    has.includes(type) ? Buffer.from(type) : undefined,
  );
  return (await mechanism?.start())?.toString('utf8') ?? '';
}

describe('the strongest that is offered', () => {
  test.each([
    [['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-512', 'SCRAM-SHA-256'], ['SCRAM-SHA-512']],
    [['PLAIN', 'SCRAM-SHA-1', 'X-OAUTH2'], ['SCRAM-SHA-1']],
    [['DIGEST-MD5', 'PLAIN'], ['PLAIN']],
    [['ANONYMOUS', 'EXTERNAL', 'SCRAM-SHA-256'], ['SCRAM-SHA-256']],
  ])('%j', (offered, expected) => {
    expect(choose(offered)).toEqual(expected);
  });

  test.each([
    [
      'TLS 1.3, all types',
      allScram,
      ['tls-server-end-point', 'tls-exporter'],
      tls13,
      ['SCRAM-SHA-512-PLUS tls-exporter'],
    ],
    [
      'TLS 1.2, all types',
      allScram,
      ['tls-server-end-point', 'tls-unique'],
      tls12,
      ['SCRAM-SHA-512-PLUS tls-unique'],
    ],
    [
      'only the certificate',
      allScram,
      ['tls-server-end-point'],
      tls13,
      ['SCRAM-SHA-512-PLUS tls-server-end-point'],
    ],
    [
      'binding before hash',
      ['SCRAM-SHA-512', 'SCRAM-SHA-1-PLUS'],
      ['tls-exporter'],
      tls13,
      ['SCRAM-SHA-1-PLUS tls-exporter'],
    ],
    ['none on our side', allScram, ['tls-exporter'], [], ['SCRAM-SHA-512']],
    ['none in common', allScram, ['tls-server-end-point', 'tls-unique'], ['tls-exporter'], ['SCRAM-SHA-512']],
  ])('channel binding: %s', (_title, offered, types, has, expected) => {
    expect(choose(offered, { types, has })).toEqual(expected);
  });
});

describe('-PLUS without a word on types', () => {
  test('tls-unique first on TLS 1.2', () => {
    expect(choose(allScram, { has: tls12 })).toEqual([
      'SCRAM-SHA-512-PLUS tls-unique',
      'SCRAM-SHA-512-PLUS tls-server-end-point',
    ]);
  });

  test('on TLS 1.3 what ejabberd up to 23.10 calls tls-unique, then the standard', () => {
    expect(choose(allScram, { has: tls13 })).toEqual([
      'SCRAM-SHA-512-PLUS tls-unique',
      'SCRAM-SHA-512-PLUS tls-exporter',
      'SCRAM-SHA-512-PLUS tls-server-end-point',
    ]);
  });

  test('SASL2 does not allow it', () => {
    expect(() => choose(allScram, { has: tls13, profile: 'sasl2' })).toThrow('but no type of it');
  });
});

describe('the flag of the first message', () => {
  test.each([
    ['n: this connection has no channel binding', ['SCRAM-SHA-1'], undefined, [], 'n,,'],
    [
      'n: the server’s types are not ours',
      ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'],
      ['tls-server-end-point'],
      ['tls-exporter'],
      'n,,',
    ],
    ['y: we have it and the server does not', ['SCRAM-SHA-1'], undefined, tls13, 'y,,'],
    ['y: types, but no mechanism that uses them', ['SCRAM-SHA-1'], ['tls-exporter'], tls13, 'y,,'],
    ['p', ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'], ['tls-exporter'], tls13, 'p=tls-exporter,,'],
  ])('%s', async (_title, offered, types, has, expected) => {
    expect(await firstMessage(offered, types, has)).toMatch(new RegExp(`^${expected}n=alice,r=`));
  });
});

test('SASL2 with types and without -PLUS was tampered with', () => {
  expect(() => choose(['SCRAM-SHA-1'], { types: ['tls-exporter'], has: tls13, profile: 'sasl2' })).toThrow(
    'no mechanism that uses them',
  );
});

describe('credentials', () => {
  const certificate: Credentials = { clientCertificate: { cert: '', key: '' } };

  test('a client certificate comes before a password', () => {
    expect(choose(['SCRAM-SHA-512', 'EXTERNAL'], { credentials: { ...password, ...certificate } })).toEqual([
      'EXTERNAL',
    ]);
  });

  test('the password is there when the certificate is not accepted', () => {
    expect(choose(['SCRAM-SHA-512'], { credentials: { ...password, ...certificate } })).toEqual([
      'SCRAM-SHA-512',
    ]);
  });

  test('anonymous is anonymous, whatever else is offered', () => {
    const credentials = { ...password, isAnonymous: true };
    expect(choose(['SCRAM-SHA-512', 'ANONYMOUS'], { credentials })).toEqual(['ANONYMOUS']);
  });

  test.each([
    [
      'a certificate that is not accepted',
      ['SCRAM-SHA-1'],
      certificate,
      'does not accept the client certificate',
    ],
    ['no password', ['SCRAM-SHA-1'], {}, 'no password'],
    [
      'anonymous users are not wanted',
      ['SCRAM-SHA-1'],
      { isAnonymous: true },
      'does not let anonymous users in',
    ],
    ['only unknown mechanisms', ['DIGEST-MD5', 'X-OAUTH2'], password, 'offered: DIGEST-MD5, X-OAUTH2'],
    ['nothing', [], password, 'offered: nothing'],
    ['only -PLUS and no channel binding', ['SCRAM-SHA-1-PLUS'], password, 'no channel binding'],
    ['names that are no names', ['\u001b[31mred'], password, 'offered: ?'],
  ])('refused: %s', (_title, offered, credentials, expected) => {
    expect(() => choose(offered, { credentials })).toThrow(expected);
  });
});
