/** The keyring of the system, as a session without a desktop has it: GNOME's on a private bus; and none at all. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');
const home = useTemporaryHome();

/** Runs a script with a bus and an unlocked keyring of its own; `xmppctl` is the program. */
async function withKeyring(script: string, env: Record<string, string>): Promise<string> {
  const prelude = `
    xmppctl() { '${process.execPath}' '${binary}' "$@"; }
    printf unlocked | gnome-keyring-daemon --unlock --components=secrets >keyring.log 2>&1`;
  const { stdout } = await promisify(execFile)(
    'dbus-run-session',
    ['--', 'bash', '-euc', `${prelude}\n${script}`],
    { env: { ...home.env, XDG_RUNTIME_DIR: home.dir, ...env }, cwd: home.dir },
  );
  return stdout;
}

describeOnEachServer('the keyring', (server) => {
  it('keeps a password, gives it to whoever logs in, and forgets it with the account', async () => {
    const { sandbox } = server;
    const password = sandbox.accounts['alice']?.password ?? '';
    const stdout = await withKeyring(
      `printf '%s\\n' "$SECRET" | xmppctl account add work --jid alice@${sandbox.domain} --service ${sandbox.services.starttls} \\
         --ca ${sandbox.caFile} --password-stdin --keyring --quiet
       xmppctl account list
       grep -r "$SECRET" .config && exit 1
       xmppctl ping --quiet
       xmppctl account remove work --yes --quiet
       xmppctl account list --json`,
      { SECRET: password },
    );
    expect(stdout).toMatch(
      /^\*\twork\talice@sandbox\.localhost\txmpp:\S+\tkeyring\nsandbox\.localhost: seq=1 .*\n\[\]\n$/,
    );
  });
});

describe('without a keyring', () => {
  it('nothing is added, and it is said what else there is', async () => {
    const { code, stdout, stderr } = await runXmppctl(
      ['account', 'add', 'work', '--jid', 'a@b.example', '--password-stdin', '--keyring'],
      { env: { ...home.env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${home.dir}/none` }, input: 'secret\n' },
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^xmppctl: cannot write to the keyring of the system: .*--password-file.*\n$/);
    expect(stderr).not.toContain('secret\n');
    expect((await runXmppctl(['account', 'list', '--json'], { env: home.env })).stdout).toBe('[]\n');
  });
});
