import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ConnectionLostError,
  FileError,
  InterruptedError,
  RemoteError,
  StanzaError,
  TimeoutError,
  UsageError,
} from '../../../src/lib/errors.js';
import { NS_VCARD4_XML } from '../../../src/lib/vcard/card.js';
import type { AccountState } from '../../../src/lib/vcard/migration/account-state.js';
import { forEachAccount } from '../../../src/lib/vcard/migration/for-each-account.js';
import { Journal } from '../../../src/lib/vcard/migration/journal.js';
import { parseAccounts } from '../../../src/lib/vcard/migration/parse-accounts.js';
import { planAccount } from '../../../src/lib/vcard/migration/plan-account.js';
import { withPatience } from '../../../src/lib/vcard/migration/with-patience.js';
import { parseXml } from '../../../src/lib/xml/parse.js';
import { useTemporaryHome } from '../../support/temporary-home.js';

const vcard4 = (fn: string) =>
  parseXml(`<vcard xmlns='${NS_VCARD4_XML}'><fn><text>${fn}</text></fn></vcard>`);
const none = { item: undefined, access: undefined };
const nodesWith = (fn?: string): AccountState['nodes'] => ({
  'urn:xmpp:vcard4':
    fn === undefined ? none : { item: { id: 'current', payload: vcard4(fn) }, access: 'presence' },
  'urn:xmpp:avatar:metadata': none,
  'urn:xmpp:avatar:data': none,
});
const done = { outcome: 'migrated' as const, made: ['card'], warnings: [], reason: undefined };
const planned = { card: '<vcard/>', avatar: null };

describe('a journal', () => {
  const home = useTemporaryHome();
  const file = () => path.join(home.dir, 'a.journal');

  test('says after its end what was said before', async () => {
    {
      await using journal = await Journal.open(file());
      await journal.before('a@x', nodesWith('Old'), planned);
      await journal.done('a@x', done);
      await journal.before('b@x', nodesWith(), planned);
      await journal.done('c@x', { ...done, outcome: 'empty', made: [] });
    }
    await using journal = await Journal.open(file(), { mustExist: true });
    expect(['a@x', 'b@x', 'c@x', 'd@x'].map((account) => journal.isDone(account))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    const before = journal.accounts.get('a@x')?.before?.['urn:xmpp:vcard4'];
    expect(before?.item?.payload.toString()).toBe(vcard4('Old').toString());
    expect(before?.access).toBe('presence');
    await journal.rolledBack('a@x');
    expect(journal.isDone('a@x')).toBe(false);
  });

  test('keeps what was there first, however often an account is begun', async () => {
    {
      await using journal = await Journal.open(file());
      await journal.before('a@x', nodesWith('Old'), planned);
      await journal.before('a@x', nodesWith('New'), planned);
    }
    await using journal = await Journal.open(file());
    expect(String(journal.accounts.get('a@x')?.before?.['urn:xmpp:vcard4'].item?.payload)).toContain('Old');
  });

  test('cut at any byte gives a beginning of what was done, and goes on from there', async () => {
    {
      await using journal = await Journal.open(file());
      for (const account of ['a@x', 'b@x', 'c@x']) {
        await journal.before(account, nodesWith('Ü'), planned);
        await journal.done(account, done);
      }
    }
    const whole = await readFile(file());
    const firstLine = whole.indexOf(0x0a) + 1;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: firstLine, max: whole.length }), async (length) => {
        await writeFile(file(), whole);
        await truncate(file(), length);
        {
          await using journal = await Journal.open(file());
          const states = ['a@x', 'b@x', 'c@x'].map((account) => journal.isDone(account));
          // Done in the order in which it was: no account is done behind one that is not.
          expect(states).toEqual([...states].sort((some, other) => Number(other) - Number(some)));
          for (const account of ['a@x', 'b@x', 'c@x']) {
            if (journal.isDone(account)) continue;
            await journal.before(account, nodesWith('Ü'), planned);
            await journal.done(account, done);
          }
        }
        await using again = await Journal.open(file());
        expect(['a@x', 'b@x', 'c@x'].every((account) => again.isDone(account))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('killed in its first line, it begins anew', async () => {
    await writeFile(file(), '{"step":"jour');
    {
      await using journal = await Journal.open(file());
      await journal.done('a@x', done);
    }
    await using journal = await Journal.open(file(), { mustExist: true });
    expect(journal.isDone('a@x')).toBe(true);
  });

  test('many lines at the same time are each of them there', async () => {
    const names = Array.from({ length: 50 }, (_none, index) => `${index}@x`);
    {
      await using journal = await Journal.open(file());
      await Promise.all(
        names.map(async (name) => {
          await journal.before(name, nodesWith(name), planned);
          await journal.done(name, done);
        }),
      );
    }
    await using journal = await Journal.open(file(), { mustExist: true });
    expect([...journal.accounts.keys()].sort()).toEqual([...names].sort());
    for (const name of names) expect(journal.isDone(name)).toBe(true);
  });

  test('is nothing else', async () => {
    await expect(Journal.open(file(), { mustExist: true })).rejects.toThrow(FileError);
    await expect(Journal.open('/dev/full')).rejects.toThrow(UsageError);
    for (const text of ['hello\n', '{"step":"done"}\n', '[]\n', 'x', 'u@x\nv@x']) {
      await writeFile(file(), text);
      await expect(Journal.open(file())).rejects.toThrow(UsageError);
      // What was named by mistake is not touched.
      expect(await readFile(file(), 'utf8')).toBe(text);
    }
    await writeFile(file(), '{"step":"journal","version":1,"account":""}\n');
    await appendFile(file(), 'nonsense\n');
    await expect(Journal.open(file())).rejects.toThrow(UsageError);
  });
});

describe('many accounts', () => {
  const options = {
    concurrency: 3,
    rate: undefined,
    isConnectionShared: true,
    signal: new AbortController().signal,
  };
  const accounts = Array.from({ length: 20 }, (_none, index) => index);

  test('so many at a time, and one that fails stops no other', async () => {
    let running = 0;
    let most = 0;
    const worked: number[] = [];
    const failed: number[] = [];
    await forEachAccount(
      accounts,
      options,
      async (account) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        if (account % 5 === 0) throw account === 0 ? new TimeoutError('silence') : new RemoteError('no');
        worked.push(account);
      },
      (account) => {
        failed.push(account);
        return Promise.resolve();
      },
    );
    expect(most).toBe(3);
    expect(failed.sort((some, other) => some - other)).toEqual([0, 5, 10, 15]);
    expect(worked).toHaveLength(16);
  });

  test.each([
    new ConnectionLostError('gone'),
    new FileError('full'),
    new InterruptedError('stop'),
    new TypeError('bug'),
  ])('end with %s', async (error) => {
    let count = 0;
    const run = forEachAccount(
      accounts,
      options,
      () => {
        count += 1;
        return Promise.reject(error);
      },
      () => Promise.reject(new Error('told')),
    );
    await expect(run).rejects.toBe(error);
    expect(count).toBeLessThanOrEqual(3);
  });

  test('each with a connection of its own: one that breaks is the trouble of one', async () => {
    let failures = 0;
    await forEachAccount(
      accounts,
      { ...options, isConnectionShared: false },
      () => Promise.reject(new ConnectionLostError('gone')),
      () => {
        failures += 1;
        return Promise.resolve();
      },
    );
    expect(failures).toBe(20);
  });
});

describe('a list of accounts', () => {
  test('is an address and a password on each line', () => {
    const text = '\ufeffjid,password\r\n# a comment\r\nA@X.example,pass,word\r\n';
    expect(() => parseAccounts(text, 'f')).toThrow('f, line 3 is not an address and a password');
    const found = parseAccounts('jid,password\na@x.example,"pass,""word"\n\nb@x.example, s p \n', 'f');
    expect(found.map(({ account, password }) => [account.toString(), password])).toEqual([
      ['a@x.example', 'pass,"word'],
      ['b@x.example', ' s p '],
    ]);
  });

  test.each([
    ['', 'no account'],
    ['a@x.example\n', 'line 1 is not'],
    ['a@x.example,secret\na@x.example,secret\n', 'there twice'],
    ['a@x.example/r,secret\n', 'line 1 does not begin'],
    ['a@x.example,"secret\n', 'line 1 has a quote'],
  ])('%j is none, and no password is in what is said', (text, message) => {
    expect(() => parseAccounts(text, 'f')).toThrow(message);
    try {
      parseAccounts(text, 'f');
    } catch (error) {
      expect(String(error)).not.toContain('secret');
    }
  });
});

describe('what is planned for an account', () => {
  const policy = { existing: 'skip', access: 'keep', dates: 'extended', maxAvatarBytes: 1000 } as const;
  const temp = parseXml("<vCard xmlns='vcard-temp'><FN>New</FN><TITLE>Miss</TITLE></vCard>");

  test.each([
    ['nothing to move', undefined, nodesWith(), policy, 'empty', undefined],
    [
      'a card',
      temp,
      nodesWith(),
      policy,
      'migrated',
      '<fn><text>New</text></fn><title><text>Miss</text></title>',
    ],
    ['a card that is there stays', temp, nodesWith('Old'), policy, 'skipped', undefined],
    [
      'or gets what it lacks',
      temp,
      nodesWith('Old'),
      { ...policy, existing: 'merge' as const },
      'migrated',
      '<fn><text>Old</text></fn><title><text>Miss</text></title>',
    ],
    [
      'or is replaced',
      temp,
      nodesWith('Old'),
      { ...policy, existing: 'overwrite' as const },
      'migrated',
      '<fn><text>New</text></fn><title><text>Miss</text></title>',
    ],
  ])('%s', (_name, card, nodes, how, outcome, inside) => {
    const plan = planAccount({ nodes, temp: card }, 'juliet', how);
    expect(plan.outcome).toBe(outcome);
    expect(plan.card?.children.join('')).toBe(inside);
  });

  test('a picture that is too large is left out, and told', () => {
    const photo = `<PHOTO><TYPE>image/gif</TYPE><BINVAL>R0lGODlhAQABAAAAACw=</BINVAL></PHOTO>`;
    const withPhoto = parseXml(`<vCard xmlns='vcard-temp'><FN>New</FN>${photo}</vCard>`);
    const plan = planAccount({ nodes: nodesWith(), temp: withPhoto }, 'juliet', {
      ...policy,
      maxAvatarBytes: 10,
    });
    expect(plan.avatar).toBeUndefined();
    expect(plan.warnings).toEqual([{ code: 'avatar-large', element: 'PHOTO', value: '14 bytes, left out' }]);
    expect(planAccount({ nodes: nodesWith(), temp: withPhoto }, 'juliet', policy).avatar).toBeDefined();
  });
});

describe('patience', () => {
  const { signal } = new AbortController();
  const refused = (type: 'wait' | 'cancel') =>
    new StanzaError('resource-constraint', type, undefined, undefined, 'x');
  const failing = (times: number, error: Error) => {
    let count = 0;
    return () => {
      count += 1;
      return count <= times ? Promise.reject(error) : Promise.resolve(count);
    };
  };

  test('tries again what may be tried later, and has an end', async () => {
    const pausesMs = [0, 0, 0];
    expect(await withPatience(failing(3, refused('wait')), { signal, pausesMs })).toBe(4);
    await expect(withPatience(failing(4, refused('wait')), { signal, pausesMs })).rejects.toBeInstanceOf(
      StanzaError,
    );
  });

  test('has none for what will not get better', async () => {
    for (const error of [refused('cancel'), new RemoteError('no'), new TimeoutError('late')])
      await expect(withPatience(failing(1, error), { signal, pausesMs: [0] })).rejects.toBe(error);
  });

  test('ends when somebody wants it to', async () => {
    const stop = new AbortController();
    const waiting = withPatience(failing(1, refused('wait')), { signal: stop.signal, pausesMs: [60_000] });
    stop.abort();
    await expect(waiting).rejects.toThrow();
  });
});
