import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ConsoleOutput } from '../../../src/lib/output/console-output.js';
import { wantsColour } from '../../../src/lib/output/style.js';
import { renderTable } from '../../../src/lib/output/table.js';
import { formatBytes } from '../../../src/lib/output/format.js';
import { safeText } from '../../../src/lib/output/safe-text.js';
import { plainStyle } from '../../../src/lib/output/style.js';
import { createMemoryOutput } from '../../support/memory-output.js';

describe('ConsoleOutput', () => {
  it('prints a result as text with one final newline, or as a JSON document', async () => {
    const text = createMemoryOutput();
    await text.output.result({ a: 1 }, ({ a }) => `a is ${String(a)}`);
    expect(text.stdout()).toBe('a is 1\n');
    const json = createMemoryOutput({ isJson: true });
    await json.output.result({ a: 1 }, () => 'unused');
    expect(json.stdout()).toBe('{\n  "a": 1\n}\n');
  });

  it('prints the same JSON on a terminal', async () => {
    const terminal = createMemoryOutput({ isJson: true, isTerminal: true });
    await terminal.output.item({ a: 1 }, () => 'unused');
    expect(terminal.stdout()).toBe('{"a":1}\n');
  });

  it('writes in JSON as escapes what a terminal would obey, and leaves it alone for anybody else', async () => {
    const hostile = { body: '\u009b31m \u202egnp\u2066 \u007f é' };
    const terminal = createMemoryOutput({ isJson: true, isTerminal: true });
    await terminal.output.item(hostile, () => 'unused');
    expect(terminal.stdout()).toBe('{"body":"\\u009b31m \\u202egnp\\u2066 \\u007f é"}\n');
    expect(JSON.parse(terminal.stdout())).toEqual(hostile);
    const pipe = createMemoryOutput({ isJson: true });
    await pipe.output.item(hostile, () => 'unused');
    expect(pipe.stdout()).toBe(`${JSON.stringify(hostile)}\n`);
  });

  it('keeps notes, details and warnings off stdout, and quiet silences all but warnings', () => {
    const loud = createMemoryOutput({ isVerbose: true });
    loud.output.note('note');
    loud.output.detail('detail');
    loud.output.warn('careful');
    expect(loud.stderr()).toBe('note\ndetail\nwarning: careful\n');
    expect(loud.stdout()).toBe('');
    const quiet = createMemoryOutput({ isQuiet: true });
    quiet.output.note('note');
    quiet.output.detail('detail');
    quiet.output.warn('careful');
    expect(quiet.stderr()).toBe('warning: careful\n');
  });

  it('neutralises escape sequences in messages', () => {
    const { output, stderr } = createMemoryOutput();
    output.note('a\u001b]0;owned\u0007b');
    expect(stderr()).toBe('a␛]0;owned␇b\n');
  });

  it('waits for a slow reader', async () => {
    const slow = new PassThrough({ highWaterMark: 4 });
    const output = new ConsoleOutput({
      stdout: slow,
      stderr: new PassThrough(),
      isJson: false,
      isQuiet: false,
      isVerbose: false,
    });
    let isWritten = false;
    void output.item('123456', (value) => value);
    const writing = output.flush().then(() => (isWritten = true));
    await Promise.resolve();
    expect(isWritten).toBe(false);
    let isNextTaken = false;
    void output.item('7', (value) => value).then(() => (isNextTaken = true));
    await Promise.resolve();
    expect(isNextTaken).toBe(false);
    slow.resume();
    await writing;
    expect(isWritten).toBe(true);
  });

  it('writes lines of one turn together, in order with everything else', async () => {
    const stdout = new PassThrough();
    const chunks: string[] = [];
    stdout.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    const output = new ConsoleOutput({
      stdout,
      stderr: new PassThrough(),
      isJson: true,
      isQuiet: false,
      isVerbose: false,
    });
    for (const value of [1, 2, 3]) await output.item(value, String);
    expect(chunks).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(chunks).toEqual(['1\n2\n3\n']);
    await output.item(4, String);
    await output.result(5, String);
    expect(chunks.slice(1)).toEqual(['4\n', '5\n']);
  });

  it('shows no bar and no spinner without a terminal', () => {
    const { output, stderr } = createMemoryOutput();
    const progress = output.progress('sending', 'bytes');
    progress.update(1, 2);
    progress.stop();
    output.activity('connecting')[Symbol.dispose]();
    expect(stderr()).toBe('');
  });
});

describe('wantsColour', () => {
  it.each([
    ['a terminal', { isTTY: true }, { TERM: 'xterm' }, undefined, true],
    ['a pipe', {}, { TERM: 'xterm' }, undefined, false],
    ['--no-color', { isTTY: true }, { CLICOLOR_FORCE: '1' }, false, false],
    ['NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, undefined, false],
    ['an empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, undefined, true],
    ['CLICOLOR_FORCE', {}, { CLICOLOR_FORCE: '1' }, undefined, true],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, undefined, false],
  ])('decides for %s', (_name, stream, env, flag, expected) => {
    expect(wantsColour(stream, env, flag)).toBe(expected);
  });
});

describe('renderTable', () => {
  const rows = [
    ['alice', 'alice@example.org'],
    ['b\tob', 'x\u001b[31m'],
  ];

  it('aligns columns on a terminal', () => {
    expect(renderTable({ isTerminal: true, style: plainStyle }, ['NAME', 'JID'], rows)).toBe(
      'NAME   JID\nalice  alice@example.org\nb␉ob   x␛[31m',
    );
  });

  it('separates by tabs elsewhere, without a header', () => {
    expect(renderTable({ isTerminal: false, style: plainStyle }, ['NAME', 'JID'], rows)).toBe(
      'alice\talice@example.org\nb␉ob\tx␛[31m',
    );
  });
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [10 * 1024 * 1024, '10 MiB'],
  [5 * 1024 ** 4, '5.0 TiB'],
])('formatBytes(%d) is %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it('safeText keeps line breaks only where they are wanted, and shows what could reorder text', () => {
  expect(safeText('a\nb\tc')).toBe('a\nb\tc');
  expect(safeText('a\nb', { singleLine: true })).toBe('a␊b');
  expect(safeText('abc\u202edef\u009b31m\u007f')).toBe('abc\\u{202e}def\\u{9b}31m␡');
});
