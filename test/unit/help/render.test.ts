import { describe, expect, it } from 'vitest';
import { defineCommand, type AnyCommandDefinition } from '../../../src/lib/command/definition.js';
import { commandPage } from '../../../src/lib/help/command-page.js';
import { blocksFrom, code, terms, text, type Block, type Page } from '../../../src/lib/help/document.js';
import { exitCodeTerms } from '../../../src/lib/help/exit-codes.js';
import { environmentTerms } from '../../../src/lib/help/environment.js';
import { renderRoff } from '../../../src/lib/help/render-roff.js';
import { renderText } from '../../../src/lib/help/render-text.js';
import { topics } from '../../../src/lib/help/topics.js';
import { ExitCode } from '../../../src/lib/errors.js';
import { accountKeys } from '../../../src/lib/config/keys.js';

function page(...blocks: Block[]): Page {
  return { name: 'xmppctl-x', section: 1, summary: 'a summary', sections: [{ title: 'TITLE', blocks }] };
}
const roff = (...blocks: Block[]): string[] =>
  renderRoff(page(...blocks), '1.2')
    .split('.SH "TITLE"\n')[1]
    ?.trimEnd()
    .split('\n') ?? [];

describe('renderRoff', () => {
  it.each([
    ['.TH is no request here', '\\&.TH is no request here'],
    ["'quoted' at the beginning", '\\(aqquoted\\(aq at the beginning'],
    ['a \\ and \\n', 'a \\(rs and \\(rsn'],
    ['--json and a-b', '\\-\\-json and a\\-b'],
    ['~/x ^y `', '\\(ti/x \\(hay \\(ga'],
    ['é … 🎉', '\\[u00E9] \\[u2026] \\[u1F389]'],
    ['type `--ca <file>` now', 'type \\fB\\-\\-ca <file>\\fR now'],
    ['a *word* and 2*3*4', 'a \\fIword\\fR and 2*3*4'],
    ['takes <file>', 'takes <\\fIfile\\fR>'],
  ])('escapes %j', (content, expected) => {
    expect(roff(text(content))).toEqual([expected]);
  });

  it('sets paragraphs, terms and code apart', () => {
    expect(roff(text('one\n\ntwo'), code('.a\n\n  b'), terms([{ term: '-x', text: "'t" }]))).toEqual([
      'one',
      '.PP',
      'two',
      '.PP',
      '.RS 4',
      '.nf',
      '\\&.a',
      '\\&',
      '  b',
      '.fi',
      '.RE',
      '.TP',
      '\\fB\\-x\\fR',
      '\\(aqt',
    ]);
  });

  it('begins with a title and the name, and has no date', () => {
    expect(renderRoff(page(), '1.2')).toMatch(
      /^\.TH "XMPPCTL\\-X" 1 "" "xmppctl 1\.2" "xmppctl manual"\n\.nh\n\.ad l\n\.SH NAME\nxmppctl\\-x \\- a summary\n/,
    );
  });
});

describe('renderText', () => {
  it('wraps to the width and leaves code alone', () => {
    const long = 'word '.repeat(30).trim();
    const shown = renderText(page(text(`${long} \`--x\` *y*`), code(`  ${long}`)), 60).split('\n');
    expect(shown.slice(0, 3)).toEqual(['xmppctl-x - a summary', '', 'TITLE']);
    expect(shown.filter((line) => !line.includes(long)).every((line) => line.length <= 60)).toBe(true);
    expect(shown.join('\n')).toContain('--x y');
    expect(shown.at(-2)).toBe(`        ${long}`);
  });
});

describe('blocksFrom', () => {
  it('takes an indented paragraph for code', () => {
    expect(blocksFrom('one\ntwo\n\n  $ x\n    y\n\nthree')).toEqual([
      text('one two'),
      code('$ x\n  y'),
      text('three'),
    ]);
  });
});

describe('commandPage', () => {
  it('shows arguments, options, choices, defaults, exit codes and examples', () => {
    const definition = defineCommand({
      path: 'say it',
      summary: 'say something',
      description: 'Says it.\n\nTwice.',
      exitCodes: { 1: 'nobody listened' },
      examples: [{ does: 'say hello', line: 'xmppctl say it hello' }],
      sections: [{ title: 'NOTES', text: 'A note.' }],
      needs: 'nothing',
      build: (command) =>
        command
          .argument('<words...>', 'what to say')
          .option('--loud <how>', 'how loud', 'very')
          .option('--no-echo', 'without an echo'),
      parse: () => ({}),
      run: () => Promise.resolve(),
    }) as unknown as AnyCommandDefinition;
    const shown = renderText(commandPage(definition), 80);
    expect(shown).toContain('xmppctl say it [options] <words...>');
    expect(shown).toMatch(/ARGUMENTS\n {4}words\.\.\.\n {8}what to say\n/);
    expect(shown).toContain('how loud (default "very")');
    expect(shown).toMatch(/--no-echo\n {8}without an echo\n/);
    expect(shown).toContain('NOTES\n    A note.');
    expect(shown).toMatch(/1\n {8}nobody listened/);
    expect(shown).toContain('      xmppctl say it hello');
    expect(shown).toContain('OUTPUT OPTIONS');
    expect(shown).not.toContain('--service');
  });
});

describe('topics', () => {
  it.each(Object.keys(topics))('%s can be shown', async (name) => {
    const shown = await topics[name]?.load();
    expect(renderText(shown ?? page(), 80).length).toBeGreaterThan(500);
  });

  it('explain every exit code, every key of the configuration and each variable once', async () => {
    expect(exitCodeTerms.map(({ term }) => Number(term))).toEqual(Object.values(ExitCode));
    const config = renderText((await topics['config']?.load()) ?? page(), 80);
    for (const key of Object.keys(accountKeys)) expect(config).toContain(`    ${key} = `);
    const names = environmentTerms.map(({ term }) => term);
    expect(new Set(names).size).toBe(names.length);
  });
});
