import { lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeConfig, editConfig } from '../../../src/lib/config/change-config.js';
import type { Config } from '../../../src/lib/config/keys.js';
import { parseConfig } from '../../../src/lib/config/load-config.js';
import { configPaths, type ConfigPaths } from '../../../src/lib/config/paths.js';
import { FileError, UsageError } from '../../../src/lib/errors.js';

let folder: string;
let paths: ConfigPaths;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-config-'));
  paths = configPaths({ HOME: folder });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const commented = `# my accounts
default_account = "alice" # the usual one

# work
[accounts.alice]
jid = "alice@example.org"   # first
# pins, renewed in May
tls_pin = [
  "sha256:aa", # old
]

# play
[accounts.bob]
jid = 'bob@example.org'
`;

async function edit(text: string, change: (config: Config) => void): Promise<string> {
  const config = await parseConfig(text, 'config.toml');
  const wanted = structuredClone(config);
  change(wanted);
  return editConfig(text, config, wanted, 'config.toml');
}

describe('editConfig', () => {
  it('changes a value and keeps everything else', async () => {
    const edited = await edit(commented, (config) => {
      config.default_account = 'bob';
      Object.assign(config.accounts['alice'] ?? {}, { jid: 'a@example.org', fast: true });
    });
    expect(edited).toBe(
      commented
        .replace('default_account = "alice"', 'default_account = "bob"')
        .replace('"alice@example.org"', '"a@example.org"')
        .replace('  "sha256:aa", # old\n]\n', '  "sha256:aa", # old\n]\nfast = true\n'),
    );
  });

  it('removes an account and keeps the comments around it', async () => {
    const edited = await edit(commented, (config) => {
      delete config.accounts['alice'];
      delete config.default_account;
    });
    expect(edited).toBe(`# my accounts\n\n# work\n\n# play\n[accounts.bob]\njid = 'bob@example.org'\n`);
  });

  it('appends an account whose name needs quotes', async () => {
    const edited = await edit(commented, (config) => {
      config.accounts['c@example.org'] = { jid: 'c@example.org', tls_pin: ['x'], timeout: 5 };
    });
    expect(edited).toBe(
      `${commented}\n[accounts."c@example.org"]\njid = "c@example.org"\ntls_pin = [ "x" ]\ntimeout = 5\n`,
    );
  });

  it('puts a new top-level key before the first table and its comment', async () => {
    expect(
      await edit('# work\n[accounts.alice]\njid = "a@b"', (config) => (config.default_account = 'alice')),
    ).toBe('default_account = "alice"\n\n# work\n[accounts.alice]\njid = "a@b"');
  });

  it('adds to a table at the end of a file without a final line break', async () => {
    expect(
      await edit('[accounts.alice]\njid = "a@b"', (config) =>
        Object.assign(config.accounts['alice'] ?? {}, { keyring: true }),
      ),
    ).toBe('[accounts.alice]\njid = "a@b"\nkeyring = true\n');
  });

  it('refuses to edit an account written as an inline table, and says so', async () => {
    const text = 'accounts = { alice = { jid = "a@b" } }\n';
    const error: unknown = await edit(text, (config) => delete config.accounts['alice']).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toContain('cannot be edited');
  });

  it('adds a key to the last table and a table behind it', async () => {
    const before: Config = { accounts: { a: { jid: 'a@example.org' } } };
    const after: Config = {
      accounts: { a: { jid: 'a@example.org', timeout: 1 }, b: { jid: 'b@example.org' } },
    };
    const text = await editConfig('', { accounts: {} }, before, 'config.toml');
    expect(await editConfig(text, before, after, 'config.toml')).toBe(
      '[accounts.a]\njid = "a@example.org"\ntimeout = 1\n\n[accounts.b]\njid = "b@example.org"\n',
    );
  });

  it('gives any configuration from any other', async () => {
    const profile = fc.record(
      {
        jid: fc.string(),
        service: fc.string(),
        tls_pin: fc.array(fc.string(), { maxLength: 3 }),
        fast: fc.boolean(),
        timeout: fc.integer({ min: 1 }),
      },
      { requiredKeys: ['jid'] },
    );
    const name = fc.string({ minLength: 1, maxLength: 6 }).filter((text) => text !== '__proto__');
    const config = fc.record(
      { default_account: fc.string(), accounts: fc.dictionary(name, profile, { maxKeys: 4 }) },
      { requiredKeys: ['accounts'] },
    ) as fc.Arbitrary<Config>;
    await fc.assert(
      fc.asyncProperty(config, config, async (first, second) => {
        const empty: Config = { accounts: {} };
        const text = await editConfig('', empty, first, 'config.toml');
        // editConfig itself checks that the text means what was wanted.
        await expect(editConfig(text, first, second, 'config.toml')).resolves.toBeTypeOf('string');
      }),
    );
  });
});

describe('changeConfig', () => {
  const addAlice = (config: Config): Config => ({
    ...config,
    accounts: { ...config.accounts, alice: { jid: 'alice@example.org' } },
  });

  it('creates the folder with 0700 and the file with 0600, and leaves nothing else behind', async () => {
    await changeConfig(paths, addAlice);
    expect((await stat(paths.configDir)).mode & 0o777).toBe(0o700);
    expect((await stat(paths.configFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(paths.configDir)).toEqual(['config.toml']);
    expect(await readFile(paths.configFile, 'utf8')).toBe('[accounts.alice]\njid = "alice@example.org"\n');
  });

  it('keeps a symbolic link a link and replaces its target', async () => {
    const target = path.join(folder, 'dotfiles.toml');
    await writeFile(target, '', { mode: 0o600 });
    await mkdir(paths.configDir, { recursive: true });
    await symlink(target, paths.configFile);
    await changeConfig(paths, addAlice);
    expect((await lstat(paths.configFile)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, 'utf8')).toContain('[accounts.alice]');
  });

  it('keeps what another program wrote while the change was being made', async () => {
    await mkdir(paths.configDir, { recursive: true });
    await writeFile(paths.configFile, '# one\n', { mode: 0o600 });
    const { writeFileSync } = await import('node:fs');
    let calls = 0;
    await changeConfig(paths, (config) => {
      calls += 1;
      if (calls === 1) writeFileSync(paths.configFile, '# one\n# two\n');
      return addAlice(config);
    });
    expect(calls).toBe(2);
    expect(await readFile(paths.configFile, 'utf8')).toMatch(/^# one\n# two\n\n\[accounts\.alice\]/);
  });

  it('says why it cannot write', async () => {
    await writeFile(path.join(folder, '.config'), 'a file where a folder should be');
    const error: unknown = await changeConfig(paths, addAlice).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError).message).toMatch(/config\.toml: .*not a folder/);
  });
});
