/** `send-file` and `receive-file`: from what is typed to what is done, and what is wrong with it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command as receiveCommand } from '../../../src/commands/receive-file.js';
import { command as sendCommand } from '../../../src/commands/send-file.js';
import type { AnyCommandDefinition } from '../../../src/lib/command/definition.js';
import { parseCommand } from '../../../src/lib/command/parse.js';
import type { Context } from '../../../src/lib/context.js';
import { XmppctlError } from '../../../src/lib/errors.js';
import { JID } from '../../../src/lib/jid/jid.js';
import { parseSize } from '../../../src/lib/input/size.js';
import { scriptedPrompt } from '../../support/scripted-prompt.js';

let folder: string;
const before = process.cwd();
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-arguments-'));
  process.chdir(folder);
  await writeFile('a.txt', 'a');
  await writeFile('b.txt', 'b');
  await writeFile('bob@example.org', 'a file that is called like an address');
  await mkdir('dir');
});
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

async function parse(
  definition: unknown,
  args: string[],
  { hasTerminal = false } = {},
): Promise<Record<string, unknown>> {
  const command = definition as AnyCommandDefinition;
  const parsed = parseCommand(command, args, 80);
  if (parsed.kind === 'help') throw new Error('help');
  const context: Partial<Context> = {
    clock: { now: () => Date.parse('2026-01-02T03:04:05Z') },
    prompt: hasTerminal ? scriptedPrompt('yes') : scriptedPrompt(),
    global: parsed.global,
  };
  const options = await command.parse(parsed.args, parsed.flags, context as Context);
  return JSON.parse(
    JSON.stringify(options, (_key, value: unknown) => (value instanceof JID ? value.toString() : value)),
  ) as Record<string, unknown>;
}

async function failure(definition: unknown, args: string[], options = {}): Promise<string> {
  try {
    await parse(definition, args, options);
  } catch (error) {
    if (error instanceof XmppctlError) return `${error.exitCode} ${error.message}`;
    throw error;
  }
  return 'no error';
}

describe('send-file', () => {
  it.each<[string[], unknown[], string[]]>([
    [['a.txt', 'carol@example.org'], [{ kind: 'path', path: 'a.txt' }], ['carol@example.org']],
    [
      ['a.txt', 'dir', 'carol@example.org', 'dave@example.org/phone'],
      [
        { kind: 'path', path: 'a.txt' },
        { kind: 'folder', path: 'dir' },
      ],
      ['carol@example.org', 'dave@example.org/phone'],
    ],
    [['-', 'xmpp:carol@example.org?sendfile'], [{ kind: 'stdin' }], ['carol@example.org']],
    [
      ['--to', 'example.org', 'a.txt', '-'],
      [{ kind: 'path', path: 'a.txt' }, { kind: 'stdin' }],
      ['example.org'],
    ],
    [
      ['bob@example.org', '--to', 'carol@example.org'],
      [{ kind: 'path', path: 'bob@example.org' }],
      ['carol@example.org'],
    ],
    [
      ['./bob@example.org', 'carol@example.org'],
      [{ kind: 'path', path: './bob@example.org' }],
      ['carol@example.org'],
    ],
    [
      ['a.txt', 'carol@example.org', 'CAROL@example.org'],
      [{ kind: 'path', path: 'a.txt' }],
      ['carol@example.org'],
    ],
  ])('%j', async (args, files, to) => {
    expect(await parse(sendCommand, args)).toMatchObject({ files, to });
  });

  it('has sensible defaults', async () => {
    expect(await parse(sendCommand, ['a.txt', 'carol@example.org'])).toEqual({
      files: [{ kind: 'path', path: 'a.txt' }],
      to: ['carol@example.org'],
      told: {},
      isRecursive: false,
      isWaiting: false,
      isStrict: false,
      acceptTimeoutMs: 120_000,
      way: { transport: 'auto', usesDirect: true, usesProxies: true, usesUploads: true, addresses: [] },
    });
  });

  it('takes everything that can be said', async () => {
    const args =
      'a.txt carol@example.org --name n --type text/x --desc d --date 2026-01-01T00:00:00Z --wait --strict';
    const ways = '--transport s5b --no-proxy --s5b-address [::1]:77 --s5b-address host --answer-within 5m';
    expect(await parse(sendCommand, `${args} ${ways} --block-size 1000`.split(' '))).toMatchObject({
      told: { name: 'n', mediaType: 'text/x', description: 'd', date: '2026-01-01T00:00:00.000Z' },
      isWaiting: true,
      isStrict: true,
      acceptTimeoutMs: 300_000,
      way: {
        transport: 's5b',
        usesProxies: false,
        usesUploads: false,
        addresses: [{ host: '::1', port: 77 }, { host: 'host' }],
        port: 77,
        blockBytes: 1000,
      },
    });
  });

  it.each([
    [[], '2 nothing to send, and nobody to send it to'],
    [['a.txt'], '2 nobody to send it to'],
    [['carol@example.org'], '2 no file to send; - stands for standard input'],
    [['a.txt', 'bob@example.org'], '2 bob@example.org is an address and also the name of a file here'],
    [['carol@example.org', 'a.txt', 'dave@example.org'], '2 carol@example.org is an address among the files'],
    [['missing', 'carol@example.org'], '7 there is no file missing'],
    [['-', '-', 'carol@example.org'], '2 - can be given only once'],
    [
      ['-', 'carol@example.org', 'dave@example.org'],
      '2 what is piped in can be read only once, so it can go to one recipient',
    ],
    [['a.txt', 'b.txt', 'carol@example.org', '--name', 'x'], '2 --name is for a single file'],
    [['-r', 'dir', 'carol@example.org', '--name', 'x'], '2 --name is for a single file'],
    [
      ['a.txt', 'carol@example.org', '--transport', 'pigeon'],
      '2 --transport takes auto, s5b, ibb, upload, not pigeon',
    ],
    [
      ['a.txt', 'carol@example.org', '--transport', 'upload', '--no-upload'],
      '2 --transport upload and --no-upload exclude each other',
    ],
    [
      ['a.txt', 'carol@example.org', '--transport', 's5b', '--no-direct', '--no-proxy'],
      '2 --transport s5b with --no-direct and --no-proxy leaves no way',
    ],
    [
      ['a.txt', 'carol@example.org', '--block-size', '70000'],
      '2 --block-size takes a number of bytes from 1 to 65535, not 70000',
    ],
    [
      ['a.txt', 'carol@example.org', '--s5b-address', 'a:b:c'],
      '2 --s5b-address takes a host, or a host and a port, not a:b:c',
    ],
    [['a.txt', 'carol@example.org', '--date', 'yesterday'], '2 --date takes a time or none, not yesterday'],
    [
      ['a.txt', 'carol@example.org', '--type', 'text'],
      '2 --type takes a media type such as text/plain, not text',
    ],
    [['a.txt', 'carol@example.org', '--name', 'a\u0001'], '2 --name contains U+0001, which XML cannot carry'],
    [
      ['a.txt', 'carol@example.org', '--answer-within', 'soon'],
      '2 --answer-within takes a duration such as 90s or 5m, not soon',
    ],
  ])('%j is refused', async (args, message) => {
    expect(await failure(sendCommand, args)).toBe(message);
  });
});

describe('receive-file', () => {
  it.each<[string[], Record<string, unknown>]>([
    [['--from', 'a@example.org'], { from: ['a@example.org'], target: { kind: 'folder', path: '.' } }],
    [
      ['--contacts', '--dir', 'in', '--count', '3'],
      { areContactsTaken: true, target: { kind: 'folder', path: 'in' }, count: 3 },
    ],
    [['--from', 'a@b', '-o', '-'], { target: { kind: 'stdout' }, count: 1 }],
    [['--from', 'a@b', '-o', 'x'], { target: { kind: 'file', path: 'x' }, count: 1 }],
    [['--from', 'a@b', '--once', '--max-size', '1.5M'], { count: 1, maxSizeBytes: 1_572_864 }],
    [['--from', 'a@b', '--exec', 'lp "$1"', '--priority', '-5'], { exec: 'lp "$1"', priority: -5 }],
  ])('%j', async (args, options) => {
    expect(await parse(receiveCommand, args)).toMatchObject(options);
  });

  it('asks at a terminal, so that nobody has to be named', async () => {
    expect(await parse(receiveCommand, ['--strangers'], { hasTerminal: true })).toMatchObject({
      from: [],
      mayStrangersAsk: true,
    });
  });

  it.each([
    [[], '2 whose files shall be taken? Without a terminal nobody can be asked'],
    [['--from', 'a@b', '--strangers'], '2 --strangers asks at a terminal, and there is none'],
    [['--from', 'a@b', '-o', '-', '--json'], '2 -o - and --json both want standard output'],
    [['--from', 'a@b', '-o', '-', '--exec', 'x'], '2 -o - stores no file that --exec could be run for'],
    [['--from', 'a@b', '-o', 'x', '--dir', 'y'], '2 --output and --dir exclude each other'],
    [
      ['--from', 'a@b', '-o', 'x', '--count', '2'],
      '2 --output is for one file, so there is nothing to count',
    ],
    [['--from', 'a@b', '--once', '--count', '2'], '2 --once and --count exclude each other'],
    [['--from', 'a@b', '--count', '0'], '2 --count takes a whole number of 1 or more, not 0'],
    [['--from', 'a@b', '--max-size', 'big'], '2 --max-size takes a size such as 500k or 20M, not big'],
  ])('%j is refused', async (args, message) => {
    expect(await failure(receiveCommand, args)).toBe(message);
  });
});

it.each([
  ['0', 0],
  ['1000', 1000],
  ['64k', 65_536],
  ['1.5 MiB', 1_572_864],
  ['2GB', 2_147_483_648],
  ['', undefined],
  ['-1', undefined],
  ['1e9', undefined],
  ['99999999T', undefined],
])('the size %j', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});
