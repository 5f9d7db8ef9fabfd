import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { registry } from '../../../src/commands/registry.js';
import { renderManPages } from '../../../src/lib/help/man-pages.js';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const packageJson = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
  man: string[];
};
let pages: ReadonlyMap<string, string>;
beforeAll(async () => (pages = await renderManPages(registry, packageJson.version)));

describe('the manual', () => {
  it('has a page for every command, and those of the program and its files', () => {
    expect([...pages.keys()]).toEqual(
      expect.arrayContaining([
        'xmppctl.1',
        'xmppctl-config.5',
        'xmppctl-trace.5',
        ...registry.map(({ path: words }) => `xmppctl-${words.replaceAll(' ', '-')}.1`),
      ]),
    );
  });

  it('is in man/ as it would be written now (npm run man)', async () => {
    const names = (await readdir(path.join(root, 'man'))).sort();
    expect(names).toEqual([...pages.keys()].sort());
    const stale: string[] = [];
    for (const name of names) {
      if ((await readFile(path.join(root, 'man', name), 'utf8')) !== pages.get(name)) stale.push(name);
    }
    expect(stale).toEqual([]);
  });

  it('is listed in package.json', () => {
    expect(packageJson.man).toEqual([...pages.keys()].sort().map((name) => `./man/${name}`));
  });
});
