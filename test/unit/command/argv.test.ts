import { describe, expect, it } from 'vitest';
import { splitArgv } from '../../../src/lib/command/argv.js';

const paths = new Set(['send', 'disco', 'disco info', 'account add', 'sandbox run']);

describe('splitArgv', () => {
  it.each([
    ['a plain command', ['send', 'bob@example.org', 'hi'], 'send', ['bob@example.org', 'hi']],
    ['the longest path', ['disco', 'info', 'example.org'], 'disco info', ['example.org']],
    [
      'a shorter path when the next word is not part of one',
      ['disco', 'example.org'],
      'disco',
      ['example.org'],
    ],
    [
      'global options before the words',
      ['--account', 'alice', '--json', 'send', 'bob@example.org'],
      'send',
      ['--account', 'alice', '--json', 'bob@example.org'],
    ],
    ['a value attached with =', ['--account=alice', 'send', 'x'], 'send', ['--account=alice', 'x']],
    [
      '--trace alone does not take the next word',
      ['send', '--trace', 'bob@x'],
      'send',
      ['--trace=-', 'bob@x'],
    ],
    ['--trace before the command', ['--trace', 'send', 'bob@x'], 'send', ['--trace=-', 'bob@x']],
    ['--trace=FILE is kept', ['send', '--trace=t.ndjson', 'b@x'], 'send', ['--trace=t.ndjson', 'b@x']],
    [
      'what follows -- is left alone',
      ['sandbox', 'run', '--', 'sh', '--trace'],
      'sandbox run',
      ['--', 'sh', '--trace'],
    ],
  ])('finds %s', (_name, argv, path, rest) => {
    expect(splitArgv(argv, paths)).toMatchObject({ path, rest });
  });

  it('names the words that are no command', () => {
    expect(splitArgv(['account', 'ad', 'x', '--json'], paths)).toEqual({
      path: undefined,
      unknown: ['account', 'ad', 'x'],
      rest: ['account', 'ad', 'x', '--json'],
    });
  });

  it('finds no command among options alone', () => {
    expect(splitArgv(['--json'], paths)).toMatchObject({ path: undefined, unknown: [] });
  });
});
