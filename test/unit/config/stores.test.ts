import { chmod, readFile, stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fastTokenFile } from '../../../src/lib/config/fast-token-store.js';
import { openKeyring } from '../../../src/lib/config/keyring.js';
import { mechanismPinFile } from '../../../src/lib/config/mechanism-pin-store.js';
import { stateFile } from '../../../src/lib/config/paths.js';
import { UsageError } from '../../../src/lib/errors.js';
import { useTemporaryHome } from '../../support/temporary-home.js';

const home = useTemporaryHome();
const account = 'alice@example.org';
const token = { mechanism: 'HT-SHA-256-NONE', token: 't', expiry: undefined, count: 3, userAgentId: 'u' };

describe('fastTokenFile', () => {
  it('keeps a token in a file that nobody else can read, and removes it', async () => {
    const store = fastTokenFile(account, home.paths);
    expect(await store.load()).toBeUndefined();
    await store.save(token);
    expect((await stat(stateFile('fast', account, home.paths))).mode & 0o777).toBe(0o600);
    expect(await store.load()).toEqual(token);
    await store.remove();
    expect(await store.load()).toBeUndefined();
    await store.remove();
  });

  it('refuses a file that others can read and takes a broken one for none', async () => {
    const store = fastTokenFile(account, home.paths);
    await store.save(token);
    const file = stateFile('fast', account, home.paths);
    await chmod(file, 0o644);
    await expect(store.load()).rejects.toThrow(/its mode is 0644/);
    for (const text of ['', '[]', '{"token":"t"}', '{"mechanism":']) {
      await home.write(file.slice(home.dir.length + 1), text);
      await chmod(file, 0o600);
      expect(await store.load()).toBeUndefined();
    }
  });
});

describe('mechanismPinFile', () => {
  it('remembers a mechanism with its channel binding', async () => {
    const store = mechanismPinFile(account, home.paths, undefined);
    expect(await store.load()).toBeUndefined();
    await store.save({ mechanism: 'SCRAM-SHA-256-PLUS', channelBinding: 'tls-exporter' });
    expect(await store.load()).toEqual({ mechanism: 'SCRAM-SHA-256-PLUS', channelBinding: 'tls-exporter' });
    await store.save({ mechanism: 'SCRAM-SHA-512' });
    expect(await store.load()).toEqual({ mechanism: 'SCRAM-SHA-512' });
    expect(await readFile(stateFile('mechanisms', account, home.paths), 'utf8')).toContain(account);
  });

  it('warns and goes on where nothing can be written', async () => {
    await home.write('.local', 'a file where a folder should be');
    const warnings: string[] = [];
    await mechanismPinFile(account, home.paths, (message) => warnings.push(message)).save({ mechanism: 'X' });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/cannot write the state file .*; a weaker log-in will not be noticed/);
  });
});

describe('openKeyring', () => {
  it('names the alternatives where there is no Secret Service', async () => {
    // Without a session bus there is none on any machine; the add-on reads the address when it is first used.
    const address = process.env['DBUS_SESSION_BUS_ADDRESS'];
    process.env['DBUS_SESSION_BUS_ADDRESS'] = `unix:path=${home.dir}/nothing`;
    try {
      for (const work of [
        openKeyring().get('xmppctl-test'),
        openKeyring().set('xmppctl-test', 'hunter2'),
        openKeyring().remove('xmppctl-test'),
      ]) {
        const error: unknown = await work.catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(UsageError);
        expect((error as UsageError).message).toMatch(/^cannot (read|write to) the keyring of the system: /);
        expect((error as UsageError).hint).toContain('--password-file');
        expect((error as UsageError).message).not.toContain('hunter2');
      }
    } finally {
      if (address === undefined) delete process.env['DBUS_SESSION_BUS_ADDRESS'];
      else process.env['DBUS_SESSION_BUS_ADDRESS'] = address;
    }
  });
});
