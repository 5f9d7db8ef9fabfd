import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { registry } from '../../../src/commands/registry.js';
import { runProgram } from '../../../src/lib/command/run.js';
import type { Context } from '../../../src/lib/context.js';
import { NegativeError, XmppctlError } from '../../../src/lib/errors.js';
import { createMemoryOutput } from '../../support/memory-output.js';

interface Ran {
  stdout: string;
  stderr: string;
  error: XmppctlError | undefined;
  json: () => unknown[];
}

/** Runs `xmppctl jid …` in this process. */
async function run(args: readonly string[], input: string | Iterable<string> = ''): Promise<Ran> {
  const memory = createMemoryOutput({ isJson: args.includes('--json') });
  let error: XmppctlError | undefined;
  try {
    await runProgram(['jid', ...args], {
      registry,
      groups: {},
      columns: 80,
      printHelp: () => undefined,
      createContext: () =>
        Promise.resolve({
          output: memory.output,
          stdin: Readable.from(typeof input === 'string' ? [input] : input),
          signal: new AbortController().signal,
        } as Partial<Context> as Context),
    });
  } catch (thrown) {
    if (!(thrown instanceof XmppctlError)) throw thrown;
    error = thrown;
  }
  return { stdout: memory.stdout(), stderr: memory.stderr(), error, json: memory.jsonLines };
}

describe('jid check', () => {
  it('shows valid addresses in their prepared form', async () => {
    const { stdout, error } = await run(['check', 'alice@example.com', 'Alice@MÜNCHEN.example/Foo']);
    expect(stdout).toBe(
      'valid    alice@example.com\nvalid    Alice@MÜNCHEN.example/Foo → alice@münchen.example/Foo\n',
    );
    expect(error).toBeUndefined();
  });

  it('explains invalid ones and answers no', async () => {
    const { stdout, error } = await run(['check', "d'artagnan@example.com", 'a@example.com', '\u001b]0;x@y']);
    expect(stdout).toBe(
      [
        "invalid  d'artagnan@example.com",
        "         the localpart (before the @) may not contain ', character 2",
        '         perhaps d\\27artagnan@example.com is meant',
        'valid    a@example.com',
        'invalid  <U+001B>]0;x@y',
        '         the localpart (before the @) may not contain a control character (U+001B), character 1',
        '',
      ].join('\n'),
    );
    expect(error).toBeInstanceOf(NegativeError);
    expect(error?.message).toBe('2 of 3 addresses are not valid');
  });

  it('says much about one address in few lines', async () => {
    const { stdout } = await run(['check', '♥♥♥♥♥♥♥@example.com']);
    expect(stdout.split('\n')).toHaveLength(8);
    expect(stdout).toMatch(/\n {9}and 2 more\n$/);
  });

  it('prints one object a line with --json', async () => {
    const { json } = await run(['check', '--json', '--stdin'], 'pаypal@example.com\n\na@b_c\n');
    expect(json()).toMatchObject([
      {
        input: 'pаypal@example.com',
        line: 1,
        valid: true,
        normalized: 'pаypal@example.com',
        parts: { local: 'pаypal', domain: 'example.com', resource: null },
        ascii: 'pаypal@example.com',
        warnings: [{ kind: 'mixed-scripts' }, { kind: 'confusable', looksLike: 'paypal' }],
        errors: [],
      },
      {
        input: 'a@b_c',
        line: 3,
        valid: false,
        warnings: [],
        errors: [{ part: 'domain', rule: 'disallowed', codePoint: 'U+005F', index: 1 }],
      },
    ]);
  });

  it('finds the accounts of a list that become one or look alike', async () => {
    const list = 'alice@example.com\r\nbob@example.com\r\nAlice@Example.com\r\nb0b@example.com\r\n';
    const { stdout, error } = await run(['check', '--stdin', '--collisions', '--problems'], list);
    expect(stdout).toBe(
      [
        'valid    Alice@Example.com → alice@example.com',
        '         warning: the same as alice@example.com (line 1)',
        'valid    b0b@example.com',
        '         warning: looks like bob@example.com (line 2)',
        '',
      ].join('\n'),
    );
    expect(error?.message).toBe('1 of 4 addresses mean the same as an earlier one');
  });

  it('keeps the order of a long list, whatever the chunks', async () => {
    const names = Array.from({ length: 5000 }, (_, index) => `üser${index}@example.com`);
    function* chunks(): Generator<string> {
      const text = `\ufeff${names.join('\n')}`;
      for (let start = 0; start < text.length; start += 1021) yield text.slice(start, start + 1021);
    }
    const { json, error } = await run(['check', '--stdin', '--json'], chunks());
    expect(error).toBeUndefined();
    expect(json().map((report) => (report as { normalized: string }).normalized)).toEqual(names);
  });

  it('wants either arguments or --stdin', async () => {
    expect((await run(['check'])).error?.message).toBe('no addresses given');
    expect((await run(['check', 'a@b', '--stdin'])).error?.message).toBe(
      'give the addresses as arguments or with --stdin, not both',
    );
  });
});

describe('jid normalize', () => {
  it('prints what is valid and names the rest on stderr', async () => {
    const { stdout, stderr, error } = await run(
      ['normalize', '--stdin'],
      'A@B\na b@c\nÉ@München.example/x\n',
    );
    expect(stdout).toBe('a@b\né@münchen.example/x\n');
    expect(stderr).toBe(
      'warning: line 2: “a b@c” is not an XMPP address: the localpart (before the @) may not contain a space (U+0020 SPACE), character 2\n',
    );
    expect(error?.message).toBe('1 of 3 addresses are not valid');
  });

  it('writes A-labels and bare addresses on request', async () => {
    expect((await run(['normalize', '--ascii', '--bare', 'É@München.example/x'])).stdout).toBe(
      'é@xn--mnchen-3ya.example\n',
    );
    expect((await run(['normalize', '--json', 'A@B'])).json()).toEqual([
      { input: 'A@B', line: 1, normalized: 'a@b' },
    ]);
  });
});

describe('jid compare', () => {
  it('finds what is the same', async () => {
    const { stdout, error } = await run(['compare', 'Alice@EXAMPLE.org', 'ａlice@example.org.']);
    expect(stdout).toBe('the same: alice@example.org\n');
    expect(error).toBeUndefined();
  });

  it('says in what others differ, and that they look alike', async () => {
    const { stdout, error } = await run(['compare', 'alice@example.org/x', 'аlice@example.org/y']);
    expect(stdout).toBe(
      'different in the localpart and resource: alice@example.org/x and аlice@example.org/y\n',
    );
    expect(error).toBeInstanceOf(NegativeError);
    expect((await run(['compare', 'alice@example.org', 'аlice@example.org'])).stdout).toMatch(
      /^different in the localpart: .* \(but they look alike\)\n$/,
    );
  });

  it('refuses what is no address', async () => {
    expect((await run(['compare', 'a@b', 'a@b_c'])).error?.name).toBe('JidError');
    expect((await run(['compare', 'a@b'])).error?.message).toBe('two addresses are needed');
    expect((await run(['compare', '--stdin', 'a@b'])).error?.message).toBe(
      'give two addresses or --stdin, not both',
    );
  });

  it('compares pairs from stdin', async () => {
    const { json, stderr, error } = await run(
      ['compare', '--stdin', '--json'],
      'A@b\ta@B\na@b\tc@b\nnonsense\na@b\t@\n',
    );
    expect(json()).toEqual([
      { line: 1, first: 'a@b', second: 'a@b', same: true, differs: [], confusable: false },
      { line: 2, first: 'a@b', second: 'c@b', same: false, differs: ['local'], confusable: false },
    ]);
    expect(stderr).toMatch(/line 3: not two addresses separated by a tab\n.*line 4: /);
    expect(error?.message).toBe('of 4 pairs 1 are different and 2 are not valid');
  });
});

describe('jid escape and unescape', () => {
  it('take the whole text for a name, or only what is before the last @', async () => {
    expect((await run(['escape', "d'artagnan@musketeers.lit"])).stdout).toBe(
      'd\\27artagnan\\40musketeers.lit\n',
    );
    expect((await run(['escape', '--address', "d'a@b@musketeers.lit"])).stdout).toBe(
      'd\\27a\\40b@musketeers.lit\n',
    );
    expect((await run(['unescape', 'd\\27artagnan@musketeers.lit/\\20'])).stdout).toBe(
      "d'artagnan@musketeers.lit/\\20\n",
    );
  });

  it('keep one line for one line, and go on after what cannot be escaped', async () => {
    const { stdout, stderr, error } = await run(['escape', '--stdin'], 'a b\n\n c\nd&e\n');
    expect(stdout).toBe('a\\20b\n\nd\\26e\n');
    expect(stderr).toMatch(/^warning: line 3: “ c”: a localpart can have no space at its beginning/);
    expect(error?.message).toBe('1 name could not be escaped');
    expect((await run(['unescape', '--stdin', '--json'], 'a\\20b\n')).json()).toEqual([
      { input: 'a\\20b', line: 1, unescaped: 'a b' },
    ]);
  });
});
