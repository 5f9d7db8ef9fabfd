import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileError } from '../../../../src/lib/errors.js';
import { findExportFiles } from '../../../../src/lib/vcard/xep0227/find-export.js';
import {
  ExportReader,
  type AccountSink,
  type ReadLimits,
} from '../../../../src/lib/vcard/xep0227/read-export.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-export-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function put(name: string, content: string | Buffer): Promise<string> {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

interface Collected {
  accounts: string[];
  /** Accounts that were too large for a batch: what was passed on, and the elements that may be changed. */
  large: { name: string; passed: string; children: string[]; failure: string | undefined }[];
  hosts: string[];
  foreign: string[];
}

async function collect(
  read: (reader: ExportReader) => Promise<void>,
  limits?: ReadLimits,
): Promise<Collected> {
  const collected: Collected = { accounts: [], large: [], hosts: [], foreign: [] };
  const sink: AccountSink = {
    isSated: false,
    accepts: () => true,
    take: (bytes) => Buffer.alloc(bytes),
    batch: ({ bytes, accounts }) => {
      for (const { host, start, end } of accounts)
        collected.accounts.push(`${host} ${bytes.toString('utf8', start, end)}`);
      return Promise.resolve();
    },
    large: ({ name }, startTag) => {
      const passed: Buffer[] = [startTag];
      const children: string[] = [];
      return Promise.resolve({
        write: (bytes) => {
          passed.push(Buffer.from(bytes));
          return Promise.resolve();
        },
        child: (bytes) => children.push(bytes.toString()),
        end: (failure) => {
          collected.large.push({ name, passed: Buffer.concat(passed).toString(), children, failure });
          return Promise.resolve();
        },
      });
    },
    host: (jid) => collected.hosts.push(jid),
    foreign: (name) => collected.foreign.push(name),
    progress: () => undefined,
  };
  await read(new ExportReader(sink, new AbortController().signal, limits));
  return collected;
}

const readFile = (file: string, limits?: ReadLimits) => collect((reader) => reader.readFile(file), limits);

async function refusal(file: string): Promise<string> {
  const error: unknown = await readFile(file).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof FileError) return error.message.replaceAll(folder, '');
  throw error instanceof Error ? error : new Error('nothing was wrong');
}

const xi = "xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'";
const single = (content: string): string =>
  `<server-data xmlns='urn:xmpp:pie:0'><host jid='a.example'>${content}</host></server-data>`;

describe('ExportReader', () => {
  it('reads what ejabberd exports: a main file that includes a file for each host', async () => {
    const main = await put(
      'ejabberd/20230101-000000.xml',
      `<?xml version='1.0' encoding='UTF-8'?><server-data ${xi}><xi:include href='20230101-000000_a_example.xml'/><xi:include href='b.xml'/></server-data>`,
    );
    await put(
      'ejabberd/20230101-000000_a_example.xml',
      `<?xml version='1.0' encoding='UTF-8'?><host ${xi} jid='a.example'><user name='alice' password='x'/><user name='bob'/></host>`,
    );
    await put('ejabberd/b.xml', `<host ${xi} jid='b.example'/>`);
    const { accounts, hosts } = await readFile(main);
    expect(accounts).toEqual(["a.example <user name='alice' password='x'/>", "a.example <user name='bob'/>"]);
    expect(hosts).toEqual(['a.example', 'b.example']);
    expect(await findExportFiles(path.dirname(main))).toEqual([main]);
  });

  it('reads a file for each account, as the specification proposes it', async () => {
    const main = await put(
      'split/main.xml',
      `<server-data ${xi}><xi:include href='capulet.com.xml'/><xi:include href='b.xml'/></server-data>`,
    );
    await put(
      'split/capulet.com.xml',
      `<host ${xi} jid='capulet.com'><xi:include href='capulet.com/juliet.xml'/><xi:include href='capulet.com/j%C3%B6.xml'/></host>`,
    );
    await put('split/capulet.com/juliet.xml', "<user xmlns='urn:xmpp:pie:0' name='juliet'/>");
    await put('split/capulet.com/jö.xml', "<user xmlns='urn:xmpp:pie:0' name='jö'/>");
    await put('split/b.xml', `<host ${xi} jid='b'><user name='b'/></host>`);
    const { accounts } = await readFile(main);
    expect(accounts).toEqual([
      "capulet.com <user xmlns='urn:xmpp:pie:0' name='juliet'/>",
      "capulet.com <user xmlns='urn:xmpp:pie:0' name='jö'/>",
      "b <user name='b'/>",
    ]);
  });

  it('follows includes below the folder of the first file only', async () => {
    await put('outside.xml', `<host ${xi} jid='x'/>`);
    await symlink(path.join(folder, 'outside.xml'), path.join(folder, 'ejabberd', 'link.xml'));
    const including = (href: string) =>
      put('ejabberd/bad.xml', `<server-data ${xi}><xi:include href='${href}'/></server-data>`);
    for (const href of ['../outside.xml', 'link.xml', '..%2Foutside.xml', '../../../../etc/shadow'])
      expect(await refusal(await including(href)), href).toContain(
        'it is outside of the folder of the first file',
      );
    for (const href of ['file:///etc/passwd', 'http://127.0.0.1/', '/etc/passwd', 'b.xml#x', 'b.xml?x'])
      expect(await refusal(await including(href)), href).toContain('by a relative path');
    expect(await refusal(await including('nothing.xml'))).toContain('there is no such file');
    expect(await refusal(await including('bad.xml'))).toContain('it includes itself again');
    await put('ejabberd/one.xml', `<host ${xi} jid='x'><xi:include href='two.xml'/></host>`);
    await put('ejabberd/two.xml', `<host ${xi} jid='x'><xi:include href='one.xml'/></host>`);
    expect(await refusal(await including('one.xml'))).toMatch(
      /its root is <host\/> in urn:xmpp:pie:0, where <user\/>/,
    );
  });

  it('includes nothing into a stream', async () => {
    const text = `<server-data ${xi}><xi:include href='b.xml'/></server-data>`;
    await expect(
      collect((reader) => reader.readStream(Readable.from([Buffer.from(text)]), 'stdin')),
    ).rejects.toThrow(/from a stream nothing is included/);
  });

  it('reads a stream in whatever pieces it comes', async () => {
    const bytes = Buffer.from(single("<user name='alice'>é漢😀</user>"));
    const { accounts } = await collect((reader) =>
      reader.readStream(Readable.from([...bytes].map((byte) => Buffer.from([byte]))), 'stdin'),
    );
    expect(accounts).toEqual(["a.example <user name='alice'>é漢😀</user>"]);
  });

  it.each([
    [
      'UTF-16 with a mark',
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(single("<user name='é😀'/>"), 'utf16le')]),
    ],
    [
      'big-endian UTF-16',
      Buffer.concat([
        Buffer.from([0xfe, 0xff]),
        Buffer.from(single("<user name='é😀'/>"), 'utf16le').swap16(),
      ]),
    ],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${single("<user name='é😀'/>")}`)],
  ])('reads %s', async (_title, bytes) => {
    const { accounts } = await readFile(await put('encoded.xml', bytes));
    expect(accounts).toEqual(["a.example <user name='é😀'/>"]);
  });

  it.each([
    [
      'Latin-1 that does not say so',
      Buffer.from(single("<user name='bj\u00f6rn'/>"), 'latin1'),
      `byte ${single('').indexOf('</host') + 15}: there are bytes that are not UTF-8`,
    ],
    [
      'Latin-1 that says so',
      Buffer.from(`<?xml version='1.0' encoding='ISO-8859-1'?>${single('')}`),
      'the encoding ISO-8859-1',
    ],
    ['UTF-32', Buffer.from('0000003c', 'hex'), 'in an encoding that is not read'],
    [
      'half a character of UTF-16',
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<\ud800', 'utf16le')]),
      'not UTF-16',
    ],
    [
      'a control character',
      Buffer.from(single("<user name='a'>x\u001by</user>")),
      `byte ${single('').indexOf('</host') + 17}: there is the character U+001B`,
    ],
    ['U+FFFF', Buffer.from(single("<user name='a'>x\uffffy</user>")), 'the character U+FFFF'],
    ['a character that is not complete', Buffer.from(`${single('')}\u00e9`).subarray(0, -1), 'not UTF-8'],
  ])('refuses %s, and says where', async (_title, bytes, message) => {
    const text = await refusal(await put('bad.xml', bytes));
    expect(text).toContain(message);
  });

  it('names the account in which the input ends', async () => {
    const file = await put('cut.xml', single("<user name='alice'/><user name='bob'><vCard").slice(0, -21));
    expect(await refusal(file)).toMatch(
      /^\/cut\.xml is broken at byte \d+, in the account bob@a\.example: it ends/,
    );
    const between = await put('between.xml', single("<user name='alice'/>").slice(0, -21));
    expect(await refusal(between)).toMatch(/behind the account alice@a\.example/);
  });

  it('passes on an account of any size without holding it', async () => {
    const message = `<message xmlns='jabber:client'><body>${'x'.repeat(500)} &amp; <![CDATA[</user>]]></body></message>`;
    const content = `<archive xmlns='urn:xmpp:pie:0#mam'>${message.repeat(2000)}</archive>`;
    const card = "<vCard xmlns='vcard-temp'><FN>A</FN></vCard>";
    const file = await put(
      'large.xml',
      single(
        `<user name='small'/><user name='alice'> ${content}${card}<!-- no --><x/>\n</user><user name='bob'/>`,
      ),
    );
    const { accounts, large } = await readFile(file, { largeBytes: 64 * 1024 });
    expect(accounts.map((account) => account.slice(0, 30))).toEqual([
      "a.example <user name='small'/>",
      "a.example <user name='bob'/>",
    ]);
    expect(large).toEqual([
      { name: 'alice', passed: `<user name='alice'> ${content}<x/>\n`, children: [card], failure: undefined },
    ]);
  });

  it('does not convert a card that is larger than anybody has', async () => {
    const card = `<vCard xmlns='vcard-temp'><DESC>${'x'.repeat(3_000_000)}</DESC></vCard>`;
    const file = await put('large-card.xml', single(`<user name='alice'>${card}</user>`));
    const { large } = await readFile(file, { largeBytes: 64 * 1024, childBytes: 1_000_000 });
    expect(large.map(({ passed, children, failure }) => [passed.length, children.length, failure])).toEqual([
      [card.length + 19, 0, 'what of it may be changed is larger than 1000000 bytes'],
    ]);
  });

  it('holds no more of an account with a thousand cards', async () => {
    const card = `<vCard xmlns='vcard-temp'><DESC>${'x'.repeat(3000)}</DESC></vCard>`;
    const file = await put('many-cards.xml', single(`<user name='alice'>${card.repeat(1000)}</user>`));
    const { large } = await readFile(file, { largeBytes: 64 * 1024, childBytes: 100_000 });
    const held = Math.floor(100_000 / card.length);
    expect(large.map(({ passed, children, failure }) => [passed.length, children.length, failure])).toEqual([
      [card.length * (1000 - held) + 19, held, 'what of it may be changed is larger than 100000 bytes'],
    ]);
  });

  it('finds the accounts of a folder as Prosody writes them, host by host', async () => {
    for (const name of ['bob@b.example', 'alice@b.example', 'zoe@a.example'])
      await put(`prosody/${name}.xml`, single(''));
    const files = await findExportFiles(path.join(folder, 'prosody'));
    expect(files.map((file) => path.basename(file))).toEqual([
      'zoe@a.example.xml',
      'alice@b.example.xml',
      'bob@b.example.xml',
    ]);
  });
});
