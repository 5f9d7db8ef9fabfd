import { describe, expect, it } from 'vitest';
import type { GlobalOptions } from '../../../src/lib/command/global-options.js';
import { accountConnectOptions } from '../../../src/lib/config/account-connect-options.js';
import type { ConnectOptions } from '../../../src/lib/session/options.js';
import { FileError, UsageError } from '../../../src/lib/errors.js';
import { scriptedPrompt } from '../../support/scripted-prompt.js';
import { useTemporaryHome } from '../../support/temporary-home.js';

const home = useTemporaryHome();

const config = `default_account = "alice"
[accounts.alice]
jid = "alice@example.org/desk"
service = "xmpps://profile.example.org"
password_file = "alice.secret"
timeout = 7
tls_pin = ["sha256:${'ab'.repeat(32)}"]
[accounts.bob]
jid = "bob@example.org"
password_command = "echo from-command"
[accounts.other-bob]
jid = "bob@example.com"
[accounts.echo]
component = true
jid = "echo.example.org"
[accounts.nobody]
anonymous = true
jid = "example.org"
`;

async function resolve(
  global: GlobalOptions,
  env: Record<string, string> = {},
  prompt = scriptedPrompt(),
): Promise<ConnectOptions> {
  await home.writeConfig(config);
  await home.write('.config/xmppctl/alice.secret', 'from-file\nsecond line\n');
  return accountConnectOptions({ global, env: { ...home.env, ...env }, prompt });
}

const password = async (options: ConnectOptions): Promise<string | undefined> =>
  options.credentials.password?.();

describe('who logs in', () => {
  it.each<[GlobalOptions, Record<string, string>, string]>([
    [{}, {}, 'alice@example.org/desk'],
    [{}, { XMPPCTL_ACCOUNT: 'bob' }, 'bob@example.org'],
    [{}, { XMPPCTL_ACCOUNT: '' }, 'alice@example.org/desk'],
    [{}, { XMPPCTL_JID: 'carol@example.net' }, 'carol@example.net'],
    [{ account: 'alice' }, { XMPPCTL_ACCOUNT: 'bob' }, 'alice@example.org/desk'],
    [{ account: 'alice' }, { XMPPCTL_JID: 'carol@example.net' }, 'alice@example.org/desk'],
    [{ jid: 'carol@example.net' }, { XMPPCTL_ACCOUNT: 'bob' }, 'carol@example.net'],
    [{ account: 'alice', jid: 'alice@example.org/phone' }, {}, 'alice@example.org/phone'],
    [{ component: 'echo.example.org' }, {}, 'echo.example.org'],
    [{ account: 'echo' }, {}, 'echo.example.org'],
    [{ account: 'nobody' }, {}, 'example.org'],
    [{ anonymous: true, jid: 'example.org' }, {}, 'example.org'],
  ])('%j with %j is %s', async (global, env, jid) => {
    expect((await resolve(global, env)).jid.toString()).toBe(jid);
  });

  it('never gives a --jid the password of another account', async () => {
    const options = await resolve({ jid: 'carol@example.net' });
    expect(options.service).toBeUndefined();
    await expect(password(options)).rejects.toThrow(UsageError);
  });

  it('finds the profile of a --jid by its address', async () => {
    const options = await resolve({ jid: 'bob@example.org/phone' });
    expect(options.jid.toString()).toBe('bob@example.org/phone');
    expect(await password(options)).toBe('from-command');
  });

  it.each<[GlobalOptions, RegExp, RegExp]>([
    [{ account: 'alcie' }, /no account named alcie/, /did you mean alice\?/],
    [{ account: '__proto__' }, /no account named __proto__/, /./],
    [
      { account: 'alice', jid: 'bob@example.org' },
      /the account alice is alice@example.org, not bob/,
      /--jid/,
    ],
    [{ jid: 'a b@example.org' }, /^--jid: .*is not an XMPP address/, /./],
    [{ jid: 'example.org' }, /example.org is a server, not an account/, /--anonymous/],
    [{ component: 'a@example.org' }, /not the domain of a component/, /./],
    [{ component: 'x.example.org', jid: 'a@example.org' }, /--component cannot be combined/, /./],
    [{ component: 'x.example.org', account: 'alice' }, /the account alice is not a component/, /./],
    [{ component: 'x.example.org', account: 'nope' }, /no account named nope/, /./],
  ])('refuses %j', async (global, message, hint) => {
    const error: unknown = await resolve(global).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(message);
    expect((error as UsageError).hint ?? 'none').toMatch(hint);
  });

  it('says how to begin when there is no account at all', async () => {
    const error: unknown = await accountConnectOptions({
      global: {},
      env: home.env,
      prompt: scriptedPrompt(),
    }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ hint: expect.stringContaining('xmppctl account add') as string });
  });
});

describe('what else is put together', () => {
  it('takes an option before the environment before the profile', async () => {
    const profile = await resolve({ account: 'alice' });
    expect(profile).toMatchObject({ service: 'xmpps://profile.example.org', timeoutMs: 7000 });
    const env = { XMPPCTL_SERVICE: 'env.example.org', XMPPCTL_TIMEOUT: '3' };
    expect(await resolve({}, env)).toMatchObject({ service: 'env.example.org', timeoutMs: 3000 });
    expect(await resolve({ service: 'typed.example.org', timeout: 1 }, env)).toMatchObject({
      service: 'typed.example.org',
      timeoutMs: 1000,
    });
    expect(await resolve({ account: 'bob' })).toMatchObject({ service: undefined, timeoutMs: 30_000 });
  });

  it.each(['soon', '-1', '0', 'Infinity'])('refuses XMPPCTL_TIMEOUT=%s', async (value) => {
    await expect(resolve({}, { XMPPCTL_TIMEOUT: value })).rejects.toThrow(/XMPPCTL_TIMEOUT must be a number/);
  });

  it('knows components and anonymous log-ins', async () => {
    expect(await resolve({ account: 'echo' })).toMatchObject({ kind: 'component' });
    const anonymous = await resolve({ account: 'nobody' });
    expect(anonymous).toMatchObject({ kind: 'client', credentials: { isAnonymous: true } });
    expect(anonymous.credentials.password).toBeUndefined();
  });

  it('reads the CA file, and says when there is none or it is none', async () => {
    const file = await home.write('ca.pem', '-----BEGIN CERTIFICATE-----\nx\n', 0o644);
    expect((await resolve({ ca: file })).tls?.ca).toContain('BEGIN CERTIFICATE');
    expect((await resolve({}, { XMPPCTL_CA: file })).tls?.ca).toContain('BEGIN CERTIFICATE');
    await expect(resolve({ ca: '/nonexistent.pem' })).rejects.toThrow(FileError);
    await expect(resolve({ ca: '/nonexistent.pem' })).rejects.toThrow(
      'cannot read the CA file /nonexistent.pem: it does not exist',
    );
    const other = await home.write('other', 'hello', 0o644);
    await expect(resolve({ ca: other })).rejects.toThrow(/has no PEM certificate in it/);
  });

  it('takes pins in hex and base64 and refuses what is none', async () => {
    expect((await resolve({})).tls?.pins).toEqual([`sha256:${'ab'.repeat(32)}`]);
    const base64 = `sha256:${Buffer.alloc(32, 7).toString('base64')}`;
    expect((await resolve({ tlsPin: [base64] })).tls?.pins).toEqual([base64]);
    for (const pin of ['sha256:abc', `sha1:${'ab'.repeat(32)}`, 'ab'.repeat(32)]) {
      await expect(resolve({ tlsPin: [pin] })).rejects.toThrow(`not a TLS pin: ${pin}`);
    }
  });

  it('reads a client certificate with its key, from one file or two', async () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nc\n-----END CERTIFICATE-----\n';
    const key = '-----BEGIN PRIVATE KEY-----\nk\n-----END PRIVATE KEY-----\n';
    const both = await home.write('both.pem', certificate + key);
    const alone = await home.write('cert.pem', certificate, 0o644);
    const keyFile = await home.write('key.pem', key, 0o640);
    const openKey = await home.write('open.pem', key, 0o644);
    expect((await resolve({ clientCert: both })).credentials.clientCertificate?.key).toContain('PRIVATE KEY');
    const two = await resolve({ clientCert: alone, clientKey: keyFile });
    expect(two.credentials.clientCertificate).toEqual({ cert: certificate, key });
    await expect(resolve({ clientCert: alone })).rejects.toThrow(/has no key with it/);
    await expect(resolve({ clientCert: alone, clientKey: alone })).rejects.toThrow(FileError);
    await expect(resolve({ clientKey: keyFile })).rejects.toThrow(/needs its certificate/);
    await expect(resolve({ clientCert: alone, clientKey: openKey })).rejects.toThrow(/mode is 0644/);
  });

  it('asks for no password where a certificate is enough', async () => {
    const both = await home.write(
      'both.pem',
      '-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n',
    );
    const options = await resolve({ jid: 'carol@example.net', clientCert: both }, {}, scriptedPrompt('x'));
    expect(options.credentials.password).toBeUndefined();
  });
});

describe('the password', () => {
  it('comes from what was typed before the environment before the profile', async () => {
    const file = await home.write('typed', 'typed\n');
    const other = await home.write('env', 'env-file\n');
    const env = { XMPPCTL_PASSWORD: 'env' };
    expect(await password(await resolve({ passwordFile: file }, env))).toBe('typed');
    expect(await password(await resolve({}, env))).toBe('env');
    expect(await password(await resolve({}, { XMPPCTL_PASSWORD_FILE: other }))).toBe('env-file');
    expect(await password(await resolve({}, { XMPPCTL_PASSWORD_COMMAND: 'echo c' }))).toBe('c');
    expect(await password(await resolve({}))).toBe('from-file');
    expect(await password(await resolve({ account: 'bob' }))).toBe('from-command');
  });

  it('is asked for on a terminal, once for all reconnects', async () => {
    const prompt = scriptedPrompt('typed in');
    const options = await resolve({ account: 'other-bob' }, {}, prompt);
    expect(prompt.asked).toEqual([]);
    expect(await password(options)).toBe('typed in');
    expect(await password(options)).toBe('typed in');
    expect(prompt.asked).toEqual(['Password for bob@example.com']);
  });

  it('is never asked for without a terminal: the error names the ways', async () => {
    const options = await resolve({ account: 'other-bob' });
    const error: unknown = await password(options).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toBe('no password for bob@example.com, and no terminal to ask at');
    for (const way of [
      '--password-file',
      '--password-fd',
      'XMPPCTL_PASSWORD',
      'password_command',
      'keyring',
    ]) {
      expect((error as UsageError).hint).toContain(way);
    }
  });

  it('cannot be given twice', async () => {
    await expect(resolve({ passwordFile: 'x', passwordFd: 3 })).rejects.toThrow(/name two passwords/);
  });
});
