/** Account commands that need no server, with the real binary: exit codes, exact output, what is left on disk. */
import { access, readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';
import { describe, expect, it } from 'vitest';
import { runXmppctl, type Finished } from '../support/run-xmppctl.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');
const home = useTemporaryHome();
const run = (args: string[], input = '', env: Record<string, string> = {}): Promise<Finished> =>
  runXmppctl(args, { env: { HOME: home.dir, ...env }, input, cwd: home.dir });
const config = (): Promise<string> => readFile(home.paths.configFile, 'utf8');

describe('account add', () => {
  it('stores a password from stdin in a file of its own, and prints no result', async () => {
    const { code, stdout, stderr } = await run(
      ['account', 'add', 'alice', '--jid', 'alice@example.org', '--password-stdin', '--timeout', '5'],
      'sésame\nrest\n',
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(
      'added the account alice, which is the default now\ncheck it with: xmppctl account test alice\n',
    );
    expect(await config()).toBe(
      'default_account = "alice"\n\n[accounts.alice]\njid = "alice@example.org"\ntimeout = 5\npassword_file = "passwords/alice"\n',
    );
    const file = path.join(home.paths.configDir, 'passwords/alice');
    expect(await readFile(file, 'utf8')).toBe('sésame\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('prints JSON, and nothing else on stderr with --quiet', async () => {
    const { stdout, stderr } = await run(['account', 'add', 'bob@example.org', '--json', '--quiet']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      name: 'bob@example.org',
      jid: 'bob@example.org',
      isDefault: true,
      password: 'asked',
      config: home.paths.configFile,
    });
  });

  it('remembers full paths, commands, pins and what a component needs', async () => {
    await home.write('ca.pem', '-----BEGIN CERTIFICATE-----\n');
    await run([
      'account',
      'add',
      'a',
      '--jid',
      'a@b',
      '--ca',
      'ca.pem',
      '--password-command',
      'echo "x"',
      '--fast',
    ]);
    await run([
      'account',
      'add',
      'echo',
      '--component',
      'echo.b',
      '--service',
      'localhost:5347',
      '--default',
    ]);
    expect(await config()).toBe(
      `default_account = "echo"\n\n[accounts.a]\njid = "a@b"\nca = "${home.dir}/ca.pem"\npassword_command = "echo \\"x\\""\nfast = true\n\n[accounts.echo]\njid = "echo.b"\nservice = "localhost:5347"\ncomponent = true\n`,
    );
  });

  it.each<[string[], number, RegExp]>([
    [[], 2, /which address\? there is no terminal to ask at \(xmppctl account add NAME --jid/],
    [['alice'], 2, /xmppctl account add alice --jid you@example\.org/],
    [['alice', '--jid', 'example.org'], 2, /example\.org is a server, not an account/],
    [['alice', '--jid', 'a b@example.org'], 2, /is not an XMPP address/],
    [['al ice', '--jid', 'a@b'], 2, /an account cannot be named "al ice"/],
    [
      ['alice', '--jid', 'a@b', '--ca', 'missing.pem'],
      7,
      /cannot read the CA file .*missing\.pem: it does not exist/,
    ],
    [['alice', '--jid', 'a@b', '--tls-pin', 'nope'], 2, /not a TLS pin: nope/],
    [['alice', '--jid', 'a@b', '--keyring'], 2, /--keyring needs a password/],
    [['alice', '--jid', 'a@b', '--keyring', '--password-command', 'x'], 2, /--keyring stores a password/],
    [['alice', '--jid', 'a@b', '--password-stdin'], 2, /stdin gave no password/],
    [['alice', '--jid', 'a@b', '--password-stdin', '--password-command', 'x'], 2, /name two passwords/],
    [['alice', '--account', 'bob', '--jid', 'a@b'], 2, /two names for the account/],
  ])('refuses %j with code %i and changes nothing', async (args, expected, message) => {
    const { code, stdout, stderr } = await run(['account', 'add', ...args]);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    await expect(access(home.paths.configFile)).rejects.toThrow();
  });

  it('does not replace an account unless told to', async () => {
    await run(['account', 'add', 'alice', '--jid', 'a@b']);
    const again = await run(['account', 'add', 'alice', '--jid', 'c@d']);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('there is an account alice already: a@b');
    expect((await run(['account', 'add', 'alice', '--jid', 'c@d', '--replace'])).code).toBe(0);
    expect(await config()).toContain('jid = "c@d"');
  });

  it('asks for the address and the password at a terminal, and stops at Ctrl-C', async () => {
    const ask = (
      answers: readonly (readonly [question: RegExp, keys: string])[],
    ): Promise<[number, string]> =>
      new Promise((resolve) => {
        const terminal = spawn(process.execPath, [binary, 'account', 'add'], {
          cols: 100,
          rows: 30,
          cwd: home.dir,
          env: { ...home.env, TERM: 'xterm' },
        });
        const left = [...answers];
        let shown = '';
        let all = '';
        terminal.onData((data) => {
          shown += data;
          all += data;
          const [next] = left;
          if (!next?.[0].test(shown)) return;
          shown = '';
          left.shift();
          terminal.write(next[1]);
        });
        terminal.onExit(({ exitCode }) => resolve([exitCode, all]));
      });
    const [code, shown] = await ask([
      [/Address/, 'zoe@example.org\r'],
      [/Password for zoe@example\.org/, 'hunter2\r'],
      [/Where should it be kept\?/, '\u001b[B\r'],
    ]);
    expect(code).toBe(0);
    expect(shown).not.toContain('hunter2');
    expect(await readFile(path.join(home.paths.configDir, 'passwords/zoe@example.org'), 'utf8')).toBe(
      'hunter2\n',
    );
    expect((await ask([[/Address/, '\u0003']]))[0]).toBe(130);
  });
});

describe('account list, show, use and remove', () => {
  const twoAccounts = `# mine
default_account = "alice"

[accounts.alice]
jid = "alice@example.org"
password_file = "secret"   # by hand

[accounts.bob]
jid = "bob@example.org"
service = "xmpps://example.org"
`;

  it('list prints columns for scripts, and JSON', async () => {
    await home.writeConfig(twoAccounts);
    expect((await run(['account', 'list'])).stdout).toBe(
      '*\talice\talice@example.org\t\tfile\n\tbob\tbob@example.org\txmpps://example.org\tasked\n',
    );
    const { stdout } = await run(['account', 'list', '--json'], '', { XMPPCTL_ACCOUNT: 'bob' });
    expect(JSON.parse(stdout)).toEqual([
      { name: 'alice', jid: 'alice@example.org', isDefault: false, service: null, password: 'file' },
      {
        name: 'bob',
        jid: 'bob@example.org',
        isDefault: true,
        service: 'xmpps://example.org',
        password: 'asked',
      },
    ]);
  });

  it('list says how to begin', async () => {
    expect(await run(['account', 'list'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'there are no accounts yet; add one with xmppctl account add\n',
    });
    expect((await run(['account', 'list', '--json'])).stdout).toBe('[]\n');
  });

  it('show never shows a secret', async () => {
    await home.writeConfig(twoAccounts);
    await home.write('.config/xmppctl/secret', 'hunter2\n');
    const { stdout } = await run(['account', 'show']);
    expect(stdout).toContain('name: alice\nisDefault: true\njid: alice@example.org\npassword_file: secret\n');
    expect(stdout).not.toContain('hunter2');
    const missing = await run(['account', 'show', 'bbo']);
    expect(missing).toMatchObject({ code: 2, stdout: '' });
    expect(missing.stderr).toContain('no account named bbo (did you mean bob?)');
  });

  it('use and remove keep the rest of the file as it was written', async () => {
    await home.writeConfig(twoAccounts);
    await home.write('.config/xmppctl/secret', 'hunter2\n');
    expect((await run(['account', 'use', 'bob'])).code).toBe(0);
    expect(await config()).toBe(twoAccounts.replace('"alice"', '"bob"'));
    const refused = await run(['account', 'remove', 'alice']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('add --yes to remove it without a question');
    expect((await run(['account', 'remove', 'alice', '--yes'])).code).toBe(0);
    expect(await config()).toBe(
      '# mine\ndefault_account = "bob"\n\n[accounts.bob]\njid = "bob@example.org"\nservice = "xmpps://example.org"\n',
    );
    // The user's own file, not one of ours.
    expect(await readdir(home.paths.configDir)).toContain('secret');
  });

  it('remove takes the password with it that add stored', async () => {
    await run(['account', 'add', 'alice', '--jid', 'a@b', '--password-stdin'], 'x\n');
    const { code, stdout } = await run(['account', 'remove', 'alice', '--yes', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ name: 'alice', jid: 'a@b', leftOver: [] });
    expect(await readdir(path.join(home.paths.configDir, 'passwords'))).toEqual([]);
    expect(await config()).toBe('');
  });
});

describe('account import', () => {
  it('takes over what go-sendxmpp and sendxmpp are set up with', async () => {
    await home.write(
      '.config/go-sendxmpp/config',
      'username: alice@example.org\npassword: hunter2\nalias: al\n',
    );
    await home.write('.sendxmpprc', 'bob@example.org;xmpp.example.org secret\n');
    const go = await run(['account', 'import', 'go-sendxmpp']);
    expect(go).toMatchObject({ code: 0, stdout: '' });
    expect(go.stderr).toContain('not taken over: alias');
    expect((await run(['account', 'import', 'sendxmpp', '--name', 'bob'])).code).toBe(0);
    expect(await config()).toBe(
      'default_account = "alice@example.org"\n\n[accounts."alice@example.org"]\njid = "alice@example.org"\npassword_file = "passwords/alice@example.org"\n\n[accounts.bob]\njid = "bob@example.org"\nservice = "xmpp://xmpp.example.org:5222"\npassword_file = "passwords/bob"\n',
    );
  });

  it.each<[string[], number, RegExp]>([
    [['go-sendxmpp'], 7, /go-sendxmpp is not set up here/],
    [['sendxmpp', 'missing'], 7, /cannot read the file missing: it does not exist/],
    [['pidgin'], 2, /cannot import from pidgin \(one of go-sendxmpp, sendxmpp\)/],
  ])('refuses %j', async (args, expected, message) => {
    const { code, stderr } = await run(['account', 'import', ...args]);
    expect(code).toBe(expected);
    expect(stderr).toMatch(message);
  });
});

describe('help', () => {
  it('shows a command as --help does, and topics', async () => {
    const help = await run(['help', 'account', 'add']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toBe((await run(['account', 'add', '--help'])).stdout);
    expect((await run(['help'])).stdout).toBe((await run(['--help'])).stdout);
    expect((await run(['help', 'account'])).stdout).toBe((await run(['account', '--help'])).stdout);
    expect((await run(['help', 'exit-codes'])).stdout).toMatch(/130\n +Interrupted/);
    const unknown = await run(['help', 'exitcodes']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('did you mean exit-codes?');
  });
});
