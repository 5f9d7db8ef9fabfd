import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isExportFile, isExportStream } from '../../../../src/lib/vcard/xep0227/detect-export.js';
import { lintExport } from '../../../../src/lib/vcard/xep0227/lint-export.js';
import type { ReadLimits } from '../../../../src/lib/vcard/xep0227/read-export.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-lint-'));
});
afterAll(() => rm(folder, { recursive: true }));

const wrap = (content: string): string =>
  `<server-data xmlns='urn:xmpp:pie:0'><host jid='a.example'>${content}</host></server-data>`;
const once = (text: string): string => Buffer.from(text, 'latin1').toString('base64');
const credentials = (encode: (text: string) => string): string =>
  `<scram-credentials xmlns="urn:xmpp:pie:0#scram" mechanism="SCRAM-SHA-1"><iter-count>4096</iter-count><salt>${encode('salt')}</salt><server-key>${encode('a'.repeat(20))}</server-key><stored-key>${encode('b'.repeat(20))}</stored-key></scram-credentials>`;

async function lint(content: string, limits?: ReadLimits): Promise<string[]> {
  const file = path.join(folder, 'export.xml');
  await writeFile(file, wrap(content));
  const found: string[] = [];
  await lintExport(
    {
      signal: new AbortController().signal,
      onFinding: (account, { severity, code }) => {
        found.push(`${account} ${severity} ${code}`);
        return Promise.resolve();
      },
      onProgress: () => undefined,
    },
    (reader) => reader.readFile(file),
    limits,
  );
  return found;
}

describe('the lint of an export', () => {
  it.each([
    [
      'a contact in a group without a name',
      `<user name='a'><query xmlns='jabber:iq:roster'><item jid='a@b'><group/></item></query></user>`,
      'roster-item',
    ],
    [
      'a picture that locks out of Prosody',
      "<user name='a'><vCard xmlns='vcard-temp'><FN>A</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>!!!</BINVAL></PHOTO></vCard></user>",
      'prosody-lock-out',
    ],
    [
      'credentials encoded twice',
      `<user name='a'>${credentials((text) => once(once(text)))}</user>`,
      'scram-double',
    ],
    [
      'the same in a password',
      `<user name='a' password='scram:${['b', 'a'].map((letter) => once(once(letter.repeat(20)))).join(',')},${once(once('salt'))},4096'/>`,
      'scram-double',
    ],
    ['broken credentials', `<user name='a'>${credentials(() => 'AAAA')}</user>`, 'scram-broken'],
    [
      'a password and credentials',
      `<user name='a' password='x'>${credentials(once)}</user>`,
      'password-and-scram',
    ],
    [
      'a node without items',
      "<user name='a'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'/></pubsub></user>",
      'node-without-items',
    ],
    ['a name that is none', "<user name='a/b'/>", 'bad-account'],
    ['an account that is there twice', "<user name='a'/><user name='A'/>", 'duplicate-account'],
  ])('finds %s', async (_title, content, code) => {
    expect((await lint(content)).filter((line) => line.includes(' refused '))).toEqual([
      expect.stringMatching(new RegExp(`^a(/b)?@a\\.example refused ${code}$`)),
    ]);
  });

  it('has nothing to say of what is well', async () => {
    expect(
      await lint(
        `<user name='a'>${credentials(once)}<vCard xmlns='vcard-temp'><FN>A</FN></vCard></user><user name='b'/>`,
      ),
    ).toEqual([]);
  });
});

describe('contacts', () => {
  it.each([
    'jid="a@b" subscription="bogus"',
    'jid="a@b" subscription=""',
    'jid="a@b" ask="unsubscribe"',
    'jid=""',
    'jid="@b"',
    '',
  ])('at which ejabberd ends its import are found: %s', async (attributes) => {
    const roster = `<query xmlns='jabber:iq:roster'><item jid='ok@b' subscription='both'/><item ${attributes}/></query>`;
    expect(await lint(`<user name='a'>${roster}</user>`)).toEqual(['a@a.example refused roster-item']);
  });
});

describe('an account that includes a file', () => {
  const include = (href: string): string =>
    `<user name='a'><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='${href}'/></user>`;

  it('is looked into with what is in there', async () => {
    await writeFile(path.join(folder, 'tel.xml'), "<vCard xmlns='vcard-temp'><FN>A</FN><TEL/></vCard>");
    expect(await lint(include('tel.xml'))).toContain('a@a.example refused prosody-invalid-item');
    expect(await lint(include('missing.xml'))).toContain('a@a.example refused bad-account');
  });
});

describe('an account that is too large to be held', () => {
  const card = (more: string): string => `<vCard xmlns='vcard-temp'><FN>A</FN><TEL/>${more}</vCard>`;
  const offline = (bytes: number): string => `<offline-messages>${'x'.repeat(bytes)}</offline-messages>`;

  it('is looked into all the same', async () => {
    const content = `<user name='a'>${card('')}${offline(20_000)}${credentials((text) => once(once(text)))}</user><user name='b'>${card('')}</user>`;
    const small = await lint(content);
    expect(small).toContain('a@a.example refused prosody-invalid-item');
    expect(small).toContain('a@a.example refused scram-double');
    expect(await lint(content, { largeBytes: 4096 })).toEqual(small);
  });
});

describe('an export', () => {
  it.each([
    [wrap(''), true],
    [`<?xml version='1.0'?>\n<!-- <x> -->\n<p:server-data xmlns:p='urn:xmpp:pie:0'/>`, true],
    ["<host jid='x' xmlns='http://www.xmpp.org/extensions/xep-0227.html#ns'/>", true],
    ["<vCard xmlns='vcard-temp'/>", false],
    ['<server-data/>', false],
    ['BEGIN:VCARD\r\nVERSION:4.0\r\nFN:A\r\nEND:VCARD\r\n', false],
    ['["vcard", []]', false],
    ['', false],
  ])('is told by its first bytes, and those are put back: %j', async (text, isExport) => {
    for (const pieces of [[text], Array.from(text)]) {
      const stream = Readable.from(
        pieces.filter((piece) => piece !== '').map((piece) => Buffer.from(piece)),
        {
          objectMode: false,
        },
      );
      const told = await isExportStream(stream);
      expect(told.isExport).toBe(isExport);
      let read = '';
      for await (const chunk of told.stream) read += String(chunk);
      expect(read).toBe(text);
    }
    const file = path.join(folder, 'any');
    await writeFile(file, text);
    expect(await isExportFile(file)).toBe(isExport);
  });
});
