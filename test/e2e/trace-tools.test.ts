/** What analyses traces, as it is typed: real recordings, files that are wrong, pipes that close, and the page in a browser. */
import { spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rules } from '../../src/lib/trace-analysis/findings.js';
import { encodeRecord } from '../../src/lib/trace/record.js';
import { environmentOf } from '../support/as-account.js';
import { openPage, type Page } from '../support/chromium.js';
import {
  header,
  login,
  managed,
  nest,
  recordTrace,
  traceText,
  type Line,
} from '../support/recorded-trace.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-trace-tools-'));
  file = path.join(folder, 'a.trace');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const record = (...connections: readonly (readonly Line[])[]): Promise<void> =>
  writeFile(file, traceText(recordTrace(...connections)));
const inFolder = (name: string): string => path.join(folder, name);
const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const words = ['lint', 'stats', 'anonymise', 'export'] as const;
const unanswered: Line = "→<iq type='get' id='q1' to='bob@b.org'><ping xmlns='urn:xmpp:ping'/></iq>";

describeOnEachServer('a recorded stream', (server) => {
  it('is free of findings, is counted, compared, anonymised and exported', async () => {
    const env = environmentOf(server.sandbox, 'alice');
    for (const name of ['a.trace', 'b.trace'])
      expect(await runXmppctl(['ping', `--trace=${inFolder(name)}`], { env })).toMatchObject({
        code: 0,
        stderr: '',
      });

    const linted = await runXmppctl(['trace', 'lint', file, inFolder('b.trace'), '--quiet']);
    expect(linted).toMatchObject({ code: 0, stdout: '', stderr: '' });

    const [stats] = jsonLines((await runXmppctl(['trace', 'stats', file, '--json'])).stdout);
    expect(stats).toMatchObject({
      file,
      missing: 0,
      connections: [{ conn: 1, phases: { boundMs: expect.any(Number) as number } }],
    });

    expect(await runXmppctl(['trace', 'diff', file, inFolder('b.trace'), '-q'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });

    const anonymous = inFolder('anonymous.trace');
    expect(await runXmppctl(['trace', 'anonymise', file, '-o', anonymous])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    const text = await readFile(anonymous, 'utf8');
    expect(text).not.toMatch(/alice|sandbox\.localhost/i);
    expect((await stat(anonymous)).mode & 0o777).toBe(0o600);
    const shown = await runXmppctl(['trace', 'show', anonymous]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^\* connection 1: c2s user1@domain1\.example$/m);
    expect(shown.stdout).toMatch(/round trip/);
    expect(await runXmppctl(['trace', 'lint', anonymous, '-q'])).toMatchObject({ code: 0, stdout: '' });

    const exported = await runXmppctl(['trace', 'export', anonymous, '--format', 'json']);
    const { log } = JSON.parse(exported.stdout) as { log: { entries: unknown[]; connections: unknown[] } };
    expect(log.connections).toHaveLength(1);
    expect(log.entries.length).toBeGreaterThan(10);
  });
});

describe('trace lint', () => {
  it('prints a line for each finding and ends with 1', async () => {
    await record([...login, unanswered]);
    const { code, stdout, stderr } = await runXmppctl(['trace', 'lint', file]);
    expect(stdout).toBe(
      `${file}: connection 1: record 10: get q1 (ping of urn:xmpp:ping) to bob@b.org was never answered [iq.unanswered] (RFC 6120 §8.2.3)\n`,
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'xmppctl: 1 thing is not as it should be\n' });
    expect(jsonLines((await runXmppctl(['trace', 'lint', file, '--json'])).stdout)).toMatchObject([
      { file, code: 'iq.unanswered', conn: 1, records: [10], spec: 'RFC 6120 §8.2.3' },
    ]);
    expect((await runXmppctl(['trace', 'lint', file, '--ignore', 'iq.unanswered'])).code).toBe(0);
  });

  it('lists what it can find', async () => {
    const { code, stdout } = await runXmppctl(['trace', 'lint', '--list']);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(Object.keys(rules).length);
  });

  it('says which lines are no records, and goes on', async () => {
    const [first = '', ...rest] = traceText(recordTrace([...login, unanswered])).split('\n');
    await writeFile(file, [first, '{"kind":', ...rest].join('\n'));
    const { code, stdout } = await runXmppctl(['trace', 'lint', file]);
    expect(code).toBe(1);
    expect(stdout).toContain(`${file}: line 2: not JSON [trace.damaged]`);
    expect(stdout).toContain('[iq.unanswered]');
  });

  it('lets nothing hostile reach a terminal', async () => {
    await record([...login, "→<message type='\u001b[2J\u202e' to='b@c'/>"]);
    const { stdout } = await runXmppctl(['trace', 'lint', file]);
    expect(stdout).toContain('a message of type ␛[2J\\u{202e}');
  });

  it.each([
    [['trace', 'lint'], 'which trace?'],
    [['trace', 'lint', '--list', 'x'], '--list reads no trace'],
    [['trace', 'lint', 'x', '--ignore', 'iq.nonsense'], '--ignore does not know iq.nonsense'],
    [['trace', 'lint', '-', '-'], 'stdin can be read only once'],
    [['trace', 'anonymise', 'x', '--keep-domain', 'a@b'], '--keep-domain takes a domain'],
    [['trace', 'anonymise', 'x', '-o', 'x'], 'the trace would be overwritten while it is read'],
    [['trace', 'show', '-', '--follow'], '--follow is for a file'],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await runXmppctl(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('files that are wrong', () => {
  it.each(words)('trace %s says what is wrong with a file', async (word) => {
    expect(await runXmppctl(['trace', word, inFolder('none')])).toMatchObject({
      code: 7,
      stderr: expect.stringMatching(/^xmppctl: cannot read the trace .*none: /) as string,
    });
    await writeFile(file, 'root:x:0:0\n');
    expect(await runXmppctl(['trace', word, file])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not a trace') as string,
    });
  });

  it.each(words.slice(1))('trace %s names the damaged line', async (word) => {
    await writeFile(file, `${encodeRecord(header)}{"kind":"data"}\n`);
    const { code, stderr } = await runXmppctl(['trace', word, file]);
    expect(code).toBe(7);
    expect(stderr).toContain(`${file}:2: a data record needs`);
  });

  it.each([...words, 'show'])('trace %s bears elements that are nested to hurt', async (word) => {
    await record([...login, `→${nest(100_000)}`]);
    const { code, stderr } = await runXmppctl(['trace', word, file]);
    expect([0, 1]).toContain(code);
    expect(stderr).not.toMatch(/bug|stack/i);
  });

  it('a result is not there before all of it is', async () => {
    await writeFile(file, `${encodeRecord(header)}{"kind":"data"}\n`);
    for (const word of ['anonymise', 'export'])
      expect((await runXmppctl(['trace', word, file, '-o', inFolder('out')])).code).toBe(7);
    expect((await readdir(inFolder('.'))).filter((name) => name.startsWith('out'))).toEqual([]);
    await record(login);
    const { code, stderr } = await runXmppctl(['trace', 'export', file, '-o', inFolder('no/such/folder')]);
    expect({ code, stderr }).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('cannot write') as string,
    });
  });

  it('ends quietly when its reader has seen enough', async () => {
    await record([...login, ...Array.from({ length: 20_000 }, (): Line => '→<message><shout/></message>')]);
    for (const words of ['lint', 'anonymise', 'export --format md']) {
      const { stdout, stderr } = spawnSync(
        'bash',
        [
          '-c',
          `"$0" "$1" trace ${words} "$2" | head -n 1 > /dev/null; echo "\${PIPESTATUS[0]}"`,
          process.execPath,
          binary,
          file,
        ],
        { encoding: 'utf8' },
      );
      expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' });
    }
  });
});

describe('trace diff', () => {
  it('prints what differs and ends with 1', async () => {
    await record([...managed, '→<presence/>']);
    await writeFile(
      inFolder('b.trace'),
      traceText(recordTrace([...managed, '→<presence><show>away</show></presence>', unanswered])),
    );
    const { code, stdout, stderr } = await runXmppctl(['trace', 'diff', file, inFolder('b.trace')]);
    expect(stdout).toBe(
      [
        '- record 12 →: presence',
        '+ record 12 →: presence {jabber:client}show',
        '+ record 13 →: iq get {urn:xmpp:ping}ping',
        '',
      ].join('\n'),
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'xmppctl: the traces differ in 3 places\n' });
    const { stdout: json } = await runXmppctl(['trace', 'diff', file, inFolder('b.trace'), '--json']);
    expect(jsonLines(json)[2]).toMatchObject({ kind: 'only', only: 'b', conn: 1, dir: 'out', n: 13 });
  });
});

describe('trace show --follow', () => {
  it('goes on while the file is written, until it is told to stop', async () => {
    await record(login.slice(0, 2));
    const running = startXmppctl(['trace', 'show', '--follow', file]);
    await running.waitFor('stdout', /<stream:features>/);
    const more = {
      n: 9,
      t: 9,
      conn: 1,
      kind: 'data',
      dir: 'in',
      text: '<message><body>late</body></message>',
    } as const;
    const line = encodeRecord(more);
    await appendFile(file, line.slice(0, 30));
    await appendFile(file, line.slice(30));
    await running.waitFor('stdout', /late/);
    running.child.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 130, stderr: '' });
  });
});

describe('trace export', () => {
  let page: Page | undefined;
  afterEach(async () => {
    await page?.close();
    page = undefined;
  });

  async function open(): Promise<Page> {
    const html = inFolder('a.html');
    expect(await runXmppctl(['trace', 'export', file, '-o', html])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    return (page = await openPage(html));
  }

  it('makes a page of 100,000 events that is searched, filtered and scrolled', async () => {
    const events = Array.from({ length: 50_000 }, (_, i): Line[] => [
      `→<iq type='get' id='i${i}' to='bob@b.org/x'><ping xmlns='urn:xmpp:ping'/></iq>`,
      `←<iq type='result' id='i${i}' from='bob@b.org/x'><x xmlns='n' v='${i}'/></iq>`,
    ]);
    await record([...login, ...events.flat()]);
    const { evaluate, complaints, requests } = await open();
    const count = (): Promise<string> => evaluate("document.getElementById('count').textContent");
    const rows = (): Promise<string[]> =>
      evaluate("[...document.querySelectorAll('#rows .row')].map((row) => row.textContent)");
    // Two headers come with their features: two events in one record.
    expect(await count()).toBe('100011 of 100011 events');
    expect((await rows()).length).toBeLessThan(100);
    expect((await rows())[0]).toContain('connection 1: c2s alice@example.org');

    await evaluate(
      "new Promise((done) => { const list = document.getElementById('list'); list.scrollTop = list.scrollHeight; requestAnimationFrame(() => requestAnimationFrame(done)); })",
    );
    expect((await rows()).at(-1)).toContain('iq result x n');

    await evaluate(
      "(async () => { const box = document.getElementById('search'); box.value = \"v='4711'\"; box.dispatchEvent(new Event('input')); while (!document.getElementById('count').textContent.startsWith('1 of')) await new Promise(requestAnimationFrame); document.querySelector('#rows .row').click(); })()",
    );
    expect(await rows()).toHaveLength(1);
    expect(await evaluate("document.querySelector('#detail details summary').textContent")).toContain(
      "id='i4711'",
    );
    await evaluate("document.querySelector('#detail button').click()");
    expect(await evaluate("document.querySelector('#detail').textContent")).toContain(
      "<iq type='get' id='i4711'",
    );

    await evaluate(
      "(() => { const dir = document.getElementById('dir'); dir.value = 'out'; dir.dispatchEvent(new Event('change')); const kind = document.getElementById('kind'); kind.value = 'iq'; kind.dispatchEvent(new Event('change')); })()",
    );
    expect(await count()).toBe('50001 of 100011 events');
    await evaluate(
      "(() => { const box = document.getElementById('namespace'); box.value = 'urn:xmpp:ping'; box.dispatchEvent(new Event('change')); })()",
    );
    expect(await count()).toBe('50000 of 100011 events');
    expect({ complaints, requests }).toEqual({ complaints: [], requests: [] });
  });

  it('shows hostile content as text', async () => {
    const hostile = [
      '</script><script>window.isTaken = true</script>',
      '<img src=x onerror="window.isTaken = true">',
      '<!--<script>',
      "<a href='javascript:window.isTaken = true'>x</a>",
      '<style>*{display:none}</style><link rel=stylesheet href=https://192.0.2.1/x.css>',
      '\u2028\u0000\u001b[2J\u202e',
    ];
    const lines = hostile.flatMap((text): Line[] => [
      `←<message id="${text.replaceAll('"', "'")}"><body>${text}</body></message>`,
      `←${text}`,
      { name: 'close', detail: { reason: text } },
    ]);
    await record([...login, ...lines, `→${nest(5000)}`]);
    const { evaluate, complaints, requests } = await open();
    await evaluate(
      "(async () => { for (const row of document.querySelectorAll('#rows .row')) { row.click(); document.getElementById('pretty').click(); await new Promise(requestAnimationFrame); } })()",
    );
    await evaluate(
      "(() => { const list = document.getElementById('list'); for (let i = 0; i < 60; i += 1) list.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown' })); })()",
    );
    expect(await evaluate('window.isTaken === undefined')).toBe(true);
    expect(
      await evaluate(
        "document.querySelectorAll('img, a, link, #detail style, #detail script, #rows script').length",
      ),
    ).toBe(0);
    expect(await evaluate("document.body.innerText.includes('\\u202e')")).toBe(false);
    expect(await evaluate("document.querySelectorAll('script').length")).toBe(3);
    expect({ complaints, requests }).toEqual({ complaints: [], requests: [] });
  });

  it('writes Markdown that nothing breaks out of', async () => {
    await record([
      ...login,
      '←<message><body>```\n# taken\n````` \u001b[2J</body></message>',
      { name: 'close', detail: { reason: '`<b>`' } },
    ]);
    const { code, stdout } = await runXmppctl(['trace', 'export', file, '--format', 'md']);
    expect(code).toBe(0);
    expect(stdout).toContain('\n``````xml\n');
    expect(stdout).toContain('`` closed reason `<b>` ``');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toMatch(/^# taken/m);
  });

  it('writes a script for scansion', async () => {
    await record([
      ...login,
      '→<presence/>',
      "←<message from='bob@b.org/x' to='alice@example.org/desk'><body>a &lt; b</body></message>",
    ]);
    expect((await runXmppctl(['trace', 'export', file, '--format', 'scansion'])).stdout).toBe(
      [
        '# a.trace',
        '',
        '[Client] Client1',
        '\tjid: alice@example.org',
        '\tpassword: password',
        '',
        '-----',
        '',
        'Client1 connects',
        '',
        'Client1 sends:',
        '\t<presence/>',
        '',
        'Client1 receives:',
        '\t<message from="bob@b.org/x">',
        '\t\t<body>a &lt; b</body>',
        '\t</message>',
        '',
        'Client1 disconnects',
        '',
      ].join('\n'),
    );
  });

  it('is one JSON document, also of a trace without a stream', async () => {
    await writeFile(file, encodeRecord(header));
    const { code, stdout } = await runXmppctl(['trace', 'export', '-', '--json'], {
      input: await readFile(file),
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ log: { title: 'stdin', entries: [], connections: [] } });
  });
});
