/** `vcard convert` and `vcard lint` as processes. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const vcf = 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Juliet Capulet\r\nCLASS:PUBLIC\r\nEND:VCARD\r\n';
const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');

describe('xmppctl vcard convert', () => {
  const home = useTemporaryHome();

  it('is a filter: the card on stdout, what it lost on stderr', async () => {
    expect(await runXmppctl(['vcard', 'convert', '--to', 'vcard-temp'], { input: vcf })).toMatchObject({
      code: 0,
      stdout: '<vCard xmlns="vcard-temp">\n  <FN>Juliet Capulet</FN>\n</vCard>\n',
      stderr: 'warning: CLASS: dropped (PUBLIC)\n',
    });
  });

  it('reads a file, and writes text with the line ends of RFC 6350', async () => {
    const file = await home.write(
      'a.xml',
      `<?xml version='1.0'?>\n<vCard xmlns='vcard-temp'><FN>Jülie</FN></vCard>`,
    );
    expect(await runXmppctl(['vcard', 'convert', file, '--to', 'vcf'])).toMatchObject({
      code: 0,
      stdout: 'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Jülie\r\nEND:VCARD\r\n',
      stderr: '',
    });
  });

  it('writes one document for several cards', async () => {
    const { stdout } = await runXmppctl(['vcard', 'convert', '--to', 'jcard'], { input: vcf + vcf });
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect((await runXmppctl(['vcard', 'convert', '--to', 'vcard4'], { input: vcf + vcf })).stdout).toMatch(
      /^<vcards xmlns="urn:ietf:params:xml:ns:vcard-4.0">/,
    );
  });

  it('tells everything as JSON', async () => {
    const { stdout, stderr } = await runXmppctl(['vcard', 'convert', '--to', 'vcard4', '--json'], {
      input: vcf,
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      from: 'vcf3',
      to: 'vcard4',
      card: '<vcard xmlns="urn:ietf:params:xml:ns:vcard-4.0"><fn><text>Juliet Capulet</text></fn></vcard>',
      warnings: [{ code: 'dropped', element: 'CLASS', value: 'PUBLIC' }],
    });
  });

  it.each([
    [['--to', 'vcard4'], 'hello', 2, 'the input is no card'],
    [['--to', 'vcard4'], '', 2, 'the input is empty'],
    [['--to', 'vcard4', '--from', 'jcard'], vcf, 2, 'not JSON'],
    [['--to', 'vcard4'], Uint8Array.of(0xff, 0xfe, 0x41), 2, 'not UTF-8'],
    [['--to', 'nonsense'], vcf, 2, 'nonsense'],
    [[], vcf, 2, '--to'],
    [['--to', 'vcf', '/nonexistent.xml'], '', 7, 'cannot read /nonexistent.xml'],
    [['--to', 'vcard4'], "<vCard xmlns='vcard-temp'/>", 1, 'nothing in the card'],
  ])('%j with %j ends in one line', async (args, input, code, message) => {
    const result = await runXmppctl(['vcard', 'convert', ...args], { input });
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });

  it('is quiet about a closed pipe', async () => {
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      `printf '%s' "$1" | "$2" "$3" vcard convert --to vcard4 | true; echo done`,
      'sh',
      vcf,
      process.execPath,
      binary,
    ]);
    expect(stdout).toBe('done\n');
  });
});

describe('xmppctl vcard avatar', () => {
  it('is a group within a group', async () => {
    expect(await runXmppctl(['vcard', 'avatar'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'xmppctl: vcard avatar needs one of: get, set, clear (see xmppctl vcard avatar --help)\n',
    });
    expect((await runXmppctl(['vcard', 'avatar', '--help'])).stdout).toContain(
      'xmppctl vcard avatar <command>',
    );
  });
});

describe('xmppctl vcard lint', () => {
  it('says what locks an account out, and ends with 1', async () => {
    const input = "<vCard xmlns='vcard-temp'><FN>J</FN><PHOTO><BINVAL>!</BINVAL></PHOTO></vCard>";
    const { code, stdout, stderr } = await runXmppctl(['vcard', 'lint', '--json'], { input });
    expect(code).toBe(1);
    const findings = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { code: string; severity: string });
    expect(findings.map((finding) => [finding.severity, finding.code])).toEqual([
      ['refused', 'prosody-lock-out'],
      ['lost', 'bad-base64'],
    ]);
    expect(stderr).toContain('2 things are lost or refused');
  });

  it('ends with 0 when nothing is lost', async () => {
    const input = "<vCard xmlns='vcard-temp'><FN>J</FN><BDAY>soon</BDAY></vCard>";
    const { code, stdout } = await runXmppctl(['vcard', 'lint'], { input });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^changed BDAY: .* \(soon\) \[bday-text\]\n {2}write it as YYYY-MM-DD\n$/);
  });
});

describeOnEachServer('xmppctl vcard', (server) => {
  const home = useTemporaryHome();
  const as = (name: string, args: readonly string[], input?: string | Uint8Array) =>
    runXmppctl(args, {
      env: { ...home.env, ...environmentOf(server.sandbox, name) },
      ...(input !== undefined && { input }),
    });
  const address = (name: string) => server.sandbox.accounts[name]?.jid ?? '';
  const picture = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64',
  );

  it('publishes a card, changes parts of it, and others read it', async () => {
    expect(await as('carol', ['vcard', 'get'])).toMatchObject({ code: 1, stdout: '' });
    const card =
      'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Carol \u202egnp\r\nGEO:geo:1,2\r\nEMAIL;TYPE=work:c@example.org\r\nEND:VCARD\r\n';
    expect(await as('carol', ['vcard', 'set', '-'], card)).toMatchObject({ code: 0, stdout: '' });
    expect(await as('bob', ['vcard', 'get', address('carol'), '--format', 'vcf'])).toMatchObject({
      code: 0,
      stdout: card,
    });
    const changed = await as('carol', ['vcard', 'set', '--set', 'fn=Carol C', '--remove', 'email', '--json']);
    expect(JSON.parse(changed.stdout)).toMatchObject({ jid: address('carol'), avatar: null });
    expect(await as('bob', ['vcard', 'get', address('carol')])).toMatchObject({
      code: 0,
      stdout: 'geo\t\t1,2\nfn\t\tCarol C\n',
    });
    const shown = JSON.parse((await as('carol', ['vcard', 'get', '--json'])).stdout) as unknown;
    expect(shown).toMatchObject({
      source: 'vcard4',
      card: [
        'vcard',
        [
          ['version', {}, 'text', '4.0'],
          ['geo', {}, 'uri', 'geo:1,2'],
          ['fn', {}, 'text', 'Carol C'],
        ],
      ],
    });
    // An old client sees it, too.
    expect((await as('bob', ['vcard', 'get', address('carol'), '--source', 'vcard-temp'])).stdout).toContain(
      'fn\t\tCarol C\n',
    );
  });

  it('looks at the cards of an account', async () => {
    expect(await as('alice', ['vcard', 'lint', address('alice')])).toMatchObject({ code: 1, stdout: '' });
    await as('alice', ['vcard', 'set', '-'], 'BEGIN:VCARD\nVERSION:4.0\nFN:Alice\nGENDER:M\nEND:VCARD\n');
    const { code, stdout } = await as('bob', ['vcard', 'lint', address('alice'), '--json']);
    expect(code).toBe(1);
    const findings = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { format: string; code: string; element: string });
    expect(findings.filter(({ format }) => format === 'vcard4')).toMatchObject([
      { code: 'dropped', element: 'gender' },
    ]);
  });

  it('publishes a picture, saves it byte for byte, and takes it away', async () => {
    const file = path.join(home.dir, 'me.png');
    await writeFile(file, picture);
    expect(await as('alice', ['vcard', 'avatar', 'set', file])).toMatchObject({ code: 0, stdout: '' });
    const saved = path.join(home.dir, 'saved.png');
    expect(await as('bob', ['vcard', 'avatar', 'get', address('alice'), '-o', saved])).toMatchObject({
      code: 0,
    });
    expect(await readFile(saved)).toEqual(picture);
    expect(await as('bob', ['vcard', 'avatar', 'get', address('alice')])).toMatchObject({
      code: 0,
      stdout: 'image/png, 70 B, 1 × 1, c7a9c45fd419815a5ab1998503a9f03514c0e229\n',
    });
    expect(await as('alice', ['vcard', 'avatar', 'clear'])).toMatchObject({ code: 0 });
    expect(await as('alice', ['vcard', 'avatar', 'get'])).toMatchObject({ code: 1 });
  });

  it.each([
    [['vcard', 'avatar', 'set', '-'], Buffer.from('no picture'), 2, 'is no picture'],
    [
      ['vcard', 'avatar', 'set', '-'],
      Buffer.concat([picture.subarray(0, 8), Buffer.alloc(400_000)]),
      5,
      'more than the server takes',
    ],
    [['vcard', 'avatar', 'set', '/nonexistent'], '', 7, 'cannot read /nonexistent'],
    [['vcard', 'avatar', 'get', '-o', '/nonexistent/x'], '', 1, 'no picture'],
    [['vcard', 'set', '-'], 'nonsense', 2, 'no card'],
    [['vcard', 'set', '--set', 'note=x'], '', 2, 'needs a name'],
    [['vcard', 'set'], '', 2, 'nothing to set'],
    [['vcard', 'get', 'nobody@sandbox.localhost'], '', 1, 'has no card'],
  ])('%j ends in one line', async (args, input, code, message) => {
    const result = await as('bob', args, input);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(result.stderr).toContain(message);
  });
});
