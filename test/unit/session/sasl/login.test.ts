/** Whole logins over loopback: what the client does when the server lies, and when it does not. */
import { describe, expect, test } from 'vitest';
import { AuthError, exitCodeOf, XmppctlError } from '../../../../src/lib/errors.js';
import { JID } from '../../../../src/lib/jid/jid.js';
import { connect } from '../../../../src/lib/session/connect.js';
import type {
  ConnectOptions,
  Credentials,
  FastToken,
  FastTokenStore,
  MechanismPin,
} from '../../../../src/lib/session/options.js';
import type { ConnectionInfo } from '../../../../src/lib/session/session.js';
import type { ConnectionTrace, Tracer } from '../../../../src/lib/trace/events.js';
import { startFakeServer, type FakeServer } from '../../../support/fake-server.js';
import { hangUp, sendText } from '../../../support/fake-server/misbehaviour.js';
import type { FakeServerOptions } from '../../../support/fake-server/options.js';

const PASSWORD = 'wonderland';
const allTypes = ['tls-exporter', 'tls-server-end-point', 'tls-unique'];
const scram = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];
const plus = scram.map((name) => `${name}-PLUS`);

function optionsFor(server: FakeServer, overrides: Partial<ConnectOptions> = {}): ConnectOptions {
  return {
    jid: JID.parse(`alice@${server.domain}`),
    credentials: { password: () => Promise.resolve(PASSWORD) },
    service: server.service,
    tls: { ca: server.ca },
    timeoutMs: 10_000,
    ...overrides,
  };
}

/** Logs in and out again. */
async function logIn(server: FakeServer, overrides?: Partial<ConnectOptions>): Promise<ConnectionInfo> {
  await using session = await connect(optionsFor(server, overrides));
  return session.info;
}

async function failToLogIn(
  options: FakeServerOptions,
  overrides?: Partial<ConnectOptions>,
): Promise<XmppctlError> {
  await using server = await startFakeServer(options);
  const failure: unknown = await logIn(server, overrides).catch((error: unknown) => error);
  if (!(failure instanceof XmppctlError)) expect.unreachable(`no error of ours: ${String(failure)}`);
  expect(JSON.stringify([failure.message, failure.hint, failure.details, failure.stack])).not.toContain(
    PASSWORD,
  );
  return failure;
}

/** Collects what the tracer is told of the login. */
function recordingTracer(): { tracer: Tracer; logins: Readonly<Record<string, unknown>>[] } {
  const logins: Readonly<Record<string, unknown>>[] = [];
  const connection: ConnectionTrace = {
    data: () => undefined,
    event: (name, detail) => {
      if (name === 'sasl') logins.push(detail);
    },
  };
  return { logins, tracer: { connection: () => connection, close: () => Promise.resolve() } };
}

describe.each([
  ['SASL', false],
  ['SASL2', true],
] as const)('%s', (_profile, hasSasl2) => {
  test.each([
    ['TLS 1.3', 'TLSv1.3', 'tls-exporter'],
    ['TLS 1.2', 'TLSv1.2', 'tls-unique'],
  ] as const)('the strongest mechanism over %s', async (_title, maxVersion, channelBinding) => {
    await using server = await startFakeServer({
      hasSasl2,
      tlsOptions: { maxVersion },
      mechanisms: ['PLAIN', ...scram, ...plus],
      advertisedBindings: allTypes,
      listHash: 'honest',
    });
    expect(await logIn(server)).toMatchObject({ mechanism: 'SCRAM-SHA-512-PLUS', channelBinding });
  });

  test.each(scram)('%s alone', async (mechanism) => {
    await using server = await startFakeServer({ hasSasl2, mechanisms: [mechanism] });
    expect(await logIn(server)).toMatchObject({ mechanism, channelBinding: undefined });
  });

  test('the signature may come in a challenge of its own', async () => {
    await using server = await startFakeServer({ hasSasl2, scram: { isFinalInChallenge: true } });
    expect(await logIn(server)).toMatchObject({ mechanism: 'SCRAM-SHA-256' });
  });

  test.each<[string, FakeServerOptions, string]>([
    ['signs with a wrong key', { scram: { final: () => 'v=AAAA' } }, 'could not prove'],
    ['does not know the password', { scram: { isIgnorant: true } }, 'could not prove'],
    ['leaves its signature out', { scram: { final: () => undefined } }, 'without proving'],
    ['skips the whole exchange', { at: { auth: sendText(successOf(hasSasl2)) } }, 'without proving'],
    ['does not extend the nonce', { scram: { serverNonce: '' } }, 'nonce'],
    ['has a nonce of its own', { scram: { first: (text) => text.replace(/^r=/, 'r=x') } }, 'nonce'],
    ['wants one iteration', { scram: { iterations: 1 } }, '1 SCRAM iterations'],
    ['wants a thousand million iterations', { scram: { iterations: 1e9 } }, '1000000000 SCRAM iterations'],
    ['demands an extension', { scram: { first: (text) => `m=x,${text}` } }, 'extension'],
    ['hides mechanisms', { listHash: (name) => (name ? 'AAAA' : '') }, 'XEP-0474'],
    [
      'sends no base64',
      { at: { auth: sendText(`<challenge xmlns='${namespaceOf(hasSasl2)}'>?</challenge>`) } },
      'not base64',
    ],
    ['refuses the password', { accounts: { alice: 'another' } }, 'not-authorized'],
    [
      'has disabled the account',
      { refuse: { condition: 'account-disabled', text: 'Gone' } },
      'account-disabled (Gone)',
    ],
    [
      'repeats the password',
      { refuse: { condition: 'not-authorized', text: `no ${PASSWORD}` } },
      'not-authorized',
    ],
  ])('a server that %s is refused', async (_title, lie, expected) => {
    const failure = await failToLogIn({ hasSasl2, ...lie });
    expect(failure).toBeInstanceOf(AuthError);
    expect(failure.message).toContain(expected);
    expect(exitCodeOf(failure)).toBe(4);
  });

  test('a wrong signature in a challenge is refused', async () => {
    const failure = await failToLogIn({
      hasSasl2,
      scram: { isFinalInChallenge: true, final: () => 'v=AAAA' },
    });
    expect(failure.message).toContain('could not prove');
  });

  test('something else than SASL in the middle of the login is no login', async () => {
    const failure = await failToLogIn({ hasSasl2, at: { auth: sendText('<message/>') } });
    expect(failure.message).toContain('<message/> in the middle of the login');
    expect(exitCodeOf(failure)).toBe(5);
  });

  test('a connection that breaks in the login is a lost connection', async () => {
    const failure = await failToLogIn({ hasSasl2, at: { response: hangUp } });
    expect(exitCodeOf(failure)).toBe(3);
  });
});

function namespaceOf(hasSasl2: boolean): string {
  return hasSasl2 ? 'urn:xmpp:sasl:2' : 'urn:ietf:params:xml:ns:xmpp-sasl';
}

function successOf(hasSasl2: boolean): string {
  const identifier = '<authorization-identifier>alice@fake.test</authorization-identifier>';
  return `<success xmlns='${namespaceOf(hasSasl2)}'>${hasSasl2 ? identifier : ''}</success>`;
}

describe('channel binding', () => {
  test('somebody who ends TLS in between is noticed', async () => {
    // The types are offered, but the data differ: a stranger's certificate in front of the server.
    const failure = await failToLogIn({
      mechanisms: plus,
      advertisedBindings: ['tls-exporter'],
      scram: { first: (text) => text },
      at: { response: sendText(failureOf('not-authorized', 'Invalid channel binding')) },
    });
    expect(failure.message).toContain('SCRAM-SHA-512-PLUS');
    expect(failure.hint).toContain('between us and the server');
  });

  test('a server that knows only one type and does not say which', async () => {
    await using server = await startFakeServer({ mechanisms: plus, bindingTypes: ['tls-server-end-point'] });
    const { logins, tracer } = recordingTracer();
    expect(await logIn(server, { tracer })).toMatchObject({ channelBinding: 'tls-server-end-point' });
    expect(logins.map(({ channelBinding, outcome }) => [channelBinding, outcome])).toEqual([
      ['tls-unique', 'failure'],
      ['tls-exporter', 'failure'],
      ['tls-server-end-point', 'success'],
    ]);
  });

  test('-PLUS that fails does not end in a login without it', async () => {
    await using server = await startFakeServer({ mechanisms: [...scram, ...plus], bindingTypes: [] });
    await expect(logIn(server)).rejects.toThrow('SCRAM-SHA-512-PLUS');
    expect(server.logins.every(({ attrs }) => String(attrs['mechanism']).endsWith('-PLUS'))).toBe(true);
  });

  test('a list that cannot be is confirmed by the password, or refused', async () => {
    const list = { mechanisms: [...scram, ...plus], advertisedBindings: ['tls-unknown'] };
    const failure = await failToLogIn(list);
    expect(failure.message).toContain('does not confirm');
    await using server = await startFakeServer({ ...list, listHash: 'honest' });
    expect(await logIn(server)).toMatchObject({ mechanism: 'SCRAM-SHA-512' });
  });

  test('a server that has -PLUS hears that its offer did not arrive', async () => {
    const failure = await failToLogIn({
      mechanisms: [...scram, ...plus],
      changeFeatures: (features) => features.replace(/<mechanism>[A-Z0-9-]*-PLUS<\/mechanism>/g, ''),
    });
    expect(failure.message).toContain('channel binding was on offer');
  });
});

function failureOf(condition: string, text: string): string {
  return `<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><${condition}/><text>${text}</text></failure>`;
}

describe('without TLS', () => {
  test.each([['PLAIN'], ['SCRAM-SHA-256']])('nothing is sent to a server with only %s', async (mechanism) => {
    await using server = await startFakeServer({ tls: 'none', mechanisms: [mechanism] });
    const failure: unknown = await logIn(server).catch((error: unknown) => error);
    expect(exitCodeOf(failure)).toBeGreaterThan(2);
    expect(server.logins).toEqual([]);
  });

  test('it is possible where it was asked for', async () => {
    await using server = await startFakeServer({ tls: 'none', mechanisms: ['PLAIN'], hasSasl2: true });
    expect(await logIn(server, { allowPlain: true })).toMatchObject({ mechanism: 'PLAIN' });
    // SASL2 is for TLS only (XEP-0388 §3).
    expect(server.logins.map(({ name }) => name)).toEqual(['auth']);
  });
});

describe('other credentials', () => {
  test('ANONYMOUS', async () => {
    await using server = await startFakeServer({ mechanisms: ['ANONYMOUS', 'SCRAM-SHA-1'] });
    const options = { jid: JID.parse('fake.test'), credentials: { isAnonymous: true } };
    expect(await logIn(server, options)).toMatchObject({ mechanism: 'ANONYMOUS' });
  });

  test('a password that cannot be read ends the login', async () => {
    const credentials = { password: () => Promise.reject(new AuthError('the keyring is locked')) };
    const failure = await failToLogIn({}, { credentials });
    expect(failure.message).toBe('the keyring is locked');
  });
});

describe('a profile that remembers', () => {
  function remembering(pin: MechanismPin | undefined): { seen: MechanismPin[]; credentials: Credentials } {
    const seen: MechanismPin[] = [];
    const save = (stronger: MechanismPin): Promise<void> => {
      seen.push(stronger);
      return Promise.resolve();
    };
    const pins = { load: () => Promise.resolve(pin), save };
    return { seen, credentials: { password: () => Promise.resolve(PASSWORD), pins } };
  }

  test('learns the strongest mechanism', async () => {
    await using server = await startFakeServer({ mechanisms: plus, advertisedBindings: allTypes });
    const { seen, credentials } = remembering({ mechanism: 'SCRAM-SHA-1' });
    await logIn(server, { credentials });
    expect(seen).toEqual([{ mechanism: 'SCRAM-SHA-512-PLUS', channelBinding: 'tls-exporter' }]);
  });

  test('does not hand the password to a server that had something better', async () => {
    await using server = await startFakeServer({ mechanisms: ['PLAIN'] });
    const { credentials } = remembering({ mechanism: 'SCRAM-SHA-256' });
    await expect(logIn(server, { credentials })).rejects.toThrow('has had SCRAM-SHA-256 before');
    expect(server.logins).toEqual([]);
  });

  test('warns of less than before', async () => {
    await using server = await startFakeServer({ mechanisms: ['SCRAM-SHA-1'] });
    const warnings: string[] = [];
    const { seen, credentials } = remembering({ mechanism: 'SCRAM-SHA-256' });
    await logIn(server, { credentials, warn: (message) => warnings.push(message) });
    expect(warnings).toEqual(['logged in with SCRAM-SHA-1; earlier it was SCRAM-SHA-256']);
    expect(seen).toEqual([]);
  });
});

describe('SASL2', () => {
  test('nobody else than we is logged in', async () => {
    const failure = await failToLogIn({
      hasSasl2: true,
      changeSuccess: (text) => text.replace('>alice@', '>mallory@'),
    });
    expect(failure.message).toContain('somebody else than alice@fake.test');
  });

  test('a further step is named', async () => {
    const tasks = "<continue xmlns='urn:xmpp:sasl:2'><tasks><task>TOTP-EXAMPLE</task></tasks></continue>";
    const failure = await failToLogIn({ hasSasl2: true, at: { response: sendText(tasks) } });
    expect(failure.message).toBe('the server asks for more than the password: TOTP-EXAMPLE');
  });

  test('Bind 2 and stream management come along', async () => {
    await using server = await startFakeServer({ hasSasl2: true });
    await using session = await connect(optionsFor(server, { resume: true }));
    expect(session.jid.resource).toMatch(/^xmppctl\./);
    expect(session.info).toMatchObject({ isStreamManaged: true, isResumable: true });
    expect(server.stanzas).toEqual([]);
  });
});

describe('FAST', () => {
  const fast: FakeServerOptions = {
    hasSasl2: true,
    fastMechanisms: ['HT-SHA-256-NONE', 'HT-SHA-256-EXPR', 'HT-SHA-256-ENDP'],
  };

  class MemoryStore implements FastTokenStore {
    token: FastToken | undefined;
    load = () => Promise.resolve(this.token);
    save = (token: FastToken) => {
      this.token = token;
      return Promise.resolve();
    };
    remove = () => {
      this.token = undefined;
      return Promise.resolve();
    };
  }

  function withStore(store: FastTokenStore, password = PASSWORD): Partial<ConnectOptions> {
    return { credentials: { password: () => Promise.resolve(password), fast: store } };
  }

  test('a token is asked for with the password, and used instead of it from then on', async () => {
    await using server = await startFakeServer(fast);
    const store = new MemoryStore();
    expect(await logIn(server, withStore(store))).toMatchObject({ mechanism: 'SCRAM-SHA-256' });
    expect(store.token).toMatchObject({ mechanism: 'HT-SHA-256-EXPR', count: 0 });
    expect(await logIn(server, withStore(store, 'wrong'))).toMatchObject({
      mechanism: 'HT-SHA-256-EXPR',
      channelBinding: 'tls-exporter',
    });
    expect(await logIn(server, withStore(store, 'wrong'))).toMatchObject({ mechanism: 'HT-SHA-256-EXPR' });
    expect(store.token?.count).toBe(2);
  });

  test('a token that the server has forgotten is replaced', async () => {
    await using server = await startFakeServer(fast);
    const store = new MemoryStore();
    await logIn(server, withStore(store));
    const old = store.token?.token;
    server.tokens.clear();
    expect(await logIn(server, withStore(store))).toMatchObject({ mechanism: 'SCRAM-SHA-256' });
    expect(store.token?.token).toBeDefined();
    expect(store.token?.token).not.toBe(old);
  });

  test('an expired token is not sent', async () => {
    await using server = await startFakeServer(fast);
    const store = new MemoryStore();
    await logIn(server, withStore(store));
    if (store.token) store.token = { ...store.token, expiry: '2020-01-01T00:00:00Z' };
    await logIn(server, withStore(store));
    expect(server.logins.map(({ attrs }) => String(attrs['mechanism']))).toEqual([
      'SCRAM-SHA-256',
      'SCRAM-SHA-256',
    ]);
  });

  test('a server that does not know the token is refused, and the token thrown away', async () => {
    const store = new MemoryStore();
    {
      await using server = await startFakeServer(fast);
      await logIn(server, withStore(store));
    }
    const liar = { ...fast, at: { auth: sendText(successOf(true)) } };
    const failure = await failToLogIn(liar, withStore(store));
    expect(failure.message).toBe('the server could not prove that it knows the token');
    expect(store.token).toBeUndefined();
  });

  test('no token leaves over a connection whose certificate was not verified', async () => {
    await using server = await startFakeServer(fast);
    const store = new MemoryStore();
    await logIn(server, withStore(store));
    await logIn(server, { ...withStore(store), tls: { isInsecure: true }, warn: () => undefined });
    expect(server.logins.map(({ attrs }) => String(attrs['mechanism']))).toEqual([
      'SCRAM-SHA-256',
      'SCRAM-SHA-256',
    ]);
  });

  test('a successor of the token is kept', async () => {
    const successor = "<token xmlns='urn:xmpp:fast:0' token='next' expiry='2099-01-01T00:00:00Z'/></success>";
    await using server = await startFakeServer({
      ...fast,
      changeSuccess: (text) => (text.includes('<token') ? text : text.replace('</success>', successor)),
    });
    const store = new MemoryStore();
    await logIn(server, withStore(store));
    await logIn(server, withStore(store));
    expect(store.token).toMatchObject({ token: 'next', count: 0, mechanism: 'HT-SHA-256-EXPR' });
  });

  test('without opting in no token is asked for', async () => {
    await using server = await startFakeServer(fast);
    await logIn(server);
    expect(server.tokens.size).toBe(0);
  });
});
