import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { environmentTerms } from '../../../src/lib/help/environment.js';

const source = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../src');

it('documents every variable of ours that the source reads', async () => {
  const read = new Set<string>();
  for (const entry of await readdir(source, { recursive: true })) {
    if (!entry.endsWith('.ts')) continue;
    const text = await readFile(path.join(source, entry), 'utf8');
    for (const [, name = ''] of text.matchAll(/env\['([A-Z_]+)'\]/g)) read.add(name);
  }
  const documented = environmentTerms.flatMap(({ term }) => term.split(', '));
  const everybodysOwn = ['HOME', 'PATH', 'TERM', 'TMPDIR', 'COLUMNS', 'SHELL', 'NODE_OPTIONS'];
  expect([...read].filter((name) => !documented.includes(name) && !everybodysOwn.includes(name))).toEqual([]);
  expect(documented.filter((name) => name.startsWith('XMPPCTL_') && !read.has(name))).toEqual([]);
});
