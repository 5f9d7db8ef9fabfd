/** `vcard migrate` of a thousand accounts, killed at random moments, and taken back; as the server itself has seen it. */
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import { PrivilegedRequester } from '../../src/lib/privilege/privileged-requester.js';
import { publishItem } from '../../src/lib/pubsub/items.js';
import { isNothingThere } from '../../src/lib/pubsub/requester.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { connect } from '../../src/lib/session/connect.js';
import { migratedNodes } from '../../src/lib/vcard/migration/account-state.js';
import { NODE_VCARD4 } from '../../src/lib/vcard/profile/stanzas.js';
import { publishAvatar, setVcardTemp } from '../../src/lib/vcard/profile/write-profile.js';
import { readAvatar } from '../../src/lib/vcard/convert/read-avatar.js';
import { canonicalXml } from '../../src/lib/xml/canonical.js';
import { xml } from '../../src/lib/xml/element.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const COUNT = 1000;
const KILLS = 6;
const CONCURRENCY = 10;
const gif = 'R0lGODlhAQABAAAAACw=';
const otherGif = 'R0lGODlhAgACAAAAACw=';
const PUBSUB = 'http://jabber.org/protocol/pubsub';

describe('xmppctl vcard migrate of 1,000 accounts', () => {
  const names = Array.from({ length: COUNT }, (_none, index) => `user${index}`);
  const home = useTemporaryHome('all');
  let sandbox: Sandbox;
  let before: Map<string, string>;
  beforeAll(async () => {
    sandbox = await startSandbox({
      server: 'prosody',
      searchPath: process.env['PATH'],
      accounts: names,
      prosody: {
        // As Prosody keeps old cards until somebody logs in.
        host: {
          modules_enabled: ['register_ibr', 'privilege', 'vcard'],
          modules_disabled: ['vcard_legacy', 'vcard4'],
          sandbox_log_items: true,
        },
      },
    });
    await setUp();
    before = await readAll();
    await home.write('users.txt', names.map((name) => `${jidOf(name).toString()}\n`).join(''));
  }, 300_000);
  afterAll(() => sandbox.stop());

  const setUp = async (): Promise<void> => {
    await using component = await openComponent();
    await Promise.all(
      names.map(async (name, index) => {
        const account = jidOf(name);
        const requester = new PrivilegedRequester(component, account);
        const photo = index % 4 === 0 ? `<PHOTO><TYPE>image/gif</TYPE><BINVAL>${gif}</BINVAL></PHOTO>` : '';
        const card = `<vCard xmlns='vcard-temp'><FN>${name}</FN><TZ>+01:00</TZ>${photo}</vCard>`;
        await setVcardTemp(requester, parseXml(card), { account });
        if (index % 8 !== 0) return;
        // What was there before: a card that is not written as ours are, and another picture.
        const mine = parseXml(
          `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'>\n\t<fn><text>  Mine &amp; "only" &lt;${index}&gt; é </text></fn><x:y xmlns:x='urn:x' b='1' a="2"><x:z/></x:y></vcard>`,
        );
        await publishItem(requester, { service: account, node: NODE_VCARD4, id: 'current', payload: mine });
        const avatar = readAvatar(Buffer.from(otherGif, 'base64'));
        if (avatar) await publishAvatar(requester, avatar, { account, access: 'presence' });
      }),
    );
  };
  const jidOf = (name: string) => JID.parse(sandbox.accounts[name]?.jid ?? '');
  const openComponent = () =>
    connect({
      kind: 'component',
      jid: JID.parse(sandbox.addresses.privileged),
      credentials: { password: () => Promise.resolve(sandbox.componentSecret) },
      service: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
      timeoutMs: 60_000,
    });
  /** The items of all nodes that a migration writes to, as the server gives them. */
  const readAll = async (): Promise<Map<string, string>> => {
    await using component = await openComponent();
    const found = new Map<string, string>();
    await Promise.all(
      names.flatMap((name) =>
        migratedNodes.map(async (node) => {
          const account = jidOf(name);
          const payload = xml('pubsub', { xmlns: PUBSUB }, xml('items', { node }));
          const requester = new PrivilegedRequester(component, account);
          try {
            const reply = await requester.request({ type: 'get', to: account, payload });
            const items = reply.getChild('pubsub', PUBSUB)?.getChild('items')?.children ?? [];
            found.set(
              `${name} ${node}`,
              // Prosody writes attributes in any order.
              items.map((item) => (typeof item === 'string' ? item : canonicalXml(item))).join(''),
            );
          } catch (error) {
            if (!isNothingThere(error)) throw error;
            found.set(`${name} ${node}`, '');
          }
        }),
      ),
    );
    return found;
  };
  const args = (...more: string[]) => ['--component', sandbox.addresses.privileged, 'vcard', ...more];
  const options = () => ({
    cwd: home.dir,
    env: {
      ...home.env,
      XMPPCTL_PASSWORD: sandbox.componentSecret,
      XMPPCTL_SERVICE: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
    },
  });
  const stepsOf = async (step: string): Promise<string[]> =>
    (await readFile(path.join(home.dir, 'j'), 'utf8').catch(() => ''))
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith(`{"step":"${step}"`))
      .map((line) => (JSON.parse(line) as { account: string }).account);
  /** What the server has stored, by account and node, since the log was this long. */
  const storedSince = async (length: number): Promise<string[]> =>
    [...(await sandbox.readLog()).slice(length).matchAll(/stored (\S+) (\S+) \S+$/gm)].map(
      ([, account = '', node = '']) => `${account} ${node}`,
    );
  /** Starts it and kills it when so many accounts have got there, each time later. */
  const killAtRandom = async (command: readonly string[], step: string, kills: number) => {
    const moments = Array.from({ length: kills }, () => randomInt(1, COUNT - 50)).sort(
      (one, other) => one - other,
    );
    for (const moment of moments) {
      const killed = startXmppctl(args(...command), options());
      await expect
        .poll(async () => (await stepsOf(step)).length, { timeout: 60_000, interval: 50 })
        .toBeGreaterThanOrEqual(moment);
      killed.child.kill('SIGKILL');
      expect((await killed.finished).signal).toBe('SIGKILL');
    }
  };

  it('killed at random moments, it does all of it, and nothing twice', async () => {
    const { length } = await sandbox.readLog();
    const migrate = [
      'migrate',
      ...['--only', 'users.txt', '--journal', 'j', '--json', '--existing', 'overwrite'],
      ...['--concurrency', String(CONCURRENCY)],
    ];
    await killAtRandom(migrate, 'done', KILLS);
    const done = (await stepsOf('done')).length;
    expect(done).toBeLessThan(COUNT);
    const last = await runXmppctl(args(...migrate), options());
    expect(last.code).toBe(0);
    expect(JSON.parse(last.stdout)).toMatchObject({ accounts: COUNT - done, migrated: COUNT - done });
    const all = await stepsOf('done');
    expect(all).toHaveLength(COUNT);
    expect(new Set(all).size).toBe(COUNT);
    // Only what was under way when it was killed was begun once more.
    expect((await stepsOf('before')).length).toBeLessThanOrEqual(COUNT + KILLS * CONCURRENCY);
    // Each card, picture and what points to it has been stored once, as the server says.
    const stored = await storedSince(length);
    expect(stored).toHaveLength(COUNT + 2 * (COUNT / 4));
    expect(new Set(stored).size).toBe(stored.length);
    expect(await runXmppctl(args('verify', 'j'), options())).toMatchObject({
      code: 0,
      stdout: `${COUNT} of ${COUNT} accounts as published\n`,
    });
  }, 400_000);

  it('takes all of it back, killed or not, and every item is as it was', async () => {
    await killAtRandom(['rollback', 'j'], 'rolled-back', 2);
    expect(await runXmppctl(args('rollback', 'j'), options())).toMatchObject({ code: 0 });
    expect(new Set(await stepsOf('rolled-back')).size).toBe(COUNT);
    const after = await readAll();
    const changed = [...before].filter(([place, items]) => after.get(place) !== items);
    expect(changed).toEqual([]);
    const verified = await runXmppctl(args('verify', 'j', '--json'), options());
    expect(JSON.parse(verified.stdout)).toMatchObject({ accounts: 0 });
  }, 400_000);
});
